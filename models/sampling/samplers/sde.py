"""Samplers of the reverse SDE that are exact in its linear part, between the stages of a step too."""

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor

from models.sampling.denoiser import Denoiser
from models.sampling.noise import StepNoise
from models.sampling.samplers.common import State, no_noise

QUADRATURE_POINTS = 200
"""Points at which er_sde evaluates an integral that has no closed form."""

NoiseScale = Callable[[Tensor], Tensor]
"""φ of σ, which decides how noisy the reverse process is: the share of noise that stays in a step is φ(σ') / φ(σ)."""


def er_sde_scale(sigma: Tensor) -> Tensor:
    """φ(σ) = σ (exp(σ^0.3) + 10), the best of the ER-SDE paper's."""
    return sigma * ((sigma**0.3).exp() + 10)


def reverse_sde_scale(eta: float) -> NoiseScale:
    """φ(σ) = σ^(1 + η): eta 1 is the reverse of the noising itself, eta 0 the probability flow."""
    return lambda sigma: sigma ** (eta + 1)


def er_sde(
    denoise: Denoiser,
    x: Tensor,
    sigmas: Tensor,
    noise: StepNoise,
    scale: NoiseScale = er_sde_scale,
    max_stage: Literal[1, 2, 3] = 3,
    s_noise: float = 1.0,
) -> Iterator[State]:
    """Extended reverse-time SDE solver, arXiv:2309.06169, algorithms 1 to 3 by the number of stages.

    A stage adds a difference quotient of the estimates, each from the step before.
    """
    past: list[tuple[Tensor, Tensor]] = []  # (sigma, denoised), latest first
    first_last: Tensor | None = None
    for sigma, sigma_next in pairwise(sigmas):
        denoised = denoise(x, sigma)
        if sigma_next == 0:
            x = denoised
        else:
            staying = scale(sigma_next) / scale(sigma)
            x = staying * x + (1 - staying) * denoised
            if past and max_stage >= 2:
                change, curve = _moments(scale, sigma, sigma_next)
                first = (denoised - past[0][1]) / (sigma - past[0][0])
                x = x + change * first
                if first_last is not None and max_stage >= 3:
                    second = (first - first_last) / ((sigma - past[1][0]) / 2)
                    x = x + curve * second
                first_last = first
            if s_noise > 0:
                variance = sigma_next**2 - sigma**2 * staying**2
                x = x + noise(sigma, sigma_next) * s_noise * variance.clamp(min=0).sqrt()
        past = [(sigma, denoised), *past[:1]]
        yield State(x, denoised)


def _moments(scale: NoiseScale, sigma: Tensor, sigma_next: Tensor) -> tuple[Tensor, Tensor]:
    """What the first and the second derivative of the estimate by σ add to a step; the paper's equation 11."""
    span = sigma - sigma_next
    width = span / QUADRATURE_POINTS
    points = sigma_next + torch.arange(QUADRATURE_POINTS, dtype=span.dtype, device=span.device) * width
    weights = width / scale(points)
    zeroth, first = weights.sum(), (weights * (points - sigma)).sum()
    return scale(sigma_next) * zeroth - span, scale(sigma_next) * first + span**2 / 2


def seeds_2(
    denoise: Denoiser,
    x: Tensor,
    sigmas: Tensor,
    noise: StepNoise,
    eta: float = 1.0,
    s_noise: float = 1.0,
    r: float = 0.5,
    solver: Literal["phi_1", "phi_2"] = "phi_1",
) -> Iterator[State]:
    """SEEDS-2, arXiv:2305.14267: one estimate between, a share r of the step in log σ away.

    solver says how the change of the estimate weighs: as if it came at once (phi_1), or linearly (phi_2).
    """
    for sigma, sigma_next in pairwise(sigmas):
        denoised = denoise(x, sigma)
        if sigma_next == 0:
            x = denoised
        else:
            step = _SdeStep(x, denoised, sigma, sigma_next, eta, s_noise, noise)
            x_1, sigma_1 = step.stage(r)
            change = (denoise(x_1, sigma_1) - denoised) / r
            weight = step.phi_1(1.0) / 2 if solver == "phi_1" else step.phi_2(1.0)
            x, _ = step.stage(1.0, weight * change)
        yield State(x, denoised)


def exp_heun_2_x0(denoise: Denoiser, x: Tensor, sigmas: Tensor) -> Iterator[State]:
    """Heun's method where the linear part of the probability flow is exact: SEEDS-2 without noise, looking as far as
    the end of each step."""
    return seeds_2(denoise, x, sigmas, no_noise, eta=0.0, r=1.0, solver="phi_2")


def seeds_3(
    denoise: Denoiser,
    x: Tensor,
    sigmas: Tensor,
    noise: StepNoise,
    eta: float = 1.0,
    s_noise: float = 1.0,
    r_1: float = 1 / 3,
    r_2: float = 2 / 3,
) -> Iterator[State]:
    """SEEDS-3, arXiv:2305.14267: two estimates between, at the shares r_1 and r_2 of the step in log σ."""
    for sigma, sigma_next in pairwise(sigmas):
        denoised = denoise(x, sigma)
        if sigma_next == 0:
            x = denoised
        else:
            step = _SdeStep(x, denoised, sigma, sigma_next, eta, s_noise, noise)
            x_1, sigma_1 = step.stage(r_1)
            change = (denoise(x_1, sigma_1) - denoised) / r_1
            x_2, sigma_2 = step.stage(r_2, r_2 * step.phi_2(r_2) * change)
            change = (denoise(x_2, sigma_2) - denoised) / r_2
            x, _ = step.stage(1.0, step.phi_2(1.0) * change)
        yield State(x, denoised)


class _SdeStep:
    """One step of the reverse SDE, at shares of its way in log σ that must be asked for in their order.

    The noise of a stage is that of the stage before, faded, and what is new since.
    """

    def __init__(
        self,
        x: Tensor,
        denoised: Tensor,
        sigma: Tensor,
        sigma_next: Tensor,
        eta: float,
        s_noise: float,
        noise: StepNoise,
    ) -> None:
        self._x, self._denoised, self._sigma = x, denoised, sigma
        self._sigma_next = sigma_next
        self._h = (sigma / sigma_next).log()
        self._eta, self._s_noise, self._noise = eta, s_noise, noise
        self._share, self._sigma_last = 0.0, sigma
        self._gathered: Tensor | float = 0.0

    def phi_1(self, share: float) -> Tensor:
        """1 − e^(−z) with z the damping up to the share: how much of the way to a constant estimate is made."""
        return -(-self._damping(share)).expm1()

    def phi_2(self, share: float) -> Tensor:
        """1 − (1 − e^(−z)) / z: the same for an estimate that grows linearly from zero."""
        return 1 - self.phi_1(share) / self._damping(share)

    def stage(self, share: float, correction: Tensor | float = 0.0) -> tuple[Tensor, Tensor]:
        """The latent at the share of the step and its sigma; the correction is what changing estimates add."""
        sigma = self._sigma_next if share == 1 else self._sigma * (-share * self._h).exp()
        reached = self.phi_1(share)
        x = (1 - reached) * self._x + reached * self._denoised + correction
        if self._eta > 0 and self._s_noise > 0:
            fading = (self._share - share) * self._h * self._eta
            new = self._noise(self._sigma_last, sigma) * (-(2 * fading).expm1()).sqrt()
            self._gathered = self._gathered * fading.exp() + new
            x = x + self._gathered * sigma * self._s_noise
        self._share, self._sigma_last = share, sigma
        return x, sigma

    def _damping(self, share: float) -> Tensor:
        return share * self._h * (1 + self._eta)
