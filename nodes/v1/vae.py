"""An autoencoder in foreign hands."""

import torch
from torch import Tensor

from models.taesd import TinyConfig
from models.types import Vae
from models.vae import AutoencoderConfig
from models.vae_codec import decode, decode_tiled, encode, encode_tiled
from nodes.v1.facade import Facade


class ForeignVae(Facade):
    """A VAE with the methods that packs call; pictures are (b, h, w, 3) in 0..1, latents raw."""

    what = "VAE"
    ours: Vae

    def __init__(self, ours: Vae) -> None:
        super().__init__(ours)
        self.device = ours.autoencoder.device
        self.vae_dtype = ours.autoencoder.dtype
        self.output_device = torch.device("cpu")

    @property
    def latent_channels(self) -> int:
        """Channels of its latents."""
        return self._config.latent_channels

    @property
    def downscale_ratio(self) -> int:
        """Pixels for one of the latent."""
        return self._config.stride

    @property
    def upscale_ratio(self) -> int:
        """Pixels for one of the latent."""
        return self._config.stride

    @property
    def _config(self) -> AutoencoderConfig | TinyConfig:
        with self.ours.autoencoder.on_device() as network:
            return network.config

    def decode(self, samples: Tensor) -> Tensor:
        """Pictures of latents (b, c, h, w)."""
        return decode(self.ours, samples)

    def decode_tiled(self, samples: Tensor, tile_x: int = 64, tile_y: int = 64, overlap: int = 16) -> Tensor:
        """Pictures of latents, made in square tiles; sides are of the latent."""
        return decode_tiled(self.ours, samples, min(tile_x, tile_y), overlap)

    def encode(self, pixel_samples: Tensor) -> Tensor:
        """Latents of pictures."""
        return encode(self.ours, pixel_samples[..., :3])

    def encode_tiled(self, pixel_samples: Tensor, tile_x: int = 512, tile_y: int = 512, overlap: int = 64) -> Tensor:
        """Latents of pictures, made in square tiles; sides are of the picture."""
        return encode_tiled(self.ours, pixel_samples[..., :3], min(tile_x, tile_y), overlap)

    def spacial_compression_decode(self) -> int:
        """Pixels for one of the latent."""
        return self.upscale_ratio

    def spacial_compression_encode(self) -> int:
        """Pixels for one of the latent."""
        return self.downscale_ratio

    def temporal_compression_decode(self) -> None:
        """Nothing: pictures have no time."""
        return None

    def throw_exception_if_invalid(self) -> None:
        """An autoencoder that was loaded is whole."""
