"""Dependencies point one way: main → web → execution → nodes → models."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LAYERS = ["web", "execution", "nodes", "models"]


def imported_packages(path: Path) -> set[str]:
    packages: set[str] = set()
    for statement in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(statement, ast.Import):
            packages.update(alias.name.split(".")[0] for alias in statement.names)
        elif isinstance(statement, ast.ImportFrom) and statement.module and statement.level == 0:
            packages.add(statement.module.split(".")[0])
    return packages


def sources(layer: str) -> list[Path]:
    return [path for path in (ROOT / layer).rglob("*.py") if "node_modules" not in path.parts]


@pytest.mark.parametrize("layer", LAYERS)
def test_a_layer_imports_only_those_below_it(layer: str) -> None:
    above = {*LAYERS[: LAYERS.index(layer)], "main", "flags", "training", "benchmarks", "tests"}
    assert sources(layer)
    for path in sources(layer):
        assert not imported_packages(path) & above, path


@pytest.mark.parametrize("layer", ["web", "execution"])
def test_server_layers_do_not_import_torch_or_the_networks(layer: str) -> None:
    for path in sources(layer):
        assert not imported_packages(path) & {"torch", "transformers", "safetensors", "models"}, path


def test_starting_the_server_loads_no_torch() -> None:
    code = "import sys, main, web.server.app, execution.engines.process; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=60, check=False).returncode == 0
