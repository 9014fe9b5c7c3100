"""Every family: a narrow file of its layout is told, loads and computes."""

from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from models.conditioning import Concat, Cond, Occasion
from models.loading.detect import UnknownModelError
from models.loading.families import FAMILIES, PLAYGROUND_LATENT, SDXL_LATENT
from models.loading.header import ModelFileError
from models.loading.load import Checkpoint, load_checkpoint
from models.memory import DevicePolicy
from models.sampling.continuous_levels import EdmLevels
from models.sampling.denoiser import EpsPrediction, VPrediction
from models.sampling.predictions import EdmPrediction
from models.text.encode import encode_prompt
from tests.models.tiny_families import CLIP_LG, EMPTY, SDXL, TINY, Tiny, family_weights

CPU = DevicePolicy.choose(cpu=True)
BIAS = "model.diffusion_model.output_blocks.11.1.transformer_blocks.0.norm1.bias"


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


def test_every_family_is_held_by_a_narrow_file_except_the_one_that_needs_a_picture_encoder() -> None:
    assert {family.name for family in FAMILIES} - TINY.keys() == {"Stable Diffusion 2.1 unCLIP"}


def test_sdxl_joins_the_features_of_both_encoders_and_pools_those_of_the_second(tmp_path: Path) -> None:
    checkpoint = loaded(tmp_path, family_weights(TINY["Stable Diffusion XL"]))
    assert checkpoint.clip is not None
    [cond] = encode_prompt(checkpoint.clip, "a cat")
    assert cond.context.shape == (1, 77, 128)
    assert cond.pooled is not None
    assert cond.pooled.shape == (1, 48)


@pytest.mark.parametrize(("spread", "prediction"), [(0.05, EpsPrediction), (0.2, VPrediction)])
def test_the_spread_of_one_bias_tells_what_stable_diffusion_2_predicts(
    spread: float, prediction: type, tmp_path: Path
) -> None:
    weights = family_weights(TINY["Stable Diffusion 2.x"])
    weights[BIAS] = torch.linspace(-1, 1, 64).sign() * spread
    assert type(loaded(tmp_path, weights).model.sampling.prediction) is prediction


def test_keys_tell_velocity_and_no_signal_at_all(tmp_path: Path) -> None:
    weights = family_weights(TINY["Stable Diffusion XL"])
    usual = loaded(tmp_path, weights).model.sampling
    velocity = loaded(tmp_path, {**weights, "v_pred": EMPTY}).model.sampling
    zero_snr = loaded(tmp_path, {**weights, "v_pred": EMPTY, "ztsnr": EMPTY}).model.sampling
    assert isinstance(usual.prediction, EpsPrediction)
    assert isinstance(velocity.prediction, VPrediction)
    assert velocity.levels.sigma_max == usual.levels.sigma_max
    assert zero_snr.levels.sigma_max > 4000


def test_keys_tell_the_continuous_levels_of_cosxl(tmp_path: Path) -> None:
    markers = {"edm_vpred.sigma_max": torch.tensor(120.0), "edm_vpred.sigma_min": torch.tensor(0.002)}
    sampling = loaded(tmp_path, family_weights(Tiny(SDXL, CLIP_LG, markers))).model.sampling
    assert isinstance(sampling.prediction, VPrediction)
    assert isinstance(sampling.levels, EdmLevels)
    assert (sampling.levels.sigma_min, sampling.levels.sigma_max) == pytest.approx((0.002, 120.0))


@pytest.mark.parametrize("largest", [0.0, -1.0])
def test_levels_that_are_no_range_are_refused(largest: float, tmp_path: Path) -> None:
    markers = {"edm_vpred.sigma_max": torch.tensor(largest)}
    with pytest.raises(ModelFileError, match="are no range"):
        loaded(tmp_path, family_weights(Tiny(SDXL, CLIP_LG, markers)))


def test_keys_tell_playground_with_its_own_scale_of_latents(tmp_path: Path) -> None:
    markers = {"edm_mean": torch.zeros(1, 4, 1, 1), "edm_std": torch.ones(1, 4, 1, 1)}
    model = loaded(tmp_path, family_weights(Tiny(SDXL, CLIP_LG, markers))).model
    assert model.latent_format == PLAYGROUND_LATENT
    assert model.sampling.prediction == EdmPrediction(0.5)
    latent = torch.randn(1, 4, 3, 3)
    torch.testing.assert_close(model.latent_format.raw(model.latent_format.scaled(latent)), latent)


def test_only_cosxl_edits_latents_in_model_scale(tmp_path: Path) -> None:
    weights = family_weights(TINY["Stable Diffusion XL edit (instruct-pix2pix)"])
    raw = loaded(tmp_path, weights).model
    scaled = loaded(tmp_path, {**weights, "edm_vpred.sigma_max": torch.tensor(120.0)}).model
    picture = torch.ones(1, 4, 8, 8)
    occasion = Occasion(torch.zeros_like(picture), stride=8)
    edited = Cond(torch.zeros(1, 77, 128), concat=Concat(picture))
    assert raw.concat is not None
    assert scaled.concat is not None
    torch.testing.assert_close(raw.concat.channels(edited, occasion), picture)
    torch.testing.assert_close(scaled.concat.channels(edited, occasion), picture * SDXL_LATENT.scale)


def test_a_text_encoder_of_another_family_is_named(tmp_path: Path) -> None:
    weights = family_weights(Tiny(TINY["Stable Diffusion 1.x"].unet, {"cond_stage_model.model.": "clip_h"}))
    with pytest.raises(UnknownModelError, match="it holds the text encoder OpenCLIP-H, not CLIP-L"):
        loaded(tmp_path, weights)
