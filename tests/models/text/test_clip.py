"""The text transformer agrees with transformers', given the same weights."""

import pytest
import torch
from transformers import CLIPTextConfig as ReferenceConfig
from transformers import CLIPTextModel

from models.text.clip import END_TOKEN, ClipText, ClipTextConfig, UnknownTextEncoderError

QUICK = ClipTextConfig(vocabulary=49408, positions=77, width=64, layers=3, mlp_width=96)
EXACT = ClipTextConfig(vocabulary=49408, positions=77, width=128, layers=2, mlp_width=96, quick_gelu=False)


def pair(config: ClipTextConfig) -> tuple[ClipText, CLIPTextModel]:
    torch.manual_seed(0)
    theirs = CLIPTextModel(
        ReferenceConfig(
            vocab_size=config.vocabulary,
            max_position_embeddings=config.positions,
            hidden_size=config.width,
            num_hidden_layers=config.layers,
            intermediate_size=config.mlp_width,
            num_attention_heads=config.heads,
            hidden_act="quick_gelu" if config.quick_gelu else "gelu",
            bos_token_id=49406,
            eos_token_id=END_TOKEN,
        )
    ).eval()
    ours = ClipText(config).eval()
    names = (name if name.startswith("text_model.") else f"text_model.{name}" for name in theirs.state_dict())
    ours.load_state_dict(dict(zip(names, theirs.state_dict().values(), strict=True)))
    return ours, theirs


@pytest.fixture(scope="module")
def tokens() -> torch.Tensor:
    """Two rows whose first end token stands at different places, followed by more of them."""
    rows = torch.randint(0, 49000, (2, 77), generator=torch.Generator().manual_seed(1))
    rows[0, 9:], rows[1, 76:] = END_TOKEN, END_TOKEN
    return rows


@pytest.mark.parametrize("config", [QUICK, EXACT], ids=["quick", "exact"])
@torch.no_grad()
def test_every_layer_and_the_pooled_output_agree_with_transformers(
    config: ClipTextConfig, tokens: torch.Tensor
) -> None:
    ours, theirs = pair(config)
    expected = theirs(tokens, output_hidden_states=True)
    for layer in range(-config.layers, 0):
        encoded = ours(tokens, layer=layer, final_norm=False)
        torch.testing.assert_close(encoded.hidden, expected.hidden_states[layer], atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(encoded.pooled, expected.pooler_output, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(ours(tokens).hidden, expected.last_hidden_state, atol=1e-5, rtol=1e-5)


def test_the_configuration_is_read_off_the_shapes() -> None:
    with torch.device("meta"):
        shapes = {name: tuple(tensor.shape) for name, tensor in ClipText(QUICK).state_dict().items()}
    assert ClipTextConfig.from_shapes(shapes) == QUICK


def test_other_shapes_are_no_text_encoder() -> None:
    with pytest.raises(UnknownTextEncoderError, match="token_embedding"):
        ClipTextConfig.from_shapes({})
