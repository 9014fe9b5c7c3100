"""Networks in files and folders of their own."""

from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from models.conditioning import Cond
from models.loading.detect import UnknownModelError
from models.loading.folder import load_folder, weight_files
from models.loading.header import ModelFileError
from models.loading.load import load_checkpoint
from models.loading.separate import load_autoencoder, load_text_encoders, load_unet
from models.memory import DevicePolicy
from models.text.encode import encode_prompt
from models.text.encoders import Role
from models.types import Clip
from models.vae_codec import decode
from tests.models.tiny_checkpoint import tiny_weights
from tests.models.tiny_families import CLIP_LG, TINY, family_weights, in_open_clip, text_weights

CPU = DevicePolicy.choose(cpu=True)
PUBLISHED_LAYERS: Mapping[Role, int] = {"clip_l": 12, "clip_h": 24, "clip_g": 32}


def saved(path: Path, weights: Mapping[str, Tensor]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(dict(weights), path)
    return path


def below(weights: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {key.removeprefix(prefix): tensor for key, tensor in weights.items() if key.startswith(prefix)}


def encoded(clip: Clip, text: str = "a (cat:1.2)") -> Cond:
    [cond] = encode_prompt(clip, text)
    return cond


def test_a_unet_alone_is_the_one_of_its_checkpoint_with_or_without_a_prefix(tmp_path: Path) -> None:
    weights = tiny_weights()
    whole = load_unet(saved(tmp_path / "whole.safetensors", weights), CPU)
    alone = load_unet(saved(tmp_path / "alone.safetensors", below(weights, "model.diffusion_model.")), CPU)
    with whole.unet.on_device() as one, alone.unet.on_device() as other:
        for (name, mine), (_, theirs) in zip(one.state_dict().items(), other.state_dict().items(), strict=True):
            assert torch.equal(mine, theirs), name
    assert whole.latent_format == alone.latent_format


def test_a_unet_may_be_rounded_to_eight_bits(tmp_path: Path) -> None:
    path = saved(tmp_path / "x.safetensors", tiny_weights())
    exact, rounded = load_unet(path, CPU), load_unet(path, CPU, torch.float8_e4m3fn)
    with exact.unet.on_device() as one, rounded.unet.on_device() as other:
        weight = one.out[2].weight
        assert torch.equal(other.out[2].weight, weight.to(torch.float8_e4m3fn).float())
        assert not torch.equal(other.out[2].weight, weight)


@pytest.mark.parametrize("prefix", ["first_stage_model.", ""])
def test_an_autoencoder_alone_is_the_one_of_its_checkpoint(prefix: str, tmp_path: Path) -> None:
    weights = below(tiny_weights(), "first_stage_model.")
    path = saved(tmp_path / "vae.safetensors", {prefix + name: tensor for name, tensor in weights.items()})
    whole = load_checkpoint(saved(tmp_path / "whole.safetensors", tiny_weights()), CPU)
    assert whole.vae is not None
    latent = torch.randn(1, 4, 2, 2)
    assert torch.equal(decode(load_autoencoder(path, CPU), latent), decode(whole.vae, latent))


def test_a_file_that_is_no_autoencoder_is_refused_with_what_it_is(tmp_path: Path) -> None:
    path = saved(tmp_path / "x.safetensors", {"lora_unet_x.lora_down.weight": torch.ones(4, 4)})
    with pytest.raises(ModelFileError, match="cannot be loaded: it looks like a LoRA"):
        load_autoencoder(path, CPU)


@pytest.mark.parametrize("role", PUBLISHED_LAYERS)
def test_a_text_encoder_alone_is_told_by_its_depth(role: Role, tmp_path: Path) -> None:
    weights = text_weights(role, "", PUBLISHED_LAYERS[role])
    clip = load_text_encoders([saved(tmp_path / "x.safetensors", weights)], CPU)
    assert [use.role for use in clip.uses] == [role]
    assert encoded(clip).context.shape == (1, 77, 64)


def test_the_last_block_of_openclip_h_which_nobody_listens_to_may_be_missing(tmp_path: Path) -> None:
    whole = text_weights("clip_h", "", 24)
    cut = {name: tensor for name, tensor in whole.items() if ".layers.23." not in name}
    one = load_text_encoders([saved(tmp_path / "whole.safetensors", whole)], CPU)
    other = load_text_encoders([saved(tmp_path / "cut.safetensors", cut)], CPU)
    torch.testing.assert_close(encoded(one).context, encoded(other).context)


def test_the_projection_of_clip_l_is_left_out(tmp_path: Path) -> None:
    weights = text_weights("clip_l", "", 12) | {"text_projection.weight": torch.ones(64, 64)}
    assert encoded(load_text_encoders([saved(tmp_path / "x.safetensors", weights)], CPU)).pooled is not None


@pytest.mark.parametrize("layout", ["transformers", "OpenCLIP"])
def test_of_a_whole_clip_the_side_toward_pictures_is_passed_over(layout: str, tmp_path: Path) -> None:
    weights = text_weights("clip_l", "", 12)
    alone = load_text_encoders([saved(tmp_path / "alone.safetensors", weights)], CPU)
    if layout == "transformers":
        whole = weights | {
            "vision_model.pre_layrnorm.bias": torch.ones(4),
            "visual_projection.weight": torch.ones(4, 4),
        }
    else:
        whole = in_open_clip(weights) | {"visual.conv1.weight": torch.ones(4, 3, 2, 2), "visual.proj": torch.ones(4, 4)}
    found = load_text_encoders([saved(tmp_path / "whole.safetensors", whole)], CPU)
    assert torch.equal(encoded(found).context, encoded(alone).context)


def sdxl(tmp_path: Path) -> tuple[dict[str, Tensor], Clip]:
    weights = family_weights(TINY["Stable Diffusion XL"])
    checkpoint = load_checkpoint(saved(tmp_path / "sdxl.safetensors", weights), CPU)
    assert checkpoint.clip is not None
    return weights, checkpoint.clip


def test_sdxls_two_text_encoders_may_come_in_two_files_in_any_order(tmp_path: Path) -> None:
    weights, expected = sdxl(tmp_path)
    paths = [
        saved(tmp_path / f"{role}.safetensors", {k: t for k, t in weights.items() if k.startswith(prefix)})
        for prefix, role in CLIP_LG.items()
    ]
    for order in (paths, paths[::-1]):
        found, wanted = encoded(load_text_encoders(order, CPU)), encoded(expected)
        assert torch.equal(found.context, wanted.context)
        assert found.pooled is not None
        assert wanted.pooled is not None
        assert torch.equal(found.pooled, wanted.pooled)


def test_two_files_of_the_same_encoder_are_refused(tmp_path: Path) -> None:
    path = saved(tmp_path / "l.safetensors", text_weights("clip_l", "", 12))
    with pytest.raises(UnknownModelError, match="two of the files are CLIP-L"):
        load_text_encoders([path, path], CPU)


def test_encoders_that_no_family_joins_are_refused(tmp_path: Path) -> None:
    paths = [
        saved(tmp_path / f"{role}.safetensors", text_weights(role, "", PUBLISHED_LAYERS[role]))
        for role in ("clip_l", "clip_h")
    ]
    with pytest.raises(UnknownModelError, match="no family of models listens to CLIP-L and OpenCLIP-H together"):
        load_text_encoders(paths, CPU)


def test_a_folder_of_networks_is_the_checkpoint_it_came_from(tmp_path: Path) -> None:
    weights = tiny_weights()
    folder = tmp_path / "model"
    text = below(weights, "cond_stage_model.transformer.")
    unet = below(weights, "model.diffusion_model.")
    first = dict(list(unet.items())[:9])
    saved(folder / "unet" / "diffusion_pytorch_model-00001-of-00002.safetensors", first)
    saved(
        folder / "unet" / "diffusion_pytorch_model-00002-of-00002.safetensors",
        {name: tensor for name, tensor in unet.items() if name not in first},
    )
    saved(folder / "vae" / "diffusion_pytorch_model.fp16.safetensors", below(weights, "first_stage_model."))
    saved(folder / "text_encoder" / "model.safetensors", text)
    whole = load_checkpoint(saved(tmp_path / "x.safetensors", weights), CPU)
    found = load_folder(folder, CPU)
    assert found.family == whole.family
    assert found.vae is not None
    assert found.clip is not None
    assert whole.clip is not None
    assert torch.equal(encoded(found.clip).context, encoded(whole.clip).context)
    with found.model.unet.on_device() as one, whole.model.unet.on_device() as other:
        assert all(torch.equal(one.state_dict()[name], tensor) for name, tensor in other.state_dict().items())


def test_a_folder_without_a_unet_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model" / "unet").mkdir(parents=True)
    with pytest.raises(ModelFileError, match="model cannot be loaded: its folder unet holds no file of weights"):
        load_folder(tmp_path / "model", CPU)


def test_of_several_files_of_weights_the_exact_one_is_taken(tmp_path: Path) -> None:
    names = ["diffusion_pytorch_model.bin", "diffusion_pytorch_model.fp16.safetensors"]
    for name in (*names, "config.json"):
        (tmp_path / name).touch()
    assert [path.name for path in weight_files(tmp_path)] == ["diffusion_pytorch_model.fp16.safetensors"]
    (tmp_path / "diffusion_pytorch_model.safetensors").touch()
    assert [path.name for path in weight_files(tmp_path)] == ["diffusion_pytorch_model.safetensors"]
