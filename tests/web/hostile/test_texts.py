"""Texts come back as they were sent, whatever characters they are made of; what is no character is refused."""

import json

import pytest

from tests.execution.graphs import graph, shown
from tests.web.hostile.conftest import Server
from web.server import strict_json

pytestmark = pytest.mark.asyncio(loop_scope="module")

TEXTS = [
    "\N{RIGHT-TO-LEFT OVERRIDE}gnp.exe",
    "\N{GRINNING FACE}\N{ZERO WIDTH JOINER}\N{WOMAN}\N{VARIATION SELECTOR-16}",
    "e\N{COMBINING ACUTE ACCENT} is not \N{LATIN SMALL LETTER E WITH ACUTE}",
    "\N{ZERO WIDTH NO-BREAK SPACE}\N{LINE SEPARATOR}\N{PARAGRAPH SEPARATOR}\N{REPLACEMENT CHARACTER}",
    "\x01\x08\x0b\x1b[31m\x7f\x85\ufdd0\uffff\U0010ffff",
    "\r\n\r\t \\ \" ' / </script><img onerror=x> %0a ${x} {{x}} %s",
    "",
    "눈\N{GRINNING FACE}. " * (1 << 18),
]


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: f"{text[:20]!a}")
async def test_a_text_reaches_its_node_and_the_history_as_it_was_sent(server: Server, text: str) -> None:
    part = text[:250]
    document = {f"node {part}": {"class_type": "Say", "inputs": {"text": text}, "_meta": {"title": part}}}
    kept = {"workflow": {part: [part]}}
    body = json.dumps({"prompt": document, "extra_data": {"extra_pnginfo": kept}}, ensure_ascii=False)
    sent = await server.send(body.encode())
    assert sent.status == 200
    entry = await server.ended(sent.said["prompt_id"])
    assert entry["outputs"] == {f"node {part}": {"text": [text]}}
    assert entry["prompt"][2] == document
    assert entry["prompt"][3]["extra_pnginfo"] == kept


BROKEN = [r"a\u0000b", r"\ud800", r"a\udfff", r"\ude00\ud83d", r"\ud83d\ud83d\ude00", "\\uD800", "\\u0000"]


@pytest.mark.parametrize("broken", BROKEN)
async def test_what_is_no_character_is_refused_wherever_it_stands(server: Server, broken: str) -> None:
    good = strict_json.dumps(shown(1))
    for place in (
        '{"prompt": {"o": {"class_type": "Say", "inputs": {"text": "#"}}}}',
        '{"prompt": {"o": {"class_type": "Gather", "inputs": {"#": 1}}}}',
        '{"prompt": {"o": {"class_type": "#", "inputs": {}}}}',
        '{"prompt": {"#": {"class_type": "Say", "inputs": {"text": ""}}}}',
        '{"prompt": {"o": {"class_type": "Show", "inputs": {"x": ["#", 0]}}}}',
        f'{{"prompt": {good}, "client_id": "#"}}',
        f'{{"prompt": {good}, "extra_data": {{"a": [{{"#": 1}}]}}}}',
        f'{{"prompt": {good}, "partial_execution_targets": ["#"]}}',
        '{"workflow": {"nodes": [{"id": "#"}]}}',
    ):
        sent = await server.send(place.replace("#", broken).encode())
        assert (sent.status, sent.type) == (400, "bad_request"), place
        assert "NUL or half a surrogate pair" in sent.message


async def test_two_halves_are_a_character_and_a_backslash_is_one_too(server: Server) -> None:
    for written, text in ((r"\ud83d\ude00", "\N{GRINNING FACE}"), (r"\\u0000 \\ud800", r"\u0000 \ud800")):
        sent = await server.send(
            b'{"prompt": {"o": {"class_type": "Say", "inputs": {"text": "%s"}}}}' % written.encode()
        )
        assert sent.status == 200
        assert (await server.ended(sent.said["prompt_id"]))["outputs"] == {"o": {"text": [text]}}


async def test_the_bytes_of_what_is_no_character_are_refused(server: Server) -> None:
    document = graph(o=("Say", {"text": "#"}))
    for broken in (b"\x00", b"\xed\xa0\x80", b"\xff", b"\xc0\x80", b"\xf8\x88\x80\x80\x80", b"\xf4\x90\x80\x80"):
        body = strict_json.dumps({"prompt": document}).encode().replace(b"#", broken)
        assert (await server.send(body)).status == 400
