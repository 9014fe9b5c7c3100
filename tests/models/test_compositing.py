"""Pictures laid over each other."""

import torch

from models.compositing import feathered_edges, paste

ZEROS = torch.zeros(2, 3, 6, 8)


def ones(height: int, width: int) -> torch.Tensor:
    return torch.ones(1, 3, height, width)


def test_a_source_lies_at_its_place_in_every_picture_of_the_batch() -> None:
    result = paste(ZEROS, ones(2, 3), 4, 1, torch.ones(1, 2, 3), False)
    expected = torch.zeros(2, 3, 6, 8)
    expected[:, :, 1:3, 4:7] = 1
    assert torch.equal(result, expected)
    assert not ZEROS.any()


def test_what_does_not_fit_is_cut_off() -> None:
    assert paste(ZEROS, ones(9, 9), 7, 5, torch.ones(1, 9, 9), False).sum() == 2 * 3
    assert torch.equal(paste(ZEROS, ones(2, 2), 100, 100, torch.ones(1, 2, 2), False), ZEROS)


def test_a_mask_mixes_and_is_brought_to_the_sources_size() -> None:
    result = paste(ZEROS, ones(6, 8), 0, 0, torch.full((1, 3, 4), 0.25), False)
    torch.testing.assert_close(result, torch.full((2, 3, 6, 8), 0.25))


def test_a_source_can_be_brought_to_the_destinations_size() -> None:
    result = paste(ZEROS, ones(1, 1), 0, 0, torch.ones(1, 1, 1), True)
    torch.testing.assert_close(result, torch.ones(2, 3, 6, 8))


def test_a_feather_longer_than_the_mask_only_begins_to_rise() -> None:
    torch.testing.assert_close(feathered_edges(1, 2, 4, 0, 0, 0), torch.tensor([[0.25, 0.5]]))
