"""Nodes that turn prompt text into conditioning."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated

from models.conditioning import Conditioning, PictureSize
from models.text.encode import encode_prompt
from models.text.encoders import ROLE_FACTS, Role
from nodes.context import Context
from nodes.embeddings import fingerprint_of_embeddings
from nodes.sockets import CLIP, CONDITIONING, present
from nodes.spec import Help, Number, Shown, Text, node

Prompt = Annotated[str, Text(multiline=True, dynamic_prompts=True)]
Pixels = Annotated[int, Number(0, 16384)]
Cropped = Annotated[int, Number(0, 16384), Help("what was cut off the pictures", advanced=True)]


class WrongTextEncoderError(ValueError):
    """A node was wired to the text encoder of another family."""


def _encoded(clip: CLIP, text: str | Mapping[Role, str]) -> tuple[Conditioning, list[str]]:
    """The conditioning, and what of the prompt was left out, each once."""
    warnings: dict[str, None] = {}
    found = encode_prompt(present(clip, "text encoder"), text, lambda warning: warnings.setdefault(warning))
    return found, list(warnings)


def _shown(conditioning: Conditioning, warnings: list[str]) -> CONDITIONING:
    """Shows on the node what was left out of its prompt."""
    return Shown(conditioning, {"text": warnings}) if warnings else conditioning  # pyright: ignore[reportReturnType]


def _of_text(text: str | None, clip: None, context: Context) -> str:
    return fingerprint_of_embeddings([text], context)


@node("CLIPTextEncode", name="CLIP Text Encode (Prompt)", category="model/conditioning", fingerprint=_of_text)
def clip_text_encode(text: Prompt, clip: CLIP, context: Context) -> CONDITIONING:
    """Turns a prompt into what guides the sampler.

    (word:1.2) weighs a word, (word) by 1.1; embedding:name puts a textual inversion there; a prompt of more than 75
    tokens is encoded in pieces of 75.
    """
    return _shown(*_encoded(clip, text))


@node("CLIPSetLastLayer", name="CLIP Set Last Layer", category="model/conditioning")
def clip_set_last_layer(
    clip: CLIP,
    stop_at_clip_layer: Annotated[int, Number(-24, -1), Help("-1 is the last layer, -2 the one before", True)] = -1,
) -> CLIP:
    """Takes the text features from an earlier layer of the encoder ("CLIP skip"), of each where there are several."""
    return replace(present(clip, "text encoder"), layer=stop_at_clip_layer)


def _of_texts(text_g: str | None, text_l: str | None, context: Context, **others: object) -> str:
    return fingerprint_of_embeddings([text_g, text_l], context)


@node(
    "CLIPTextEncodeSDXL",
    name="CLIP Text Encode (SDXL)",
    category="model/conditioning/stable diffusion",
    fingerprint=_of_texts,
)
def clip_text_encode_sdxl(
    *,
    clip: CLIP,
    width: Pixels = 1024,
    height: Pixels = 1024,
    crop_w: Cropped = 0,
    crop_h: Cropped = 0,
    target_width: Pixels = 1024,
    target_height: Pixels = 1024,
    text_g: Prompt,
    text_l: Prompt,
    context: Context,
) -> CONDITIONING:
    """Turns a prompt for each of SDXL's text encoders into conditioning, with the sizes that SDXL is told."""
    texts: dict[Role, str] = {"clip_g": text_g, "clip_l": text_l}
    roles: set[Role] = {use.role for use in present(clip, "text encoder").uses}
    if roles != texts.keys():
        found = " and ".join(sorted(ROLE_FACTS[role].title for role in roles))
        raise WrongTextEncoderError(
            f"this node needs SDXL's two text encoders, and {found} is wired in: use CLIPTextEncode instead"
        )
    found, warnings = _encoded(clip, texts)
    size = PictureSize(width, height, crop_w, crop_h, target_width, target_height)
    return _shown(tuple(replace(cond, size=size) for cond in found), warnings)


def _of_refiner_text(text: str | None, context: Context, **others: object) -> str:
    return fingerprint_of_embeddings([text], context)


@node(
    "CLIPTextEncodeSDXLRefiner",
    name="CLIP Text Encode (SDXL Refiner)",
    category="model/conditioning/stable diffusion",
    fingerprint=_of_refiner_text,
)
def clip_text_encode_sdxl_refiner(
    *,
    ascore: Annotated[float, Number(0.0, 1000.0, step=0.01)] = 6.0,
    width: Pixels = 1024,
    height: Pixels = 1024,
    text: Prompt,
    clip: CLIP,
    context: Context,
) -> CONDITIONING:
    """Turns a prompt into conditioning for the SDXL refiner, with an aesthetic score: 6 is beautiful, 2.5 is not."""
    found, warnings = _encoded(clip, text)
    size = PictureSize(width, height)
    return _shown(tuple(replace(cond, size=size, aesthetic=ascore) for cond in found), warnings)


@node(
    "CLIPTextEncodeControlnet",
    name="CLIP Text Encode (Controlnet)",
    category="model/conditioning",
    experimental=True,
    fingerprint=_of_refiner_text,
)
def clip_text_encode_controlnet(clip: CLIP, conditioning: CONDITIONING, text: Prompt, context: Context) -> CONDITIONING:
    """Gives ControlNets a prompt of their own, beside that of the model."""
    found, warnings = _encoded(clip, text)
    return _shown(tuple(replace(cond, control_context=found[0].context) for cond in conditioning), warnings)
