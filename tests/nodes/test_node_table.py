"""The program's own nodes are, to the step of a number, those that ComfyUI 0.33.0 has under the same ids.

Three lists under data/ say what is expected: wanted.txt the ids, missing.txt those not there yet and why,
differences.txt where a node differs on purpose and why. A line that is no longer true fails the test.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from nodes.object_info import object_info
from nodes.registry import load_builtin
from tests.nodes.node_table import DATA, facts, listed

KNOWN: dict[str, Any] = json.loads((DATA / "nodes.json").read_text(encoding="utf-8"))
OURS = {id: facts(entry) for id, entry in object_info(load_builtin().values(), lambda folder: []).items()}
REASONS = listed("differences.txt")


def differences(id: str, ours: Mapping[str, Any], known: Mapping[str, Any]) -> Iterator[str]:
    """What differs, as `Node.input detail`."""
    names = [[group, name] for group, name, *_ in ours["in"]]
    if names != [[group, name] for group, name, *_ in known["in"]]:
        yield f"{id} inputs"
    there = {name: (type, details) for _, name, type, details in known["in"]}
    for _, name, type, details in ours["in"]:
        other_type, other_details = there.get(name, (type, details))
        if type != other_type:
            yield f"{id}.{name} type"
        for detail in sorted(details.keys() | other_details.keys()):
            if details.get(detail) != other_details.get(detail):
                yield f"{id}.{name} {detail}"
    for part in ("out", "marks"):
        if ours.get(part) != known.get(part):
            yield f"{id} {part}"


@pytest.mark.parametrize("id", OURS)
def test_a_node_has_the_inputs_and_outputs_that_are_known(id: str) -> None:
    if id not in KNOWN:
        assert f"{id} node" in REASONS, f"ComfyUI has no node {id}: give the reason in data/differences.txt"
        return
    found = {one: explained(one, OURS[id], KNOWN[id]) for one in differences(id, OURS[id], KNOWN[id])}
    unexplained = [f"{one}: {explanation}" for one, explanation in found.items() if one not in REASONS]
    assert not unexplained, f"{unexplained}; mend the node, or give the reason in data/differences.txt"
    untrue = [one for one in REASONS if one.split(" ")[0].split(".")[0] == id and one not in found]
    assert not untrue, f"no longer so: delete from data/differences.txt {untrue}"


def explained(difference: str, ours: Mapping[str, Any], known: Mapping[str, Any]) -> str:
    """Both sides of a difference."""
    place, _, detail = difference.rpartition(" ")
    if "." not in place or detail == "type":
        part = {"inputs": "in", "type": "in"}.get(detail, detail)
        return f"is {ours.get(part)}, should be {known.get(part)}"
    name = place.partition(".")[2]
    sides = [next(one[3] for one in side["in"] if one[1] == name).get(detail) for side in (ours, known)]
    return f"is {sides[0]!r}, should be {sides[1]!r}"


@pytest.mark.parametrize("difference", [one for one in REASONS if one.endswith(" options")])
def test_choices_that_are_fewer_keep_their_order(difference: str) -> None:
    id, _, name = difference.removesuffix(" options").partition(".")
    ours, known = (
        next(one[3].get("options", []) for one in side[id]["in"] if one[1] == name)
        for side in (OURS, KNOWN)
        if id in side
    )
    assert ours == [option for option in known if option in ours]


def test_every_wanted_node_is_there_or_its_absence_has_a_reason() -> None:
    wanted = [line for line in (DATA / "wanted.txt").read_text(encoding="utf-8").splitlines() if line[:1] != "#"]
    reasons = listed("missing.txt")
    here_by_now = [id for id in reasons if id in OURS]
    assert not here_by_now, f"these are there: delete their lines from data/missing.txt: {here_by_now}"
    unexplained = [id for id in wanted if id not in OURS and not reasons.get(id)]
    assert not unexplained, f"give the reason in data/missing.txt, one line each: {unexplained}"
    assert set(reasons) <= set(wanted), f"wanted.txt does not name {sorted(set(reasons) - set(wanted))}"
    assert set(wanted) <= set(KNOWN)
