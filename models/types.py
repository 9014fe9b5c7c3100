"""The values that nodes hand on: immutable, so that two branches of a graph can share them."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

import torch
from torch import Tensor

from models.conditioning import ConcatRule, VectorRule
from models.memory import WeightPatch
from models.sampling.model_sampling import ModelSampling
from models.sampling.patches import ModelPatches
from models.taesd import TinyAutoencoder
from models.text.embeddings import Embeddings
from models.text.encoders import EncoderUse, TextEncoders
from models.text.tokenizer import Tokenizer
from models.unet import UNet
from models.vae import Autoencoder

Network = TypeVar("Network", covariant=True)


Weights = tuple[WeightPatch, ...]
"""Changes that are applied in order, each to what the one before has made."""


class Residence(Protocol[Network]):
    """A network that is brought to the compute device for as long as it is used."""

    @property
    def device(self) -> torch.device: ...

    @property
    def dtype(self) -> torch.dtype: ...

    @property
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """The shapes of the network's parameters, by their names."""
        ...

    def parameter(self, name: str, weights: Weights = ()) -> Tensor:
        """Returns one parameter as it is with these changes, and no others, in float32 on the compute device."""
        ...

    def on_device(self, weights: Weights = ()) -> AbstractContextManager[Network]:
        """Yields the network, its weights on the device and changed as asked."""
        ...


@dataclass(frozen=True)
class LatentFormat:
    """How a raw latent, as the autoencoder makes it, is scaled for the UNet, and how it looks without decoding.

    In model scale a latent is (raw − mean) · scale / std, with one mean and std for each channel where a family has
    them. `rgb_factors` has one (red, green, blue) row per latent channel; the picture is their weighted sum, in -1..1.
    """

    channels: int
    scale: float
    stride: int
    rgb_factors: tuple[tuple[float, float, float], ...]
    rgb_bias: tuple[float, float, float] = (0.0, 0.0, 0.0)
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()

    def scaled(self, raw: Tensor) -> Tensor:
        """Raw latents (b c h w) in model scale."""
        if not self.std:
            return raw * self.scale
        return (raw - _by_channel(self.mean, raw)) * self.scale / _by_channel(self.std, raw)

    def start(self, raw: Tensor) -> Tensor:
        """What sampling begins with: the latent in model scale, but an empty one, all zero, as it is."""
        return self.scaled(raw) if bool(raw.any()) else raw

    def raw(self, scaled: Tensor) -> Tensor:
        """Latents (b c h w) in model scale as the autoencoder takes them."""
        if not self.std:
            return scaled / self.scale
        return scaled * _by_channel(self.std, scaled) / self.scale + _by_channel(self.mean, scaled)


def _by_channel(values: tuple[float, ...], like: Tensor) -> Tensor:
    return like.new_tensor(values)[:, None, None]


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
class Model:
    """A UNet with what is needed to use it: how its predictions are read, what else it is conditioned on, its changes.

    `weights` change its parameters and `patches` what is computed with them; the network itself stays as it is.
    """

    unet: Residence[UNet]
    latent_format: LatentFormat
    sampling: ModelSampling = field(default_factory=ModelSampling)
    vector: VectorRule | None = None
    concat: ConcatRule | None = None
    weights: Weights = ()
    patches: ModelPatches = field(default_factory=ModelPatches)


@dataclass(frozen=True)
class Clip:
    """The text encoders that a family of models listens to (`uses`, in the order their features are joined).

    `layer` counts from the end and chooses whose output conditions the UNet, in all of them; None leaves each at its
    family's. `weights` change parameters by their names in TextEncoders: `clip_l.text_model…`. `embeddings` are
    searched for what a prompt names as `embedding:name`.
    """

    encoder: Residence[TextEncoders]
    tokenizer: Tokenizer = field(repr=False)
    uses: tuple[EncoderUse, ...] = (EncoderUse("clip_l"),)
    layer: int | None = None
    weights: Weights = ()
    embeddings: Embeddings = field(default_factory=Embeddings)


@dataclass(frozen=True)
class Vae:
    """An autoencoder between pictures and raw latents."""

    autoencoder: Residence[Autoencoder | TinyAutoencoder]
