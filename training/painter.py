"""Paints prompts with a checkpoint, through the same loading, encoding, sampling and decoding as the editor's nodes."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from models import vae_codec
from models.loading.load import Checkpoint, load_checkpoint
from models.memory import DevicePolicy
from models.sampling.guidance import ClassifierFree
from models.sampling.noise import initial_noise
from models.sampling.run import ksampler_sigmas, sample
from models.sampling.samplers.table import SAMPLERS
from models.text.encode import encode_prompt
from models.types import Clip, Vae


class Painter:
    """One loaded checkpoint with fixed sampling settings."""

    def __init__(self, path: Path, side: int, steps: int = 20, cfg: float = 5.0) -> None:
        self.checkpoint: Checkpoint = load_checkpoint(path, DevicePolicy.choose())
        self.side = side
        self.steps = steps
        self.cfg = cfg

    @property
    def vae(self) -> Vae:
        """The checkpoint's autoencoder."""
        assert self.checkpoint.vae is not None
        return self.checkpoint.vae

    @property
    def clip(self) -> Clip:
        """The checkpoint's text encoder."""
        assert self.checkpoint.clip is not None
        return self.checkpoint.clip

    @torch.no_grad()
    def paint(self, prompt: str, seed: int, negative: str = "") -> Tensor:
        """Return one picture (h, w, 3) in 0..1: Euler on the normal schedule."""
        model = self.checkpoint.model
        shape = (1, 4, self.side // 8, self.side // 8)
        latent = sample(
            model,
            initial_noise(shape, seed),
            torch.zeros(shape),
            ClassifierFree(encode_prompt(self.clip, prompt), encode_prompt(self.clip, negative), self.cfg),
            SAMPLERS["euler"],
            ksampler_sigmas(model, "normal", self.steps, 1.0, "euler"),
            seed,
        )
        return vae_codec.decode(self.vae, latent)[0]

    def paint_all(self, prompts: Sequence[str], first_seed: int = 0) -> Tensor:
        """Return one picture for each prompt, (b, h, w, 3) in 0..1, with seeds counted from the first."""
        return torch.stack([self.paint(prompt, first_seed + i) for i, prompt in enumerate(prompts)])

    @torch.no_grad()
    def reconstruct(self, images: Tensor) -> Tensor:
        """Return pictures (b, h, w, 3) in 0..1 after encoding and decoding."""
        parts = [vae_codec.decode(self.vae, vae_codec.encode(self.vae, part)) for part in images.split(16)]
        return torch.cat(parts)
