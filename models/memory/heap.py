"""Gives memory that was freed back to the system."""

import ctypes
import sys


def return_freed() -> None:
    """Has the C library return what it keeps of freed memory: of weights that is gigabytes, as pieces of up to 32 MB
    lie in its heap and stay there while anything above them is in use. Elsewhere than on glibc it does nothing."""
    if sys.platform == "linux" and (trim := getattr(ctypes.CDLL(None), "malloc_trim", None)) is not None:
        trim(0)
