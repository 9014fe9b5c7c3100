"""CLIP's view of pictures, and style models that read it, in foreign hands."""

from typing import Any

import torch
from torch import Tensor

from models.adapters.style import StyleModel
from models.types import Residence
from models.vision import ClipVision, Seen
from nodes.clip_vision import clip_vision_encode
from nodes.style import style_tokens
from nodes.v1.facade import Facade
from nodes.v1.runtime import NotOfferedError


class VisionOutput:
    """What CLIP has made of pictures, by attributes and by keys; packs make such objects themselves, too."""

    def __getitem__(self, key: str) -> Any:
        return getattr(self, key)

    def __setitem__(self, key: str, value: Any) -> None:
        setattr(self, key, value)

    def get(self, key: str, default: Any = None) -> Any:
        """The part of that name, or the default."""
        return getattr(self, key, default)

    @classmethod
    def of(cls, seen: Seen) -> "VisionOutput":
        """What packs get of ours."""
        made = cls()
        made["image_embeds"] = seen.image_embeds
        made["last_hidden_state"] = seen.last_hidden_state
        made["penultimate_hidden_states"] = seen.penultimate_hidden_states
        return made

    @property
    def seen(self) -> Seen:
        """What ours read of it; a part that a pack has left out is none."""
        parts = ("image_embeds", "last_hidden_state", "penultimate_hidden_states")
        return Seen(*(self.get(name) for name in parts))


class VisionNetwork(Facade):
    """The network of a CLIP_VISION, as packs call it with pictures that they have made ready themselves."""

    what = "model of a CLIP_VISION"
    ours: Residence[ClipVision]

    @torch.no_grad()
    def __call__(self, pixel_values: Tensor, intermediate_output: int = -2) -> tuple[Tensor, Tensor, Tensor]:
        """What the last block and the one before put out (b n width), and one vector for each picture (b width')."""
        if intermediate_output != -2:
            raise NotOfferedError(f"the output of block {intermediate_output} of a CLIP_VISION")
        with self.ours.on_device() as network:
            seen = network(pixel_values.to(self.ours.device, self.ours.dtype))
        return seen.last_hidden_state.float(), seen.penultimate_hidden_states.float(), seen.image_embeds.float()


class ForeignVision(Facade):
    """A CLIP_VISION with the method that packs call."""

    what = "CLIP_VISION"
    ours: Residence[ClipVision]

    def __init__(self, ours: Residence[ClipVision]) -> None:
        super().__init__(ours)
        self.load_device = ours.device
        self.dtype = ours.dtype

    @property
    def model(self) -> VisionNetwork:
        """The network."""
        return VisionNetwork(self.ours)

    @property
    def patcher(self) -> "ForeignVision":
        """What packs have loaded before they call the network, which is brought to the device by itself."""
        return self

    @property
    def image_size(self) -> int:
        """Side in pixels of the square pictures it looks at."""
        with self.ours.on_device() as network:
            return network.config.side

    def encode_image(self, image: Tensor, crop: bool | str = True) -> VisionOutput:
        """Shows pictures (b h w 3) in 0..1 to CLIP, cut to squares in the middle or squeezed."""
        cut = crop in (True, "center")
        return VisionOutput.of(clip_vision_encode(self.ours, image, "center" if cut else "none"))


class ForeignStyle(Facade):
    """A STYLE_MODEL with the method that packs call."""

    what = "STYLE_MODEL"
    ours: Residence[StyleModel]

    @torch.no_grad()
    def get_cond(self, input: VisionOutput) -> Tensor:
        """The style of pictures as tokens of a prompt (b, n, width)."""
        return style_tokens(self.ours, input.seen)
