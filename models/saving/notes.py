"""What a saved file says of itself: the fields of Stability AI's modelspec, and what its shapes do not tell."""

import json
from collections.abc import Mapping

from models.loading.families import PLAYGROUND_LATENT, SD_LATENT, SDXL_LATENT
from models.loading.metadata import NORM_GROUPS, RGB_BIAS, RGB_FACTORS
from models.sampling.denoiser import EpsPrediction, VPrediction
from models.taesd import TinyAutoencoder
from models.types import Model, Vae

USUAL_GROUPS = 32

ARCHITECTURES: Mapping[int, str] = {
    768: "stable-diffusion-v1",
    1024: "stable-diffusion-v2",
    2048: "stable-diffusion-xl-v1-base",
    1280: "stable-diffusion-xl-v1-refiner",
}
"""Names of architectures by the width of the text features that their UNets take."""

CONTEXT = "middle_block.1.transformer_blocks.0.attn2.to_k.weight"


def of_model(model: Model, title: str) -> dict[str, str]:
    """The notes for a UNet."""
    notes = {"modelspec.sai_model_spec": "1.0.0", "modelspec.implementation": "sgm", "modelspec.title": title}
    width = model.unet.shapes.get(CONTEXT, (0, 0))[1]
    if width in ARCHITECTURES:
        notes["modelspec.architecture"] = ARCHITECTURES[width]
    if isinstance(model.sampling.prediction, EpsPrediction):
        notes["modelspec.predict_key"] = "epsilon"
    elif isinstance(model.sampling.prediction, VPrediction):
        notes["modelspec.predict_key"] = "v"
    latent = model.latent_format
    if latent.rgb_factors not in {usual.rgb_factors for usual in (SD_LATENT, SDXL_LATENT, PLAYGROUND_LATENT)}:
        notes |= {RGB_FACTORS: json.dumps(latent.rgb_factors), RGB_BIAS: json.dumps(latent.rgb_bias)}
    return notes


def of_vae(vae: Vae) -> dict[str, str]:
    """The notes for an autoencoder. Raises ValueError for a TAESD."""
    with vae.autoencoder.on_device() as network:
        if isinstance(network, TinyAutoencoder):
            raise ValueError("a TAESD is not saved as an autoencoder: its two files in models/vae_approx are all of it")
        groups = network.config.norm_groups
    return {} if groups == USUAL_GROUPS else {NORM_GROUPS: str(groups)}
