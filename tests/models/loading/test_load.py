"""From a file to networks that compute."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from models.loading.header import ModelFileError
from models.loading.library import Library
from models.loading.load import Checkpoint, load_checkpoint
from models.loading.plan import WeightsMismatchError
from models.memory import DevicePolicy, NotEnoughMemoryError
from models.vae_codec import decode
from tests.models.tiny_checkpoint import tiny_weights, write_tiny_checkpoint

CPU = DevicePolicy.choose(cpu=True)
UNET_KEY = "model.diffusion_model.out.2.weight"
VAE_KEY = "first_stage_model.quant_conv.weight"
TEXT_KEY = "cond_stage_model.transformer.text_model.final_layer_norm.weight"

HARMLESS = {
    "model_ema.diffusion_modelout2weight": torch.ones(3),
    "model_ema.num_updates": torch.ones((), dtype=torch.int32),
    "alphas_cumprod": torch.ones(1000),
    "betas": torch.ones(1000),
    "sqrt_recipm1_alphas_cumprod": torch.ones(1000),
    "posterior_variance": torch.ones(1000),
    "first_stage_model.loss.perceptual_loss.net.slice1.0.weight": torch.ones(3),
    "cond_stage_model.transformer.text_model.embeddings.position_ids": torch.arange(77)[None],
    "cond_stage_model.logit_scale": torch.ones(()),
    "embedder.model.visual.conv1.weight": torch.ones(3),
    "embedder.model.text_projection": torch.ones(3),
    "noise_augmentor.data_mean": torch.ones(3),
    "conditioner.embedders.0.transformer.text_model.embeddings.position_ids": torch.arange(77)[None],
    "v_pred": torch.zeros(0),
}


def saved(tmp_path: Path, weights: dict[str, Tensor]) -> Path:
    save_file(weights, tmp_path / "x.safetensors")
    return tmp_path / "x.safetensors"


def weights_of(checkpoint: Checkpoint) -> dict[str, Tensor]:
    assert checkpoint.clip is not None
    assert checkpoint.vae is not None
    parts = {
        "model.diffusion_model.": checkpoint.model.unet,
        "cond_stage_model.transformer.": checkpoint.clip.encoder,
        "first_stage_model.": checkpoint.vae.autoencoder,
    }
    found: dict[str, Tensor] = {}
    for prefix, residence in parts.items():
        with residence.on_device() as network:
            names = {name: name.removeprefix("clip_l.") for name in network.state_dict()}
            found |= {prefix + names[name]: tensor for name, tensor in network.state_dict().items()}
    return found


def test_every_weight_of_the_file_arrives_in_its_place_in_float32(tiny: Checkpoint) -> None:
    wanted, loaded = tiny_weights(), weights_of(tiny)
    assert loaded.keys() == wanted.keys()
    assert all(torch.equal(loaded[key], tensor.float()) for key, tensor in wanted.items())


def test_networks_are_ready_to_compute_and_not_to_train(tiny: Checkpoint) -> None:
    with tiny.model.unet.on_device() as unet:
        assert not unet.training
        assert not any(parameter.requires_grad for parameter in unet.parameters())
        out = unet(torch.zeros(1, 4, 8, 8), torch.zeros(1), torch.zeros(1, 77, 64))
    assert out.isfinite().all()


def test_text_weights_are_rounded_to_half_precision_before_they_are_used(tmp_path: Path) -> None:
    exact = {key: tensor.float() * 1.0001 for key, tensor in tiny_weights().items()}
    loaded = weights_of(load_checkpoint(saved(tmp_path, exact), CPU))
    assert torch.equal(loaded[TEXT_KEY], exact[TEXT_KEY].half().float())
    assert torch.equal(loaded[UNET_KEY], exact[UNET_KEY])


def test_the_policy_decides_the_precision(tiny_file: Path) -> None:
    loaded = weights_of(load_checkpoint(tiny_file, replace(CPU, unet_dtype=torch.float16, vae_dtype=torch.bfloat16)))
    assert loaded[UNET_KEY].dtype == torch.float16
    assert loaded[VAE_KEY].dtype == torch.bfloat16
    assert loaded[TEXT_KEY].dtype == torch.float32


def test_an_autoencoder_computes_with_the_norm_groups_that_its_file_states(tmp_path: Path, tiny: Checkpoint) -> None:
    path = write_tiny_checkpoint(tmp_path / "x.safetensors", metadata={"first_stage_model.norm_num_groups": "8"})
    stated = load_checkpoint(path, CPU)
    latent = torch.randn(1, 4, 2, 2)
    assert stated.vae is not None
    assert tiny.vae is not None
    assert torch.equal(weights_of(stated)[VAE_KEY], weights_of(tiny)[VAE_KEY])
    assert not torch.allclose(decode(stated.vae, latent), decode(tiny.vae, latent))


def test_what_published_files_carry_beside_the_networks_is_left_out(tmp_path: Path) -> None:
    loaded = load_checkpoint(saved(tmp_path, tiny_weights() | HARMLESS), CPU)
    assert weights_of(loaded).keys() == tiny_weights().keys()


def test_the_names_of_old_text_encoders_are_understood(tmp_path: Path) -> None:
    renamed = {key.replace(".text_model.", "."): tensor for key, tensor in tiny_weights().items()}
    assert weights_of(load_checkpoint(saved(tmp_path, renamed), CPU)).keys() == tiny_weights().keys()


def test_a_pickled_checkpoint_of_tensors_gives_the_same(tmp_path: Path) -> None:
    torch.save({"state_dict": tiny_weights(), "global_step": 7}, tmp_path / "x.ckpt")
    loaded, wanted = weights_of(load_checkpoint(tmp_path / "x.ckpt", CPU)), tiny_weights()
    assert all(torch.equal(loaded[key], wanted[key].float()) for key in wanted)


def test_a_checkpoint_without_text_encoder_and_autoencoder_loads(tmp_path: Path) -> None:
    unet_only = {key: tensor for key, tensor in tiny_weights().items() if key.startswith("model.")}
    loaded = load_checkpoint(saved(tmp_path, unet_only), CPU)
    assert loaded.clip is None
    assert loaded.vae is None


def test_keys_that_are_missing_unexpected_or_misshapen_are_all_listed(tmp_path: Path) -> None:
    weights = tiny_weights() | {"spam": torch.ones(1), "model.diffusion_model.eggs": torch.ones(1)}
    del weights["first_stage_model.quant_conv.bias"]
    weights[UNET_KEY] = torch.ones(4, 32, 1, 1)
    with pytest.raises(WeightsMismatchError) as refusal:
        load_checkpoint(saved(tmp_path, weights), CPU)
    message = str(refusal.value)
    assert message.startswith("x.safetensors cannot be loaded: ")
    assert "spam is unexpected" in message
    assert "model.diffusion_model.eggs is unexpected" in message
    assert "quant_conv.bias is missing" in message
    assert f"{UNET_KEY} has shape [4, 32, 1, 1] instead of [4, 32, 3, 3]" in message


def test_a_list_of_very_many_keys_is_cut_short(tmp_path: Path) -> None:
    with pytest.raises(WeightsMismatchError, match="and 988 more"):
        load_checkpoint(saved(tmp_path, tiny_weights() | {f"spam.{i}": torch.ones(1) for i in range(1000)}), CPU)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_a_weight_that_is_no_number_is_named(number: float, tmp_path: Path) -> None:
    weights = tiny_weights()
    weights[UNET_KEY][0, 0, 0, 0] = number
    with pytest.raises(WeightsMismatchError, match=UNET_KEY):
        load_checkpoint(saved(tmp_path, weights), CPU)


def test_shapes_that_no_network_can_have_are_refused(tmp_path: Path) -> None:
    weights = {key: tensor for key, tensor in tiny_weights().items() if not key.startswith("cond")}
    weights["first_stage_model.encoder.down.0.block.0.conv1.weight"] = torch.ones(33, 32, 3, 3)
    with pytest.raises(WeightsMismatchError, match="no network can have"):
        load_checkpoint(saved(tmp_path, weights), CPU)


def test_progress_rises_to_one(tiny_file: Path) -> None:
    told: list[float] = []
    load_checkpoint(tiny_file, CPU, told.append)
    assert told == sorted(told)
    assert told[-1] == pytest.approx(1)
    assert len(told) == len(tiny_weights())


def test_whoever_listens_to_the_progress_can_stop_the_loading(tiny_file: Path) -> None:
    def stop(fraction: float) -> None:
        if fraction > 0.5:
            raise InterruptedError("stopped")

    with pytest.raises(InterruptedError):
        load_checkpoint(tiny_file, CPU, stop)


def test_a_checkpoint_too_large_for_the_memory_is_refused_before_it_is_read(
    tiny_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CPU.memory.machine, "_free", lambda: 1000)
    with pytest.raises(NotEnoughMemoryError, match="GB of memory"):
        load_checkpoint(tiny_file, CPU)


def test_a_checkpoint_is_loaded_once_and_again_when_its_file_changes(tmp_path: Path) -> None:
    path = write_tiny_checkpoint(tmp_path / "x.safetensors", seed=1)
    library = Library(CPU)
    first = library.checkpoint(path)
    assert library.checkpoint(path) is first
    write_tiny_checkpoint(path, seed=2, metadata={"changed": "yes"})
    second = library.checkpoint(path)
    assert not torch.equal(weights_of(first)[UNET_KEY], weights_of(second)[UNET_KEY])


def test_a_cleared_checkpoint_is_loaded_anew(tiny_file: Path) -> None:
    library = Library(CPU)
    first = library.checkpoint(tiny_file)
    library.clear()
    assert library.checkpoint(tiny_file) is not first


def test_a_missing_file_is_told_without_its_folder(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="no such file") as refusal:
        Library(CPU).checkpoint(tmp_path / "gone.safetensors")
    assert str(tmp_path) not in str(refusal.value)
