"""What nodes that sample share: a run with its progress, previews and interruption."""

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple, Protocol, runtime_checkable

from torch import Tensor

from models.sampling.guidance import Guider
from models.sampling.named import Walker
from models.sampling.noise import Noise
from models.sampling.run import Step, sample
from models.types import Latent
from nodes.context import Context
from nodes.previews import Preview, previewer


class Denoised(NamedTuple):
    """The end of a run, and the estimate of the clean latent that its last step began with."""

    result: Latent
    estimate: Latent


@runtime_checkable
class SamplesItself(Protocol):
    """A guider that surrounds its runs with something of its own."""

    def sampled(
        self,
        noise: Tensor,
        latent: Tensor,
        sampler: Walker,
        sigmas: Tensor,
        seed: int,
        noise_mask: Tensor | None,
        each: Callable[[Step], None],
    ) -> Tensor:
        """Samples as models/sampling/run.py does, under this guider."""
        ...


def denoised(
    context: Context, guider: Guider, noise: Noise, latent: Latent, sampler: Walker, sigmas: Tensor
) -> Denoised:
    """Samples the latent with the noise down the sigmas. Without a step, both are the latent as it is."""
    latent_format = guider.model.latent_format
    latent = _with_channels(latent, latent_format.channels)
    reporter = _Reporter(context, previewer(context, latent_format))
    around = guider.model.patches.run
    if around is not None and not isinstance(guider, SamplesItself):
        guider = around(guider)
    start, mask, seed = noise.of(latent), latent.noise_mask, noise.seed
    if isinstance(guider, SamplesItself):
        samples = guider.sampled(start, latent.samples, sampler, sigmas, seed, mask, reporter)
    else:
        model, guidance = guider.model, guider.guidance
        samples = sample(model, start, latent.samples, guidance, sampler, sigmas, seed, mask, context.check, reporter)
    result = replace(latent, samples=samples)
    if reporter.last is None:
        return Denoised(result, result)
    estimate = latent_format.raw(reporter.last.denoised).to(latent.samples.device)
    return Denoised(result, replace(latent, samples=estimate))


def _with_channels(latent: Latent, channels: int) -> Latent:
    """A blank latent with as many channels as the model works on; others are the latent as it is."""
    batch, own, height, width = latent.samples.shape
    if own == channels or latent.samples.any():
        return latent
    return replace(latent, samples=latent.samples.new_zeros(batch, channels, height, width))


class _Reporter:
    """Tells the progress of each step, with a preview of the estimated picture."""

    def __init__(self, context: Context, preview: Preview | None) -> None:
        self._context = context
        self._preview = preview
        self.last: Step | None = None

    def __call__(self, step: Step) -> None:
        self.last = step
        shown = self._preview(step.denoised) if self._preview else None
        self._context.progress(step.index + 1, step.total, shown)
