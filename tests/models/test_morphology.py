"""Morphology agrees with scipy's."""

import numpy as np
import pytest
import torch

from models.morphology import OPERATIONS, grown

ndimage = pytest.importorskip("scipy.ndimage")
REFERENCES = {
    "erode": lambda x, size: ndimage.minimum_filter(x, size, mode="constant", cval=np.inf),
    "dilate": lambda x, size: ndimage.maximum_filter(x, size, mode="constant", cval=-np.inf),
}


@pytest.mark.parametrize("size", [3, 4, 7, 31])
@pytest.mark.parametrize("operation", REFERENCES)
def test_extremes_of_a_box_are_scipys(operation: str, size: int) -> None:
    x = torch.rand(12, 10)
    ours = OPERATIONS[operation](x[None, None], size)[0, 0]
    assert torch.equal(ours, torch.from_numpy(REFERENCES[operation](x.numpy(), size)))


@pytest.mark.parametrize("operation", ["open", "close"])
def test_opening_and_closing_twice_is_as_good_as_once(operation: str) -> None:
    once = OPERATIONS[operation](torch.rand(1, 1, 12, 12), 3)
    assert torch.equal(OPERATIONS[operation](once, 3), once)


def test_gradient_and_hats_are_differences() -> None:
    x = torch.rand(1, 1, 9, 9)
    done = {name: operation(x, 3) for name, operation in OPERATIONS.items()}
    assert torch.equal(done["gradient"], done["dilate"] - done["erode"])
    assert torch.equal(done["top_hat"], x - done["open"])
    assert torch.equal(done["bottom_hat"], done["close"] - x)


@pytest.mark.parametrize("tapered", [True, False])
@pytest.mark.parametrize("pixels", [1, 3, -2])
def test_growing_is_repeated_gray_dilation(pixels: int, tapered: bool) -> None:
    """Beyond the border scipy mirrors the picture, which gives the same as leaving it out of account."""
    mask = torch.rand(2, 11, 9)
    footprint = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]]) if tapered else np.ones((3, 3))
    step = ndimage.grey_erosion if pixels < 0 else ndimage.grey_dilation
    expected = [one.numpy() for one in mask]
    for _ in range(abs(pixels)):
        expected = [step(one, footprint=footprint) for one in expected]
    assert torch.equal(grown(mask, pixels, tapered), torch.from_numpy(np.stack(expected)))
