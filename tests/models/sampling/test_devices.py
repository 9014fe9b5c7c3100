"""Samplers keep to one device: sigmas stay on the CPU, the latent where it is, and only scalars cross.

There need not be a card for this. A latent is marked as being on one, and every operation is watched: as on a real
card, it may meet tensors of the CPU only where they are scalars, and what comes out is on the card again.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from models.patches.cfg_norm import EstimateNorm, NoiseNorm
from models.patches.cfg_zero_star import cfg_zero_star
from models.patches.noise_scaling import EpsilonScaling, TemporalScoreRescaling
from models.patches.positive_bias import positive_bias
from models.patches.renorm_cfg import RenormCFG
from models.patches.rescale_cfg import RescaleCFG
from models.patches.tangential_damping import tangential_damping
from models.sampling.denoiser import Estimates
from models.sampling.levels import discrete_levels, scaled_linear_alphas_bar
from models.sampling.model_sampling import ModelSampling
from models.sampling.patches import Estimated, Round
from models.sampling.predictions import ConsistencyPrediction, EdmPrediction, FlowPrediction
from models.sampling.samplers.table import SAMPLERS
from tests.models.sampling import gaussian_flow

EXPLODING = torch.tensor([14.6, 5.0, 2.0, 1.0, 0.3, 0.0])
FLOWING = torch.tensor([1.0, 0.8, 0.5, 0.2, 0.1, 0.0])


class OnCard(Tensor):
    """A tensor that is taken to be on a card."""

    @classmethod
    def __torch_function__(cls, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None) -> Any:
        strangers = [one for one in _tensors(args) if not isinstance(one, OnCard) and one.ndim > 0]
        if strangers and func is not Tensor.to:
            raise RuntimeError(f"{func.__name__} mixes the card with {tuple(strangers[0].shape)} on the CPU")
        return super().__torch_function__(func, types, args, kwargs or {})


def _tensors(values: Any) -> list[Tensor]:
    if isinstance(values, Tensor):
        return [values]
    if isinstance(values, (list, tuple)):
        return [tensor for value in values for tensor in _tensors(value)]
    return []


def on_card(shape: tuple[int, ...] = (1, 4, 8, 8)) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0)).as_subclass(OnCard)


class Denoiser:
    """Any denoiser that is on the card."""

    def __call__(self, x: Tensor, sigma: Tensor) -> Tensor:
        assert isinstance(x, OnCard)
        assert not isinstance(sigma, OnCard)
        assert sigma.ndim == 0
        return x * 0.5 / (1 + sigma**2)

    def both(self, x: Tensor, sigma: Tensor) -> Estimates:
        denoised = self(x, sigma)
        return Estimates(denoised, denoised * 0.9)


def test_mixing_devices_is_noticed() -> None:
    with pytest.raises(RuntimeError, match="mixes the card"):
        on_card() + torch.ones(4, 8, 8)
    assert isinstance(on_card() * torch.tensor(2.0), OnCard)


@pytest.mark.parametrize("name", list(SAMPLERS))
@pytest.mark.parametrize(("sigmas", "sampling"), [(EXPLODING, ModelSampling()), (FLOWING, gaussian_flow.SAMPLING)])
def test_a_sampler_keeps_the_latent_where_it_is(name: str, sigmas: Tensor, sampling: ModelSampling) -> None:
    sampler = SAMPLERS[name]
    if sampler.noise is not None:
        sampler = replace(sampler, noise=lambda x, sigmas, seed: lambda sigma, sigma_next: on_card())
    for state in sampler(Denoiser(), on_card(), sigmas, 0, sampling):
        assert isinstance(state.x, OnCard)
        assert isinstance(state.denoised, OnCard)


@pytest.mark.parametrize(
    "prediction",
    [
        EdmPrediction(),
        FlowPrediction(),
        ConsistencyPrediction(levels=discrete_levels(scaled_linear_alphas_bar())),
    ],
)
def test_predictions_are_read_where_the_latent_is(prediction: Any) -> None:
    sigma, x = torch.tensor(0.5), on_card()
    for found in (
        prediction.network_input(x, sigma),
        prediction.denoised(x, x, sigma),
        prediction.noised(x, x, sigma, from_pure_noise=True),
        prediction.ended(x, sigma),
    ):
        assert isinstance(found, OnCard)


def of() -> Round:
    def nobody(*args: Any, **options: Any) -> Any:
        raise AssertionError("nothing more is asked")

    return Round(nobody, on_card(), torch.tensor(2.0), (), (), 5.0)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "formula", [RescaleCFG(0.7), RescaleCFG(0.7, flow=True), RenormCFG(100.0, 1.0), NoiseNorm(0.5)]
)
def test_formulas_of_guidance_work_where_the_latent_is(formula: Any) -> None:
    assert isinstance(formula(on_card(), on_card() / 2, of()), OnCard)


@pytest.mark.parametrize(
    "change", [EstimateNorm(1.0), cfg_zero_star, EpsilonScaling(1.1), TemporalScoreRescaling(0.9, 1.0), positive_bias]
)
def test_changes_to_guidance_work_where_the_latent_is(change: Any) -> None:
    assert isinstance(change(on_card(), Estimated(on_card(), on_card() / 2), of()), OnCard)


def test_damping_works_where_the_latent_is() -> None:
    assert isinstance(tangential_damping(Estimated(on_card(), on_card() / 2), of()).away, OnCard)
