"""The style model does what the paper's code does with torch's own attention, and is described by its shapes."""

import pytest
import torch
from torch import nn

from models.adapters.attention_block import ResidualAttentionBlock
from models.adapters.style import StyleModel, StyleModelConfig, UnknownStyleModelError

CONFIG = StyleModelConfig(width=32, context_dim=24, tokens=8, layers=2)


@torch.no_grad()
def test_a_block_agrees_with_torchs_attention() -> None:
    torch.manual_seed(0)
    block = ResidualAttentionBlock(32, heads=4)
    theirs = nn.MultiheadAttention(32, 4, batch_first=True)
    theirs.load_state_dict(block.attn.state_dict())
    x = torch.randn(2, 5, 32)
    expected = theirs(x, x, x, need_weights=False)[0]
    torch.testing.assert_close(block.attn(x), expected)


@torch.no_grad()
def test_a_picture_becomes_as_many_prompt_tokens_as_there_are_questions() -> None:
    assert StyleModel(CONFIG)(torch.randn(2, 17, 32)).shape == (2, 8, 24)


def test_the_configuration_is_read_off_the_shapes() -> None:
    shapes = {name: tuple(tensor.shape) for name, tensor in StyleModel(CONFIG).state_dict().items()}
    assert StyleModelConfig.from_shapes(shapes) == CONFIG


def test_other_shapes_are_no_style_model() -> None:
    with pytest.raises(UnknownStyleModelError):
        StyleModelConfig.from_shapes({"redux_up.weight": (12288, 1152)})
