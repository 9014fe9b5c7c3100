"""What packs read of a model's inside: its family, its noise levels, how its latents are scaled, and its network."""

from collections.abc import Mapping
from enum import Enum
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from models.sampling.patches import Ask
from models.types import LatentFormat, Model
from models.unet import UNetConfig
from nodes.v1.facade import Facade
from nodes.v1.model_sampling import CONST, EDM, V_PREDICTION, sampling_to_foreign
from nodes.v1.network import Module


class ModelType(Enum):
    """What networks predict."""

    EPS = 1
    V_PREDICTION = 2
    V_PREDICTION_EDM = 3
    STABLE_CASCADE = 4
    EDM = 5
    FLOW = 6
    V_PREDICTION_CONTINUOUS = 7
    FLUX = 8
    IMG_TO_IMG = 9


class ForeignLatentFormat(Facade):
    """How latents are scaled for the network."""

    what = "latent_format"
    ours: LatentFormat

    @property
    def scale_factor(self) -> float:
        """By what raw latents are multiplied."""
        return self.ours.scale

    @property
    def latent_channels(self) -> int:
        """Channels of a latent."""
        return self.ours.channels

    @property
    def latent_rgb_factors(self) -> list[list[float]]:
        """One (red, green, blue) row for each channel, whose sum by their values is a preview."""
        return [list(row) for row in self.ours.rgb_factors]

    @property
    def latent_rgb_factors_bias(self) -> list[float]:
        """What is added to that sum."""
        return list(self.ours.rgb_bias)

    @property
    def spacial_downscale_ratio(self) -> int:
        """Pixels of the picture for one of the latent."""
        return self.ours.stride

    @property
    def latent_dimensions(self) -> int:
        """Height and width."""
        return 2

    def process_in(self, latent: Tensor) -> Tensor:
        """A raw latent in the network's scale."""
        return self.ours.scaled(latent)

    def process_out(self, latent: Tensor) -> Tensor:
        """The raw latent of one in the network's scale."""
        return self.ours.raw(latent)


class BaseModel(Facade):
    """What packs reach as `model.model`. While it samples it can be asked (`ask`)."""

    what = "model.model"
    ours: Model
    ask: Ask | None

    def __init__(self, ours: Model, ask: Ask | None = None) -> None:
        super().__init__(ours)
        self.ask = ask
        self.device = ours.unet.device
        self.manual_cast_dtype = None

    @property
    def model_sampling(self) -> Any:
        """The noise levels, and what the network predicts."""
        return sampling_to_foreign(self.ours.sampling)

    @property
    def latent_format(self) -> ForeignLatentFormat:
        """How latents are scaled."""
        return ForeignLatentFormat(self.ours.latent_format)

    @property
    def model_config(self) -> SimpleNamespace:
        """The network's dimensions, by the names of its configuration files."""
        return SimpleNamespace(
            unet_config=_dimensions(config_of(self.ours)), sampling_settings={}, latent_format=self.latent_format
        )

    @property
    def model_type(self) -> ModelType:
        """What the network predicts."""
        sampling = self.model_sampling
        kinds = ((CONST, ModelType.FLOW), (EDM, ModelType.EDM), (V_PREDICTION, ModelType.V_PREDICTION))
        return next((kind for predicting, kind in kinds if isinstance(sampling, predicting)), ModelType.EPS)

    @property
    def diffusion_model(self) -> Module:
        """The network, to be looked at."""
        return Module(self.ours)

    @property
    def adm_channels(self) -> int:
        """How wide the vector is that the network is told beside the prompt; 0 for none."""
        return config_of(self.ours).adm_in_channels or 0

    def get_dtype(self) -> torch.dtype:
        """The precision the network computes in."""
        return self.ours.unet.dtype

    def process_latent_in(self, latent: Tensor) -> Tensor:
        """A raw latent in the network's scale."""
        return self.latent_format.process_in(latent)

    def process_latent_out(self, latent: Tensor) -> Tensor:
        """The raw latent of one in the network's scale."""
        return self.latent_format.process_out(latent)


def config_of(model: Model) -> UNetConfig:
    """The dimensions of a model's network, read off the shapes of its parameters."""
    return UNetConfig.from_shapes(model.unet.shapes)


class Around(Facade):
    """A guided model while it samples, as far as a change to the noise mask is told of it."""

    what = "the model that samples"
    ours: BaseModel

    def __init__(self, ours: BaseModel, model_options: Mapping[str, Any]) -> None:
        super().__init__(ours)
        self.inner_model = ours
        self.model_options = model_options


def _dimensions(config: UNetConfig) -> dict[str, Any]:
    found: dict[str, Any] = {
        "in_channels": config.in_channels,
        "out_channels": config.out_channels,
        "model_channels": config.model_channels,
        "context_dim": config.context_dim,
        "adm_in_channels": config.adm_in_channels,
        "use_linear_in_transformer": config.linear_projection,
        "channel_mult": [level.channels // config.model_channels for level in config.levels],
        "num_res_blocks": [len(level.down_depths) for level in config.levels],
        "transformer_depth": [depth for level in config.levels for depth in level.down_depths],
        "transformer_depth_middle": config.middle_depth,
    }
    return found
