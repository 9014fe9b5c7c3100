"""What is saved is read back as the same model, and is there whole or not at all."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from torch import Tensor

from models.loading.library import Library
from models.taesd import TinyAutoencoder, TinyConfig
from models.types import Model, Vae
from models.weights.lora_file import read_lora
from models.weights.patches import fit
from nodes.context import Context, WorkerSettings
from nodes.lora import lora_model_loader
from nodes.model_merging import clip_merge_subtract, model_merge_simple, model_merge_subtract
from nodes.saving_models import checkpoint_save, clip_save, lora_save, model_save, save_lora, vae_save
from tests.nodes.networks import POLICY, clip, model, vae


def weights(of: Model) -> dict[str, Tensor]:
    return {name: of.unet.parameter(name, of.weights) for name in of.unet.shapes}


def only_file(folder: Path) -> Path:
    [path] = [path for path in folder.rglob("*") if path.is_file()]
    return path


def test_a_saved_checkpoint_is_the_same_model_again(context: Context) -> None:
    before, text, autoencoder = model(1), clip(2), vae(3)
    checkpoint_save(model=before, clip=text, vae=autoencoder, filename_prefix="checkpoints/mine", context=context)
    path = only_file(context.paths.output)
    assert path == context.paths.output / "checkpoints" / "mine_00001_.safetensors"
    after = Library(POLICY).checkpoint(path)
    assert after.clip is not None
    assert after.vae is not None
    for one, other in (
        (before.unet, after.model.unet), (text.encoder, after.clip.encoder),
        (autoencoder.autoencoder, after.vae.autoencoder),
    ):  # fmt: skip
        assert one.shapes == other.shapes
        assert all(torch.equal(one.parameter(name), other.parameter(name)) for name in one.shapes)


def test_changes_are_saved_with_the_model(context: Context) -> None:
    merged = model_merge_simple(model(1), model(2), 0.5)
    model_save(model=merged, filename_prefix="merged", context=context)
    after = Library(POLICY).unet(only_file(context.paths.output))
    expected = weights(merged)
    assert all(torch.equal(after.unet.parameter(name), expected[name].half().float()) for name in expected)


def test_the_file_says_what_it_is_and_how_it_was_made(context: Context) -> None:
    checkpoint_save(model=model(), clip=clip(), vae=vae(), context=context)
    with safe_open(only_file(context.paths.output), framework="pt") as file:
        notes = file.metadata()
    assert notes["modelspec.title"] == "ComfyUI_00001"
    assert notes["modelspec.predict_key"] == "epsilon"
    assert "SaveImage" in notes["prompt"]
    assert "그림" in notes["workflow"] or "\\uadf8" in notes["workflow"]


def test_nobody_learns_the_workflow_if_it_is_not_to_be_told(context: Context) -> None:
    vae_save(vae=vae(), context=replace(context, settings=WorkerSettings(disable_metadata=True)))
    with safe_open(only_file(context.paths.output), framework="pt") as file:
        assert not (file.metadata() or {}).keys() & {"prompt", "workflow"}


def test_single_networks_are_saved_without_a_prefix(context: Context) -> None:
    vae_save(vae=vae(1), context=context)
    assert "decoder.conv_in.weight" in load_file(context.paths.output / "vae" / "ComfyUI_vae_00001_.safetensors")
    clip_save(clip=clip(1), context=context)
    saved = context.paths.output / "clip" / "ComfyUI_clip_l_00001_.safetensors"
    assert "text_model.final_layer_norm.weight" in load_file(saved)
    assert Library(POLICY).text_encoders([saved]).encoder.shapes == clip().encoder.shapes


def test_each_file_that_is_saved_is_told(context: Context) -> None:
    told = [
        checkpoint_save(model=model(), clip=clip(), vae=vae(), context=context),
        model_save(model=model(), context=context),
        clip_save(clip=clip(1), filename_prefix="text", context=context),
        vae_save(vae=vae(), filename_prefix="a/b/vae", context=context),
        save_lora(lora={"x.lora_up.weight": torch.ones(1, 1)}, steps=3, context=context),
    ]
    files = [file for one in told for file in one.ui["files"]]
    assert {context.paths.output / file["subfolder"] / file["filename"] for file in files} == {
        path for path in context.paths.output.rglob("*") if path.is_file()
    }
    assert {file["type"] for file in files} == {"output"}


def test_what_cannot_be_saved_leaves_no_file(context: Context) -> None:
    def stop(value: int, maximum: int, preview: bytes | None) -> None:
        if value > maximum / 2:
            raise InterruptedError("stopped")

    with pytest.raises(InterruptedError):
        model_save(model=model(), context=replace(context, progress=stop))
    assert [path for path in context.paths.output.rglob("*") if path.is_file()] == []


def test_a_taesd_is_not_taken_for_an_autoencoder(context: Context) -> None:
    tiny = TinyAutoencoder(TinyConfig(latent_channels=4, scale=1.0)).eval()
    with pytest.raises(ValueError, match="TAESD is not saved as an autoencoder"):
        vae_save(vae=Vae(POLICY.resident(tiny, torch.float32)), context=context)
    assert [path for path in context.paths.output.rglob("*") if path.is_file()] == []


def test_an_extracted_lora_changes_what_it_was_extracted_from(context: Context) -> None:
    difference, text = model_merge_subtract(model(1), model(2), 1.0), clip_merge_subtract(clip(1), clip(2), 1.0)
    lora_save(lora_type="standard", rank=2, model_diff=difference, text_encoder_diff=text, context=context)
    lora = read_lora(only_file(context.paths.output))
    fitted = fit(lora, difference.unet.shapes, text.encoder.shapes)
    assert not fitted.problems
    assert fitted.unet.keys() == difference.unet.shapes.keys()
    assert len(fitted.text) > 10


def test_nothing_is_extracted_from_nothing(context: Context) -> None:
    with pytest.raises(ValueError, match="wire a difference"):
        lora_save(lora_type="standard", context=context)


def test_adapters_in_memory_are_saved_as_they_are(context: Context) -> None:
    tensors = {"diffusion_model.out.2.diff_b": torch.ones(4)}
    save_lora(lora=tensors, prefix="loras/mine", steps=7, context=context)
    assert only_file(context.paths.output).name == "mine_7_steps_00001_.safetensors"
    assert torch.equal(load_file(only_file(context.paths.output))["diffusion_model.out.2.diff_b"], torch.ones(4))
    assert lora_model_loader(model=model(), lora=tensors).weights
