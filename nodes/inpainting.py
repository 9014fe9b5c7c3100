"""Nodes for painting a part of a picture anew."""

from dataclasses import replace
from typing import Annotated, NamedTuple

import torch

from models.conditioning import Concat, Conditioning
from models.inpainting import cropped_with_mask, grayed, widened
from models.patches.differential import DifferentialDiffusion
from models.sampling.patches import ModelPatches
from models.types import Latent
from models.vae_codec import encode
from nodes.sockets import CONDITIONING, IMAGE, LATENT, MASK, MODEL, VAE, present
from nodes.spec import Help, Number, node


class Prepared(NamedTuple):
    """Prompts that know the picture to be changed, and the latent to begin with."""

    positive: CONDITIONING
    negative: CONDITIONING
    latent: LATENT


@node("VAEEncodeForInpaint", name="VAE Encode (for Inpainting)", category="model/latent")
def vae_encode_for_inpaint(
    pixels: IMAGE,
    vae: VAE,
    mask: MASK,
    grow_mask_by: Annotated[int, Number(0, 64), Help("Pixels by which more is painted than is masked", late=True)] = 6,
) -> LATENT:
    """Turns a picture into a latent without its masked part, which will be painted from nothing."""
    images, mask = cropped_with_mask(pixels, mask)
    samples = encode(present(vae, "autoencoder"), grayed(images, mask))
    return Latent(samples, noise_mask=widened(mask, grow_mask_by))


@node("SetLatentNoiseMask", name="Set Latent Noise Mask", category="model/latent")
def set_latent_noise_mask(samples: LATENT, mask: MASK) -> LATENT:
    """Lets only the masked part of a latent be changed. The mask may have any size."""
    return replace(samples, noise_mask=mask.reshape(-1, 1, *mask.shape[-2:]))


@node("DifferentialDiffusion", name="Differential Diffusion", category="experimental", experimental=True)
def differential_diffusion(
    model: MODEL,
    strength: Annotated[float, Number(0.0, 1.0, step=0.01), Help("Below 1 the mask counts as usual, too")] | None = 1.0,
) -> MODEL:
    """Lets the gray of a mask say how much each place changes: the darker, the later it begins to."""
    patch = DifferentialDiffusion(1.0 if strength is None else strength)
    return replace(model, patches=model.patches.plus(ModelPatches(mask=patch)))


@node(
    "InpaintModelConditioning",
    name="InpaintModelConditioning",
    category="model/conditioning",
    outputs=("positive", "negative", "latent"),
)
def inpaint_model_conditioning(
    positive: CONDITIONING,
    negative: CONDITIONING,
    vae: VAE,
    pixels: IMAGE,
    mask: MASK,
    noise_mask: Annotated[bool, Help("Lets only the masked part change; some models do better without")] = True,
) -> Prepared:
    """Shows a picture and its mask to a model that was made for inpainting."""
    autoencoder = present(vae, "autoencoder")
    images, mask = cropped_with_mask(pixels, mask)
    seen = Concat(encode(autoencoder, grayed(images, mask)), mask)
    latent = Latent(encode(autoencoder, images), noise_mask=mask if noise_mask else None)
    return Prepared(_seeing(positive, seen), _seeing(negative, seen), latent)


@node(
    "InstructPixToPixConditioning",
    category="model/conditioning/instructpix2pix",
    outputs=("positive", "negative", "latent"),
)
def instruct_pix_to_pix_conditioning(
    positive: CONDITIONING, negative: CONDITIONING, vae: VAE, pixels: IMAGE
) -> Prepared:
    """Shows a picture to a model that was made to edit pictures as the prompt says."""
    samples = encode(present(vae, "autoencoder"), pixels)
    seen = Concat(samples)
    return Prepared(_seeing(positive, seen), _seeing(negative, seen), Latent(torch.zeros_like(samples)))


def _seeing(conditioning: Conditioning, seen: Concat) -> Conditioning:
    return tuple(replace(cond, concat=seen) for cond in conditioning)
