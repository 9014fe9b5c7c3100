"""GLIGEN's networks agree with diffusers', given the same weights; gates that are shut change nothing."""

import torch
from diffusers.models.attention import GatedSelfAttentionDense
from diffusers.models.embeddings import GLIGENTextBoundingboxProjection

from models.adapters.gligen import Gate, PositionNet

TEXT, OBJECT = 24, 48


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
