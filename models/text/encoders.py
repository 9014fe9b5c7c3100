"""The text encoders that condition Stable Diffusion, and how each family of models uses them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from torch import nn

from models.text.clip import ClipText, ClipTextConfig
from models.text.tokenizer import END_TOKEN

Role = Literal["clip_l", "clip_g", "clip_h"]
"""OpenAI's CLIP ViT-L/14, and OpenCLIP's ViT-bigG/14 and ViT-H/14."""


@dataclass(frozen=True)
class RoleFacts:
    """What the encoders of a role have in common, whatever their size.

    `padding` is the token that fills up a row behind the end mark. `projected` encoders have a projection of the
    pooled output; of the others' it is not used.
    """

    title: str
    padding: int
    quick_gelu: bool
    projected: bool
    layers: int
    """Blocks of the published network."""


ROLE_FACTS: Mapping[Role, RoleFacts] = {
    "clip_l": RoleFacts("CLIP-L", END_TOKEN, quick_gelu=True, projected=False, layers=12),
    "clip_g": RoleFacts("OpenCLIP-bigG", 0, quick_gelu=False, projected=True, layers=32),
    "clip_h": RoleFacts("OpenCLIP-H", 0, quick_gelu=False, projected=True, layers=24),
}


@dataclass(frozen=True)
class EncoderUse:
    """Which encoder a family of models listens to, and how.

    `layer` counts from the end (-1 is the last block); `final_norm` tells whether the features of that layer are
    normalized as those of the last block are.
    """

    role: Role
    layer: int = -1
    final_norm: bool = True


class TextEncoders(nn.Module):
    """The encoders that a family of models listens to, each under the name of its role: `clip_l.text_model…`."""

    def __init__(self, configs: Mapping[Role, ClipTextConfig]) -> None:
        super().__init__()
        for role, config in configs.items():
            self.add_module(role, ClipText(config))

    def of(self, role: Role) -> ClipText:
        """Returns the encoder of a role."""
        encoder = self.get_submodule(role)
        assert isinstance(encoder, ClipText)
        return encoder
