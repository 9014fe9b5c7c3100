"""What loads the nodes imports all that is heavy, so that a spare worker may do it before it is needed."""

import subprocess
import sys
from pathlib import Path

IMPORTS = """
import sys, torch
def touch(*_):
    raise AssertionError("a device is asked for")
torch.cuda.is_available = torch.cuda.device_count = torch.cuda._lazy_init = touch
import nodes.host
of_others = {name.partition(".")[0] for name in sys.modules}
assert {"torch", "numpy", "PIL", "safetensors", "transformers"} <= of_others
assert "custom_nodes" not in sys.modules
from nodes.registry import load_builtin
load_builtin()
assert of_others == {name.partition(".")[0] for name in sys.modules}
"""


def test_loading_the_nodes_imports_no_library_that_was_not_there_and_importing_touches_no_device() -> None:
    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, "-c", IMPORTS], cwd=root, check=True, timeout=300)
