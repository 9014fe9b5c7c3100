"""Nodes that say what a model predicts: the model that comes in stays, and a perfect network of each kind is read."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from models.loading.families import PLAYGROUND_LATENT
from models.sampling.continuous_levels import FlowLevels
from models.sampling.guidance import Unguided
from models.sampling.noise import initial_noise
from models.sampling.run import sample
from models.sampling.samplers.table import SAMPLERS
from models.sampling.schedules import SCHEDULES
from models.types import Model
from nodes import model_sampling
from tests.models.sampling.fakes import FORMAT, model_of, prompt

SHAPE = (1, 4, 8, 8)
CLEAN = torch.randn(SHAPE, generator=torch.Generator().manual_seed(3))
"""The only picture there is, in model scale."""
PLAIN = model_of(torch.abs)


def discrete(kind, zsnr: bool = False) -> Callable[[Model], Model]:
    return lambda model: model_sampling.model_sampling_discrete(model=model, sampling=kind, zsnr=zsnr)


def edm(kind) -> Callable[[Model], Model]:
    return lambda model: model_sampling.model_sampling_continuous_edm(model=model, sampling=kind)


NODES: dict[str, Callable[[Model], Model]] = {
    "eps": discrete("eps"),
    "v": discrete("v_prediction"),
    "v of zero snr": discrete("v_prediction", zsnr=True),
    "lcm": discrete("lcm"),
    "x0": discrete("x0"),
    "picture": discrete("img_to_img"),
    "flow of pictures": discrete("img_to_img_flow"),
    "edm": edm("edm"),
    "edm v": edm("v_prediction"),
    "edm eps": edm("eps"),
    "cosmos": edm("cosmos_rflow"),
    "continuous v": lambda model: model_sampling.model_sampling_continuous_v(model=model, sampling="v_prediction"),
    "sd3": lambda model: model_sampling.model_sampling_sd3(model),
    "aura": lambda model: model_sampling.model_sampling_aura_flow(model),
    "flux": lambda model: model_sampling.model_sampling_flux(model),
}


def predicting(make: Callable[[Model], Model]) -> Model:
    """A model whose network knows the picture: its output is found from what it is fed, at the sigma it is told."""

    def network(x: Tensor, timesteps: Tensor, context: Tensor) -> Tensor:
        sigma = timesteps[0] / levels.multiplier if isinstance(levels, FlowLevels) else levels.sigma(timesteps[0])
        zero = prediction.denoised(torch.zeros_like(x), unfed(x, sigma), sigma)
        one = prediction.denoised(torch.ones_like(x), unfed(x, sigma), sigma)
        return torch.where((one - zero).abs() > 1e-12, (CLEAN - zero) / (one - zero), CLEAN)

    def unfed(fed: Tensor, sigma: Tensor) -> Tensor:
        """The x that the network's input was made of."""
        return fed / prediction.network_input(torch.ones(()), sigma)

    model = make(model_of(network))
    levels, prediction = model.sampling.levels, model.sampling.prediction
    return model


@pytest.mark.parametrize("name", list(NODES))
@pytest.mark.parametrize("sampler", ["euler", "euler_ancestral", "dpmpp_2m_sde"])
def test_a_perfect_network_of_each_kind_paints_the_picture(name: str, sampler: str) -> None:
    model = predicting(NODES[name])
    sigmas = SCHEDULES["simple"](model.sampling.levels, 8)
    guidance = Unguided(prompt(1.0))
    found = sample(model, initial_noise(SHAPE, 0), torch.zeros(SHAPE), guidance, SAMPLERS[sampler], sigmas, 0)
    torch.testing.assert_close(found, CLEAN / FORMAT.scale, atol=0.02, rtol=0.02)


@pytest.mark.parametrize("name", list(NODES))
def test_the_model_that_comes_in_stays_as_it_was(name: str) -> None:
    before = PLAIN.sampling
    changed = NODES[name](PLAIN)
    assert PLAIN.sampling is before
    assert changed.unet is PLAIN.unet


def test_playground_also_scales_its_latents() -> None:
    changed = edm("edm_playground_v2.5")(PLAIN)
    assert changed.latent_format == PLAYGROUND_LATENT
    assert edm("edm")(PLAIN).latent_format == FORMAT


def test_zero_snr_and_lcm_have_their_levels() -> None:
    assert discrete("eps", zsnr=True)(PLAIN).sampling.levels.sigma_max == pytest.approx(4518, rel=1e-3)
    assert len(discrete("lcm")(PLAIN).sampling.levels.sigmas) == 50


def test_shifts_decide_the_middle_of_a_flow() -> None:
    sd3 = model_sampling.model_sampling_sd3(PLAIN, shift=3.0).sampling.levels
    assert sd3.sigma_at_percent(0.5) == pytest.approx(0.75)
    flux = model_sampling.model_sampling_flux(PLAIN, width=1024, height=1024).sampling.levels
    assert flux.sigma_at_percent(0.5) == pytest.approx(math.exp(1.15) / (math.exp(1.15) + 1))


def test_what_has_no_logarithm_is_refused_with_the_remedy() -> None:
    with pytest.raises(ValueError, match="sigma_min is 0 and sigma_max 5"):
        model_sampling.model_sampling_continuous_edm(model=PLAIN, sampling="edm", sigma_max=5.0, sigma_min=0.0)
    with pytest.raises(ValueError, match="sigma_min is 9 and sigma_max 5"):
        model_sampling.model_sampling_continuous_v(model=PLAIN, sampling="v_prediction", sigma_max=5.0, sigma_min=9.0)
    with pytest.raises(ValueError, match="shift is 0"):
        model_sampling.model_sampling_sd3(PLAIN, shift=0.0)
