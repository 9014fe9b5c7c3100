"""What a file says of its UNet's predictions: by keys that stand for a flag, and by one bias that training moves."""

import torch

from models.loading.files import TensorFile
from models.loading.header import ModelFileError
from models.loading.sources import Shapes, Sources
from models.sampling.continuous_levels import EdmLevels
from models.sampling.denoiser import VPrediction
from models.sampling.model_sampling import ModelSampling, v_sampling
from models.sampling.predictions import EdmPrediction

V_PREDICTION, ZERO_SNR = "v_pred", "ztsnr"
"""Empty tensors: the network predicts velocity, and was trained down to no signal at all."""

EDM_VELOCITY, EDM_VELOCITY_MIN = "edm_vpred.sigma_max", "edm_vpred.sigma_min"
"""CosXL's largest and smallest sigma: velocity at continuous levels."""

EDM_MEAN, EDM_STD = "edm_mean", "edm_std"
"""Playground 2.5: trained as Karras et al. do, on latents of another scale."""

PLAYGROUND_SIGMA_DATA = 0.5
PLAYGROUND_LEVELS = EdmLevels(0.002, 80.0)
SMALLEST_SIGMA = 0.002

TELLING_BIAS = "output_blocks.11.1.transformer_blocks.0.norm1.bias"
TELLING_SPREAD = 0.09
"""Stable Diffusion 2.x: where this bias spreads wider, the network was trained to predict velocity."""


def sampling_of(file: TensorFile, unet: Sources, told_by_bias: bool) -> ModelSampling:
    """Returns how a file's predictions are to be read. Raises ModelFileError if a number in it makes no sense.

    told_by_bias where the family leaves it to the bias.
    """
    if is_playground(file.shapes):
        return ModelSampling(EdmPrediction(PLAYGROUND_SIGMA_DATA), PLAYGROUND_LEVELS)
    if is_edm_velocity(file.shapes):
        return ModelSampling(VPrediction(), _edm_levels(file))
    if V_PREDICTION in file.shapes:
        return v_sampling(zero_snr=ZERO_SNR in file.shapes)
    if told_by_bias and TELLING_BIAS in unet:
        bias = file.read(unet[TELLING_BIAS].key, torch.float32)
        return v_sampling() if float(bias.std()) > TELLING_SPREAD else ModelSampling()
    return ModelSampling()


def is_playground(shapes: Shapes) -> bool:
    """Whether a file's latents are scaled as Playground 2.5's."""
    return EDM_MEAN in shapes and EDM_STD in shapes


def is_edm_velocity(shapes: Shapes) -> bool:
    """Whether a file is of CosXL's kind."""
    return EDM_VELOCITY in shapes


def _edm_levels(file: TensorFile) -> EdmLevels:
    largest = _number(file, EDM_VELOCITY)
    smallest = _number(file, EDM_VELOCITY_MIN) if EDM_VELOCITY_MIN in file.shapes else SMALLEST_SIGMA
    if not 0 < smallest < largest < float("inf"):
        raise ModelFileError(f"its smallest and largest sigma, {smallest} and {largest}, are no range")
    return EdmLevels(smallest, largest)


def _number(file: TensorFile, key: str) -> float:
    tensor = file.read(key, torch.float32)
    if tensor.numel() != 1:
        raise ModelFileError(f"{key} holds {tensor.numel()} numbers instead of one")
    return float(tensor)
