"""Nodes that turn prompt text into conditioning."""

from dataclasses import replace
from typing import Annotated

from models.text.encode import encode_prompt
from nodes.sockets import CLIP, CONDITIONING, present
from nodes.spec import Help, Number, Text, node


@node("CLIPTextEncode", name="CLIP Text Encode (Prompt)", category="model/conditioning")
def clip_text_encode(text: Annotated[str, Text(multiline=True, dynamic_prompts=True)], clip: CLIP) -> CONDITIONING:
    """Turns a prompt into what guides the sampler.

    (word:1.2) weighs a word, (word) by 1.1; a prompt of more than 75 tokens is encoded in pieces of 75.
    """
    return encode_prompt(present(clip, "text encoder"), text)


@node("CLIPSetLastLayer", name="CLIP Set Last Layer", category="model/conditioning")
def clip_set_last_layer(
    clip: CLIP,
    stop_at_clip_layer: Annotated[int, Number(-24, -1), Help("-1 is the last layer, -2 the one before", True)] = -1,
) -> CLIP:
    """Takes the text features from an earlier layer of the encoder ("CLIP skip")."""
    return replace(present(clip, "text encoder"), layer=stop_at_clip_layer)
