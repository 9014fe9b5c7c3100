"""Which part of a schedule is walked: partial denoising, first and last step, and the sigmas some samplers skip."""

import torch
from torch import Tensor

from models.sampling.levels import NoiseLevels
from models.sampling.schedules import Schedule


def without_penultimate(sigmas: Tensor) -> Tensor:
    """Leaves the last sigma before the end out, so that the last step is longer."""
    return torch.cat([sigmas[:-2], sigmas[-1:]])


def scheduled(schedule: Schedule, levels: NoiseLevels, steps: int, drop_penultimate: bool = False) -> Tensor:
    """The schedule's sigmas for so many steps; where the penultimate is dropped, of a schedule one step longer."""
    if drop_penultimate:
        return without_penultimate(schedule(levels, steps + 1))
    return schedule(levels, steps)


def partly_scheduled(
    schedule: Schedule, levels: NoiseLevels, steps: int, denoise: float, drop_penultimate: bool = False
) -> Tensor:
    """The last steps of a schedule that is longer by 1 / denoise: so much of the noise, in as many steps.

    Empty where denoise is zero or less; the whole schedule from 0.9999 on.
    """
    if denoise > 0.9999:
        return scheduled(schedule, levels, steps, drop_penultimate)
    if denoise <= 0:
        return torch.zeros(0)
    return scheduled(schedule, levels, int(steps / denoise), drop_penultimate)[-(steps + 1) :]


def between_steps(sigmas: Tensor, start: int, end: int, leave_noise: bool) -> Tensor:
    """The sigmas from step start to step end; ending early, the last is set to zero unless noise is to be left.

    Fewer than two sigmas are returned where start is not before the end: there is nothing to do.
    """
    if end < len(sigmas) - 1:
        sigmas = sigmas[: end + 1].clone()
        if not leave_noise:
            sigmas[-1] = 0
    return sigmas[start:]
