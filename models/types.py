"""The values that nodes hand on: immutable, so that two branches of a graph can share them."""

from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeVar

import torch
from torch import Tensor

from models.text.clip import ClipText
from models.text.tokenizer import Tokenizer
from models.unet import UNet
from models.vae import Autoencoder

Network = TypeVar("Network", covariant=True)


class Residence(Protocol[Network]):
    """A network that is brought to the compute device for as long as it is used."""

    @property
    def device(self) -> torch.device: ...

    @property
    def dtype(self) -> torch.dtype: ...

    def on_device(self) -> AbstractContextManager[Network]:
        """Yields the network, its weights on the device."""
        ...


@dataclass(frozen=True)
class LatentFormat:
    """How a raw latent, as the autoencoder makes it, is scaled for the UNet, and how it looks without decoding.

    `rgb_factors` has one (red, green, blue) row per latent channel; the picture is their weighted sum, in -1..1.
    """

    channels: int
    scale: float
    stride: int
    rgb_factors: tuple[tuple[float, float, float], ...]
    rgb_bias: tuple[float, float, float] = (0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Latent:
    """A batch of raw latents (b, c, h, w), float32, not scaled.

    `noise_mask` (b, 1, h', w') in 0..1 says where sampling may change it. `batch_index` numbers the pictures for the
    noise: item i gets the noise of draw batch_index[i].
    """

    samples: Tensor
    noise_mask: Tensor | None = None
    batch_index: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Cond:
    """One encoded prompt: token features (1, n, width) and the pooled output (1, width')."""

    context: Tensor
    pooled: Tensor | None = None


Conditioning = tuple[Cond, ...]
"""What guides the UNet: one entry or several whose predictions are averaged."""


@dataclass(frozen=True)
class Model:
    """A UNet with what is needed to read its predictions."""

    unet: Residence[UNet]
    latent_format: LatentFormat
    prediction: Literal["eps", "v"] = "eps"


@dataclass(frozen=True)
class Clip:
    """A text encoder with its tokenizer; `layer` counts from the end and chooses whose output conditions the UNet."""

    encoder: Residence[ClipText]
    tokenizer: Tokenizer = field(repr=False)
    layer: int = -1


@dataclass(frozen=True)
class Vae:
    """An autoencoder between pictures and raw latents."""

    autoencoder: Residence[Autoencoder]
