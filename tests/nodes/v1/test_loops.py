"""Loops that packs build out of expansions."""

from tests.nodes.v1.conftest import node


def looped(count):
    return {
        "first": node("PrimitiveInt", value=count),
        "step": node("PrimitiveInt", value=1),
        "start": node("Test LoopStart", goes_on=True, value0=["first", 0], value1="kept"),
        "down": node("Test CountDown", count=["start", 1], step=["step", 0]),
        "end": node(
            "Test LoopEnd", loop=["start", 0], goes_on=["down", 1], value0=["down", 0], value1=["start", 2]
        ),
        "left": node("PreviewAny", source=["end", 0]),
        "kept": node("PreviewAny", source=["end", 1]),
    }  # fmt: skip


def test_a_loop_runs_until_it_is_done(bench):
    made = bench("loops.py")
    assert made.shown(looped(5), "left")["text"] == ["0"]
    assert made.shown(looped(7), "kept")["text"] == ["kept"]


def test_a_loop_of_a_thousand_rounds_shows_its_body_and_asks_no_outer_node_again(bench):
    made = bench("loops.py")
    assert made.shown(looped(1000), "left")["text"] == ["0"]
    started = [one for one in made.events if type(one).__name__ == "NodeStarted"]
    assert sum(one.node_id == "step" for one in started) == 1
    bodies = [one.origin for one in started if one.origin is not None]
    assert len(bodies) == 3 * 999
    assert {origin.display for origin in bodies} == {"start", "down", "end"}
    assert {origin.real for origin in bodies} == {"end"}
    assert max(len(one.node_id) for one in started) < 200
