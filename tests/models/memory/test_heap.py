"""What was freed is the system's again."""

import ctypes
import sys
from pathlib import Path

import pytest
import torch

from models.memory import return_freed

PIECE, COUNT = 64 << 10, 1600


def resident_bytes() -> int:
    """What this process has of the machine's memory."""
    [line] = [line for line in Path("/proc/self/status").read_text().split("\n") if line.startswith("VmRSS")]
    return int(line.split()[1]) << 10


@pytest.mark.skipif(
    sys.platform != "linux" or not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="only glibc keeps it"
)
def test_small_pieces_are_returned_although_something_above_them_is_in_use() -> None:
    pieces = [torch.ones(PIECE, dtype=torch.uint8) for _ in range(COUNT)]
    above = torch.ones(PIECE, dtype=torch.uint8)
    before = resident_bytes()
    del pieces
    return_freed()
    assert before - resident_bytes() > PIECE * COUNT // 2
    assert above.sum() == PIECE
