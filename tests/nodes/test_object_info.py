"""The program's own nodes are described as ComfyUI describes those of the same name."""

import pickle
from typing import Any

import pytest

from nodes.object_info import entry, object_info
from nodes.registry import load_builtin
from nodes.spec import InputSpec, NodeSpec, OutputSpec


@pytest.fixture(scope="module")
def described() -> dict[str, dict[str, Any]]:
    return object_info(load_builtin().values(), lambda folder: [f"a file of {folder}"])


def test_the_sampler_is_described_in_full(described: dict[str, dict[str, Any]]) -> None:
    sampler = described["KSampler"]
    required = sampler["input"]["required"]
    assert list(required) == sampler["input_order"]["required"] == [
        "model", "seed", "steps", "cfg", "sampler_name", "scheduler", "positive", "negative", "latent_image", "denoise"
    ]  # fmt: skip
    seed = {"default": 0, "min": 0, "max": 2**64 - 1, "control_after_generate": True}
    cfg = {"default": 8.0, "min": 0.0, "max": 100.0, "step": 0.1, "round": 0.01}
    assert required["seed"][0] == "INT"
    assert required["seed"][1].items() >= seed.items()
    assert required["cfg"][0] == "FLOAT"
    assert required["cfg"][1].items() >= cfg.items()
    assert required["model"][0] == "MODEL"
    assert {"euler", "dpmpp_2m"} <= set(required["sampler_name"][0])
    assert sampler["output"] == sampler["output_name"] == ["LATENT"]
    assert (sampler["output_is_list"], sampler["output_node"]) == ([False], False)


def test_words_to_choose_from_keep_their_order_for_the_first_is_the_default(
    described: dict[str, dict[str, Any]],
) -> None:
    required = described["KSamplerAdvanced"]["input"]["required"]
    assert required["add_noise"][0] == ["enable", "disable"]
    assert required["return_with_leftover_noise"][0] == ["disable", "enable"]


def test_choices_between_files_name_those_of_their_folder(described: dict[str, dict[str, Any]]) -> None:
    assert described["CheckpointLoaderSimple"]["input"]["required"]["ckpt_name"][0] == ["a file of checkpoints"]
    image = described["LoadImage"]["input"]["required"]["image"]
    assert image[0] == ["a file of input"]
    assert image[1]["image_upload"] is True


def test_nodes_that_save_ask_for_the_graph_and_the_workflow(described: dict[str, dict[str, Any]]) -> None:
    for id in ("SaveImage", "PreviewImage"):
        assert described[id]["output_node"] is True
        assert described[id]["input"]["hidden"] == {"prompt": "PROMPT", "extra_pnginfo": "EXTRA_PNGINFO"}
    assert "hidden" not in described["VAEDecode"]["input"]


def test_every_node_says_what_it_does_and_holds_what_clients_read(described: dict[str, dict[str, Any]]) -> None:
    for id, node in described.items():
        assert node["name"] == id
        assert node["description"], id
        assert len(node["output"]) == len(node["output_name"]) == len(node["output_is_list"])
        assert {"display_name", "category", "python_module", "input", "input_order"} <= set(node)


def test_a_spec_that_came_from_another_process_is_described_alike() -> None:
    """Marks such as "required" are told by equality: identity does not survive the way."""
    spec = NodeSpec("N", "N", "c", "d", (InputSpec("model", "MODEL"),), (OutputSpec("o", "INT"),))
    assert entry(pickle.loads(pickle.dumps(spec)), lambda _: []) == entry(spec, lambda _: [])
    assert entry(spec, lambda _: [])["input"]["required"]["model"] == ["MODEL", {}]
