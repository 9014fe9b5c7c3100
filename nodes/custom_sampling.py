"""Nodes that denoise latents along any sigmas, with any sampler, noise and guider, and the noise they start from."""

from dataclasses import replace
from typing import Annotated, NamedTuple

from models.sampling.guidance import ClassifierFree, Guider
from models.sampling.noise import NoNoise, RandomNoise
from nodes.context import Context
from nodes.denoising import denoised
from nodes.sampling import Cfg, Seed
from nodes.sockets import CONDITIONING, GUIDER, LATENT, MODEL, NOISE, SAMPLER, SIGMAS
from nodes.spec import Help, node


class SampledLatents(NamedTuple):
    """The latent after the last step, and the clean one as it was last estimated."""

    output: LATENT
    denoised_output: LATENT


@node("SamplerCustom", category="model/sampling/custom", outputs=SampledLatents._fields)
def sampler_custom(
    *,
    model: MODEL,
    add_noise: Annotated[bool, Help(advanced=True)] = True,
    noise_seed: Seed = 0,
    cfg: Cfg = 8.0,
    positive: CONDITIONING,
    negative: CONDITIONING,
    sampler: SAMPLER,
    sigmas: SIGMAS,
    latent_image: LATENT,
    context: Context,
) -> SampledLatents:
    """Turns noise into a latent picture along the given sigmas, toward one prompt and away from the other."""
    guider = Guider(model, ClassifierFree(positive, negative, cfg))
    noise = RandomNoise(noise_seed) if add_noise else NoNoise(noise_seed)
    return SampledLatents(*denoised(context, guider, noise, latent_image, sampler, sigmas))


@node("SamplerCustomAdvanced", category="model/sampling/custom", outputs=SampledLatents._fields)
def sampler_custom_advanced(
    noise: NOISE, guider: GUIDER, sampler: SAMPLER, sigmas: SIGMAS, latent_image: LATENT, context: Context
) -> SampledLatents:
    """Turns noise into a latent picture along the given sigmas, as the guider says."""
    return SampledLatents(*denoised(context, guider, noise, latent_image, sampler, sigmas))


@node("RandomNoise", category="model/sampling/noise")
def random_noise(noise_seed: Seed = 0) -> NOISE:
    """Noise that the seed decides."""
    return RandomNoise(noise_seed)


@node("DisableNoise", category="model/sampling/noise")
def disable_noise() -> NOISE:
    """No noise, for a latent that is noisy already."""
    return NoNoise()


@node("AddNoise", category="model/sampling/noise", experimental=True)
def add_noise(model: MODEL, noise: NOISE, sigmas: SIGMAS, latent_image: LATENT) -> LATENT:
    """Adds as much noise to a latent as lies between the first and the last of the sigmas."""
    if len(sigmas) == 0:
        return latent_image
    level = (sigmas[0] - sigmas[-1]).abs() if len(sigmas) > 1 else sigmas[0]
    start = model.latent_format.start(latent_image.samples.float())
    noisy = model.sampling.prediction.noised(start, noise.of(latent_image).to(start), level, from_pure_noise=False)
    return replace(latent_image, samples=model.latent_format.raw(noisy))
