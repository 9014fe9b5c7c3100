"""Every family: a narrow file of its layout is told, loads and computes."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from models.conditioning import Concat, Cond, Occasion
from models.loading.detect import UnknownModelError
from models.loading.families import FAMILIES, PLAYGROUND_LATENT, SDXL_LATENT
from models.loading.load import Checkpoint, load_checkpoint
from models.loading.markers import TELLING_BIAS
from models.memory import DevicePolicy
from models.sampling.denoiser import VPrediction
from models.text.encode import encode_prompt
from tests.models.tiny_families import CLIP_LG, SHALLOW_SDXL, TINY, Tiny, family_weights

CPU = DevicePolicy.choose(cpu=True)
BIAS = f"model.diffusion_model.{TELLING_BIAS}"


def loaded(tmp_path: Path, weights: Mapping[str, Tensor]) -> Checkpoint:
    save_file(dict(weights), tmp_path / "x.safetensors")
    return load_checkpoint(tmp_path / "x.safetensors", CPU)


def predicted(checkpoint: Checkpoint) -> Tensor:
    """What the UNet says of an empty latent under a prompt, given all that its family conditions it on."""
    model, clip = checkpoint.model, checkpoint.clip
    assert clip is not None
    [cond] = encode_prompt(clip, "a cat")
    latent = torch.zeros(1, 4, 8, 8)
    occasion = Occasion(latent, stride=8)
    x = latent if model.concat is None else torch.cat([latent, model.concat.channels(cond, occasion)], dim=1)
    y = None if model.vector is None else model.vector.vector(cond, occasion)
    with model.unet.on_device() as unet:
        return unet(x, torch.tensor([500.0]), cond.context, y)


@pytest.mark.parametrize("name", TINY)
def test_a_file_is_told_loads_and_computes(name: str, tmp_path: Path) -> None:
    checkpoint = loaded(tmp_path, family_weights(TINY[name]))
    assert checkpoint.family.name == name
    out = predicted(checkpoint)
    assert out.shape == (1, 4, 8, 8)
    assert bool(out.isfinite().all())


def test_every_family_is_held_by_a_narrow_file() -> None:
    assert {family.name for family in FAMILIES} == TINY.keys()


def test_sdxl_joins_the_features_of_both_encoders_and_pools_those_of_the_second(tmp_path: Path) -> None:
    checkpoint = loaded(tmp_path, family_weights(Tiny(SHALLOW_SDXL, CLIP_LG)))
    assert checkpoint.clip is not None
    [cond] = encode_prompt(checkpoint.clip, "a cat")
    assert cond.context.shape == (1, 77, 128)
    assert cond.pooled is not None
    assert cond.pooled.shape == (1, 48)


def test_keys_tell_playground_with_its_own_scale_of_latents(tmp_path: Path) -> None:
    markers = {"edm_mean": torch.zeros(1, 4, 1, 1), "edm_std": torch.ones(1, 4, 1, 1)}
    model = loaded(tmp_path, family_weights(Tiny(SHALLOW_SDXL, CLIP_LG, markers))).model
    assert model.latent_format == PLAYGROUND_LATENT
    latent = torch.randn(1, 4, 3, 3)
    torch.testing.assert_close(model.latent_format.raw(model.latent_format.scaled(latent)), latent)
    assert not model.latent_format.start(torch.zeros(1, 4, 3, 3)).any()


@pytest.mark.parametrize(
    ("name", "velocity"), [("Stable Diffusion 2.x", True), ("Stable Diffusion 2.x inpainting", False)]
)
def test_the_spread_of_a_bias_tells_velocity_except_in_inpainting_models(
    name: str, velocity: bool, tmp_path: Path
) -> None:
    weights = family_weights(TINY[name])
    weights[BIAS] = torch.linspace(-1, 1, len(weights[BIAS])).half()
    assert isinstance(loaded(tmp_path, weights).model.sampling.prediction, VPrediction) is velocity


@pytest.mark.parametrize("markers", [{}, {"edm_vpred.sigma_max": torch.tensor(120.0)}], ids=["raw", "CosXL"])
def test_only_cosxl_edits_latents_in_model_scale(markers: dict[str, Tensor], tmp_path: Path) -> None:
    model = loaded(tmp_path, family_weights(Tiny(replace(SHALLOW_SDXL, in_channels=8), CLIP_LG, markers))).model
    picture = torch.ones(1, 4, 8, 8)
    assert model.concat is not None
    channels = model.concat.channels(
        Cond(torch.zeros(1, 77, 128), concat=Concat(picture)), Occasion(torch.zeros_like(picture), stride=8)
    )
    torch.testing.assert_close(channels, picture * (SDXL_LATENT.scale if markers else 1))


def test_a_text_encoder_of_another_family_is_named(tmp_path: Path) -> None:
    weights = family_weights(Tiny(TINY["Stable Diffusion 1.x"].unet, {"cond_stage_model.model.": "clip_h"}))
    with pytest.raises(UnknownModelError, match="it holds the text encoder OpenCLIP-H, not CLIP-L"):
        loaded(tmp_path, weights)
