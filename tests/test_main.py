"""The command line wires the program together, and says plainly why it cannot start."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest

import main
from execution.cache import CacheSettings
from execution.lock import DirectoryLock
from tests.models.tiny_checkpoint import write_tiny_checkpoint
from web.server.version import VERSION

ROOT = Path(__file__).parent.parent


@contextmanager
def started(base: Path, *flags: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server in a process of its own, as soon as it has printed its address."""
    command = [sys.executable, "main.py", "--port", "0", "--base-directory", str(base), *flags]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.search(r"http://\S+", line)
        assert found, (line, process.stderr.read() if process.stderr and process.poll() is not None else "")
        yield process, found[0]
    finally:
        process.kill()
        process.communicate()


def refused(*flags: str) -> str:
    """What a start that fails prints; it must be one line."""
    result = subprocess.run(
        [sys.executable, "main.py", *flags], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert result.returncode == 1
    assert result.stderr.count("\n") == 1, result.stderr
    assert result.stderr.startswith("Weft cannot start: ")
    return result.stderr


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_server_starts_answers_and_stops_when_told(tmp_path: Path, how: signal.Signals) -> None:
    with started(tmp_path / "data") as (process, url):
        with urlopen(f"{url}/weft/status", timeout=10) as answer:
            status = json.load(answer)
        assert status["version"] == VERSION
        assert status["worker"]["state"] in ("starting", "ready")
        process.send_signal(how)
        assert process.wait(timeout=20) == 0
    assert (tmp_path / "data" / "models" / "checkpoints").is_dir()
    assert (tmp_path / "data" / "user" / "default" / "workflows").is_dir()


def test_a_second_server_on_the_same_directory_is_refused(tmp_path: Path) -> None:
    with started(tmp_path / "data"):
        message = refused("--port", "0", "--base-directory", str(tmp_path / "data"))
    assert "--base-directory" in message


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        message = refused("--port", str(port), "--base-directory", str(tmp_path / "data"))
    assert f"Port {port} is in use" in message
    assert "--port" in message


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert str(tmp_path / "file") in refused("--base-directory", str(tmp_path / "file" / "data"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_directory_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o500)
    assert str(tmp_path / "data") in refused("--base-directory", str(tmp_path / "data"))


def test_a_configuration_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    file = tmp_path / "extra.yaml"
    assert str(file) in refused("--base-directory", str(tmp_path / "data"), "--extra-model-paths-config", str(file))


def test_an_address_that_is_not_ours_is_named(tmp_path: Path) -> None:
    assert "192.0.2.1" in refused("--listen", "192.0.2.1", "--base-directory", str(tmp_path / "data"))


@pytest.mark.parametrize(
    ("flags", "kept"),
    [
        ([], CacheSettings(2 << 30, None)),
        (["--cache-none"], CacheSettings(max_entries=0)),
        (["--cache-lru", "7"], CacheSettings(max_entries=7)),
        (["--cache-bytes", "512M"], CacheSettings(max_bytes=512 << 20)),
        (["--cache-bytes", "0"], CacheSettings(max_bytes=0)),
    ],
)
def test_flags_decide_how_many_results_are_kept(flags: list[str], kept: CacheSettings) -> None:
    assert main.cache_of(main.parse(flags)) == kept


@pytest.mark.parametrize(
    "flags",
    [
        ["--port", "70000"],
        ["--port", "x"],
        ["--force-fp16", "--force-fp32"],
        ["--lowvram", "--novram"],
        ["--cpu", "--gpu-only"],
        ["--reserve-vram", "-1"],
        ["--cache-none", "--cache-lru", "3"],
        ["--cache-bytes", "4X"],
        ["--max-upload-size", "nan"],
        ["--max-upload-size", "0"],
        ["--preview-method", "rainbow"],
        ["--workers", "0"],
        ["--workers", "many"],
        ["--cuda-device", "first"],
        ["--node-timeout", "-1"],
        ["--interrupt-grace", "soon"],
        ["--queue-limit", "-5"],
        ["--unknown"],
    ],
)
def test_flags_that_mean_nothing_are_refused(flags: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main.parse(flags)
    assert caught.value.code == 2
    assert flags[0] in capsys.readouterr().err


def test_limits_may_be_switched_off_or_set() -> None:
    flags = main.parse(["--node-timeout", "0", "--workers", "auto", "--queue-limit", "7"])
    assert (flags.node_timeout, flags.workers, flags.queue_limit) == (0.0, None, 7)
    assert main.parse(["--node-timeout", "1.5", "--workers", "3"]).workers == 3


def test_a_server_keeps_a_spare_worker_unless_told_otherwise_and_a_command_keeps_none() -> None:
    given = [[], ["--no-spare-worker"], ["run", "workflow.json"]]
    assert [main.parse(words).spare_worker for words in given] == [True, False, False]


def test_gpus_that_are_not_there_are_named(tmp_path: Path) -> None:
    message = refused("--cuda-device", "98,99", "--base-directory", str(tmp_path / "data"))
    assert "[98, 99]" in message


def test_the_inline_engine_has_one_worker(tmp_path: Path) -> None:
    assert "--workers" in refused("--engine", "inline", "--workers", "2", "--base-directory", str(tmp_path / "data"))


@pytest.mark.parametrize(("text", "size"), [("0", 0), ("1000", 1000), ("512K", 512 << 10), ("1.5g", 3 << 29)])
def test_sizes_may_carry_a_unit(text: str, size: int) -> None:
    assert main.parse(["--cache-bytes", text]).cache_bytes == size


def test_directories_lie_below_the_base_unless_flags_put_them_elsewhere(tmp_path: Path) -> None:
    flags = main.parse(["--base-directory", str(tmp_path), "--output-directory", "/out", "--temp-directory", "/t"])
    paths = main.paths_of(flags)
    assert (paths.input, paths.output, paths.temp) == (tmp_path / "input", Path("/out"), Path("/t/temp"))
    assert main.paths_of(main.parse([])).base == ROOT / "data"


@pytest.mark.parametrize(
    ("flags", "any_address", "names"),
    [
        ([], False, {"127.0.0.1"}),
        (["--listen", "::1"], False, {"[::1]"}),
        (["--listen", "127.0.0.1", "--allow-host", "Box.lan"], False, {"127.0.0.1", "box.lan"}),
        (["--listen"], True, {socket.gethostname().lower()}),
        (["--listen", "192.168.1.5"], False, {"192.168.1.5", socket.gethostname().lower()}),
    ],
)
def test_only_who_listens_beyond_this_machine_answers_to_its_names(
    flags: list[str], any_address: bool, names: set[str]
) -> None:
    settings = main.server_settings_of(main.parse(flags))
    assert settings.any_address is any_address
    assert settings.allowed_hosts >= names
    assert (socket.gethostname().lower() in settings.allowed_hosts) == (
        "--listen" in flags and flags[1:2] != ["::1"] and "127.0.0.1" not in flags
    )


def test_the_version_is_that_of_the_project() -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        assert tomllib.load(file)["project"]["version"] == VERSION


def test_starting_loads_nothing_heavy() -> None:
    code = "import sys, main; print(*(set(sys.modules) & {'torch', 'numpy', 'PIL', 'transformers', 'yaml', 'scipy'}))"
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert result.stdout.strip() == ""


def test_the_page_is_there_within_a_second_of_the_processors_time(tmp_path: Path) -> None:
    """Processor time, so that a busy machine does not fail the test."""
    with started(tmp_path / "data") as (process, url):
        with urlopen(url, timeout=10) as answer:
            assert answer.status in (200, 503)
        fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
        assert (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") < 1.0


WORKFLOW = ROOT / "bundled" / "workflows" / "text_to_image.json"


def commanded(*words: str) -> subprocess.CompletedProcess[str]:
    """A command that has ended."""
    return subprocess.run(
        [sys.executable, "main.py", *words], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )


def test_without_a_command_the_flags_are_those_of_serve() -> None:
    flags = ["--port", "8200", "--verbose", "--output", "out"]
    assert main.parse(flags) == main.parse(["serve", *flags])
    assert main.parse(flags).command == "serve"


@pytest.mark.parametrize("words", [["run"], ["run", "x.json", "--set", "6"], ["check", "x.json", "--port", "1"]])
def test_a_command_that_is_not_complete_is_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main.parse(words)
    assert stopped.value.code == 2
    assert f"main.py {words[0]}" in capsys.readouterr().err


def test_a_workflow_runs_beside_a_server_and_leaves_its_directory_alone(tmp_path: Path) -> None:
    base, output = tmp_path / "data", tmp_path / "out"
    write_tiny_checkpoint(base / "models" / "checkpoints" / "tiny.safetensors")
    (base / "temp").mkdir()
    (base / "temp" / "kept.txt").write_text("")
    servers = DirectoryLock(base)
    servers.acquire()
    try:
        result = commanded(
            "run", str(WORKFLOW), "--base-directory", str(base), "--output", str(output), "--cpu",
            "--set", "4.ckpt_name=tiny.safetensors", "--set", "3.steps=1",
            "--set", "5.width=64", "--set", "5.height=64", "--set", "9.filename_prefix=cat",
        )  # fmt: skip
    finally:
        servers.release()
    assert (result.returncode, result.stdout) == (0, f"{output / 'cat_00001_.png'}\n"), result.stderr
    assert (output / "cat_00001_.png").read_bytes().startswith(b"\x89PNG")
    assert (base / "temp" / "kept.txt").exists()
    assert not list(base.glob("weft.db*"))


def test_a_file_that_is_not_there_is_told_before_anything_starts(tmp_path: Path) -> None:
    result = commanded("check", str(tmp_path / "missing.json"), "--base-directory", str(tmp_path / "data"))
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.count("\n") == 1
    assert "missing.json" in result.stderr
    assert not (tmp_path / "data").exists()


def test_control_c_ends_a_command_and_leaves_nothing_behind(tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    words = ["run", str(WORKFLOW), "--base-directory", str(tmp_path / "data")]
    environment = {**os.environ, "TMPDIR": str(scratch)}
    process = subprocess.Popen(
        [sys.executable, "main.py", *words], cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True
    )
    try:
        deadline = time.monotonic() + 60
        while not list(scratch.glob("weft-*/weft.lock")):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    assert (process.returncode, errors) == (130, "Interrupted.\n")
    assert list(scratch.iterdir()) == []
