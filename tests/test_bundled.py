"""The bundled checkpoint draws what it is asked for: judged by the colors of pixels."""

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from models.loading.load import load_checkpoint
from models.memory import DevicePolicy
from models.sampling.guidance import ClassifierFree
from models.sampling.noise import initial_noise
from models.sampling.run import ksampler_sigmas, sample
from models.sampling.samplers.table import SAMPLERS
from models.text.encode import encode_prompt
from models.vae_codec import decode

CHECKPOINT = Path(__file__).parent.parent / "bundled" / "models" / "checkpoints" / "weft-tiny.safetensors"
SEEDS = range(10)
SIDE = 128

Picture = NDArray[np.float32]
Mask = NDArray[np.bool_]


@pytest.fixture(scope="module")
def pictures() -> list[Picture]:
    """One picture of the prompt for each seed: (h, w, 3) in 0..1."""
    loaded = load_checkpoint(CHECKPOINT, DevicePolicy.choose(cpu=True))
    assert loaded.clip is not None
    assert loaded.vae is not None
    positive = encode_prompt(loaded.clip, "a large red circle on a blue background")
    negative = encode_prompt(loaded.clip, "")
    sigmas = ksampler_sigmas(loaded.model, "normal", 20, 1.0, "euler")
    blank = torch.zeros(1, 4, SIDE // 8, SIDE // 8)
    found: list[Picture] = []
    for seed in SEEDS:
        noise = initial_noise(blank.shape, seed)
        guidance = ClassifierFree(positive, negative, 5.0)
        latent = sample(loaded.model, noise, blank, guidance, SAMPLERS["euler"], sigmas, seed)
        found.append(decode(loaded.vae, latent)[0].numpy())
    return found


def is_red(picture: Picture) -> Mask:
    red, green, blue = np.moveaxis(picture, -1, 0)
    return (red > 0.6) & (green < 0.4) & (blue < 0.4)


def is_blue(picture: Picture) -> Mask:
    red, green, blue = np.moveaxis(picture, -1, 0)
    return (blue > 0.5) & (red < 0.4) & (blue > green + 0.15)


def border(mask: Mask) -> Mask:
    return np.concatenate([mask[:4].ravel(), mask[-4:].ravel(), mask[:, :4].ravel(), mask[:, -4:].ravel()])


def likeness_to_a_disk(mask: Mask) -> float:
    """Returns intersection over union of the mask and the disk of its area around its center of mass."""
    rows, columns = np.nonzero(mask)
    y, x = np.indices(mask.shape)
    disk = (y - rows.mean()) ** 2 + (x - columns.mean()) ** 2 <= mask.sum() / np.pi
    return float((mask & disk).sum() / (mask | disk).sum())


def is_a_large_red_circle_on_blue(picture: Picture) -> bool:
    red = is_red(picture)
    return (
        0.15 < red.mean() < 0.75
        and likeness_to_a_disk(red) > 0.9
        and border(is_blue(picture)).mean() > 0.9
        and (red | is_blue(picture)).mean() > 0.9
    )


def test_the_file_is_small() -> None:
    assert CHECKPOINT.stat().st_size <= 90e6


def test_eight_seeds_of_ten_give_a_large_red_circle_on_a_blue_background(pictures: list[Picture]) -> None:
    assert sum(map(is_a_large_red_circle_on_blue, pictures)) >= 8


def test_the_judge_refuses_what_is_not_asked_for() -> None:
    y, x = np.indices((SIDE, SIDE))
    disk = (y - 64) ** 2 + (x - 64) ** 2 <= 40**2
    square = (abs(y - 64) < 40) & (abs(x - 64) < 40)
    red, blue, green = (
        np.array(color, np.float32) for color in ((0.86, 0.13, 0.15), (0.1, 0.3, 0.82), (0.1, 0.6, 0.2))
    )
    assert is_a_large_red_circle_on_blue(np.where(disk[..., None], red, blue))
    assert not is_a_large_red_circle_on_blue(np.where(disk[..., None], blue, red))
    assert not is_a_large_red_circle_on_blue(np.where(disk[..., None], red, green))
    assert not is_a_large_red_circle_on_blue(np.where((disk & (x > 64))[..., None], red, blue))
    assert not is_a_large_red_circle_on_blue(np.where(square[..., None], red, blue))
