"""Networks that steer a model are told by their keys, whatever layout these have, and loaded strictly."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from models.adapters.gligen import Gate, Gligen, PositionNet
from models.adapters.style import StyleModel, StyleModelConfig
from models.adapters.t2i import T2IAdapter, T2IAdapterConfig
from models.control_lora import MARKER
from models.controlnet import ControlNet, ControlNetConfig, UnionConfig
from models.controls import ControlLoraModel, ControlNetModel, T2IModel
from models.loading.adapters import load_control, load_gligen, load_style_model, load_vision
from models.loading.control_keys import DIFFERENCE
from models.loading.header import ModelFileError
from models.loading.load import Checkpoint
from models.memory import DevicePolicy
from models.types import Residence
from models.unet_patches import Place
from models.vision import ClipVision, ClipVisionConfig
from tests.models.tiny_checkpoint import UNET

CPU = DevicePolicy.choose(cpu=True)
HALF = replace(UNET, out_channels=0)
CONFIG = ControlNetConfig(HALF, (3, 16, 16, 32, 32, 96, 96, 256, 32))
VISION = ClipVisionConfig(width=64, layers=2, mlp_width=96, patch=14, grid=2, projection=40, quick_gelu=True)


def weights_of(network: nn.Module) -> dict[str, Tensor]:
    """Random weights of a network, in half precision as published ones are."""
    generator = torch.Generator().manual_seed(0)
    return {name: torch.randn(one.shape, generator=generator).half() for name, one in network.state_dict().items()}


def saved(folder: Path, weights: dict[str, Tensor], name: str = "x") -> Path:
    path = folder / f"{name}.safetensors"
    save_file({key: tensor.contiguous() for key, tensor in weights.items()}, path)
    return path


def loaded_weights(residence: Residence[nn.Module]) -> dict[str, Tensor]:
    with residence.on_device() as network:
        return {name: tensor.clone() for name, tensor in network.state_dict().items()}


def assert_same(found: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], tensor.float()) for name, tensor in expected.items())


@pytest.mark.parametrize("prefix", ["", "control_model."])
def test_a_controlnet_is_loaded_with_or_without_its_prefix(prefix: str, tmp_path: Path) -> None:
    weights = weights_of(ControlNet(CONFIG))
    model = load_control(saved(tmp_path, {prefix + name: tensor for name, tensor in weights.items()}), CPU)
    assert isinstance(model, ControlNetModel)
    assert_same(loaded_weights(model.network), weights)
    assert (model.union, model.pooled, model.type) == (False, False, None)


def test_a_controlnet_within_a_checkpoint_is_taken_out(tmp_path: Path) -> None:
    weights = {f"control_model.{name}": tensor for name, tensor in weights_of(ControlNet(CONFIG)).items()}
    others = {
        "model.diffusion_model.out.2.bias": torch.zeros(4),
        "first_stage_model.decoder.conv_in.bias": torch.ones(4),
    }
    model = load_control(saved(tmp_path, weights | others), CPU)
    assert isinstance(model, ControlNetModel)


def test_a_union_controlnet_is_told_by_its_tasks(tmp_path: Path) -> None:
    config = ControlNetConfig(HALF, CONFIG.hint_widths, UnionConfig(types=6, layers=1))
    model = load_control(saved(tmp_path, weights_of(ControlNet(config))), CPU)
    assert isinstance(model, ControlNetModel)
    assert model.union


@pytest.mark.parametrize(("name", "pooled"), [("control_v11e_sd15_shuffle", True), ("shuffle_of_canny", False)])
def test_the_shuffle_controlnet_is_told_by_its_name(name: str, pooled: bool, tmp_path: Path) -> None:
    model = load_control(saved(tmp_path, weights_of(ControlNet(CONFIG)), name), CPU)
    assert isinstance(model, ControlNetModel)
    assert model.pooled == pooled


def test_differences_are_added_to_the_model_they_were_made_for(tmp_path: Path, tiny: Checkpoint) -> None:
    weights = weights_of(ControlNet(CONFIG))
    path = saved(tmp_path, weights | {DIFFERENCE: torch.zeros(1)})
    model = load_control(path, CPU, tiny.model)
    assert isinstance(model, ControlNetModel)
    base = loaded_weights(tiny.model.unet)
    found = loaded_weights(model.network)
    for name in ("input_blocks.1.0.in_layers.2.weight", "time_embed.0.bias"):
        torch.testing.assert_close(found[name], base[name] + weights[name].float())
    name = "zero_convs.0.0.weight"
    assert torch.equal(found[name], weights[name].float())


def test_differences_without_a_model_are_refused(tmp_path: Path) -> None:
    path = saved(tmp_path, weights_of(ControlNet(CONFIG)) | {DIFFERENCE: torch.zeros(1)})
    with pytest.raises(ModelFileError, match=r"x\.safetensors cannot be loaded: it holds only differences"):
        load_control(path, CPU)


def control_lora_weights() -> dict[str, Tensor]:
    """A hint block and the change of one layer."""
    whole = weights_of(ControlNet(CONFIG))
    own = {name: tensor for name, tensor in whole.items() if name.startswith("input_hint_block.")}
    return own | {"time_embed.0.up": torch.ones(128, 2).half(), "time_embed.0.down": torch.ones(2, 32).half()}


def test_a_control_lora_keeps_its_own_weights(tmp_path: Path) -> None:
    own = control_lora_weights()
    model = load_control(saved(tmp_path, own | {MARKER: torch.zeros(0)}), CPU)
    assert isinstance(model, ControlLoraModel)
    with model.network.on_device() as network:
        assert_same(dict(zip(network.names, network.own, strict=True)), own)


@pytest.mark.parametrize("missing", ["input_hint_block.14.weight", "time_embed.0.down"])
def test_a_control_lora_without_one_of_its_weights_is_refused(missing: str, tmp_path: Path) -> None:
    own = {name: tensor for name, tensor in control_lora_weights().items() if name != missing}
    with pytest.raises(ModelFileError, match=rf"^x\.safetensors cannot be loaded: .*{missing}"):
        load_control(saved(tmp_path, own | {MARKER: torch.zeros(0)}), CPU)


def test_a_t2i_adapter_is_loaded_by_the_same_node(tmp_path: Path) -> None:
    weights = weights_of(T2IAdapter(T2IAdapterConfig(3, (16, 32), 2)))
    model = load_control(saved(tmp_path, weights), CPU)
    assert isinstance(model, T2IModel)
    assert_same(loaded_weights(model.network), weights)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"zero_convs.0.0.weight": torch.ones(32, 31, 1, 1)}, r"zero_convs\.0\.0\.weight has shape \[32, 31, 1, 1\]"),
        ({"surprise.weight": torch.ones(1)}, r"surprise\.weight is unexpected"),
        ({"middle_block_out.0.bias": torch.full((64,), torch.inf)}, "infinite or not a number"),
    ],
)
def test_a_controlnet_that_does_not_fit_is_refused(change: dict[str, Tensor], message: str, tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=rf"^x\.safetensors cannot be loaded: .*{message}"):
        load_control(saved(tmp_path, weights_of(ControlNet(CONFIG)) | change), CPU)


def test_a_checkpoint_is_no_controlnet(tiny_file: Path) -> None:
    with pytest.raises(ModelFileError, match="it is no ControlNet, control-LoRA or T2I-Adapter"):
        load_control(tiny_file, CPU)


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("controlnet_blocks.0.weight", "a ControlNet for Flux or Stable Diffusion 3"),
        ("lllite_unet_middle_block_1_transformer_blocks_0_attn1_to_q.down.0.weight", "a ControlNet-LLLite"),
        ("ip_adapter.1.to_k_ip.weight", "an IP-Adapter"),
    ],
)
def test_what_steers_in_another_way_is_refused_by_name(key: str, kind: str, tmp_path: Path) -> None:
    path = saved(tmp_path, {key: torch.ones(1)})
    with pytest.raises(ModelFileError, match=f"it looks like {kind}: it is no ControlNet"):
        load_control(path, CPU)


def open_clip_names(weights: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The weights of a vision encoder as OpenCLIP lays them out."""
    found = {
        "class_embedding": weights["vision_model.embeddings.class_embedding"],
        "conv1.weight": weights["vision_model.embeddings.patch_embedding.weight"],
        "positional_embedding": weights["vision_model.embeddings.position_embedding.weight"],
        "proj": weights["visual_projection.weight"].T,
    }
    for ours, theirs in {"pre_layrnorm": "ln_pre", "post_layernorm": "ln_post"}.items():
        found |= {f"{theirs}.{kind}": weights[f"vision_model.{ours}.{kind}"] for kind in ("weight", "bias")}
    for layer in range(VISION.layers):
        ours, theirs = f"vision_model.encoder.layers.{layer}", f"transformer.resblocks.{layer}"
        for kind in ("weight", "bias"):
            fused = [weights[f"{ours}.self_attn.{part}_proj.{kind}"] for part in "qkv"]
            found[f"{theirs}.attn.in_proj_{kind}"] = torch.cat(fused)
            found[f"{theirs}.attn.out_proj.{kind}"] = weights[f"{ours}.self_attn.out_proj.{kind}"]
            found[f"{theirs}.ln_1.{kind}"] = weights[f"{ours}.layer_norm1.{kind}"]
            found[f"{theirs}.ln_2.{kind}"] = weights[f"{ours}.layer_norm2.{kind}"]
            found[f"{theirs}.mlp.c_fc.{kind}"] = weights[f"{ours}.mlp.fc1.{kind}"]
            found[f"{theirs}.mlp.c_proj.{kind}"] = weights[f"{ours}.mlp.fc2.{kind}"]
    return {prefix + name: tensor for name, tensor in found.items()}


@pytest.mark.parametrize("prefix", [None, "", "visual.", "embedder.model.visual."])
def test_a_vision_encoder_is_loaded_in_either_layout(prefix: str | None, tmp_path: Path) -> None:
    weights = weights_of(ClipVision(VISION))
    stored = weights if prefix is None else open_clip_names(weights, prefix)
    beside = {
        "text_model.embeddings.token_embedding.weight": torch.zeros(9, 4),
        "vision_model.embeddings.position_ids": torch.arange(5)[None],
        "logit_scale": torch.ones(()),
    }
    found = load_vision(saved(tmp_path, stored | (beside if prefix is None else {})), CPU)
    assert_same(loaded_weights(found), weights)


def test_a_style_model_is_loaded(tmp_path: Path) -> None:
    weights = weights_of(StyleModel(StyleModelConfig(width=32, context_dim=24, tokens=8, layers=2)))
    assert_same(loaded_weights(load_style_model(saved(tmp_path, weights), CPU)), weights)


def gligen_weights() -> dict[str, Tensor]:
    """A position net, and gates in the first input block and the middle."""
    found = {f"position_net.{name}": tensor for name, tensor in weights_of(PositionNet(24, 16, 12)).items()}
    for block, width in {"input_blocks.1": 32, "middle_block": 64}.items():
        gate = weights_of(Gate(width, 12, heads=8))
        found |= {f"{block}.1.transformer_blocks.0.fuser.{name}": tensor for name, tensor in gate.items()}
    return found


@torch.no_grad()
def test_the_gates_of_a_gligen_model_go_to_their_places(tmp_path: Path) -> None:
    weights = gligen_weights()
    found = load_gligen(saved(tmp_path, weights), CPU)
    boxes, used, words = torch.rand(1, 2, 4), torch.ones(1, 2), torch.randn(1, 2, 24)
    with found.on_device() as network:
        assert isinstance(network, Gligen)
        for place, width in ((Place("input", 1), 32), (Place("middle", 0), 64)):
            x = torch.randn(1, 5, width)
            assert not torch.equal(network(x, place, boxes, used, words), x)
        untouched = torch.randn(1, 5, 32)
        assert network(untouched, Place("output", 1), boxes, used, words) is untouched


@pytest.mark.parametrize("load", [load_vision, load_style_model, load_gligen])
def test_other_files_are_refused_by_what_they_seem_to_be(load: object, tmp_path: Path) -> None:
    path = saved(tmp_path, weights_of(ControlNet(CONFIG)))
    with pytest.raises(ModelFileError, match=r"x\.safetensors cannot be loaded: it looks like a ControlNet"):
        load(path, CPU)  # pyright: ignore[reportCallIssue]
