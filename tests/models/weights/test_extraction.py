"""An extracted LoRA of a rank gives back every difference of that rank."""

import pytest
import torch

from models.weights.extraction import extracted, low_rank
from models.weights.lora_file import lora_of
from models.weights.patches import AdapterPatch, fit
from nodes.model_merging import model_merge_subtract
from tests.nodes.networks import model


@pytest.mark.parametrize("shape", [(24, 16), (24, 16, 3, 3), (400, 300)], ids=str)
def test_a_difference_of_low_rank_is_extracted_whole(shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    left, right = torch.randn(shape[0], 3), torch.randn(3, *shape[1:])
    weight = (left @ right.flatten(1)).reshape(shape)
    up, down = low_rank(weight, 3)
    assert up.shape == (shape[0], 3, *[1] * (len(shape) - 2))
    torch.testing.assert_close((up.flatten(1) @ down.flatten(1)).reshape(shape), weight, rtol=1e-3, atol=1e-3)


def test_what_is_left_out_is_no_more_than_it_must_be() -> None:
    torch.manual_seed(0)
    weight = torch.randn(300, 400)
    up, down = low_rank(weight, 8)
    best = torch.linalg.svdvals(weight)[8:].square().sum().sqrt()
    assert (weight - up @ down).norm() < 1.01 * best


def test_extracting_twice_gives_the_same() -> None:
    weight = torch.randn(300, 400)
    assert all(torch.equal(one, other) for one, other in zip(low_rank(weight, 4), low_rank(weight, 4), strict=True))


@pytest.mark.parametrize("kind", ["standard", "full_diff"])
def test_an_extracted_difference_leads_from_one_model_to_the_other(kind) -> None:
    first, second = model(1), model(2)
    difference = model_merge_subtract(first, second, 1.0)
    tensors = {f"diffusion_model.{name}": tensor for name, tensor in
               extracted(difference.unet, difference.weights, 4096, kind, True)}  # fmt: skip
    fitted = fit(lora_of("x", tensors), second.unet.shapes, None)
    assert not fitted.problems
    assert fitted.unet.keys() == second.unet.shapes.keys()
    patch = AdapterPatch("x", fitted.unet, 1.0)
    for name in second.unet.shapes:
        found = second.unet.parameter(name, (patch,))
        torch.testing.assert_close(found, first.unet.parameter(name), rtol=1e-4, atol=1e-4)


def test_without_biases_only_weights_are_extracted() -> None:
    difference = model(1)
    names = [name for name, _ in extracted(difference.unet, (), 2, "standard", False)]
    assert all(name.endswith((".lora_up.weight", ".lora_down.weight")) for name in names)
