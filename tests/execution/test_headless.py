"""Commands on files: what they print, what they refuse, and how they end."""

import asyncio
import io
import json
import os
import struct
import zlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from execution.dispatcher import Dispatcher
from execution.engines.inline import inline_engine
from execution.events import NodeStarted
from execution.headless import commands
from execution.headless.assign import Assignment
from execution.headless.errors import HeadlessError
from execution.headless.png import LONGEST_TEXT, SIGNATURE, read_texts
from execution.headless.source import Source, read_source
from execution.messages import WorkerSetup
from execution.settings import EngineSettings
from nodes.paths import Paths
from tests.execution.graphs import graph, shown

WORKFLOW: dict[str, Any] = {
    "version": 0.4,
    "nodes": [
        {
            "id": 1,
            "type": "Make",
            "title": "Start",
            "widgets_values": [7],
            "outputs": [{"name": "THING", "links": [1]}],
        },
        {"id": 2, "type": "SaveText", "widgets_values": ["seven.txt"], "inputs": [{"name": "x", "link": 1}]},
    ],
    "links": [[1, 1, 0, 2, 0, "THING"]],
}


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
async def engine(settings: EngineSettings, setup: WorkerSetup, paths: Paths) -> AsyncIterator[Dispatcher]:
    paths.prepare()
    engine = inline_engine(settings, setup)
    await engine.start()
    yield engine
    await engine.stop()


def task(source: Source, *assignments: str, err: io.StringIO | None = None) -> commands.Task:
    return commands.Task(source, [Assignment.parse(one) for one in assignments], io.StringIO(), err or io.StringIO())


def written(stream: Any) -> str:
    return stream.getvalue()


async def test_a_run_prints_the_files_it_keeps_and_a_line_per_node(engine: Dispatcher, paths: Paths) -> None:
    given = task(Source(workflow=WORKFLOW))
    assert await commands.run(engine, given, paths.output) == 0
    assert written(given.out) == f"{paths.output / 'seven.txt'}\n"
    assert (paths.output / "seven.txt").read_text() == "7"
    assert written(given.err).splitlines() == ['1 of 2: Node 1 "Start" (Make)', "2 of 2: Node 2 (SaveText)"]


async def test_a_blocked_node_and_why_is_told_and_parts_of_a_node_are_not(engine: Dispatcher, paths: Paths) -> None:
    document = graph(
        _1=("Make", {"value": 3}), _2=("Expand", {"x": ["1", 0]}), _3=("Show", {"x": ["2", 0]}),
        _4=("Block", {"x": ["1", 0]}), _5=("Show", {"x": ["4", 0]}),
    )  # fmt: skip
    given = task(Source(graph=document))
    assert await commands.run(engine, given, paths.output) == 0
    told = written(given.err)
    assert "Node 5 (Show) was not run: 3 is not wanted\n" in told
    assert "2.0.0" not in told


async def test_a_terminal_sees_a_bar_that_is_gone_in_the_end(engine: Dispatcher, paths: Paths) -> None:
    steps = graph(_1=("Steps", {"count": 3, "milliseconds": 30}), _2=("Show", {"x": ["1", 0]}))
    given = task(Source(graph=steps), err=Terminal())
    assert await commands.run(engine, given, paths.output) == 0
    assert "[--------" in written(given.err)
    assert "\n" not in written(given.err)
    assert written(given.err).endswith("\r\x1b[K")
    assert written(given.out) == ""


async def test_a_graph_with_a_problem_does_not_run_even_in_part(engine: Dispatcher, paths: Paths) -> None:
    broken = graph(
        _1=("Make", {"value": 5000}),
        _2=("SaveText", {"x": ["1", 0]}),
        _3=("Make", {}),
        _4=("SaveText", {"x": ["3", 0]}),
    )
    given = task(Source(graph=broken))
    assert await commands.run(engine, given, paths.output) == 1
    assert written(given.err) == 'Node 1 (Make), input "value": Value 5000 bigger than max of 1000\n'
    assert list(paths.output.iterdir()) == []


@pytest.mark.parametrize(
    ("broken", "line"),
    [
        (
            graph(_1=("Nope", {})),
            "Node 1 (Nope): Node 'Nope' is of the type Nope, which is not installed: Node ID '#1'",
        ),
        (graph(_1=("Make", {})), "Prompt has no outputs"),
        (graph(_1=("Show", {})), 'Node 1 (Show), input "x": Required input is missing'),
        (graph(_1=("Show", {"x": 3})), "only a link from another node can give this"),
        (graph(_1=("Show", {"x": [1, 2]})), "must be a length-2 list of [node_id, slot_index]: [1, 2]"),
    ],
)
async def test_check_names_each_problem(engine: Dispatcher, broken: dict[str, Any], line: str) -> None:
    given = task(Source(graph=broken))
    assert await commands.check(engine, given) == 1
    assert line in written(given.err)
    assert written(given.out) == ""


async def test_check_names_the_problems_beside_those_of_types_that_are_not_installed(engine: Dispatcher) -> None:
    broken = graph(
        _1=("Gone", {}), _2=("Show", {"x": ["1", 0]}), _3=("Lost", {"x": ["2", 0]}),
        _4=("Make", {"value": 5000}), _5=("Show", {"x": ["4", 0]}), _6=("Show", {"x": ["7", 0]}),
        _8=("Show", {"x": []}), _9=("Show", {"x": [[], 0]}),
    )  # fmt: skip
    given = task(Source(graph=broken))
    assert await commands.check(engine, given) == 1
    told = written(given.err).splitlines()
    assert [line.partition(":")[0] for line in told] == [
        "Node 1 (Gone)",
        "Node 3 (Lost)",
        'Node 4 (Make), input "value"',
        *(f'Node {number} (Show), input "x"' for number in (6, 8, 9)),
    ]


async def test_check_says_that_a_graph_may_run_without_running_it(engine: Dispatcher, paths: Paths) -> None:
    given = task(Source(workflow=WORKFLOW))
    assert await commands.check(engine, given) == 0
    assert written(given.out) == "The graph may run: 2 nodes, 1 of them outputs.\n"
    assert list(paths.output.iterdir()) == []


async def test_a_failed_job_names_the_node_and_the_error(engine: Dispatcher, paths: Paths) -> None:
    failing = graph(_1=("Make", {"value": 3}), _2=("Fail", {"x": ["1", 0]}), _3=("Show", {"x": ["2", 0]}))
    failing["2"]["_meta"] = {"title": "My\x1b[31m node"}
    given = task(Source(graph=failing))
    assert await commands.run(engine, given, paths.output) == 1
    assert written(given.err).splitlines()[-1] == 'Node 2 "My�[31m node" (Fail) failed: ValueError: I do not like 3'


async def test_a_cancelled_run_interrupts_its_job(engine: Dispatcher, paths: Paths) -> None:
    endless = graph(_1=("Steps", {"count": 1000, "milliseconds": 20}), _2=("SaveText", {"x": ["1", 0]}))
    started = asyncio.Event()
    engine.subscribe(lambda event: started.set() if isinstance(event, NodeStarted) else None)
    running = asyncio.create_task(commands.run(engine, task(Source(graph=endless)), paths.output))
    await started.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    async with asyncio.timeout(60):
        while engine.queue().running:
            await asyncio.sleep(0.01)
    assert [entry.job.state for entry in await engine.history(await engine.history_ids())] == ["interrupted"]


async def test_graph_prints_api_format_without_titles(engine: Dispatcher) -> None:
    given = task(Source(workflow=WORKFLOW), "Start.value=9")
    assert await commands.show_graph(engine, given) == 0
    assert json.loads(written(given.out)) == {
        "1": {"class_type": "Make", "inputs": {"value": 9}},
        "2": {"class_type": "SaveText", "inputs": {"name": "seven.txt", "x": ["1", 0]}},
    }


async def test_the_graph_of_a_graph_is_itself(engine: Dispatcher) -> None:
    drawn, again = task(Source(workflow=WORKFLOW)), io.StringIO()
    await commands.show_graph(engine, drawn)
    given = commands.Task(Source(graph=json.loads(written(drawn.out))), [], again, io.StringIO())
    assert await commands.show_graph(engine, given) == 0
    assert written(again) == written(drawn.out)


async def test_the_values_that_are_set_are_in_the_names_of_files(engine: Dispatcher) -> None:
    saving = {"id": 3, "type": "Foreign", "widgets_values": {"filename_prefix": "%Start.value%"}}
    given = task(Source(workflow={**WORKFLOW, "nodes": [*WORKFLOW["nodes"], saving]}), "Start.value=9")
    assert await commands.show_graph(engine, given) == 0
    assert '"filename_prefix": "9"' in written(given.out)


@pytest.mark.parametrize(("assignments", "saved"), [((), {"workflow": WORKFLOW}), (("1.value=9",), None)])
async def test_a_workflow_is_saved_with_pictures_only_if_its_values_hold(
    engine: Dispatcher, paths: Paths, assignments: tuple[str, ...], saved: Any
) -> None:
    assert await commands.run(engine, task(Source(workflow=WORKFLOW), *assignments), paths.output) == 0
    [entry] = await engine.history(await engine.history_ids())
    assert entry.job.extra_data.read().get("extra_pnginfo") == saved


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(*chunks: bytes) -> bytes:
    return SIGNATURE + chunk(b"IHDR", bytes(13)) + b"".join(chunks) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


TEXT = json.dumps(WORKFLOW).encode()


@pytest.mark.parametrize(
    "carrier",
    [
        chunk(b"tEXt", b"workflow\0" + TEXT),
        chunk(b"comf", b"workflow\0" + TEXT),
        chunk(b"tEXt", b"workflow\0" + TEXT) + chunk(b"tEXt", b"workflow\0{}"),
        chunk(b"zTXt", b"workflow\0\0" + zlib.compress(TEXT)),
        chunk(b"iTXt", b"workflow\0\0\0en\0x\0" + TEXT),
        chunk(b"iTXt", b"workflow\0\1\0\0\0" + zlib.compress(TEXT)),
    ],
)
def test_a_picture_gives_its_workflow_before_its_graph(tmp_path: Path, carrier: bytes) -> None:
    (tmp_path / "x").write_bytes(png(chunk(b"tEXt", b"prompt\0" + json.dumps(shown(1)).encode()), carrier))
    assert read_source(tmp_path / "x") == Source(workflow=WORKFLOW)


def webp(entries: list[bytes], order: str = "<", head: bytes = b"") -> bytes:
    """A WEBP whose EXIF block holds these texts."""
    directory, texts = struct.pack(order + "H", len(entries)), b""
    start = 8 + 2 + 12 * len(entries) + 4
    for number, text in enumerate(entries):
        directory += struct.pack(order + "HHII", 0x0110 - number, 2, len(text) + 1, start + len(texts))
        texts += text + b"\0"
    block = head + {"<": b"II*\0\x08\0\0\0", ">": b"MM\0*\0\0\0\x08"}[order] + directory + bytes(4) + texts
    chunks = b"VP8L" + struct.pack("<I", 3) + bytes(4) + b"EXIF" + struct.pack("<I", len(block)) + block
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WEBP" + chunks


@pytest.mark.parametrize(("order", "head"), [("<", b""), (">", b"Exif\0\0")])
def test_a_webp_gives_its_workflow_before_its_graph(tmp_path: Path, order: str, head: bytes) -> None:
    data = webp([b"prompt:" + json.dumps(shown(1)).encode(), b"Workflow:" + TEXT], order, head)
    (tmp_path / "x.png").write_bytes(data)
    assert read_source(tmp_path / "x.png") == Source(workflow=WORKFLOW)


def test_a_picture_with_only_a_graph_gives_it_and_null_for_what_is_no_number(tmp_path: Path) -> None:
    text = b'{"1": {"class_type": "Make", "inputs": {}, "is_changed": [NaN]}}'
    (tmp_path / "x.png").write_bytes(png(chunk(b"tEXt", b"prompt\0" + text)))
    expected = {"1": {"class_type": "Make", "inputs": {}, "is_changed": [None]}}
    assert read_source(tmp_path / "x.png") == Source(graph=expected)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (png(), "carries no workflow"),
        (SIGNATURE, "cut off"),
        (png()[:-12] + struct.pack(">I4s", 2**31 - 1, b"tEXt") + b"workflow\0", "beyond its end"),
        (png(chunk(b"tEXt", b"workflow\0{}")[:-1] + b"!"), "checksum"),
        (png(chunk(b"zTXt", b"workflow\0\0" + zlib.compress(TEXT)[:-9])), "damaged"),
        (png(chunk(b"zTXt", b"workflow\0\0" + zlib.compress(bytes(LONGEST_TEXT + 1)))), "larger than"),
        (png(chunk(b"iTXt", b"workflow\0\0\0no end")), "cannot be read"),
        (png(chunk(b"tEXt", b"workflow\0{")), "is not JSON"),
        (b"\xff\xd8\xff", "neither JSON nor a PNG"),
        (webp([]), "carries no workflow"),
        (webp([b"prompt:{"]), "is not JSON"),
        (webp([b"prompt:{}"])[:-5], "beyond its end"),
        (b"RIFF\0\0\0\0WEBPEXIF\x0c\0\0\0II*\0\xff\xff\xff\xff\xff\xff\xff\xff", "carries no workflow"),
        (b"[]", "neither a workflow"),
        (b"{}", "neither a workflow"),
        (b"{", "line 1, column 2"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"1": {}, "1": {}}', "'1' twice"),
        (b'{"nodes": [1e999]}', "too large"),
        (b'{"nodes": [' + b"9" * 5000 + b"]}", "too many digits"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_with_the_reason(tmp_path: Path, data: bytes, message: str) -> None:
    (tmp_path / "file").write_bytes(data)
    with pytest.raises(HeadlessError, match=message) as error:
        read_source(tmp_path / "file")
    assert str(tmp_path / "file") in str(error.value)


def test_a_workflow_may_come_through_a_pipe() -> None:
    reader, writer = os.pipe()
    os.write(writer, TEXT)
    os.close(writer)
    assert read_source(Path(f"/dev/fd/{reader}")) == Source(workflow=WORKFLOW)
    os.close(reader)


def test_of_texts_with_one_name_the_first_is_read(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(webp([b"workflow:" + TEXT, b"workflow:{}"]))
    assert read_source(tmp_path / "x") == Source(workflow=WORKFLOW)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(HeadlessError, match="No such file"):
        read_source(tmp_path / "missing.json")


@pytest.mark.parametrize("encoding", ["latin-1", "utf-8"])
def test_texts_are_read_in_either_encoding(encoding: str) -> None:
    data = png(chunk(b"tEXt", b"workflow\0" + "é".encode(encoding)))
    assert read_texts(io.BytesIO(data), ("workflow",)) == {"workflow": "é"}


def test_chunks_without_end_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("execution.headless.png.MOST_CHUNKS", 9)
    with pytest.raises(HeadlessError, match="more than 9 chunks"):
        read_texts(io.BytesIO(png(*[chunk(b"tEXt", b"")] * 9)), ("workflow",))


def test_other_chunks_are_passed_over() -> None:
    data = png(chunk(b"tEXt", b"Author\0me"), chunk(b"eXIf", bytes(99)), chunk(b"tEXt", b"workflow\0{}"))
    assert read_texts(io.BytesIO(data), ("workflow",)) == {"workflow": "{}"}
