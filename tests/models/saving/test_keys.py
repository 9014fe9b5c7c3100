"""Text encoders are saved under the keys that published checkpoints have, and are read back from them unchanged."""

import io
from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load

from models.loading.families import SD1, SD2, SDXL, SDXL_REFINER
from models.loading.family import Family
from models.loading.keys import split
from models.memory import DevicePolicy
from models.sampling.continuous_levels import EdmLevels
from models.sampling.denoiser import VPrediction
from models.sampling.model_sampling import ModelSampling, v_sampling
from models.saving.keys import text_tensors, unet_tensors
from models.saving.writer import write
from models.text.clip import ClipTextConfig
from models.text.encoders import Role, TextEncoders
from models.text.tokenizer import Tokenizer
from models.types import Clip
from tests.models.memory.fakes import at_random
from tests.nodes.networks import model

POLICY = DevicePolicy.choose(cpu=True)
PLAIN = ClipTextConfig(vocabulary=49408, positions=77, width=64, layers=2, mlp_width=128)
PROJECTED = replace(PLAIN, width=128, projection=32)


def clip_of(family: Family) -> Clip:
    configs: dict[Role, ClipTextConfig] = {
        use.role: PLAIN if use.role == "clip_l" else PROJECTED for use in family.encoders
    }
    network = at_random(TextEncoders(configs))
    return Clip(POLICY.resident(network, torch.float32), Tokenizer(), family.encoders)


@pytest.mark.parametrize(
    ("family", "some"),
    [
        (SD1, ["cond_stage_model.transformer.text_model.encoder.layers.0.self_attn.q_proj.weight"]),
        (SD2, ["cond_stage_model.model.transformer.resblocks.1.attn.in_proj_weight",
               "cond_stage_model.model.positional_embedding"]),
        (SDXL, ["conditioner.embedders.0.transformer.text_model.final_layer_norm.bias",
                "conditioner.embedders.1.model.text_projection", "conditioner.embedders.1.model.ln_final.weight"]),
        (SDXL_REFINER, ["conditioner.embedders.0.model.transformer.resblocks.0.mlp.c_fc.bias"]),
    ],
    ids=lambda value: value.name if isinstance(value, Family) else "",
)  # fmt: skip
def test_text_encoders_survive_their_file(family: Family, some: Sequence[str]) -> None:
    clip = clip_of(family)
    file = io.BytesIO()
    write(file, text_tensors(clip), {})
    tensors = load(file.getvalue())
    assert set(some) <= tensors.keys()
    found = {
        f"{role}.{name}": source.cut(tensors[source.key])
        for role, sources in split(tensors).text.items()
        for name, source in sources.items()
    }
    with clip.encoder.on_device() as network:
        wanted = network.state_dict()
    assert found.keys() == wanted.keys()
    assert all(torch.equal(found[name].float(), tensor) for name, tensor in wanted.items())


@pytest.mark.parametrize(
    ("sampling", "flags"),
    [
        (ModelSampling(), set[str]()),
        (v_sampling(), {"v_pred"}),
        (v_sampling(zero_snr=True), {"v_pred", "ztsnr"}),
        (ModelSampling(VPrediction(), EdmLevels(0.002, 120.0)), {"edm_vpred.sigma_max", "edm_vpred.sigma_min"}),
    ],
)
def test_how_predictions_are_read_is_said_by_flags(sampling: ModelSampling, flags: set[str]) -> None:
    tensors = unet_tensors(replace(model(), sampling=sampling))
    assert {key for key in tensors if not key.startswith("model.diffusion_model.")} == flags
