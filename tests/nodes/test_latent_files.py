"""Latents go to disk and come back."""

import json
import shutil
from dataclasses import replace

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from models.loading.header import ModelFileError
from models.types import Latent
from nodes.context import Context, WorkerSettings
from nodes.latent_files import load_latent, save_latent

SAMPLES = torch.randn(2, 4, 8, 6)


def test_a_latent_comes_back_as_it_was(context: Context) -> None:
    shown = save_latent(Latent(SAMPLES), context=context)
    (one,) = shown.ui["latents"]
    assert one == {"filename": "ComfyUI_00001_.latent", "subfolder": "latents", "type": "output"}
    shutil.copy(context.paths.output / "latents" / one["filename"], context.paths.input)
    assert context.paths.choices("input_latents") == ["ComfyUI_00001_.latent"]
    assert torch.equal(load_latent(one["filename"], context).samples, SAMPLES)


def test_the_file_holds_what_others_read(context: Context) -> None:
    save_latent(Latent(SAMPLES), "x_%width%", context=context)
    with safe_open(context.paths.output / "x_48_00001_.latent", "pt") as file:
        assert set(file.keys()) == {"latent_tensor", "latent_format_version_0"}
        assert json.loads(file.metadata()["prompt"]) == context.graph
        assert json.loads(file.metadata()["workflow"]) == context.extra_pnginfo["workflow"]


def test_metadata_can_be_left_out(context: Context) -> None:
    save_latent(Latent(SAMPLES), "x", context=replace(context, settings=WorkerSettings(disable_metadata=True)))
    with safe_open(context.paths.output / "x_00001_.latent", "pt") as file:
        assert not file.metadata()


def test_old_files_hold_scaled_latents(context: Context) -> None:
    save_file({"latent_tensor": SAMPLES * 0.18215}, context.paths.input / "old.latent")
    torch.testing.assert_close(load_latent("old.latent", context).samples, SAMPLES)


def test_a_file_without_a_latent_is_refused(context: Context) -> None:
    save_file({"other": SAMPLES}, context.paths.input / "other.latent")
    with pytest.raises(ModelFileError, match=r"other.latent holds no latent"):
        load_latent("other.latent", context)
