"""A graph that comes again unchanged is not read, ordered and keyed again, and yet nothing that changed is missed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from execution import reading
from execution.events import JobFailed, JobSucceeded, NodesCached
from execution.recent import MOST, Asked, Recent
from tests.execution.bench import Bench, bench, show, spec
from tests.execution.graphs import chain, graph

LIST = {"__value__": [1, 2]}


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many nodes had their keys made, each time that some had."""
    found: list[int] = []
    before = reading.add_keys

    def add_keys(keys: Any, nodes: Any, order: Any, kinds: Any, told: Any) -> None:
        found.append(len(order))
        before(keys, nodes, order, kinds, told)

    monkeypatch.setattr(reading, "add_keys", add_keys)
    return found


def lines() -> Bench:
    """Nodes for chains, and Read, whose fingerprint is the text of the file that it reads."""
    read = spec("Read", lambda path: Path(path).read_text(), "path", fingerprint=lambda path: Path(path).read_text())
    return bench(spec("Make", lambda value: value, "value"), spec("Pass", lambda x: x, "x"), read)


def test_an_unchanged_graph_is_read_and_keyed_once(made: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    adopted: list[int] = []
    adopt = reading.adopt
    monkeypatch.setattr(reading, "adopt", lambda document: adopted.append(1) or adopt(document))
    board = lines()
    for _ in range(3):
        assert isinstance(board.run(chain(10)), JobSucceeded)
    assert (made, adopted) == ([11], [1])
    assert [len(event.nodes) for event in board.of(NodesCached)] == [0, 11, 11]


def test_a_changed_value_and_other_targets_are_another_graph(made: list[int]) -> None:
    board = lines()
    board.run(chain(10))
    board.run(chain(10, 2))
    board.run(chain(10), "4")
    assert made == [11, 11, 5]
    assert board.shown() == [1, 2]


def test_a_file_that_has_changed_in_between_is_seen(tmp_path: Path, made: list[int]) -> None:
    file = tmp_path / "text"
    document = graph(r=("Read", {"path": str(file)}), p=("Pass", {"x": ["r", 0]}), out=("Show", {"x": ["p", 0]}))
    board = lines()
    for text in ("one", "one", "two", "one"):
        file.write_text(text)
        assert isinstance(board.run(document), JobSucceeded)
    assert board.shown() == ["one", "one", "two", "one"]
    assert board.started() == ["r", "p", "out", "r", "p", "out"]
    assert len(made) == 3


def test_a_file_that_has_gone_in_between_is_missed(tmp_path: Path) -> None:
    file = tmp_path / "text"
    file.write_text("one")
    document = graph(r=("Read", {"path": str(file)}), out=("Show", {"x": ["r", 0]}))
    board = lines()
    board.run(document)
    file.unlink()
    assert isinstance(board.run(document), JobFailed)


def test_every_job_asks_each_fingerprint_once() -> None:
    asked: list[str] = []
    board = bench(spec("Clock", lambda: 1, fingerprint=lambda: asked.append("") or str(len(asked))))
    document = graph(c=("Clock", {}), out=("Show", {"x": ["c", 0]}))
    for jobs in (1, 2, 3):
        board.run(document)
        assert len(asked) == jobs
    assert board.started().count("c") == 3


def test_what_must_always_run_does(made: list[int]) -> None:
    board = bench(spec("Always", lambda: 1, cached=False), spec("Never", lambda: 1, fingerprint=lambda: float("nan")))
    document = graph(a=("Always", {}), n=("Never", {}), s=("Show", {"x": ["a", 0]}), out=("Show", {"x": ["n", 0]}))
    for _ in range(2):
        board.run(document, "s", "out")
    assert sorted(board.started()) == sorted(["a", "n", "s", "out"] * 2)


def test_a_type_that_declares_itself_anew_is_seen() -> None:
    specs = {"Make": spec("Make", lambda a: a, "a"), "Show": show()}
    board = Bench(specs)
    document = graph(m=("Make", {"a": 1, "b": 2}), out=("Show", {"x": ["m", 0]}))
    board.run(document)
    specs["Make"] = spec("Make", lambda a, b: a + b, "a b")
    board.run(document)
    assert board.shown() == [1, 3]


def test_a_type_that_is_gone_is_missed() -> None:
    specs = {"Make": spec("Make", lambda: 1), "Show": show()}
    board = Bench(specs)
    document = graph(m=("Make", {}), out=("Show", {"x": ["m", 0]}))
    board.run(document)
    del specs["Make"]
    outcome = board.run(document)
    assert isinstance(outcome, JobFailed)
    assert outcome.exception_type.endswith("UnknownNodeTypeError")
    assert outcome.node_id == "m"


@pytest.mark.parametrize(
    ("declared", "document"),
    [
        (spec("Spoil", lambda x: [*x, x.append(0)][:-1], "x"), graph(s=("Spoil", {"x": LIST}))),
        (spec("Spoil", lambda x: [*x["a"], x["a"].append(0)][:-1], "x"), graph(s=("Spoil", {"x": {"a": [1, 2]}}))),
        (
            spec(
                "Spoil",
                lambda x, p: [p["s"]["inputs"]["x"], p["s"]["inputs"].update(x=9)][:-1],
                "x",
                hidden={"p": "PROMPT"},
            ),
            graph(s=("Spoil", {"x": 1})),
        ),
    ],
    ids=["list", "object", "graph"],
)
def test_a_node_that_changes_what_it_is_given_changes_it_for_no_later_job(declared: Any, document: Any) -> None:
    board = bench(declared)
    document = document | graph(out=("Show", {"x": ["s", 0]}))
    for _ in range(3):
        board.run(document)
        board.kept.clear()
    first, *others = board.shown()
    assert others == [first, first]


def test_results_that_were_let_go_are_made_again(made: list[int]) -> None:
    board = lines()
    board.run(chain(10))
    board.kept.clear()
    board.run(chain(10))
    assert len(board.started()) == 22
    assert made == [11]


def text_of(length: int, mark: str) -> Asked:
    return Asked(mark * length, None)


@pytest.mark.parametrize(
    ("use", "left"),
    [
        (lambda recent: None, "cd"),
        (lambda recent: recent.get(text_of(40, "b")), "bd"),
        (lambda recent: recent.put(text_of(40, "b"), 2), "bd"),
    ],
    ids=["untouched", "used", "put again"],
)
def test_texts_that_are_too_long_together_go_from_the_one_unused_for_longest(
    use: Callable[[Recent[int]], Any], left: str
) -> None:
    recent: Recent[int] = Recent(most_characters=100)
    for mark in "abc":
        recent.put(text_of(40, mark), 1)
    use(recent)
    recent.put(text_of(40, "d"), 1)
    assert "".join(mark for mark in "abcd" if recent.get(text_of(40, mark)) is not None) == left


def test_a_text_that_is_longer_than_all_may_be_is_not_kept() -> None:
    recent: Recent[int] = Recent(most_characters=100)
    recent.put(text_of(101, "a"), 1)
    assert len(recent) == 0


def test_short_texts_are_bounded_in_number() -> None:
    recent: Recent[int] = Recent()
    for number in range(MOST + 1):
        recent.put(Asked(str(number), None), number)
    assert (len(recent), recent.get(Asked("0", None)), recent.get(Asked("1", None))) == (MOST, None, 1)
