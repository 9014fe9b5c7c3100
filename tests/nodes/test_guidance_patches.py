"""Laws of the nodes that change guidance: a new value, composable, neutral where it says so; the model stays."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from models.sampling.guidance import ClassifierFree
from models.sampling.noise import initial_noise
from models.sampling.run import ksampler_sigmas, sample
from models.sampling.samplers.table import SAMPLERS
from models.types import Model
from nodes import guidance_patches as nodes
from nodes.model_sampling import model_sampling_sd3
from nodes.spec import Shown
from tests.models.sampling.fakes import model_of, prompt

SHAPE = (2, 4, 8, 8)
CFG = 4.0


def network(x: Tensor, timesteps: Tensor, context: Tensor) -> Tensor:
    """Leans with the prompt, and not the same way everywhere."""
    lean = context.mean(dim=(1, 2)).reshape(-1, 1, 1, 1)
    return (0.7 * x + 0.2 * lean * x.roll(1, dims=-1) + 0.1 * lean).tanh()


MODEL = model_of(network)

NODES: dict[str, Callable[[Model], Model]] = {
    "rescaled": nodes.rescale_cfg,
    "limited": nodes.renorm_cfg,
    "short estimate": nodes.cfg_norm,
    "equal noise": lambda model: nodes.cfg_norm(model, pre_cfg=True),
    "zero star": nodes.cfg_zero_star_node,
    "damped": nodes.tangential_damping_node,
    "perpendicular": lambda model: nodes.perp_neg(model, prompt(0.3)),
    "biased": nodes.mahiro,
    "less noise": nodes.epsilon_scaling,
    "rescaled score": nodes.temporal_score_rescaling,
    "frequencies": lambda model: nodes.fresca(model, freq_cutoff=2),
}
NEUTRAL: dict[str, Callable[[Model], Model]] = {
    "rescaled": lambda model: nodes.rescale_cfg(model, multiplier=0.0),
    "unlimited": lambda model: nodes.renorm_cfg(model, renorm_cfg=0.0),
    "noise as it is": lambda model: nodes.cfg_norm(model, strength=0.0, pre_cfg=True),
    "same noise": lambda model: nodes.epsilon_scaling(model, scaling_factor=1.0),
    "same score": lambda model: nodes.temporal_score_rescaling(model, tsr_k=1.0),
    "same frequencies": lambda model: nodes.fresca(model, scale_high=1.0),
}


def picture(model: Model, cfg: float = CFG) -> Tensor:
    sigmas = ksampler_sigmas(model, "karras", 4, 1.0, "euler")
    guidance = ClassifierFree(prompt(1.0), prompt(-0.5), cfg)
    return sample(model, initial_noise(SHAPE, 0), torch.zeros(SHAPE), guidance, SAMPLERS["euler"], sigmas, 0)


@pytest.mark.parametrize("name", list(NODES))
def test_a_patch_changes_the_picture_of_the_new_model_alone(name: str) -> None:
    before = picture(MODEL)
    found = picture(NODES[name](MODEL))
    assert found.isfinite().all()
    assert not torch.allclose(found, before, atol=1e-3)
    assert torch.equal(picture(MODEL), before)


@pytest.mark.parametrize("name", list(NODES))
def test_a_patch_works_on_flows_and_without_guidance(name: str) -> None:
    assert picture(NODES[name](model_sampling_sd3(MODEL))).isfinite().all()
    assert picture(NODES[name](MODEL), cfg=1.0).isfinite().all()


@pytest.mark.parametrize("name", list(NEUTRAL))
def test_a_patch_that_asks_for_nothing_changes_nothing(name: str) -> None:
    torch.testing.assert_close(picture(NEUTRAL[name](MODEL)), picture(MODEL), atol=2e-4, rtol=2e-4)


def test_guidance_cut_off_from_the_start_is_none() -> None:
    torch.testing.assert_close(picture(nodes.renorm_cfg(MODEL, cfg_trunc=0.0)), picture(MODEL, cfg=1.0))


def test_patches_are_applied_one_after_the_other() -> None:
    both = nodes.mahiro(nodes.epsilon_scaling(MODEL))
    swapped = nodes.epsilon_scaling(nodes.mahiro(MODEL))
    pictures = [picture(model) for model in (both, swapped, nodes.mahiro(MODEL), nodes.epsilon_scaling(MODEL))]
    for place, one in enumerate(pictures):
        assert not any(torch.equal(one, other) for other in pictures[place + 1 :])


def test_a_unet_has_no_layers_to_skip_and_the_node_says_so() -> None:
    answer = nodes.skip_layer_guidance(MODEL, "7, 8")
    assert isinstance(answer, Shown)
    assert answer.result is MODEL
    assert "without the layers 7, 8" in answer.ui["text"][0]
