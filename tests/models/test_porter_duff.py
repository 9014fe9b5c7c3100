"""The operators keep the laws of Porter and Duff."""

import pytest
import torch

from models.porter_duff import OPERATORS, composite


def layer(seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    color = torch.rand(1, 3, 4, 4, generator=generator)
    return color, torch.rand(1, 1, 4, 4, generator=generator) * 0.9 + 0.05


SOURCE, DESTINATION = layer(1), layer(2)
CLEAR = torch.zeros(1, 1, 4, 4)
OPAQUE = torch.ones(1, 1, 4, 4)


def test_source_and_destination_alone_are_themselves() -> None:
    torch.testing.assert_close(composite(*SOURCE, *DESTINATION, "SRC"), SOURCE)
    torch.testing.assert_close(composite(*SOURCE, *DESTINATION, "DST"), DESTINATION)


def test_nothing_is_left_of_clear() -> None:
    color, alpha = composite(*SOURCE, *DESTINATION, "CLEAR")
    assert not color.any()
    assert not alpha.any()


@pytest.mark.parametrize(
    ("operator", "mirrored"),
    [
        ("SRC_OVER", "DST_OVER"),
        ("SRC_IN", "DST_IN"),
        ("SRC_OUT", "DST_OUT"),
        ("SRC_ATOP", "DST_ATOP"),
        ("SRC", "DST"),
        ("XOR", "XOR"),
        ("ADD", "ADD"),
        ("SCREEN", "SCREEN"),
        ("MULTIPLY", "MULTIPLY"),
        ("DARKEN", "DARKEN"),
        ("LIGHTEN", "LIGHTEN"),
    ],
)
def test_swapping_the_layers_swaps_the_operator(operator: str, mirrored: str) -> None:
    swapped = composite(*DESTINATION, *SOURCE, mirrored)
    torch.testing.assert_close(composite(*SOURCE, *DESTINATION, operator), swapped)


@pytest.mark.parametrize("operator", ["SRC_OVER", "DST_OVER", "XOR", "SCREEN", "DARKEN", "ADD"])
def test_under_a_source_that_is_not_there_the_destination_stays(operator: str) -> None:
    color, alpha = composite(SOURCE[0], CLEAR, *DESTINATION, operator)
    torch.testing.assert_close(alpha, DESTINATION[1])
    torch.testing.assert_close(color, DESTINATION[0])


@pytest.mark.parametrize(
    ("operator", "blend"),
    [
        ("SRC_OVER", lambda s, d: s),
        ("MULTIPLY", lambda s, d: s * d),
        ("SCREEN", lambda s, d: 1 - (1 - s) * (1 - d)),
        ("DARKEN", torch.minimum),
        ("LIGHTEN", torch.maximum),
        ("ADD", lambda s, d: (s + d).clamp(max=1)),
        ("OVERLAY", lambda s, d: torch.where(d < 0.5, 2 * s * d, 1 - 2 * (1 - s) * (1 - d))),
    ],
)
def test_opaque_layers_blend_as_the_name_says(operator: str, blend) -> None:
    color, alpha = composite(SOURCE[0], OPAQUE, DESTINATION[0], OPAQUE, operator)
    torch.testing.assert_close(color, blend(SOURCE[0], DESTINATION[0]))
    torch.testing.assert_close(alpha, OPAQUE)


@pytest.mark.parametrize("operator", OPERATORS)
def test_colors_and_alphas_stay_between_0_and_1(operator: str) -> None:
    for part in composite(*SOURCE, *DESTINATION, operator):
        assert part.min() >= 0
        assert part.max() <= 1
