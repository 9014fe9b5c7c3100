"""Nodes that make sigmas."""

from typing import Annotated, Literal

from models.sampling.align_your_steps import align_your_steps
from models.sampling.named import SamplingNames, built_in
from models.sampling.schedules import (
    beta_quantiles,
    exponential_between,
    karras_between,
    laplace_between,
    polyexponential_between,
    turbo,
    variance_preserving,
)
from models.sampling.steps import partly_scheduled
from nodes.context import Context
from nodes.sampling import Denoise, SchedulerName, Steps
from nodes.sockets import MODEL, SIGMAS
from nodes.spec import Help, Number, node

CATEGORY = "model/sampling/schedulers"

Sigma = Annotated[float, Number(0.0, 5000.0, step=0.01), Help(advanced=True)]
Exponent = Annotated[float, Number(0.0, 100.0, step=0.01), Help(advanced=True)]
SIGMA_MAX, SIGMA_MIN = 14.614642, 0.0291675
"""The ends of Stable Diffusion's sigmas."""


@node("BasicScheduler", category=CATEGORY)
def basic_scheduler(
    *, model: MODEL, scheduler: SchedulerName, steps: Steps = 20, denoise: Denoise = 1.0, context: Context
) -> SIGMAS:
    """The sigmas of a named schedule; with denoise below 1, the end of a longer one."""
    schedule = context.services.get(SamplingNames, built_in).schedules[scheduler]
    return partly_scheduled(schedule, model.sampling.levels, steps, denoise)


@node("KarrasScheduler", category=CATEGORY)
def karras_scheduler(
    steps: Steps = 20, sigma_max: Sigma = SIGMA_MAX, sigma_min: Sigma = SIGMA_MIN, rho: Exponent = 7.0
) -> SIGMAS:
    """Sigmas that are evenly spaced in their ρ-th root."""
    return karras_between(sigma_min, sigma_max, steps, _above_zero("rho", rho))


@node("ExponentialScheduler", category=CATEGORY)
def exponential_scheduler(steps: Steps = 20, sigma_max: Sigma = SIGMA_MAX, sigma_min: Sigma = SIGMA_MIN) -> SIGMAS:
    """Sigmas that are evenly spaced in their logarithm."""
    _above_zero("sigma_max", sigma_max)
    return exponential_between(_above_zero("sigma_min", sigma_min), sigma_max, steps)


@node("PolyexponentialScheduler", category=CATEGORY)
def polyexponential_scheduler(
    steps: Steps = 20, sigma_max: Sigma = SIGMA_MAX, sigma_min: Sigma = SIGMA_MIN, rho: Exponent = 1.0
) -> SIGMAS:
    """Sigmas whose logarithm falls as a power ρ of the way that is left."""
    _above_zero("sigma_max", sigma_max)
    return polyexponential_between(_above_zero("sigma_min", sigma_min), sigma_max, steps, rho)


@node("LaplaceScheduler", category=CATEGORY)
def laplace_scheduler(
    steps: Steps = 20,
    sigma_max: Sigma = SIGMA_MAX,
    sigma_min: Sigma = SIGMA_MIN,
    mu: Annotated[float, Number(-10.0, 10.0, step=0.1), Help(advanced=True)] = 0.0,
    beta: Annotated[float, Number(0.0, 10.0, step=0.1), Help(advanced=True)] = 0.5,
) -> SIGMAS:
    """Sigmas that are dense where their logarithm is near mu, the denser the smaller beta; zero is not among them."""
    return laplace_between(sigma_min, sigma_max, steps, mu, beta)


@node("VPScheduler", category=CATEGORY)
def vp_scheduler(
    steps: Steps = 20,
    beta_d: Sigma = 19.9,
    beta_min: Sigma = 0.1,
    eps_s: Annotated[float, Number(0.0, 1.0, step=0.0001), Help(advanced=True)] = 0.001,
) -> SIGMAS:
    """Sigmas of a variance-preserving diffusion at even times."""
    return variance_preserving(steps, beta_d, beta_min, eps_s)


@node("SDTurboScheduler", category=CATEGORY)
def sd_turbo_scheduler(
    *,
    model: MODEL,
    steps: Annotated[int, Number(1, 10)] = 1,
    denoise: Annotated[float, Number(0.0, 1.0, step=0.01), Help(late=True)] = 1.0,
) -> SIGMAS:
    """The sigmas that turbo models were distilled for."""
    return turbo(model.sampling.levels, steps, denoise)


@node("BetaSamplingScheduler", category=CATEGORY)
def beta_sampling_scheduler(
    *,
    model: MODEL,
    steps: Steps = 20,
    alpha: Annotated[float, Number(0.0, 50.0, step=0.01), Help(advanced=True)] = 0.6,
    beta: Annotated[float, Number(0.0, 50.0, step=0.01), Help(advanced=True)] = 0.6,
) -> SIGMAS:
    """Sigmas at the quantiles of a beta distribution: below 1, alpha makes the end dense and beta the start."""
    return beta_quantiles(model.sampling.levels, steps, _above_zero("alpha", alpha), _above_zero("beta", beta))


@node("AlignYourStepsScheduler", category=CATEGORY)
def align_your_steps_scheduler(
    model_type: Literal["SD1", "SDXL", "SVD"],
    steps: Annotated[int, Number(1, 10000)] = 10,
    denoise: Annotated[float, Number(0.0, 1.0, step=0.01)] = 1.0,
) -> SIGMAS:
    """Sigmas that were found to be best for ten steps of a family of models."""
    return align_your_steps(model_type, steps, denoise)


def _above_zero(name: str, value: float) -> float:
    if value <= 0:
        raise ValueError(
            f"{name} is {value:g}: it must be above 0, as the schedule divides by it or takes its logarithm"
        )
    return value
