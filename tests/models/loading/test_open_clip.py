"""OpenCLIP's names hold the same text encoder as transformers'."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from transformers import CLIPTextConfig as ReferenceConfig
from transformers import CLIPTextModelWithProjection

from models.loading.files import open_tensors
from models.loading.keys import split
from models.loading.open_clip import translated
from models.loading.plan import Plan, WeightsMismatchError, reader_for
from models.memory import DevicePolicy
from models.text.clip import ClipText
from models.text.encoders import Role
from tests.models.tiny_families import in_open_clip, text_config

CPU = DevicePolicy.choose(cpu=True)
PREFIX = "conditioner.embedders.1.model."


def reference(role: Role) -> CLIPTextModelWithProjection:
    config = text_config(role)
    return CLIPTextModelWithProjection(
        ReferenceConfig(
            vocab_size=config.vocabulary,
            max_position_embeddings=config.positions,
            hidden_size=config.width,
            num_hidden_layers=config.layers,
            intermediate_size=config.mlp_width,
            num_attention_heads=config.heads,
            projection_dim=config.projection or 0,
            hidden_act="gelu",
            bos_token_id=49406,
            eos_token_id=49407,
        )
    ).eval()


def loaded(path: Path, role: Role) -> ClipText:
    with open_tensors(path) as file:
        sources = split(file.shapes).text[role]
        plan = Plan.of(lambda: ClipText(text_config(role)), sources, torch.float32)
        return plan.filled(reader_for(file, [plan], "a text encoder", CPU, None))


@torch.no_grad()
def test_an_encoder_under_openclips_names_agrees_with_transformers(tmp_path: Path) -> None:
    torch.manual_seed(0)
    theirs = reference("clip_g")
    names = {name: tensor for name, tensor in theirs.state_dict().items() if "position_ids" not in name}
    save_file({PREFIX + name: tensor for name, tensor in in_open_clip(names).items()}, tmp_path / "g.safetensors")
    ours = loaded(tmp_path / "g.safetensors", "clip_g")
    tokens = torch.randint(0, 49000, (2, 77))
    tokens[0, 5:], tokens[1, 76] = 0, 49407
    tokens[0, 4] = 49407
    expected = theirs(tokens, output_hidden_states=True)
    encoded = ours(tokens, layer=-2, final_norm=False)
    torch.testing.assert_close(encoded.hidden, expected.hidden_states[-2], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(encoded.pooled, expected.text_embeds, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(ours(tokens).hidden, expected.last_hidden_state, atol=1e-5, rtol=1e-5)


def test_a_tensor_that_cannot_be_cut_into_three_is_named(tmp_path: Path) -> None:
    weights = in_open_clip({name: tensor for name, tensor in reference("clip_g").state_dict().items()})
    weights["transformer.resblocks.0.attn.in_proj_bias"] = torch.zeros(193)
    save_file({PREFIX + name: tensor for name, tensor in weights.items()}, tmp_path / "g.safetensors")
    with pytest.raises(WeightsMismatchError, match=r"in_proj_bias has shape \[193\] instead of \[64\]"):
        loaded(tmp_path / "g.safetensors", "clip_g")


def test_other_names_stay() -> None:
    [(name, source)] = translated("spam.eggs", "prefix.spam.eggs")
    assert (name, source.key) == ("spam.eggs", "prefix.spam.eggs")
