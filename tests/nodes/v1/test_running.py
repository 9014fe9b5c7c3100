"""Nodes of packs, run by the real executor beside our own."""

import pytest
import torch
from PIL import Image

from models.conditioning import Cond
from models.types import Latent
from tests.nodes.v1.conftest import node


def solid(side=4, value=0.5):
    return node("Test SolidImage", side=side, value=value)


def shown_text(text):
    return node("Test SaveText", text=text)


def test_a_filter_gets_and_gives_pictures(bench):
    made = bench("image_filters.py")
    graph = {
        "1": solid(),
        "2": node("Test Blur", image=["1", 0], radius=1, mode="box"),
        "3": node("PreviewImage", images=["2", 0]),
    }
    (shown,) = made.shown(graph, "3")["images"]
    assert (made.paths.temp / shown["filename"]).is_file()
    progress = [one for one in made.events if type(one).__name__ == "NodeProgress"]
    assert [(one.node_id, one.value, one.maximum) for one in progress] == [("2", 1, 2), ("2", 2, 2)]


def test_hidden_inputs_are_filled(bench):
    made = bench("image_filters.py", "switches.py")
    graph = {"1": node("Test Upper", text="a"), "7": shown_text(["1", 0])}
    assert made.shown(graph, "7")["text"] == ["A", "7", "Test SaveText"]


def test_links_that_a_script_of_the_editor_has_added_reach_a_node_that_takes_any(bench):
    made = bench("image_filters.py", "switches.py")
    graph = {
        "1": node("Test Upper", text="a"),
        "2": node("Test Upper", text="b"),
        "3": node("Test JoinInputs", by="+", text_1=["1", 0], text_2=["2", 0], update="a button's value"),
        "4": shown_text(["3", 0]),
    }
    assert made.shown(graph, "4")["text"][0] == "A+B"
    assert not made.registry["Test JoinInputs"].open_inputs


def test_lists_are_mapped_and_gathered(bench):
    made = bench("image_filters.py", "switches.py")
    graph = {
        "1": node("Test SplitText", text="a,b,c", by=","),
        "2": node("Test Upper", text=["1", 0]),
        "3": node("Test JoinTexts", texts=["2", 0], by="-"),
        "4": shown_text(["3", 0]),
    }
    assert made.shown(graph, "4")["text"][0] == "A-B-C"


def test_only_the_branch_that_a_switch_asks_for_runs(bench):
    made = bench("image_filters.py", "switches.py")
    graph = {
        "1": node("Test Fails"),
        "2": node("Test Upper", text="kept"),
        "3": node("Test LazySwitch", switch=False, on_true=["1", 0], on_false=["2", 0]),
        "4": shown_text(["3", 0]),
    }
    assert made.shown(graph, "4")["text"][0] == "KEPT"


def test_a_blocked_value_keeps_its_readers_from_running(bench):
    made = bench("image_filters.py", "switches.py")
    graph = {"1": node("Test Gate", value="x", open=False), "2": shown_text(["1", 0])}
    assert type(made.run(graph, "2")).__name__ == "JobSucceeded"
    finished = {one.node_id for one in made.events if type(one).__name__ == "NodeFinished" and one.ui}
    assert finished == set()


def test_inputs_of_any_name_arrive(bench):
    made = bench("image_filters.py", "switches.py")
    graph = {
        "1": node("Test Upper", text="linked"),
        "2": node("Test JoinAny", any_1="plain", any_2=["1", 0]),
        "3": shown_text(["2", 0]),
    }
    assert made.shown(graph, "3")["text"][0] == "plain|LINKED"


def test_a_node_expands_into_a_graph_again_and_again(bench):
    made = bench("image_filters.py", "switches.py")
    graph = {"1": node("Test Repeat", text="a", times=20), "2": shown_text(["1", 0])}
    assert made.shown(graph, "2")["text"][0] == "|".join("a" * 20)


def test_a_node_is_one_instance_over_jobs_and_runs_again_if_it_always_changes(bench):
    made = bench("image_filters.py", "switches.py")
    graph = {"1": node("Test Counter", name="n"), "2": shown_text(["1", 0])}
    assert [made.shown(graph, "2")["text"][0] for _ in range(3)] == [1, 2, 3]
    made.services.forget()
    assert made.shown(graph, "2")["text"][0] == 1


def test_async_nodes_wait_side_by_side(bench):
    made = bench("image_filters.py", "switches.py")
    graph = {
        "1": node("Test AsyncWait", seconds=0.2),
        "2": node("Test AsyncWait", seconds=0.21),
        "3": node("Test JoinAny", a=["1", 0], b=["2", 0]),
        "4": shown_text(["3", 0]),
    }
    first, second = map(float, made.shown(graph, "4")["text"][0].split("|"))
    assert abs(second - first) < 0.1


def test_a_node_by_schema_runs_and_shows(bench):
    made = bench("image_filters.py", "schema_nodes.py")
    graph = {
        "1": solid(value=0.5),
        "2": node("Test Brighten", image=["1", 0], by=0.25, mode="add"),
        "3": shown_text(["2", 1]),
        "4": node("Test Later", value=["2", 1], block=False),
    }
    assert made.shown(graph, "3")["text"][0] == "node 2"
    assert made.shown(graph, "4") == {"text": ["node 2"]}
    assert "images" in made.shown({**graph, "1": solid(value=0.1)} | {"5": shown_text(["2", 1])}, "2")


def test_conditionings_and_latents_cross_both_ways(bench):
    made = bench("model-tools.v1")
    spec = made.registry["Test NoisyLatent"]
    cond = Cond(torch.ones(1, 77, 8), torch.ones(1, 8), mask=torch.ones(1, 4, 4), start=0.25)
    before = Latent(torch.zeros(1, 4, 2, 2), torch.ones(1, 1, 2, 2))
    latent, changed = spec.function(latent=before, conditioning=(cond,))
    assert isinstance(latent, Latent)
    assert latent.samples.eq(1).all()
    assert latent.noise_mask.shape == (1, 1, 2, 2)
    assert latent.extra == {"note": "kept"}
    assert changed[0].strength == 0.5
    assert changed[0].start == 0.25
    assert changed[0].mask is cond.mask
    assert changed[0].extra == {"my_key": 1}


def test_a_pack_finds_files_and_tells_clients(bench):
    made = bench("image_filters.py", "model-tools.v1")
    folder = made.paths.base / "models" / "test_models"
    folder.mkdir()
    (folder / "new.safetensors").write_bytes(b"")
    assert set(made.custom.refresh()) == {"Test PickModel"}
    assert made.registry["Test PickModel"].input("name").widget.options == ("new.safetensors",)
    graph = {"1": node("Test PickModel", name="new.safetensors", sampler="euler", width=64), "2": shown_text(["1", 0])}
    assert made.shown(graph, "2")["text"][0] == "NEW.SAFETENSORS"
    assert made.messages == [("test.picked", {"name": "new.safetensors"}, None)]


@pytest.mark.parametrize(("number", "problem"), [(2, True), (3, "3 is odd")])
def test_a_node_checks_its_own_inputs(bench, number, problem):
    spec = bench("switches.py").registry["Test Checked"]
    assert spec.validated == {"number", "word"}
    assert spec.validate(number=number, word="a") == problem


def test_classes_derived_from_ours_say_where_pictures_lie(bench):
    made = bench("savers.py")
    graph = {
        "1": node("EmptyImage", width=8, height=8),
        "2": node("Test QuickLook", images=["1", 0]),
        "3": node("Test LookTwice", images=["1", 0]),
    }
    (quick,) = made.shown(graph, "2")["images"]
    assert (quick["type"], quick["filename"].startswith("quick_look_")) == ("temp", True)
    assert (made.paths.temp / quick["filename"]).is_file()
    (twice,) = made.shown(graph, "3")["images"]
    assert (twice["type"], twice["filename"].startswith("twice_temp_")) == ("temp", True)
    with Image.open(made.paths.temp / twice["filename"]) as picture:
        assert picture.info["note"] == '"twice"'
    assert list(made.paths.output.iterdir()) == []
