"""Animations hold their frames, their speed and the workflow."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image, ImageSequence

from nodes.animated import save_animated_png, save_animated_webp
from nodes.context import Context, WorkerSettings
from nodes.image import load_image

PICTURES = (torch.rand(3, 8, 12, 3) * 255).floor() / 255


def webp(context: Context, **options: Any) -> Any:
    return save_animated_webp(images=PICTURES, filename_prefix="a/b", method="fastest", context=context, **options)


def png(context: Context, **options: Any) -> Any:
    return save_animated_png(PICTURES, "a/b", context=context, **options)


def path_of(shown: Any, context: Context) -> Path:
    (one,) = shown.ui["images"]
    return context.paths.root(one["type"]) / one["subfolder"] / one["filename"]


@pytest.mark.parametrize("save", [webp, png])
def test_the_frames_come_back_in_one_file(save: Callable[..., Any], context: Context) -> None:
    shown = save(context, fps=4.0)
    assert shown.ui["animated"] == [True]
    path = path_of(shown, context)
    assert path.stem == "b_00001_"
    torch.testing.assert_close(load_image(f"a/{path.name} [output]", context).image, PICTURES)
    with Image.open(path) as file:
        assert [frame.copy().info["duration"] for frame in ImageSequence.Iterator(file)] == [250] * 3


def test_webp_keeps_graph_and_workflow_where_cameras_have_their_names(context: Context) -> None:
    with Image.open(path_of(webp(context), context)) as file:
        exif = file.getexif()
    assert json.loads(exif[0x0110].removeprefix("prompt:")) == context.graph
    assert json.loads(exif[0x010F].removeprefix("workflow:")) == context.extra_pnginfo["workflow"]


def test_png_keeps_graph_and_workflow_as_texts(context: Context) -> None:
    with Image.open(path_of(png(context), context)) as file:
        assert json.loads(file.info["prompt"]) == context.graph
        assert json.loads(file.info["workflow"]) == context.extra_pnginfo["workflow"]


@pytest.mark.parametrize("save", [webp, png])
def test_metadata_can_be_left_out(save: Callable[..., Any], context: Context) -> None:
    quiet = replace(context, settings=WorkerSettings(disable_metadata=True))
    with Image.open(path_of(save(quiet), quiet)) as file:
        assert not file.getexif()
        assert not {"prompt", "workflow"} & set(file.info)


def test_lossy_webp_is_smaller_with_less_quality(context: Context) -> None:
    sizes = [path_of(webp(context, lossless=False, quality=q), context).stat().st_size for q in (10, 95)]
    assert sizes[0] < sizes[1]
