"""Pictures go to disk and come back."""

import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from nodes.context import Context, WorkerSettings
from nodes.image import load_image, mask_preview, preview_image, save_image, save_image_websocket
from nodes.paths import PathError


def saved(context: Context, ui: dict[str, list[dict[str, str]]]) -> list[Path]:
    return [context.paths.root(one["type"]) / one["subfolder"] / one["filename"] for one in ui["images"]]  # pyright: ignore[reportArgumentType]


def test_values_are_cut_off_and_clipped_not_rounded(context: Context) -> None:
    values = torch.tensor([0.0, 0.5, 0.9999, 1.0, -3.0, 7.0])
    picture = values.reshape(1, 1, 6, 1).repeat(1, 16, 1, 3)
    shown = save_image(images=picture, filename_prefix="a/b", context=context)
    (path,) = saved(context, dict(shown.ui))
    assert np.asarray(Image.open(path))[0, :, 0].tolist() == [0, 127, 254, 255, 0, 255]


def test_a_batch_becomes_numbered_files_that_carry_graph_and_workflow(context: Context) -> None:
    shown = save_image(images=torch.rand(2, 8, 8, 3), filename_prefix="cat", context=context)
    paths = saved(context, dict(shown.ui))
    assert [path.name for path in paths] == ["cat_00001_.png", "cat_00002_.png"]
    for path in paths:
        with Image.open(path) as file:
            texts = file.info
        assert json.loads(texts["prompt"]) == context.graph
        assert json.loads(texts["workflow"]) == context.extra_pnginfo["workflow"]


def test_metadata_can_be_left_out(context: Context) -> None:
    quiet = replace(context, settings=WorkerSettings(disable_metadata=True))
    shown = save_image(images=torch.rand(1, 8, 8, 3), context=quiet)
    with Image.open(saved(context, dict(shown.ui))[0]) as file:
        assert not file.info


def test_a_preview_lies_in_the_temporary_folder(context: Context) -> None:
    shown = preview_image(torch.rand(1, 8, 8, 3), context)
    assert shown.ui["images"][0]["type"] == "temp"
    assert list(context.paths.output.iterdir()) == []


def test_a_saved_picture_comes_back_with_an_empty_mask(context: Context) -> None:
    picture = torch.rand(1, 8, 12, 3)
    save_image(images=picture, filename_prefix="cat", context=context)
    image, mask = load_image("cat_00001_.png [output]", context)
    assert torch.equal(image, (picture * 255).floor() / 255)
    assert torch.equal(mask, torch.zeros(1, 64, 64))


def test_the_mask_is_what_is_transparent(context: Context) -> None:
    rgba = np.zeros((4, 4, 4), np.uint8)
    rgba[0, 0] = [255, 0, 0, 255]
    Image.fromarray(rgba).save(context.paths.input / "x.png")
    image, mask = load_image("x.png", context)
    assert image[0, 0, 0].tolist() == [1, 0, 0]
    assert (mask[0, 0, 0], mask[0, 1, 1]) == (0, 1)


def test_an_animation_becomes_a_batch(context: Context) -> None:
    frames = [Image.new("RGB", (6, 4), color) for color in ("red", "lime", "blue")]
    frames[0].save(context.paths.input / "x.webp", save_all=True, append_images=frames[1:], lossless=True)
    image, mask = load_image("x.webp", context)
    assert image[:, 0, 0].tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
    assert len(mask) == 3


def test_exif_orientation_is_obeyed(context: Context) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (6, 4)).save(context.paths.input / "x.jpg", exif=exif)
    assert load_image("x.jpg", context).image.shape == (1, 6, 4, 3)


def test_sixteen_bit_gray_fills_the_whole_range(context: Context) -> None:
    Image.fromarray(np.full((4, 4), 65535, np.uint16)).save(context.paths.input / "x.png")
    assert load_image("x.png", context).image.unique().tolist() == [1.0]


@pytest.mark.parametrize("name", ["../secret.png", "/etc/passwd", "missing.png"])
def test_names_that_lead_elsewhere_or_nowhere_are_refused(context: Context, name: str) -> None:
    with pytest.raises(PathError):
        load_image(name, context)


def test_frames_without_transparency_are_opaque_beside_those_with(context: Context) -> None:
    frames = [Image.new("RGBA", (6, 4), (9, 9, 9, alpha)) for alpha in (255, 0)]
    frames[0].convert("RGB").save(context.paths.input / "x.png", save_all=True, append_images=[frames[1]])
    Image.new("RGB", (6, 4)).save(context.paths.input / "plain.png")
    _, mask = load_image("x.png", context)
    assert mask.shape[0] == 2
    assert load_image("plain.png", context).mask.shape == (1, 64, 64)


def test_a_mask_is_shown_as_a_gray_picture_and_handed_on(context: Context) -> None:
    mask = torch.rand(2, 4, 6)
    shown = mask_preview(mask, context)
    assert shown.result is mask
    first, _ = saved(context, dict(shown.ui))
    assert np.array_equal(np.asarray(Image.open(first))[:, :, 1], (mask[0].numpy() * 255).astype(np.uint8))


def test_a_picture_with_alpha_is_saved_with_it(context: Context) -> None:
    picture = torch.rand(1, 4, 6, 4)
    shown = save_image(images=picture, context=context)
    with Image.open(saved(context, dict(shown.ui))[0]) as file:
        assert file.mode == "RGBA"


def test_pictures_for_the_client_alone_are_sent_and_leave_no_file(context: Context) -> None:
    sent: list[bytes] = []
    picture = torch.rand(2, 4, 6, 3)
    save_image_websocket(picture, replace(context, send_picture=sent.append))
    with Image.open(io.BytesIO(sent[1])) as file:
        assert file.format == "PNG"
        assert np.array_equal(np.asarray(file), (picture[1].numpy() * 255).astype(np.uint8))
    assert len(sent) == 2
    assert not [path for kind in ("output", "temp") for path in context.paths.root(kind).iterdir()]
