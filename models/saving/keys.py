"""The keys under which a file keeps the weights of each network, as the first programs of each family wrote them."""

import re
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor

from models.loading.keys import UNET_PREFIX, VAE_PREFIX
from models.loading.markers import EDM_MEAN, EDM_STD, EDM_VELOCITY, EDM_VELOCITY_MIN, V_PREDICTION, ZERO_SNR
from models.loading.open_clip import FUSED, IN_BLOCK, WHOLE
from models.sampling.continuous_levels import EdmLevels
from models.sampling.denoiser import VPrediction
from models.sampling.predictions import EdmPrediction
from models.saving.writer import Stored
from models.types import Clip, Model, Residence, Vae, Weights

Tensors = dict[str, Stored]

TEXT_PREFIXES: Mapping[tuple[str, ...], tuple[str, ...]] = {
    ("clip_l",): ("cond_stage_model.transformer.",),
    ("clip_h",): ("cond_stage_model.model.",),
    ("clip_l", "clip_g"): ("conditioner.embedders.0.transformer.", "conditioner.embedders.1.model."),
    ("clip_g",): ("conditioner.embedders.0.model.",),
}
"""How the keys of text encoders begin in checkpoints, by the roles of those that a family listens to."""

IN_OPEN_CLIP = {ours: theirs for theirs, ours in reversed(WHOLE.items())}
IN_OPEN_CLIP_BLOCK = {ours: theirs for theirs, ours in IN_BLOCK.items()}

LARGEST_PLAIN_SIGMA = 1000.0
"""Discrete levels beyond this were trained down to no signal at all."""

_BLOCK = re.compile(r"text_model\.encoder\.layers\.(\d+)\.(.+)\.(weight|bias)")


def unet_tensors(model: Model) -> Tensors:
    """A UNet as it is in a checkpoint, with the flags that say how its predictions are read."""
    return _all(model.unet, model.weights, UNET_PREFIX) | _flags(model)


def vae_tensors(vae: Vae, prefix: str = VAE_PREFIX) -> Tensors:
    """An autoencoder as it is in a checkpoint."""
    return _all(vae.autoencoder, (), prefix)


def text_tensors(clip: Clip) -> Tensors:
    """Text encoders as they are in a checkpoint: CLIP-L in transformers' names, the others in OpenCLIP's."""
    roles = tuple(use.role for use in clip.uses)
    found: Tensors = {}
    for role, prefix in zip(roles, TEXT_PREFIXES[roles], strict=True):
        parameters = of_role(clip, role)
        named = parameters if role == "clip_l" else dict(_in_open_clip(parameters))
        found |= {prefix + name: stored for name, stored in named.items()}
    return found


def of_role(clip: Clip, role: str) -> Tensors:
    """One text encoder, in transformers' names without a prefix."""
    tensors = _all(clip.encoder, clip.weights, "")
    return {name.removeprefix(f"{role}."): stored for name, stored in tensors.items() if name.startswith(f"{role}.")}


def _all(network: Residence[Any], weights: Weights, prefix: str) -> Tensors:
    return {
        prefix + name: Stored(shape, partial(network.parameter, name, weights))
        for name, shape in network.shapes.items()
    }


def _in_open_clip(parameters: Tensors) -> Iterator[tuple[str, Stored]]:
    """Yields parameters under OpenCLIP's names; the three projections of an attention become one tensor."""
    for name, stored in parameters.items():
        if name == "text_projection.weight":  # multiplied from the right there: (width, projected)
            yield "text_projection", Stored(stored.shape[::-1], lambda stored=stored: stored.read().T)
            continue
        block = _BLOCK.fullmatch(name)
        if block is None:
            yield IN_OPEN_CLIP[name], stored
            continue
        number, module, parameter = block.groups()
        begin = f"transformer.resblocks.{number}"
        if module in IN_OPEN_CLIP_BLOCK:
            yield f"{begin}.{IN_OPEN_CLIP_BLOCK[module]}.{parameter}", stored
        elif module.endswith(FUSED[0]):
            attention = name.removesuffix(f"{FUSED[0]}.{parameter}")
            parts = [parameters[f"{attention}{projection}.{parameter}"] for projection in FUSED]
            shape = (len(FUSED) * stored.shape[0], *stored.shape[1:])
            yield f"{begin}.attn.in_proj_{parameter}", Stored(shape, partial(_joined, parts))


def _joined(parts: list[Stored]) -> Tensor:
    return torch.cat([part.read() for part in parts])


def _flags(model: Model) -> Tensors:
    """The keys that say what shapes do not: velocity, no signal at the end, levels of CosXL and Playground."""
    prediction, levels = model.sampling.prediction, model.sampling.levels
    found: dict[str, Tensor] = {}
    if isinstance(prediction, EdmPrediction) and model.latent_format.mean:
        found = {
            EDM_MEAN: torch.tensor(model.latent_format.mean)[None, :, None, None],
            EDM_STD: torch.tensor(model.latent_format.std)[None, :, None, None],
        }
    elif isinstance(prediction, VPrediction) and isinstance(levels, EdmLevels):
        found = {
            EDM_VELOCITY: torch.tensor(levels.sigma_max),
            EDM_VELOCITY_MIN: torch.tensor(levels.sigma_min),
        }
    elif isinstance(prediction, VPrediction):
        found = {V_PREDICTION: torch.empty(0)}
        if levels.sigma_max > LARGEST_PLAIN_SIGMA:
            found[ZERO_SNR] = torch.empty(0)
    return {key: Stored.of(tensor, torch.float32) for key, tensor in found.items()}
