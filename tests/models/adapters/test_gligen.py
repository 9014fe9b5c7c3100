"""GLIGEN's networks agree with diffusers', given the same weights; boxes change a UNet where its gates are open."""

from dataclasses import replace

import pytest
import torch
from diffusers.models.attention import GatedSelfAttentionDense
from diffusers.models.embeddings import GLIGENTextBoundingboxProjection

from models.adapters.gligen import MAX_BOXES, Gate, Gligen, GligenBoxes, GligenConfig, PositionNet, TextBox
from models.conditioning import Area, Cond, Occasion
from models.sampling.denoiser import EpsPrediction
from models.sampling.entries import Rules
from models.sampling.evaluation import Asker, ConditionedDenoiser
from models.sampling.levels import discrete_levels, scaled_linear_alphas_bar
from models.unet import UNet
from models.unet_patches import Call, Place
from tests.models.sampling.fakes import FakeResidence
from tests.models.tiny_checkpoint import UNET

TEXT, OBJECT = 24, 48
WORDS = torch.randn(1, TEXT, generator=torch.Generator().manual_seed(1))
BOX = TextBox(WORDS, Area(4, 4, 2, 0))


@torch.no_grad()
def test_object_tokens_agree_with_diffusers() -> None:
    torch.manual_seed(0)
    theirs = GLIGENTextBoundingboxProjection(TEXT, OBJECT)
    for parameter in theirs.parameters():
        parameter.add_(torch.randn_like(parameter) * 0.1)
    ours = PositionNet(TEXT, 512, OBJECT)
    ours.load_state_dict(theirs.state_dict())
    boxes, used, words = (
        torch.rand(2, 5, 4),
        torch.tensor([[1.0, 1, 0, 0, 0], [1, 0, 0, 0, 0]]),
        torch.randn(2, 5, TEXT),
    )
    torch.testing.assert_close(ours(boxes, used, words), theirs(boxes, used, words))


@torch.no_grad()
def test_a_gate_agrees_with_diffusers() -> None:
    torch.manual_seed(0)
    theirs = GatedSelfAttentionDense(32, OBJECT, n_heads=4, d_head=8)
    for parameter in theirs.parameters():
        parameter.add_(torch.randn_like(parameter) * 0.1)
    ours = Gate(32, OBJECT, heads=4)
    ours.load_state_dict(theirs.state_dict())
    x, objects = torch.randn(2, 9, 32), torch.randn(2, 5, OBJECT)
    torch.testing.assert_close(ours(x, objects), theirs(x, objects), atol=1e-6, rtol=1e-5)


@torch.no_grad()
def test_a_shut_gate_changes_nothing() -> None:
    x = torch.randn(1, 9, 32)
    assert torch.equal(Gate(32, OBJECT, heads=4)(x, torch.randn(1, 5, OBJECT)), x)


def gligen(gate: float) -> Gligen:
    """A model for the tiny UNet, all of whose gates are as far open."""
    torch.manual_seed(2)
    places = ((Place("input", 1), 32), (Place("middle", 0), 64), (Place("output", 2), 32), (Place("output", 3), 32))
    network = Gligen(GligenConfig(TEXT, 16, OBJECT, places)).requires_grad_(False)
    for one in network.gates.values():
        one.alpha_attn.fill_(gate)  # pyright: ignore
    return network


def estimates(gate: float, *boxes: TextBox) -> list[torch.Tensor]:
    """The estimates for a prompt with boxes and for the negative, which they hold for too."""
    torch.manual_seed(3)
    levels = discrete_levels(scaled_linear_alphas_bar())
    denoise = ConditionedDenoiser(UNet(UNET).eval(), EpsPrediction(), levels)
    x, prompt = torch.randn(1, 4, 8, 8), Cond(torch.randn(1, 3, 64))
    asked = replace(prompt, boxes=GligenBoxes(FakeResidence(gligen(gate)), boxes)) if boxes else prompt
    return Asker(denoise, Occasion(x, stride=8), Rules(levels))(x, torch.tensor(3.0), [(asked,), (prompt,)])


def test_boxes_behind_shut_gates_change_nothing() -> None:
    torch.testing.assert_close(estimates(0.0, BOX), estimates(0.0))


def test_boxes_steer_the_prompt_and_the_negative_by_their_place_and_words() -> None:
    plain, boxed = estimates(1.0), estimates(1.0, BOX)
    moved = estimates(1.0, replace(BOX, area=Area(4, 4, 0, 4)))
    renamed = estimates(1.0, replace(BOX, words=WORDS + 1))
    assert all(not torch.allclose(a, b) for a, b in zip(plain, boxed, strict=True))
    assert not torch.allclose(boxed[0], moved[0])
    assert not torch.allclose(boxed[0], renamed[0])


def test_boxes_are_shares_of_a_latents_sides() -> None:
    seen: list[torch.Tensor] = []

    class Shown:
        config = GligenConfig(TEXT, 16, OBJECT, ())

        def __call__(self, x: torch.Tensor, place: Place, *inputs: torch.Tensor) -> torch.Tensor:
            seen[:] = inputs
            return x

    boxes = GligenBoxes(FakeResidence(Shown()), (TextBox(WORDS, Area(height=4, width=8, y=2, x=4)), BOX))
    [patch] = boxes.unet.between_attentions
    patch(torch.zeros(1, 5, 32), Place("middle", 0), Call(torch.tensor(1.0), (0,), 1, (1, 4, 8, 16)))
    corners, used, words = seen
    assert corners[0, 0].tolist() == [0.25, 0.25, 0.75, 0.75]
    assert corners[0, 1].tolist() == [0.0, 0.25, 0.25, 0.75]
    assert used[0].tolist() == [1.0, 1.0] + [0.0] * (MAX_BOXES - 2)
    assert torch.equal(words[0, 1], WORDS[0])


def test_words_of_another_width_are_refused() -> None:
    with pytest.raises(ValueError, match="words of a box are 20 wide, the GLIGEN model takes 24"):
        estimates(1.0, replace(BOX, words=torch.zeros(1, 20)))


def test_more_boxes_than_the_model_takes_are_refused() -> None:
    with pytest.raises(ValueError, match="up to 30 boxes"):
        GligenBoxes(FakeResidence(gligen(1.0)), (BOX,) * (MAX_BOXES + 1))
