"""Measures how near each sampler comes to the exact answer for its evaluations of the model, and draws it.

    python -m benchmarks.samplers [--out docs/samplers.svg]

The problem is one that can be solved exactly: data drawn from N(0, s²), noised to σ = 14.6, brought back to σ = 0.03
on Karras' schedule. Every sampler is linear there, so its result is a weighted sum of the noise it began with and the
noise it added; the deviation of that sum is computed from the weights, not from samples. The error is how far it is
from √(s² + σ²).
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from benchmarks.svg import Line, Panel, document
from models.sampling.denoiser import Estimates
from models.sampling.noise import generated
from models.sampling.samplers.table import SAMPLERS, Sampler
from models.sampling.schedules import karras_between

SPREAD = 1.3
HIGH, LOW = 14.6, 0.03
STEPS = (3, 4, 6, 8, 11, 16, 22, 32, 45, 64, 90, 128)
TOLERANCES = (0.5, 0.2, 0.1, 0.05, 0.02, 0.005, 0.001, 2e-4, 5e-5)
"""For the sampler that chooses its steps by them."""

PANELS: dict[str, tuple[str, ...]] = {
    "Single steps, without noise": ("euler", "heun", "heunpp2", "dpm_2", "exp_heun_2_x0"),
    "Several steps' slopes": ("lms", "ipndm", "ipndm_v", "deis", "gradient_estimation"),
    "Several steps' estimates": ("dpmpp_2m", "res_multistep", "uni_pc", "uni_pc_bh2", "dpm_fast", "dpm_adaptive"),
    "Ancestral": (
        *("euler_ancestral", "dpm_2_ancestral", "dpmpp_2s_ancestral", "res_multistep_ancestral"),
        *("dpmpp_2s_ancestral_cfg_pp", "lcm"),
    ),
    "Reverse SDE, Brownian noise": ("dpmpp_sde", "dpmpp_2m_sde", "dpmpp_2m_sde_heun", "dpmpp_3m_sde"),
    "Reverse SDE, drawn noise": ("er_sde", "seeds_2", "seeds_3", "exp_heun_2_x0_sde", "sa_solver", "sa_solver_pece"),
}
"""What is drawn together. Names that walk the same here are in SAME."""

SAME: dict[str, tuple[str, ...]] = {
    "euler": ("ddim", "euler_cfg_pp"),
    "gradient_estimation": ("gradient_estimation_cfg_pp",),
    "dpmpp_2m": ("dpmpp_2m_cfg_pp",),
    "res_multistep": ("res_multistep_cfg_pp",),
    "euler_ancestral": ("ddpm", "euler_ancestral_cfg_pp"),
    "res_multistep_ancestral": ("res_multistep_ancestral_cfg_pp",),
    "dpmpp_sde": ("dpmpp_sde_gpu",),
    "dpmpp_2m_sde": ("dpmpp_2m_sde_gpu",),
    "dpmpp_2m_sde_heun": ("dpmpp_2m_sde_heun_gpu",),
    "dpmpp_3m_sde": ("dpmpp_3m_sde_gpu",),
}
"""Names that differ in their device, in how they treat guidance or in masks, of which there are none."""


@dataclass
class PerfectDenoiser:
    """D(x, σ) = x s² / (s² + σ²), and how often it was asked."""

    evaluations: int = 0

    def __call__(self, x: Tensor, sigma: Tensor) -> Tensor:
        self.evaluations += 1
        return x * SPREAD**2 / (SPREAD**2 + sigma**2)

    def both(self, x: Tensor, sigma: Tensor) -> Estimates:
        denoised = self(x, sigma)
        return Estimates(denoised, denoised)


@dataclass
class TracedNoise:
    """Noise whose every independent part is an axis of x (1, axes, 1, 1); the first is the noise of the start.

    Drawn noise has an axis for each draw. Brownian noise has one for each interval between the sigmas that are ever
    asked for, which must be known: `times` are those of a run before.
    """

    times: Sequence[float] = ()
    axes: int = 4096
    asked: list[tuple[float, float]] = field(default_factory=list)

    def drawn(self, sigma: Tensor, sigma_next: Tensor) -> Tensor:
        """Noise that is independent of all other."""
        self.asked.append((float(sigma), float(sigma_next)))
        noise = torch.zeros(1, self.axes, 1, 1, dtype=torch.float64)
        noise[0, len(self.asked)] = 1
        return noise

    def increment(self, sigma: Tensor, sigma_next: Tensor) -> Tensor:
        """The part of a Brownian motion between two sigmas, divided by its deviation."""
        high, low = float(sigma), float(sigma_next)
        self.asked.append((high, low))
        noise = torch.zeros(1, self.axes, 1, 1, dtype=torch.float64)
        for axis, (end, start) in enumerate(zip(self.times[1:], self.times, strict=False)):
            if low <= (end + start) / 2 <= high:
                noise[0, axis + 1] = -((start - end) ** 0.5)
        return noise / (high - low) ** 0.5


def start() -> Tensor:
    """Noised data, as a multiple of the first axis."""
    x = torch.zeros(1, TracedNoise().axes, 1, 1, dtype=torch.float64)
    x[0, 0] = (SPREAD**2 + HIGH**2) ** 0.5
    return x


def run(sampler: Sampler, sigmas: Tensor) -> tuple[int, Tensor]:
    """How often the model was evaluated, and the result (1, axes, 1, 1)."""
    if sampler.noise is None:
        return _last(sampler, sigmas, start()[:, :1], None)
    if sampler.noise is generated:
        return _last(sampler, sigmas, start(), TracedNoise().drawn)
    scout = TracedNoise()
    _last(sampler, sigmas, start(), scout.increment)
    times = sorted({time for ends in scout.asked for time in ends}, reverse=True)
    return _last(sampler, sigmas, start(), TracedNoise(times).increment)


def _last(
    sampler: Sampler, sigmas: Tensor, x: Tensor, noise: Callable[[Tensor, Tensor], Tensor] | None
) -> tuple[int, Tensor]:
    denoise = PerfectDenoiser()
    traced = Sampler(
        sampler.walk, None if noise is None else lambda x, sigmas, seed: noise, sigma_options=sampler.sigma_options
    )
    *_, state = traced(denoise, x, sigmas, 0)
    return denoise.evaluations, state.x


def error(result: Tensor, sigma: float = LOW) -> float:
    """How far the deviation of the result is from that of data with noise of sigma, as a share of it."""
    return abs(float(torch.linalg.vector_norm(result)) / (SPREAD**2 + sigma**2) ** 0.5 - 1)


def measured(name: str) -> list[tuple[float, float]]:
    """(evaluations, error) of a sampler, for more and more steps."""
    if name == "dpm_adaptive":
        tried = [(SAMPLERS[name].with_options(rtol=one, atol=one * 0.15), 2) for one in TOLERANCES]
    else:
        tried = [(SAMPLERS[name], steps) for steps in STEPS]
    found = [run(sampler, karras_between(LOW, HIGH, steps + 1)[:-1].double()) for sampler, steps in tried]
    return [(evaluations, error(result)) for evaluations, result in found]


def main() -> None:
    """Prints a table and writes the drawing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("docs/samplers.svg"))
    args = parser.parse_args()
    panels = []
    for title, names in PANELS.items():
        lines = []
        for name in names:
            points = measured(name)
            lines.append(Line(" = ".join((name, *SAME.get(name, ()))), points))
            few = min(points, key=lambda point: abs(point[0] - 20))
            print(f"{name:28} {few[0]:4.0f} evaluations: {few[1]:.1e}    {points[-1][0]:4.0f}: {points[-1][1]:.1e}")
        panels.append(Panel(title, lines))
    drawing = document(panels, x_label="evaluations of the model", y_label="error of the deviation")
    args.out.write_text(drawing, encoding="utf-8")
    print(f"drawn to {args.out}")


if __name__ == "__main__":
    main()
