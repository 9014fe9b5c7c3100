"""Nodes that say which words belong where in the picture (GLIGEN)."""

from dataclasses import replace
from typing import Annotated

from models.adapters.gligen import GligenBoxes, TextBox
from models.conditioning import Area, Cond
from models.loading.adapters import load_gligen
from models.text.encode import encode_prompt
from nodes.context import Context
from nodes.files import fingerprint_of
from nodes.library import library_of, reporter
from nodes.sockets import CLIP, CONDITIONING, GLIGEN, present
from nodes.spec import FileChoice, Number, Text, node

STRIDE = 8
"""Pixels of the picture for one of the latent."""

Side = Annotated[int, Number(8, 16384, step=8)]
Distance = Annotated[int, Number(0, 16384, step=8)]


def _fingerprint(gligen_name: str, context: Context) -> str:
    return fingerprint_of(context.paths.model_file("gligen", gligen_name))


@node("GLIGENLoader", name="Load GLIGEN Model", category="model/loaders", fingerprint=_fingerprint)
def gligen_loader(gligen_name: Annotated[str, FileChoice("gligen")], context: Context) -> GLIGEN:
    """Loads a GLIGEN text-box model for Stable Diffusion 1.x."""
    path, report = context.paths.model_file("gligen", gligen_name), reporter(context)
    return library_of(context).other("gligen", path, lambda policy: load_gligen(path, policy, report))


@node("GLIGENTextBoxApply", name="Apply GLIGEN Text Box", category="model/conditioning/gligen")
def gligen_text_box_apply(
    conditioning_to: CONDITIONING,
    clip: CLIP,
    gligen_textbox_model: GLIGEN,
    text: Annotated[str, Text(multiline=True, dynamic_prompts=True)],
    width: Side = 64,
    height: Side = 64,
    x: Distance = 0,
    y: Distance = 0,
) -> CONDITIONING:
    """Says that some words, which the prompt should hold too, belong in a box of the picture."""
    pooled = encode_prompt(present(clip, "text encoder"), text)[0].pooled
    area = Area(height // STRIDE, width // STRIDE, y // STRIDE, x // STRIDE)
    box = TextBox(present(pooled, "pooled output"), area)

    def boxed(cond: Cond) -> Cond:
        before = cond.boxes.boxes if isinstance(cond.boxes, GligenBoxes) else ()
        return replace(cond, boxes=GligenBoxes(gligen_textbox_model, (*before, box)))

    return tuple(boxed(cond) for cond in conditioning_to)
