"""What the console gets, and what becomes of a command whose output nobody reads, or that is told to end."""

import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

import pytest

from execution.headless.console import Console, fitting, printable
from main import StartError, refuse_if_not_writable

ROOT = Path(__file__).parents[2]


def unread() -> TextIO:
    """A pipe whose reader has left."""
    reader, writer = os.pipe()
    os.close(reader)
    return os.fdopen(writer, "w")


def test_a_reader_who_leaves_is_no_failure() -> None:
    with unread() as stream:
        console = Console(stream)
        console.write("one\n")
        console.write("two\n")
    assert console.failure is None


def test_a_device_that_is_full_is_a_failure() -> None:
    with Path("/dev/full").open("w") as stream:
        console = Console(stream)
        console.write("one\n")
        console.write("two\n")
    assert console.failure is not None
    assert console.failure.errno == errno.ENOSPC


def test_a_process_without_the_stream_writes_nothing() -> None:
    console = Console(None)
    console.write("text")
    assert not console.isatty()
    assert console.failure is None


def test_results_are_written_apart_from_what_nodes_print_and_paths_as_the_file_system_has_them() -> None:
    code = """
import os
from execution.headless.console import Console
print("before", flush=True)
out = Console.of_results()
print("node", flush=True)
os.system("echo child")
out.write(os.fsdecode(b"/\\xc3\\xa9/\\xff.png\\n"))
"""
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, check=True)
    assert ended.stdout == b"before\n/\xc3\xa9/\xff.png\n"
    assert ended.stderr == b"node\nchild\n"


@pytest.mark.parametrize(
    ("text", "columns", "shown"),
    [
        ("abc", 3, "abc"),
        ("abc", 2, "ab"),
        ("猫abc", 4, "猫ab"),
        ("猫猫", 3, "猫"),
        ("e\u0301a", 1, "e\u0301"),
        ("a", 0, ""),
    ],
)
def test_a_line_takes_no_more_columns_than_there_are(text: str, columns: int, shown: str) -> None:
    assert fitting(text, columns) == shown


def test_what_a_terminal_would_obey_is_not_printed() -> None:
    assert printable("a\x1b[31m\u202e\n猫") == "a�[31m��猫"


def test_a_folder_that_cannot_be_written_is_refused_and_one_that_can_is_left_as_it_is(tmp_path: Path) -> None:
    refuse_if_not_writable(tmp_path)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(StartError, match="Cannot write to the directory"):
        refuse_if_not_writable(tmp_path / "missing")


GRAPH = '{"1": {"class_type": "PreviewAny", "inputs": {"source": "x"}}}'


@pytest.fixture
def command(tmp_path: Path) -> Callable[..., subprocess.Popen[bytes]]:
    """Starts a command on a graph, which keeps what is temporary in `scratch`."""
    (tmp_path / "graph.json").write_text(GRAPH)

    def start(name: str, stdout: Any) -> subprocess.Popen[bytes]:
        directories = "--base-directory", tmp_path / "base", "--temp-directory", tmp_path / "scratch"
        words = [sys.executable, ROOT / "main.py", name, tmp_path / "graph.json", *directories]
        return subprocess.Popen(words, stdout=stdout, stderr=subprocess.PIPE)

    return start


def test_a_command_that_is_told_to_end_leaves_nothing_behind(
    command: Callable[..., subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    process = command("run", subprocess.DEVNULL)
    try:
        while process.poll() is None and not list(tmp_path.glob("scratch/*/temp")):
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        # The worker writes to the same pipe: it is read to its end once that has ended as well.
        told = process.communicate(timeout=60)[1]
    finally:
        process.kill()
    assert (process.returncode, told) == (128 + signal.SIGTERM, b"Ended by a signal.\n")
    assert list(tmp_path.glob("scratch/*")) == []


def test_a_command_whose_output_nobody_reads_ends_as_it_would(command: Callable[..., subprocess.Popen[bytes]]) -> None:
    with unread() as out:
        process = command("graph", out)
    assert process.communicate(timeout=60)[1] == b""
    assert process.returncode == 0


def test_a_command_whose_output_cannot_be_written_fails(command: Callable[..., subprocess.Popen[bytes]]) -> None:
    with Path("/dev/full").open("w") as out:
        process = command("graph", out)
    assert process.communicate(timeout=60)[1] == b"Standard output cannot be written: No space left on device.\n"
    assert process.returncode == 1
