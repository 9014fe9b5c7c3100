"""How all tests run: in processes side by side (pyproject.toml), each of which computes on one thread."""

import os


def pytest_configure() -> None:
    """Say so before anything imports torch: more threads than processors slow each other down."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
