"""DPM-Solver (arXiv:2206.00927): exact in the linear part of the flow, interpolating the noise in t = −log σ.

With ε = (x − denoised) / σ, a step of size h with constant noise is exactly x ← x − σ' (e^h − 1) ε. Both samplers
choose their own steps between the ends of the schedule and stop at its last sigma that is not zero.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor

from models.sampling.denoiser import Denoiser
from models.sampling.noise import StepNoise
from models.sampling.samplers.common import State, no_noise, slope
from models.sampling.samplers.process import EXPLODING


@dataclass(eq=False)
class _Stages:
    """The noise of one step at its start and at stages between, each evaluated once."""

    denoise: Denoiser
    x: Tensor
    t: Tensor
    _known: dict[float, Tensor] = field(default_factory=dict)

    @property
    def denoised(self) -> Tensor:
        """The estimate at the start."""
        return self.x - self.at(0.0, self.x, self.t) * _sigma(self.t)

    def at(self, share: float, x: Tensor, t: Tensor) -> Tensor:
        """The noise in x at the time t, a share of the step's way."""
        if share not in self._known:
            self._known[share] = slope(x, self.denoise(x, _sigma(t)), _sigma(t))
        return self._known[share]

    def first_order(self, t_next: Tensor) -> Tensor:
        """DPM-Solver-1: the noise at the start stays."""
        return self.x - _sigma(t_next) * (t_next - self.t).expm1() * self.at(0.0, self.x, self.t)

    def second_order(self, t_next: Tensor, r: float = 1 / 2) -> Tensor:
        """DPM-Solver-2, algorithm 1 of the paper, with its inner stage a share r of the step away."""
        h = t_next - self.t
        change = self._change(h, r)
        return self.first_order(t_next) - _sigma(t_next) * h.expm1() / (2 * r) * change

    def third_order(self, t_next: Tensor, r_1: float = 1 / 3, r_2: float = 2 / 3) -> Tensor:
        """DPM-Solver-3, algorithm 2 of the paper."""
        h = t_next - self.t
        change = self._change(h, r_1)
        t_2 = self.t + r_2 * h
        x_2 = self.first_order(t_2) - _sigma(t_2) * r_2 / r_1 * _phi_2(r_2 * h) * change
        change_2 = self.at(r_2, x_2, t_2) - self.at(0.0, self.x, self.t)
        return self.first_order(t_next) - _sigma(t_next) / r_2 * _phi_2(h) * change_2

    def _change(self, h: Tensor, r: float) -> Tensor:
        """How the noise at a share r of the step, reached in first order, differs from that at the start."""
        t_1 = self.t + r * h
        return self.at(r, self.first_order(t_1), t_1) - self.at(0.0, self.x, self.t)


def dpm_fast(
    denoise: Denoiser, x: Tensor, sigmas: Tensor, noise: StepNoise = no_noise, eta: float = 0.0, s_noise: float = 1.0
) -> Iterator[State]:
    """DPM-Solver-fast, section 3.4: steps of third order, even in log σ, with so many evaluations as the schedule has
    steps; the last steps are of lower order where three does not divide them."""
    evaluations = len(sigmas) - 1
    start, end = _ends(sigmas)
    orders = [3] * (evaluations // 3) + [evaluations % 3]
    if evaluations % 3 == 0:
        orders = [3] * (evaluations // 3 - 1) + [2, 1]
    times = torch.linspace(float(start), float(end), len(orders) + 1, dtype=sigmas.dtype)
    for index, ((t, t_next), order) in enumerate(zip(pairwise(times), orders, strict=True)):
        down, up = _split(t, t_next, end, eta)
        stages = _Stages(denoise, x, t)
        x = (stages.first_order, stages.second_order, stages.third_order)[order - 1](down)
        if eta > 0:
            x = x + up * s_noise * noise(_sigma(t), _sigma(t_next))
        yield State(x, stages.denoised, (index + 1) / len(orders))


@dataclass
class _StepSize:
    """A PID controller of the step size h, arXiv:2206.00927, appendix C.3, with the filter of Söderlind (2003)."""

    h: float
    exponents: tuple[float, float, float]
    accept_safety: float
    _inverse_errors: list[float] = field(default_factory=list)

    @classmethod
    def of(cls, h: float, pcoeff: float, icoeff: float, dcoeff: float, order: float, accept_safety: float):
        """A controller by its proportional, integral and derivative coefficients, for a method of an order."""
        exponents = (pcoeff + icoeff + dcoeff, -(pcoeff + 2 * dcoeff), dcoeff)
        return cls(h, (exponents[0] / order, exponents[1] / order, exponents[2] / order), accept_safety)

    def accepts(self, error: float) -> bool:
        """Whether a step with this error is good enough; adjusts the size of the next either way."""
        inverse = 1 / (error + 1e-8)
        latest = [inverse, *(self._inverse_errors or [inverse, inverse])]
        factor = math.prod(one**exponent for one, exponent in zip(latest, self.exponents, strict=True))
        factor = 1 + math.atan(factor - 1)
        self.h *= factor
        accepted = factor >= self.accept_safety
        self._inverse_errors = latest[:2] if accepted else latest[1:]
        return accepted


def dpm_adaptive(
    denoise: Denoiser,
    x: Tensor,
    sigmas: Tensor,
    noise: StepNoise = no_noise,
    order: Literal[2, 3] = 3,
    rtol: float = 0.05,
    atol: float = 0.0078,
    h_init: float = 0.05,
    pcoeff: float = 0.0,
    icoeff: float = 1.0,
    dcoeff: float = 0.0,
    accept_safety: float = 0.81,
    eta: float = 0.0,
    s_noise: float = 1.0,
) -> Iterator[State]:
    """DPM-Solver-12 and -23, appendix C: chooses its steps by the difference of two orders. A state is yielded for a
    step that is tried again, too; how many there are does not depend on the schedule."""
    t, end = _ends(sigmas)
    way = end - t
    size = _StepSize.of(h_init, pcoeff, icoeff, dcoeff, 1.5 if eta > 0 else order, accept_safety)
    x_low_last = x
    while t < end - 1e-5:
        t_next = torch.minimum(end, t + size.h)
        down, up = _split(t, t_next, end, eta)
        stages = _Stages(denoise, x, t)
        if order == 2:
            low, high = stages.first_order(down), stages.second_order(down)
        else:
            low, high = stages.second_order(down, 1 / 3), stages.third_order(down)
        tolerance = (rtol * torch.maximum(low.abs(), x_low_last.abs())).clamp(min=atol)
        error = float(torch.linalg.vector_norm((low - high) / tolerance)) / x.numel() ** 0.5
        denoised = stages.denoised
        if size.accepts(error):
            x_low_last = low
            x = high + up * s_noise * noise(_sigma(t), _sigma(t_next)) if eta > 0 else high
            t = t_next
        yield State(x, denoised, float(1 - (end - t) / way))


def _sigma(t: Tensor) -> Tensor:
    return (-t).exp()


def _phi_2(h: Tensor) -> Tensor:
    """(e^h − 1) / h − 1."""
    return h.expm1() / h - 1


def _ends(sigmas: Tensor) -> tuple[Tensor, Tensor]:
    """The times of the first sigma and of the last that is not zero."""
    last = sigmas[-1] if sigmas[-1] > 0 else sigmas[-2]
    if not sigmas[0] > last:
        raise ValueError(
            "dpm_fast and dpm_adaptive walk from the first to the last sigma above zero, and the schedule has only "
            f"{float(last):g}: take two steps or more"
        )
    return -sigmas[0].log(), -last.log()


def _split(t: Tensor, t_next: Tensor, end: Tensor, eta: float) -> tuple[Tensor, Tensor | float]:
    """The time to step down to before noise is added, and the sigma of that noise."""
    if eta == 0:
        return t_next, 0.0
    down = torch.minimum(end, -EXPLODING.ancestral(_sigma(t), _sigma(t_next), eta).down.log())
    return down, (_sigma(t_next) ** 2 - _sigma(down) ** 2) ** 0.5
