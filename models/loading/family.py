"""What tells a family of models from others, and what its files have in common."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from models.text.clip import ClipTextConfig
from models.text.encoders import ROLE_FACTS, EncoderUse, Role
from models.types import LatentFormat
from models.unet import UNetConfig
from models.vectors import SINUSOID

TOKENS = 49408
POSITIONS = 77
"""What every CLIP text encoder knows."""

VectorKind = Literal["none", "sizes", "aesthetic", "picture"]
"""What a UNet's vector y tells: nothing, SDXL's six sizes or the refiner's five numbers after the pooled text, or an
embedded picture with its noise level."""

ChannelKind = Literal["none", "inpaint", "edit"]
"""What a UNet sees beside the noisy latent: nothing, a mask and the latent without what it covers, or the latent of
the picture to edit."""

EXTRA_CHANNELS: Mapping[ChannelKind, int] = {"none": 0, "inpaint": 5, "edit": 4}

NUMBERS: Mapping[VectorKind, int] = {"sizes": 6, "aesthetic": 5}
"""How many numbers follow the pooled text."""


@dataclass(frozen=True)
class Family:
    """What the files of a family have in common.

    `context_dim` is the width of the text features and `pooled` that of the pooled text in the published files: what
    tells families apart where a file has no text encoder. `depths`, where given, are the numbers of transformer blocks
    on the way down by level. Where `told_by_bias`, one bias tells whether the network predicts velocity.
    """

    name: str
    encoders: tuple[EncoderUse, ...]
    linear_projection: bool
    latent_format: LatentFormat
    channels: ChannelKind = "none"
    vector: VectorKind = "none"
    context_dim: int | None = None
    pooled: int = 0
    depths: tuple[tuple[int, ...], ...] | None = None
    told_by_bias: bool = False

    @property
    def in_channels(self) -> int:
        """Channels that the UNet takes: the latent's and what it sees beside it."""
        return self.latent_format.channels + EXTRA_CHANNELS[self.channels]

    def differences(self, unet: UNetConfig, text: Mapping[Role, ClipTextConfig]) -> list[str]:
        """Says where a file is not of this family; an empty list means that it is."""
        found: list[str] = []
        if unet.in_channels != self.in_channels:
            found.append(f"its UNet takes {unet.in_channels} channels, not {self.in_channels}")
        if unet.linear_projection != self.linear_projection:
            kinds = ("convolutions", "linear layers")
            found.append(
                f"its transformers are projected by {kinds[unet.linear_projection]}, "
                f"not by {kinds[self.linear_projection]}"
            )
        if not all(_divides(unet.heads_of(level.channels), level.channels) for level in unet.levels):
            found.append("its UNet's widths cannot be shared evenly among attention heads")
        if self.depths is not None and self.depths != tuple(level.down_depths for level in unet.levels):
            found.append(f"its UNet has other numbers of transformer blocks than {list(map(list, self.depths))}")
        found += self._differences_of_vector(unet, text)
        return found + (self._differences_of_text(unet, text) if text else self._differences_of_context(unet))

    def _differences_of_vector(self, unet: UNetConfig, text: Mapping[Role, ClipTextConfig]) -> list[str]:
        adm = unet.adm_in_channels
        if self.vector == "none":
            return [] if adm is None else [f"its UNet is conditioned on a vector of width {adm} (label_emb)"]
        if adm is None:
            return ["its UNet is not conditioned on a vector (label_emb)"]
        if self.vector == "picture":
            return [] if adm % 2 == 0 else [f"its UNet's vector has the odd width {adm}"]
        last = text.get(self.encoders[-1].role)
        pooled = (last.projection or last.width) if last else self.pooled
        wanted = pooled + NUMBERS[self.vector] * SINUSOID
        return [] if adm == wanted else [f"its UNet is conditioned on a vector of width {adm}, not {wanted}"]

    def _differences_of_context(self, unet: UNetConfig) -> list[str]:
        if self.context_dim in (None, unet.context_dim):
            return []
        return [f"its UNet wants text features of width {unet.context_dim}, not {self.context_dim}"]

    def _differences_of_text(self, unet: UNetConfig, text: Mapping[Role, ClipTextConfig]) -> list[str]:
        wanted: set[Role] = {use.role for use in self.encoders}
        if text.keys() != wanted:
            return [f"it holds the text encoder {_titles(text.keys())}, not {_titles(wanted)}"]
        found = [problem for role, config in text.items() for problem in _differences_of_encoder(role, config)]
        width = sum(config.width for config in text.values())
        if width != unet.context_dim:
            found.append(f"its UNet wants features of width {unet.context_dim}, its text encoder makes {width}")
        return found


def _differences_of_encoder(role: Role, config: ClipTextConfig) -> list[str]:
    found: list[str] = []
    title = ROLE_FACTS[role].title
    if (config.vocabulary, config.positions) != (TOKENS, POSITIONS):
        found.append(
            f"its text encoder {title} knows {config.vocabulary} tokens at {config.positions} positions, "
            f"not {TOKENS} at {POSITIONS}"
        )
    if config.width % 64:
        found.append(f"the width of its text encoder {title}, {config.width}, is no multiple of 64")
    return found


def _titles(roles: Iterable[Role]) -> str:
    return " and ".join(sorted(ROLE_FACTS[role].title for role in roles)) or "none"


def _divides(heads: int, channels: int) -> bool:
    return heads > 0 and channels % heads == 0
