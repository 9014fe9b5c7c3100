"""The nodes of ControlNet: who is steered by what, and that a strength of nothing leaves prompts alone."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from models.conditioning import Cond, Conditioning
from models.controlnet import ControlNet
from models.controls import ControlNetControl, ControlNetModel
from models.loading.header import ModelFileError
from models.types import Latent
from nodes.context import Context
from nodes.controlnet import (
    UNION_TYPES,
    control_net_apply,
    control_net_apply_advanced,
    control_net_loader,
    diff_control_net_loader,
    set_union_control_net_type,
)
from nodes.sampling import ksampler
from tests.models.loading.test_adapters import CONFIG, saved, weights_of
from tests.models.sampling.fakes import FakeResidence
from tests.nodes.networks import model

PICTURE = torch.rand(1, 64, 64, 3, generator=torch.Generator().manual_seed(0))
POSITIVE = (Cond(torch.ones(1, 3, 64)), Cond(torch.ones(1, 3, 64)))
NEGATIVE = (Cond(torch.zeros(1, 3, 64)),)


@pytest.fixture
def controlnet(context: Context) -> ControlNetModel:
    folder = context.paths.model_directories("controlnet")[0]
    saved(folder, {name: tensor * 0.1 for name, tensor in weights_of(ControlNet(CONFIG)).items()}, "scribble")
    found = control_net_loader("scribble.safetensors", context)
    assert isinstance(found, ControlNetModel)
    return found


def test_a_file_that_did_not_change_is_loaded_once(controlnet: ControlNetModel, context: Context) -> None:
    assert control_net_loader("scribble.safetensors", context) is controlnet


def test_a_whole_controlnet_needs_no_model_to_add_to(controlnet: ControlNetModel, context: Context) -> None:
    assert isinstance(diff_control_net_loader(model(), "scribble.safetensors", context), ControlNetModel)


def test_another_kind_of_file_is_refused_by_name(context: Context) -> None:
    saved(context.paths.model_directories("controlnet")[0], {"lora_unet_x.lora_down.weight": torch.ones(1)}, "lora")
    with pytest.raises(ModelFileError, match=r"lora\.safetensors cannot be loaded: it looks like a LoRA"):
        control_net_loader("lora.safetensors", context)


def test_the_old_node_steers_the_negative_too(controlnet: ControlNetModel) -> None:
    steered = control_net_apply(POSITIVE, controlnet, PICTURE, 0.5)
    assert all(cond.controls_shared for cond in steered)
    assert [control.hint.strength for cond in steered for control in cond.controls] == [0.5, 0.5]  # pyright: ignore


def test_one_control_steers_all_prompts_within_its_range(controlnet: ControlNetModel) -> None:
    found = control_net_apply_advanced(
        positive=POSITIVE,
        negative=NEGATIVE,
        control_net=controlnet,
        image=PICTURE,
        strength=0.8,
        start_percent=0.1,
        end_percent=0.6,
    )
    controls = {control for cond in (*found.positive, *found.negative) for control in cond.controls}
    [control] = controls
    assert isinstance(control, ControlNetControl)
    assert (control.hint.strength, control.hint.start, control.hint.end) == (0.8, 0.1, 0.6)
    assert not any(cond.controls_shared for cond in found.positive)


def test_a_strength_of_zero_leaves_prompts_as_they_are(controlnet: ControlNetModel) -> None:
    assert control_net_apply(POSITIVE, controlnet, PICTURE, 0.0) is POSITIVE
    found = control_net_apply_advanced(
        positive=POSITIVE, negative=NEGATIVE, control_net=controlnet, image=PICTURE, strength=0.0
    )
    assert (found.positive, found.negative) == (POSITIVE, NEGATIVE)


def test_controls_form_a_chain(controlnet: ControlNetModel) -> None:
    once = control_net_apply(POSITIVE, controlnet, PICTURE, 1.0)
    twice = control_net_apply(once, controlnet, PICTURE, 0.5)
    assert [len(cond.controls) for cond in twice] == [2, 2]
    assert twice[0].controls[0] is once[0].controls[0]


def test_the_type_of_a_hint_is_set_for_union_controlnets_only() -> None:
    union = ControlNetModel(FakeResidence(None), union=True)
    depth = set_union_control_net_type(union, "depth")
    assert isinstance(depth, ControlNetModel)
    assert depth.type == UNION_TYPES.index("depth") == 1
    open_again = set_union_control_net_type(depth, "auto")
    assert isinstance(open_again, ControlNetModel)
    assert open_again.type is None
    single = replace(union, union=False)
    assert set_union_control_net_type(single, "auto") is single
    with pytest.raises(ValueError, match="cannot be set to 'depth'"):
        set_union_control_net_type(single, "depth")


def test_a_sampler_hears_a_hint(controlnet: ControlNetModel, context: Context) -> None:
    def sampled(positive: Conditioning) -> Tensor:
        return ksampler(
            model=model(),
            steps=2,
            cfg=2.0,
            sampler_name="euler",
            scheduler="normal",
            positive=positive,
            negative=NEGATIVE,
            latent_image=Latent(torch.zeros(1, 4, 8, 8)),
            context=context,
        ).samples

    plain = sampled(POSITIVE)
    steered = sampled(control_net_apply(POSITIVE, controlnet, PICTURE, 1.0))
    assert steered.isfinite().all()
    assert not torch.allclose(steered, plain)
