"""What results are kept under, and for how long."""

from collections.abc import Mapping
from random import Random
from typing import Any

from execution.cache import Cache, CacheSettings, Key, Result, add_keys, told_by
from execution.graph import Node, ordered, parse
from execution.kinds import Kinds
from execution.sizes import size_of
from nodes.spec import NodeSpec
from tests.execution import fake_nodes
from tests.execution.graphs import diamond, graph, shown

SIZE = size_of(((b"x" * 1000,), None))
"""Bytes of a result that holds a thousand."""


def keys_of(document: Mapping[str, Any], target: str = "out", fingerprint: Any = "") -> dict[str, Key | None]:
    def tell(node: Node, spec: NodeSpec) -> Any:
        if fingerprint == "raise":
            raise OSError("no such file")
        return fingerprint

    read = parse(document)
    found: dict[str, Key | None] = {}
    order, kinds = ordered(read, [target]), Kinds(fake_nodes.load())
    add_keys(found, read, order, kinds, told_by(read, order, kinds, tell))
    return found


def test_a_changed_value_changes_the_keys_of_what_depends_on_it_and_no_other() -> None:
    one, two = keys_of(diamond(1)), keys_of(diamond(2))
    assert {node_id for node_id in one if one[node_id] != two[node_id]} == {"start", "left", "right", "sum", "out"}


def test_keys_do_not_know_node_ids_nor_the_order_of_inputs_nor_undeclared_ones() -> None:
    renamed = graph(
        c=("Add", {"b": ["y", 0], "a": ["x", 0], "note": "!"}), x=("Make", {"value": 1}), y=("Make", {"value": 2})
    )
    plain = graph(c=("Add", {"a": ["p", 0], "b": ["q", 0]}), p=("Make", {"value": 1}), q=("Make", {"value": 2}))
    assert keys_of(renamed, "c")["c"] == keys_of(plain, "c")["c"]


def test_which_output_a_link_takes_is_part_of_the_key() -> None:
    def document(output: int) -> dict[str, Any]:
        return graph(a=("Make", {"value": 1}), s=("Split", {"x": ["a", 0]}), out=("Show", {"x": ["s", output]}))

    assert keys_of(document(0))["out"] != keys_of(document(1))["out"]


def test_true_one_and_one_point_zero_are_different_values() -> None:
    found = {keys_of(graph(out=("Make", {"value": value})))["out"] for value in (1, 1.0, True, "1")}
    assert len(found) == 4


def test_what_must_always_run_has_no_key_and_neither_has_what_reads_it() -> None:
    found = keys_of(graph(r=("Random", {}), out=("Show", {"x": ["r", 0]})))
    assert found == {"r": None, "out": None}


def test_a_fingerprint_is_part_of_the_key_and_its_failure_makes_the_node_run() -> None:
    document = graph(out=("ReadFile", {"path": "x"}))
    assert keys_of(document, fingerprint="a") != keys_of(document, fingerprint="b")
    assert keys_of(document, fingerprint="raise") == {"out": None}


def test_sizes_count_arrays_texts_and_each_shared_object_once() -> None:
    class Array:
        nbytes = 1000

    array = Array()
    assert 2000 <= size_of((array, {"again": array, "other": Array()}, "x" * 10)) < 2600
    assert size_of("x" * 5000) >= 5000


def test_what_is_cheap_to_make_and_large_goes_first() -> None:
    cache = Cache(CacheSettings(max_bytes=3_000))
    cache.put(b"dear", Result((b"x" * 1000,)), seconds=10)
    cache.put(b"cheap", Result((b"x" * 1000,)), seconds=0.001)
    cache.put(b"next", Result((b"x" * 1000,)), seconds=1)
    assert cache.get(b"cheap") is None
    assert cache.get(b"dear") is not None
    assert cache.get(b"next") is not None
    assert cache.bytes <= 3_000


def test_what_is_never_used_again_goes_in_the_end_however_dear() -> None:
    cache = Cache(CacheSettings(max_bytes=3_000))
    cache.put(b"dear", Result((b"x" * 1000,)), seconds=10)
    for number in range(40):
        cache.put(b"%d" % number, Result((b"x" * 1000,)), seconds=1)
    assert cache.get(b"dear") is None


def test_a_limit_on_entries_drops_the_least_recently_used() -> None:
    cache = Cache(CacheSettings(max_entries=2))
    cache.put(b"a", Result((1,)), 9)
    cache.put(b"b", Result((2,)), 1)
    cache.get(b"a")
    cache.put(b"c", Result((3,)), 0)
    assert [cache.get(key) is not None for key in (b"a", b"b", b"c")] == [True, False, True]


def test_a_cache_of_nothing_keeps_nothing() -> None:
    cache = Cache(CacheSettings(max_entries=0))
    cache.put(b"a", Result((1,)), 1)
    assert len(cache) == 0


def test_what_is_larger_than_the_whole_cache_is_not_kept() -> None:
    cache = Cache(CacheSettings(max_bytes=2_000))
    cache.put(b"small", Result((b"x" * 100,)), 1)
    cache.put(b"large", Result((b"x" * 3000,)), 100)
    assert cache.get(b"small") is not None
    assert cache.get(b"large") is None


def test_what_was_used_again_outlives_what_was_not() -> None:
    cache = Cache(CacheSettings(max_bytes=3 * SIZE))
    for name in (b"a", b"b", b"c"):
        cache.put(name, Result((b"x" * 1000,)), seconds=1)
    cache.get(b"a")
    cache.put(b"d", Result((b"x" * 1000,)), seconds=1)
    cache.get(b"a")
    cache.put(b"e", Result((b"x" * 1000,)), seconds=1)
    assert [cache.get(key) is not None for key in (b"a", b"b", b"c", b"d", b"e")] == [True, False, False, True, True]


def test_a_result_that_is_known_already_stays_and_is_counted_once() -> None:
    cache = Cache()
    cache.put(b"a", Result(("first",)), 1)
    before = cache.bytes
    cache.put(b"a", Result(("second",)), 1)
    assert (cache.get(b"a"), cache.bytes, len(cache)) == (Result(("first",)), before, 1)


def test_evictions_follow_a_plain_account_of_who_is_worth_least() -> None:
    """Two hundred entries of many worths, put and used in a random order, against the definition of the policy."""
    cache, random = Cache(CacheSettings(max_bytes=20_000)), Random(1)
    level, tick, account = 0.0, 0, dict[bytes, tuple[float, int, float]]()
    for step in range(2_000):
        key = b"%d" % random.randrange(200)
        tick += 1
        if cache.get(key) is not None:
            seconds = account[key][2]
            account[key] = (level + seconds / SIZE, tick, seconds)
            continue
        assert key not in account
        seconds = random.random() * 10 ** random.randrange(3)
        cache.put(key, Result((b"x" * 1000,)), seconds)
        account[key] = (level + seconds / SIZE, tick, seconds)
        while len(account) * SIZE > 20_000:
            least = min(account, key=lambda one: account[one][:2])
            level = account.pop(least)[0]
        assert cache.bytes == len(account) * SIZE, step
    assert len(account) < 200


def test_graphs_share_what_they_have_in_common() -> None:
    assert (
        keys_of(shown(3), "2")["2"]
        == keys_of({"7": shown(3)["1"], "8": {**shown(3)["2"], "inputs": {"x": ["7", 0]}}}, "8")["8"]
    )
