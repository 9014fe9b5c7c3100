"""Canny's detector agrees with its definition, written out with scipy."""

import numpy as np
import pytest
import torch

from models.edges import canny

ndimage = pytest.importorskip("scipy.ndimage")


def written_out(picture: np.ndarray, low: float, high: float) -> np.ndarray:
    """Blur with sigma 1 over 5 × 5, Sobel, non-maximum suppression in eight directions, hysteresis."""
    gray = picture @ np.array([0.299, 0.587, 0.114])
    smooth = ndimage.gaussian_filter(gray, 1.0, radius=2, mode="mirror")
    right, down = (ndimage.sobel(smooth, axis=axis, mode="nearest") for axis in (1, 0))
    length, angle = np.sqrt(right**2 + down**2 + 1e-6), np.arctan2(down, right)
    ridges = np.zeros_like(length)
    for y, x in np.ndindex(length.shape):
        turns = round(np.degrees(angle[y, x]) / 45) * np.pi / 4
        step = round(np.sin(turns)), round(np.cos(turns))
        beside = [(y + sign * step[0], x + sign * step[1]) for sign in (1, -1)]
        inside = [place for place in beside if min(place) >= 0 and place[0] < len(length) and place[1] < len(length[0])]
        if all(length[y, x] > length[place] for place in inside):
            ridges[y, x] = length[y, x]
    parts, _ = ndimage.label(ridges > low, structure=np.ones((3, 3)))
    return np.isin(parts, np.unique(parts[ridges > high])) & (parts > 0)


@pytest.mark.parametrize("thresholds", [(0.1, 0.2), (0.2, 0.5), (0.4, 0.8)])
def test_edges_are_those_of_the_definition(thresholds: tuple[float, float]) -> None:
    generator = np.random.default_rng(7)
    picture = ndimage.gaussian_filter(generator.random((40, 32, 3)), (1.2, 1.2, 0)) * 2.5 - 0.8
    picture[10:25, 8:20] += 0.6
    picture = picture.clip(0, 1).astype(np.float32)
    expected = written_out(picture.astype(np.float64), *thresholds)
    ours = canny(torch.from_numpy(picture).movedim(-1, 0)[None], *thresholds)[0, 0]
    assert expected.any()
    assert np.array_equal(ours.numpy().astype(bool), expected)


def test_the_edge_of_a_step_is_one_line() -> None:
    step = torch.zeros(1, 3, 16, 16)
    step[..., 8:] = 1
    step[..., 7] = 0.4
    edges = canny(step, 0.4, 0.8)
    assert edges[0, 0].sum(dim=1).tolist() == [1.0] * 16


def test_pictures_of_a_batch_do_not_touch_each_other() -> None:
    batch = torch.rand(3, 3, 20, 20)
    alone = torch.cat([canny(one[None], 0.1, 0.3) for one in batch])
    assert torch.equal(canny(batch, 0.1, 0.3), alone)


def test_an_even_picture_has_no_edges() -> None:
    assert not canny(torch.full((1, 3, 8, 8), 0.5), 0.01, 0.01).any()
