"""CLIP's vision encoder agrees with transformers', given the same weights and the same pictures."""

import pytest
import torch
from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

from models.vision import ClipVision, ClipVisionConfig, UnknownVisionError, prepared

CONFIG = ClipVisionConfig(width=64, layers=3, mlp_width=96, patch=14, grid=4, projection=40, quick_gelu=True, heads=16)


def theirs_of(config: ClipVisionConfig) -> CLIPVisionModelWithProjection:
    return CLIPVisionModelWithProjection(
        CLIPVisionConfig(
            hidden_size=config.width,
            intermediate_size=config.mlp_width,
            projection_dim=config.projection,
            num_hidden_layers=config.layers,
            num_attention_heads=config.heads,
            image_size=config.side,
            patch_size=config.patch,
            hidden_act="quick_gelu" if config.quick_gelu else "gelu",
        )
    ).eval()


@torch.no_grad()
def test_the_encoder_agrees_with_transformers() -> None:
    torch.manual_seed(0)
    theirs, ours = theirs_of(CONFIG), ClipVision(CONFIG)
    ours.load_state_dict({name: tensor for name, tensor in theirs.state_dict().items() if "position_ids" not in name})
    pixels = torch.randn(2, 3, CONFIG.side, CONFIG.side)
    expected = theirs(pixels, output_hidden_states=True)
    seen = ours(pixels)
    torch.testing.assert_close(seen.image_embeds, expected.image_embeds, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(seen.last_hidden_state, expected.hidden_states[-1], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(seen.penultimate_hidden_states, expected.hidden_states[-2], atol=1e-5, rtol=1e-5)


def test_the_configuration_is_read_off_the_shapes() -> None:
    shapes = {name: tuple(tensor.shape) for name, tensor in ClipVision(CONFIG).state_dict().items()}
    assert ClipVisionConfig.from_shapes(shapes) == CONFIG


def test_other_shapes_are_no_vision_encoder() -> None:
    with pytest.raises(UnknownVisionError):
        ClipVisionConfig.from_shapes({"text_model.embeddings.token_embedding.weight": (49408, 768)})


def test_cropping_keeps_the_middle_and_squeezing_keeps_all() -> None:
    picture = torch.zeros(1, 32, 64, 3)
    picture[:, :, 16:48] = 1  # the middle square is white
    white = prepared(torch.ones(1, 16, 16, 3), 16, crop=True)
    assert torch.allclose(prepared(picture, 16, crop=True)[..., 4:-4], white[..., 4:-4])
    squeezed = prepared(picture, 16, crop=False)
    assert squeezed[..., 0].mean() < 0 < squeezed[..., 8].mean()


def test_a_picture_of_the_right_size_is_only_normalized() -> None:
    gray = torch.full((1, 8, 8, 3), 102 / 255)
    expected = (102 / 255 - 0.48145466) / 0.26862954
    assert prepared(gray, 8, crop=True)[0, 0, 0, 0].item() == pytest.approx(expected)
