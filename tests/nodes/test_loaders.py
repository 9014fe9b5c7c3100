"""The nodes that load models from files and folders."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from models.sampling.denoiser import EpsPrediction, VPrediction
from nodes.checkpoint import checkpoint_loader, checkpoint_loader_simple, diffusers_loader
from nodes.context import Context
from nodes.loaders import UnsupportedTypeError, clip_loader, dual_clip_loader, unet_loader, vae_loader
from nodes.paths import FileMissingError, UnsafeNameError
from nodes.spec import spec_of
from tests.models.tiny_checkpoint import tiny_weights, write_tiny_checkpoint
from tests.models.tiny_families import text_weights


def folder(context: Context, name: str) -> Path:
    return context.paths.model_directories(name)[0]


def part(prefix: str) -> dict[str, torch.Tensor]:
    return {key.removeprefix(prefix): tensor for key, tensor in tiny_weights().items() if key.startswith(prefix)}


@pytest.fixture
def checkpoint(context: Context) -> str:
    write_tiny_checkpoint(folder(context, "checkpoints") / "tiny.safetensors")
    return "tiny.safetensors"


def test_a_checkpoint_is_loaded_once_for_all_nodes_that_name_it(checkpoint: str, context: Context) -> None:
    first, second = (checkpoint_loader_simple(checkpoint, context) for _ in range(2))
    assert first.model is second.model
    assert first.clip.encoder is second.clip.encoder


def test_the_networks_of_a_checkpoint_may_be_loaded_apart(checkpoint: str, context: Context) -> None:
    whole = checkpoint_loader_simple(checkpoint, context)
    save_file(part("model.diffusion_model."), folder(context, "diffusion_models") / "unet.safetensors")
    save_file(part("first_stage_model."), folder(context, "vae") / "vae.safetensors")
    unet, vae = unet_loader("unet.safetensors", "default", context), vae_loader("vae.safetensors", context)
    with unet.unet.on_device() as mine, whole.model.unet.on_device() as theirs:
        assert mine.config == theirs.config
    with vae.autoencoder.on_device() as mine, whole.vae.autoencoder.on_device() as theirs:
        assert mine.config == theirs.config


def test_a_configuration_by_name_only_says_velocity_and_clip_skip(checkpoint: str, context: Context) -> None:
    plain = checkpoint_loader("v1-inference.yaml", checkpoint, context)
    velocity = checkpoint_loader("v2-inference-v_fp32.yaml", checkpoint, context)
    skip = checkpoint_loader("v1-inference_clip_skip_2_fp16.yaml", checkpoint, context)
    assert isinstance(plain.model.sampling.prediction, EpsPrediction)
    assert isinstance(velocity.model.sampling.prediction, VPrediction)
    assert (plain.clip.layer, velocity.clip.layer, skip.clip.layer) == (None, None, -2)


def test_text_encoders_are_loaded_alone_and_in_pairs(context: Context) -> None:
    for role, layers in (("clip_l", 12), ("clip_g", 32)):
        save_file(text_weights(role, "", layers), folder(context, "text_encoders") / f"{role}.safetensors")
    one = clip_loader("clip_l.safetensors", "stable_diffusion", context, "cpu")
    both = dual_clip_loader("clip_g.safetensors", "clip_l.safetensors", "sdxl", context)
    assert [use.role for use in one.uses] == ["clip_l"]
    assert [use.role for use in both.uses] == ["clip_l", "clip_g"]
    assert one.encoder.device.type == "cpu"


def test_text_encoders_of_other_families_are_refused_by_name(context: Context) -> None:
    with pytest.raises(UnsupportedTypeError, match="'flux' cannot be loaded, only 'sdxl'"):
        dual_clip_loader("a", "b", "flux", context)
    with pytest.raises(UnsupportedTypeError, match="'sd3' cannot be loaded, only 'stable_diffusion'"):
        clip_loader("a", "sd3", context)


@pytest.fixture
def model(context: Context) -> Path:
    """A folder as the diffusers library writes it, one level down."""
    root = folder(context, "diffusers") / "mine" / "model"
    names = {
        "unet/diffusion_pytorch_model": "model.diffusion_model.",
        "vae/diffusion_pytorch_model": "first_stage_model.",
        "text_encoder/model": "cond_stage_model.transformer.",
    }
    for name, prefix in names.items():
        (root / name).parent.mkdir(parents=True)
        save_file(part(prefix), root / f"{name}.safetensors")
    (root / "model_index.json").write_text(json.dumps({"_class_name": "StableDiffusionPipeline"}))
    return root


def test_a_folder_is_offered_and_loaded_by_its_name(model: Path, context: Context) -> None:
    (folder(context, "diffusers") / "empty").mkdir()
    assert context.paths.choices("diffusers") == ["mine/model"]
    found = diffusers_loader("mine/model", context)
    assert found.clip is not None
    assert found.vae is not None


def test_a_folder_that_is_no_model_or_lies_elsewhere_is_not_loaded(model: Path, context: Context) -> None:
    with pytest.raises(FileMissingError, match=r"model_index\.json"):
        diffusers_loader("mine", context)
    with pytest.raises(UnsafeNameError):
        diffusers_loader("../diffusers/mine/model", context)


def test_a_changed_network_of_a_folder_changes_the_identity_of_the_node(model: Path, context: Context) -> None:
    spec = spec_of(diffusers_loader)
    assert spec is not None
    assert spec.fingerprint is not None
    before = spec.fingerprint(model_path="mine/model", context=context)
    save_file({"x": torch.ones(1)}, model / "vae" / "diffusion_pytorch_model.safetensors")
    assert spec.fingerprint(model_path="mine/model", context=context) != before
