"""Whatever a body holds, the answer says what is wrong with it, and the server goes on."""

import gzip
import json
import zlib
from typing import Any

import pytest

from tests.execution.graphs import shown
from tests.web.hostile.conftest import Server

pytestmark = pytest.mark.asyncio(loop_scope="module")

UUID = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "not JSON"),
        (b" " * 1000, "not JSON"),
        (b"{", "not JSON"),
        (b'{"prompt": {"1"', "not JSON"),
        (b'{"prompt": {},}', "not JSON"),
        (b"{'prompt': {}}", "not JSON"),
        (b'{"prompt": {}} {}', "not JSON"),
        (b'{"prompt": "a\nb"}', "not JSON"),
        (b"prompt=%7B%7D", "not JSON"),
        (b"\xef\xbb\xbf{}", "not JSON"),
        (b"\xff\xfe{\x00}\x00", "not UTF-8"),
        (b'{"prompt": "\xc3\x28"}', "not UTF-8"),
        (b'{"prompt": "\xed\xa0\x80"}', "not UTF-8"),
        (b'{"prompt": "\xc3', "not UTF-8"),
        (b'{"prompt": {}, "prompt": {}}', "'prompt' twice"),
        (b'{"prompt": {"1": {"class_type": "Make"}, "1": {"class_type": "Show"}}}', "'1' twice"),
        (b'{"prompt": {"1": {"class_type": "Make", "inputs": {"a": 1, "\\u0061": 2}}}}', "'a' twice"),
    ],
)
async def test_a_body_that_is_no_json_is_told_so(server: Server, body: bytes, message: str) -> None:
    sent = await server.send(body)
    assert (sent.status, sent.type) == (400, "bad_request")
    assert message in sent.message


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("null", "not null"),
        ("[]", "not a list"),
        ('"text"', "not a text"),
        ("5", "not a number"),
        ("true", "not true or false"),
        ('{"prompt": null}', "not null"),
        ('{"prompt": []}', "not a list"),
        ('{"prompt": "x"}', "not a text"),
        ('{"prompt": 5}', "not a number"),
        ('{"prompt": true}', "not a boolean"),
        ('{"prompt": {"7": null}}', "Node 7 is null"),
        ('{"prompt": {"7": []}}', "Node 7 is a list"),
        ('{"prompt": {"7": {"class_type": []}}}', "Node 7 has no class_type"),
        ('{"prompt": {"7": {"class_type": "Make", "inputs": []}}}', "inputs of node 7 are a list"),
    ],
)
async def test_what_is_no_graph_is_told_with_the_place(server: Server, body: str, message: str) -> None:
    sent = await server.send(body.encode())
    assert sent.status == 400
    assert message in sent.message
    assert "7" not in body or sent.said["error"]["extra_info"] == {"node_id": "7"}


PLACES = [
    '{"prompt": GRAPH, "number": #}',
    '{"prompt": GRAPH, "extra_data": {"extra_pnginfo": {"workflow": {"a": [[#]]}}}}',
    '{"prompt": {"1": {"class_type": "Make", "inputs": {"value": #}}}}',
    '{"prompt": {"1": {"class_type": "Make", "inputs": {"value": {"__value__": [1, {"a": #}]}}}}}',
    '{"prompt": {"1": {"class_type": "Make", "inputs": {"value": ["1", #]}}}}',
    '{"prompt": GRAPH, "unknown": #}',
    '{"workflow": {"nodes": [{"id": #}]}}',
]


@pytest.mark.parametrize("place", PLACES)
async def test_a_number_that_is_none_or_too_large_is_refused_wherever_it_stands(server: Server, place: str) -> None:
    text = place.replace("GRAPH", json.dumps(shown(1)))
    for number, message in [
        ("NaN", "NaN"),
        ("Infinity", "Infinity"),
        ("-Infinity", "-Infinity"),
        ("1e400", "too large"),
        ("-1e400", "too large"),
        (str(10**30), "64 bits"),
        (str(2**64), "64 bits"),
        (str(-(2**63) - 1), "64 bits"),
        ("9" * 5000, "digits"),
        ("-" + "9" * 5000, "digits"),
    ]:
        sent = await server.send(text.replace("#", number).encode())
        assert (sent.status, sent.type) == (400, "bad_request"), number
        assert message in sent.message, number


@pytest.mark.parametrize("number", ["-0.0", "0", "1e308", str(2**64 - 1), str(-(2**63)), "-5.5", "5e-324"])
async def test_every_other_number_orders_a_job_and_is_read_back(server: Server, number: str) -> None:
    body = '{"prompt": GRAPH, "number": #, "extra_data": {"extra_pnginfo": {"n": [#]}}}'
    sent = await server.send(body.replace("GRAPH", json.dumps(shown(1))).replace("#", number).encode())
    assert sent.status == 200
    entry = await server.ended(sent.said["prompt_id"])
    assert entry["prompt"][0] == float(number)
    assert repr(entry["prompt"][3]["extra_pnginfo"]) == repr({"n": [json.loads(number)]})


TYPES: list[Any] = [None, True, False, 0, -1, 0.5, "", "x", [], [[]], {}, {"a": {}}, ["x"], [None], {"clear": []}]
FIELDS = [
    "prompt", "workflow", "client_id", "prompt_id", "number", "front", "extra_data", "partial_execution_targets",
    "extra_pnginfo", "preview_method", "create_time", "auth_token_comfy_org", "title", "unknown",
]  # fmt: skip
GOOD = {"prompt_id": (UUID,), "client_id": ("", "x"), "number": (0, -1, 0.5), "front": (True, False),
        "partial_execution_targets": ()}  # fmt: skip
NULL_IS_ABSENT = ("client_id", "prompt_id", "number", "front", "partial_execution_targets")


def body_with(field: str, value: Any) -> dict[str, Any]:
    body: dict[str, Any] = {"prompt": shown(1), "client_id": "me", "extra_data": {"extra_pnginfo": {"workflow": {}}}}
    if field in ("extra_pnginfo", "preview_method", "create_time", "auth_token_comfy_org"):
        body["extra_data"][field] = value
    elif field == "title":
        body["prompt"]["1"]["_meta"] = {"title": value}
    else:
        body[field] = value
    return body


@pytest.mark.parametrize("field", FIELDS)
async def test_any_json_in_any_field_is_taken_or_refused(server: Server, field: str) -> None:
    for value in TYPES:
        sent = await server.post(body_with(field, value))
        assert sent.status in (200, 400), (field, value)
        if sent.status == 400:
            assert sent.message, (field, value)
        if field in ("extra_data", "extra_pnginfo"):
            assert (sent.status == 200) is isinstance(value, dict), value
        if field in GOOD:
            good = value in GOOD[field] and type(value) in {type(one) for one in GOOD[field]}
            assert (sent.status == 200) is (good or value is None), (field, value)
    for path in ("/history", "/queue"):
        await server.read(path)


@pytest.mark.parametrize("path", ["/queue", "/history", "/interrupt", "/free", "/weft/graph", "/api/prompt"])
async def test_any_json_is_answered_by_every_address_that_reads_it(server: Server, path: str) -> None:
    names = ("clear", "delete", "prompt_id", "unload_models", "free_memory", "prompt", "workflow")
    for value in TYPES:
        assert (await server.post(value, path)).status in (200, 400), value
        for name in names:
            assert (await server.post({name: value}, path)).status in (200, 400), (name, value)


@pytest.mark.parametrize("name", ["client_id", "prompt_id"])
async def test_an_id_is_a_short_text(server: Server, name: str) -> None:
    for value in ([1], ["x"], {}, {"a": 1}, 5, True, "x" * 129, "x" * (1 << 20)):
        sent = await server.queue(shown(1), **{name: value})
        assert (sent.status, sent.type) == (400, "bad_request"), value
        assert name in sent.message


@pytest.mark.parametrize("brackets", ["[]", "{}"])
@pytest.mark.parametrize("place", [*PLACES, "#", '{"prompt": {"1": {"class_type": "Make", "_meta": #}}}'])
async def test_nesting_is_refused_wherever_it_stands(server: Server, place: str, brackets: str) -> None:
    opening, closing = ("[", "]") if brackets == "[]" else ('{"a":', "}")
    for depth in (65, 5_000, 100_000):
        text = place.replace("GRAPH", json.dumps(shown(1)))
        sent = await server.send(text.replace("#", opening * depth + "1" + closing * depth).encode())
        assert (sent.status, sent.type) == (400, "bad_request"), depth
        assert "deeper than 64 levels" in sent.message


@pytest.mark.parametrize("number", ["0", "-1", str(2**31), str(2**63), "9" * 20, "9" * 2000, "-" + "9" * 30])
async def test_a_number_in_an_address_may_be_of_any_size(server: Server, number: str) -> None:
    for query in (f"max_items={number}", f"offset={number}", f"max_items={number}&offset={number}"):
        assert isinstance(await server.read(f"/history?{query}"), dict)


@pytest.mark.parametrize("number", ["", "x", "1.5", "NaN", "0x10", "1e3"])
async def test_what_is_no_number_in_an_address_is_told(server: Server, number: str) -> None:
    response = await server.client.get("/history", params={"max_items": number})
    assert response.status == 400
    assert "max_items" in (await response.json())["error"]


BOMB = b'{"prompt": {}}'.ljust(20 << 20)


@pytest.mark.parametrize("path", ["/prompt", "/queue"])
async def test_a_compressed_body_is_refused_unread(server: Server, path: str) -> None:
    bomb = gzip.compress(BOMB, 1)
    for encoding, body in (("gzip", bomb), ("deflate", zlib.compress(BOMB, 1)), ("gzip, gzip", gzip.compress(bomb)),
                           ("gzip", b"{}"), ("br", b"{}"), ("zstd", b"{}"), ("compress", b"{}")):  # fmt: skip
        assert (await server.send(body, path, **{"Content-Encoding": encoding})).status == 415, encoding
