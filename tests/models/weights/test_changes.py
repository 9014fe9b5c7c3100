"""Each way of writing an adapter down changes a weight as its definition says."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from models.weights.changes import (
    Added,
    Butterfly,
    Change,
    Factors,
    Generalized,
    Hadamard,
    Kronecker,
    LowRank,
    Magnitude,
    Replaced,
    Rotated,
    Whole,
)

OUT, IN, RANK = 12, 8, 4


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def delta(change: Change, weight: Tensor, strength: float = 1.0) -> Tensor:
    return change.changed(weight, strength) - weight


def test_lora_adds_what_its_two_layers_compute_together() -> None:
    weight, x = torch.randn(OUT, IN), torch.randn(5, IN)
    down, up = torch.randn(RANK, IN), torch.randn(OUT, RANK)
    changed = Added(LowRank(up, down), alpha=2.0).changed(weight, 0.7)
    expected = F.linear(x, weight) + 0.7 * (2.0 / RANK) * F.linear(F.linear(x, down), up)
    torch.testing.assert_close(F.linear(x, changed), expected)


def test_without_an_alpha_lora_is_not_scaled() -> None:
    weight, down, up = torch.randn(OUT, IN), torch.randn(RANK, IN), torch.randn(OUT, RANK)
    torch.testing.assert_close(delta(Added(LowRank(up, down)), weight), up @ down)


def test_locon_adds_what_its_convolutions_compute_together() -> None:
    weight, x = torch.randn(OUT, IN, 3, 3), torch.randn(2, IN, 6, 6)
    down, up = torch.randn(RANK, IN, 3, 3), torch.randn(OUT, RANK, 1, 1)
    changed = Added(LowRank(up, down)).changed(weight, 1.0)
    torch.testing.assert_close(F.conv2d(x, changed - weight), F.conv2d(F.conv2d(x, down), up), rtol=1e-4, atol=1e-4)


def test_locon_with_a_convolution_between_adds_what_all_three_compute() -> None:
    weight, x = torch.randn(OUT, IN, 3, 3), torch.randn(2, IN, 6, 6)
    down, mid, up = torch.randn(RANK, IN, 1, 1), torch.randn(RANK, RANK, 3, 3), torch.randn(OUT, RANK, 1, 1)
    found = F.conv2d(x, delta(Added(LowRank(up, down, mid)), weight))
    torch.testing.assert_close(found, F.conv2d(F.conv2d(F.conv2d(x, down), mid), up), rtol=1e-4, atol=1e-4)


def test_loha_adds_the_elementwise_product_of_two_low_rank_matrices() -> None:
    weight = torch.randn(OUT, IN)
    a1, b1, a2, b2 = torch.randn(OUT, 2), torch.randn(2, IN), torch.randn(OUT, 2), torch.randn(2, IN)
    found = delta(Added(Hadamard(Factors(a1, b1), Factors(a2, b2)), alpha=1.0), weight)
    torch.testing.assert_close(found, (a1 @ b1) * (a2 @ b2) / 2)


def test_loha_of_a_convolution_goes_through_its_cores() -> None:
    weight = torch.randn(OUT, IN, 3, 3)
    sides = [(torch.randn(RANK, OUT), torch.randn(RANK, IN), torch.randn(RANK, RANK, 3, 3)) for _ in range(2)]
    kernels = [
        sum(core[i, j] * (left[i][:, None] * right[j])[..., None, None] for i in range(RANK) for j in range(RANK))
        for left, right, core in sides
    ]
    found = delta(Added(Hadamard(*(Factors(left, right, core) for left, right, core in sides))), weight)
    torch.testing.assert_close(found, kernels[0] * kernels[1], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("kernel", [(), (3, 3)], ids=["linear", "convolution"])
def test_lokr_adds_blocks_of_the_second_matrix_weighed_by_the_first(kernel: tuple[int, ...]) -> None:
    weight, first, second = torch.randn(OUT, IN, *kernel), torch.randn(3, 2), torch.randn(4, 4, *kernel)
    found = delta(Added(Kronecker(Factors(first), Factors(second)), alpha=7.0), weight)  # whole factors: no rank
    for row in range(3):
        for column in range(2):
            block = found[4 * row : 4 * row + 4, 4 * column : 4 * column + 4]
            torch.testing.assert_close(block, first[row, column] * second)


def test_lokr_is_scaled_by_the_rank_of_the_factor_that_has_one() -> None:
    weight, first, left, right = torch.randn(OUT, IN), torch.randn(3, 2), torch.randn(4, 2), torch.randn(2, 4)
    found = delta(Added(Kronecker(Factors(first), Factors(left, right)), alpha=1.0), weight)
    torch.testing.assert_close(found, torch.kron(first, left @ right) / 2)


def test_dora_gives_the_columns_their_lengths() -> None:
    weight, down, up, lengths = torch.randn(OUT, IN), torch.randn(2, IN), torch.randn(OUT, 2), torch.rand(1, IN) + 0.5
    changed = Added(LowRank(up, down), 1.0, Magnitude(lengths)).changed(weight, 1.0)
    torch.testing.assert_close(changed.norm(dim=0), lengths[0])
    direction = weight + 0.5 * up @ down
    torch.testing.assert_close(changed / changed.norm(dim=0), direction / direction.norm(dim=0))


def test_dora_of_a_convolution_gives_every_input_its_length() -> None:
    weight, down, up = torch.randn(OUT, IN, 3, 3), torch.randn(2, IN, 3, 3), torch.randn(OUT, 2, 1, 1)
    lengths = torch.rand(1, IN, 1, 1) + 0.5
    changed = Added(LowRank(up, down), None, Magnitude(lengths)).changed(weight, 1.0)
    torch.testing.assert_close(changed.transpose(0, 1).flatten(1).norm(dim=1), lengths.flatten())


def test_dora_along_outputs_divides_by_the_lengths_before_or_after() -> None:
    weight, down, up, lengths = torch.randn(OUT, IN), torch.randn(2, IN), torch.randn(OUT, 2), torch.rand(OUT, 1)
    both = weight + up @ down
    before = Added(LowRank(up, down), None, Magnitude(lengths)).changed(weight, 1.0)
    torch.testing.assert_close(before, both * lengths / weight.norm(dim=1, keepdim=True))
    after = Added(LowRank(up, down), None, Magnitude(lengths[:, 0], of_sum=True)).changed(weight, 1.0)
    torch.testing.assert_close(after.norm(dim=1), lengths[:, 0])


def test_dora_at_half_strength_lies_halfway() -> None:
    weight, down, up = torch.randn(OUT, IN), torch.randn(2, IN), torch.randn(OUT, 2)
    change = Added(LowRank(up, down), None, Magnitude(torch.rand(1, IN)))
    torch.testing.assert_close(change.changed(weight, 0.5), (weight + change.changed(weight, 1.0)) / 2)


def test_glora_adds_what_the_weight_makes_of_a_change_to_its_input() -> None:
    weight, x = torch.randn(OUT, IN), torch.randn(5, IN)
    a1, a2, b1, b2 = torch.randn(IN, 2), torch.randn(2, IN), torch.randn(OUT, 2), torch.randn(2, IN)
    found = F.linear(x, delta(Added(Generalized(a1, a2, b1, b2)), weight))
    torch.testing.assert_close(found, F.linear(F.linear(F.linear(x, a2), a1), weight) + F.linear(F.linear(x, b2), b1))


def test_oft_turns_blocks_of_outputs_without_stretching_them() -> None:
    weight, blocks = torch.randn(OUT, IN), 0.3 * torch.randn(3, 4, 4)
    changed = Added(Rotated(blocks)).changed(weight, 1.0)
    assert not torch.allclose(changed, weight, atol=0.1)
    for rows in range(0, OUT, 4):
        before, after = weight[rows : rows + 4], changed[rows : rows + 4]
        torch.testing.assert_close(after.T @ after, before.T @ before)  # lengths and angles stay


def test_oft_turns_no_further_than_its_constraint() -> None:
    weight, blocks = torch.randn(OUT, IN), torch.randn(3, 4, 4)
    free, bound = (delta(Added(Rotated(blocks, constraint=limit)), weight).norm() for limit in (0.0, 0.001))
    assert bound < 0.1 * free


def test_boft_turns_all_outputs_without_stretching_them() -> None:
    weight, blocks = torch.randn(16, IN), 0.3 * torch.randn(2, 4, 4, 4)
    changed = Butterfly(blocks).changed(weight, 1.0)
    torch.testing.assert_close(changed.T @ changed, weight.T @ weight, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(Butterfly(blocks).changed(weight, 0.0), weight)


def test_rescaling_multiplies_every_output() -> None:
    weight, rows = torch.randn(OUT, IN), torch.rand(OUT, 1)
    torch.testing.assert_close(Added(Rotated(torch.zeros(3, 4, 4), rows)).changed(weight, 1.0), weight * rows)


def test_a_whole_difference_is_added_and_a_replacement_ignores_the_strength() -> None:
    weight, value = torch.randn(OUT, IN), torch.randn(OUT, IN)
    torch.testing.assert_close(Added(Whole(value)).changed(weight, -2.0), weight - 2 * value)
    assert torch.equal(Replaced(value).changed(weight, 0.1), value)


def test_strengths_of_opposite_sign_cancel() -> None:
    weight, change = torch.randn(OUT, IN), Added(LowRank(torch.randn(OUT, 2), torch.randn(2, IN)))
    torch.testing.assert_close(change.changed(change.changed(weight, 1.3), -1.3), weight)


def zeros(*shape: int) -> Tensor:
    return torch.zeros(shape)


CASES: dict[str, tuple[Change, tuple[int, ...]]] = {
    "LoRA": (Added(LowRank(zeros(12, 4), zeros(4, 8))), (12, 8)),
    "LoRA in a convolution of one pixel": (Added(LowRank(zeros(12, 4), zeros(4, 8))), (12, 8, 1, 1)),
    "LoCon": (Added(LowRank(zeros(12, 4, 1, 1), zeros(4, 8, 3, 3))), (12, 8, 3, 3)),
    "LoCon with a middle": (Added(LowRank(zeros(12, 4, 1, 1), zeros(4, 8, 1, 1), zeros(4, 4, 3, 3))), (12, 8, 3, 3)),
    "LoHa": (Added(Hadamard(*[Factors(zeros(12, 2), zeros(2, 8))] * 2)), (12, 8)),
    "LoHa with cores": (Added(Hadamard(*[Factors(zeros(4, 12), zeros(4, 8), zeros(4, 4, 3, 3))] * 2)), (12, 8, 3, 3)),
    "LoKr": (Added(Kronecker(Factors(zeros(3, 2)), Factors(zeros(4, 2), zeros(2, 4)))), (12, 8)),
    "LoKr of a convolution": (Added(Kronecker(Factors(zeros(3, 2)), Factors(zeros(4, 4, 3, 3)))), (12, 8, 3, 3)),
    "DoRA": (Added(LowRank(zeros(12, 4), zeros(4, 8)), None, Magnitude(zeros(1, 8))), (12, 8)),
    "DoRA along outputs": (Added(LowRank(zeros(12, 4), zeros(4, 8)), None, Magnitude(zeros(12))), (12, 8)),
    "GLoRA": (Added(Generalized(zeros(8, 2), zeros(2, 8), zeros(12, 2), zeros(2, 8))), (12, 8)),
    "OFT": (Added(Rotated(zeros(3, 4, 4), zeros(12, 1))), (12, 8)),
    "BOFT": (Butterfly(zeros(2, 4, 4, 4)), (16, 8)),
    "difference": (Added(Whole(zeros(12))), (12,)),
    "replacement": (Replaced(zeros(12, 8)), (12, 8)),
}


def can_be_computed(change: Change, shape: tuple[int, ...]) -> bool:
    try:
        return change.changed(torch.ones(shape), 1.0).shape == shape
    except (RuntimeError, IndexError):
        return False


@pytest.mark.parametrize("name", CASES)
def test_a_change_fits_no_shape_that_it_cannot_be_computed_for(name: str) -> None:
    change, fitting = CASES[name]
    assert change.fits(fitting)
    assert can_be_computed(change, fitting)
    for shape in {case for _, case in CASES.values()} | {(12, 9), (13, 8), (24, 8), (32, 8), (12, 8, 1, 3), (8, 12)}:
        assert not change.fits(shape) or can_be_computed(change, shape), shape


@pytest.mark.parametrize(
    "broken",
    [
        Added(LowRank(zeros(12, 4), zeros(3, 8))),
        Added(LowRank(zeros(12), zeros(8))),
        Added(LowRank(zeros(12, 4, 1, 1), zeros(4, 8, 1, 1), zeros(4, 3, 3, 3))),
        Added(Hadamard(Factors(zeros(12, 2), zeros(3, 8)), Factors(zeros(12, 2), zeros(2, 8)))),
        Added(Kronecker(Factors(zeros(3, 2)), Factors(zeros(4, 2), zeros(3, 4)))),
        Added(LowRank(zeros(12, 4), zeros(4, 8)), None, Magnitude(zeros(7))),
        Added(Generalized(zeros(8, 2), zeros(3, 8), zeros(12, 2), zeros(2, 8))),
        Added(Rotated(zeros(3, 4, 5))),
        Butterfly(zeros(2, 3, 5, 5)),
    ],
    ids=lambda change: type(getattr(change, "delta", change)).__name__,
)
def test_factors_that_do_not_belong_together_fit_nothing(broken: Change) -> None:
    for shape in ((12, 8), (12, 8, 3, 3), (15, 8), (12,)):
        assert not broken.fits(shape)
