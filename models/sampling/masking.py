"""Noise masks: a denoiser that changes only part of a latent."""

import torch
import torch.nn.functional as F
from torch import Tensor

from models.sampling.denoiser import Denoiser, Prediction


def mask_like(mask: Tensor, latent: Tensor) -> Tensor:
    """A mask of any size (n, …, h', w') resized to the latent's (b c h w) and repeated to its batch: (b 1 h w)."""
    mask = mask.reshape(-1, 1, *mask.shape[-2:]).to(latent)
    mask = F.interpolate(mask, size=latent.shape[-2:], mode="bilinear")
    repeats = -(-len(latent) // len(mask))
    return mask.repeat(repeats, 1, 1, 1)[: len(latent)]


def masked(denoise: Denoiser, prediction: Prediction, mask: Tensor, latent: Tensor, noise: Tensor) -> Denoiser:
    """Denoises where the mask is 1 and keeps the latent where it is 0, in between by shares.

    At every sigma the kept part is shown to the network with its share of the noise.
    """
    kept = 1 - mask

    def denoise_masked(x: Tensor, sigma: Tensor) -> Tensor:
        surroundings = prediction.noised(latent, noise, sigma, from_pure_noise=False)
        return denoise(x * mask + surroundings * kept, sigma) * mask + latent * kept

    return denoise_masked


def noise_of_kept_part(latent: Tensor, seed: int) -> Tensor:
    """Noise for the kept part that differs from the initial noise of the same seed; on the CPU, float32."""
    generator = torch.Generator().manual_seed((seed + 1) % 2**64)
    return torch.randn(latent.shape, generator=generator)
