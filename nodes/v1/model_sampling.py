"""How a model's predictions are read, as packs see it and make it: `comfy.model_sampling` over our own predictions.

A pack builds such an object of two classes, one for what the network predicts and one for the levels of noise, and
may replace any method of either. Names, arguments and the shape of sigmas (b,) are those that packs expect.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from models.sampling.continuous_levels import EdmLevels, FlowLevels, VelocityLevels, exponential_shift, shift
from models.sampling.denoiser import EpsPrediction, Prediction, VPrediction
from models.sampling.levels import (
    DiscreteLevels,
    NoiseLevels,
    discrete_levels,
    scaled_linear_alphas_bar,
    with_zero_terminal_snr,
)
from models.sampling.model_sampling import ModelSampling
from models.sampling.predictions import (
    CleanPrediction,
    EdmPrediction,
    FlowPrediction,
    PictureToPicture,
)


class Predicting:
    """What a network predicts, by the names that packs call."""

    sigma_data: float = 1.0
    own_prediction: Prediction | None = None

    @property
    def prediction(self) -> Prediction:
        """What the network is taken to predict."""
        return self.own_prediction or self.made_prediction()

    def made_prediction(self) -> Prediction:
        """The prediction of this class."""
        return EpsPrediction(self.sigma_data)

    def calculate_input(self, sigma: Tensor, noise: Tensor) -> Tensor:
        """A noisy latent as the network is given it."""
        return self.prediction.network_input(noise, _column(sigma, noise))

    def calculate_denoised(self, sigma: Tensor, model_output: Tensor, model_input: Tensor) -> Tensor:
        """The clean latent that the network's output means."""
        return self.prediction.denoised(model_output, model_input, _column(sigma, model_output))

    def noise_scaling(self, sigma: Tensor, noise: Tensor, latent_image: Tensor, max_denoise: bool = False) -> Tensor:
        """The latent with noise of level sigma; max_denoise where sigma is the model's largest."""
        return self.prediction.noised(latent_image, noise, _column(sigma, noise), max_denoise)

    def inverse_noise_scaling(self, sigma: Tensor, latent: Tensor) -> Tensor:
        """What is left of a walk that ends at sigma."""
        return self.prediction.ended(latent, torch.as_tensor(sigma).flatten()[0])


class EPS(Predicting):
    """The noise."""


class V_PREDICTION(EPS):
    """The velocity."""

    def made_prediction(self) -> Prediction:
        """The prediction of this class."""
        return VPrediction(self.sigma_data)


class EDM(V_PREDICTION):
    """What Karras et al. have a network predict."""

    def made_prediction(self) -> Prediction:
        """The prediction of this class."""
        return EdmPrediction(self.sigma_data)


class X0(EPS):
    """The clean latent."""

    def made_prediction(self) -> Prediction:
        """The prediction of this class."""
        return CleanPrediction(self.sigma_data)


class IMG_TO_IMG(X0):
    """The clean latent, from one that is given as it is."""

    def made_prediction(self) -> Prediction:
        """The prediction of this class."""
        return PictureToPicture(self.sigma_data)


class CONST(Predicting):
    """The velocity of a flow."""

    def made_prediction(self) -> Prediction:
        """The prediction of this class."""
        return FlowPrediction()


class Leveled:
    """Levels of noise, by the names that packs call."""

    levels: NoiseLevels

    def __init__(self, model_config: Any = None) -> None:
        self.sigma_data = 1.0
        self.model_config = model_config

    @property
    def sigmas(self) -> Tensor:
        """The sigmas of training, ascending (n,)."""
        return self.levels.sigmas

    @property
    def sigma_min(self) -> Tensor:
        """The smallest sigma, a scalar."""
        return torch.tensor(self.levels.sigma_min)

    @property
    def sigma_max(self) -> Tensor:
        """The largest sigma, a scalar."""
        return torch.tensor(self.levels.sigma_max)

    def timestep(self, sigma: Tensor) -> Tensor:
        """The timestep of a sigma."""
        return self.levels.timestep(sigma)

    def sigma(self, timestep: Tensor) -> Tensor:
        """The sigma of a timestep."""
        return self.levels.sigma(timestep)

    def percent_to_sigma(self, percent: float) -> float:
        """The sigma at a share 0..1 of the way from noise to picture."""
        return self.levels.sigma_at_percent(percent)


class ModelSamplingDiscrete(Leveled):
    """Numbered levels, by default those of Stable Diffusion."""

    def __init__(self, model_config: Any = None, zsnr: bool | None = None) -> None:
        super().__init__(model_config)
        settings = getattr(model_config, "sampling_settings", None) or {}
        alphas_bar = scaled_linear_alphas_bar(
            settings.get("linear_start", 0.00085), settings.get("linear_end", 0.012), settings.get("timesteps", 1000)
        )
        zero_snr = settings.get("zsnr", False) if zsnr is None else zsnr
        self.zsnr = zero_snr
        self.levels = discrete_levels(with_zero_terminal_snr(alphas_bar) if zero_snr else alphas_bar)

    @property
    def num_timesteps(self) -> int:
        """How many levels there are."""
        return len(self.sigmas)

    @property
    def log_sigmas(self) -> Tensor:
        """log σ of all levels (n,)."""
        return self.sigmas.log()

    def set_sigmas(self, sigmas: Tensor) -> None:
        """Puts other levels (n,), ascending, in the place of these."""
        self.levels = DiscreteLevels(sigmas.float())


class ModelSamplingContinuousEDM(Leveled):
    """All levels of a range, told as ¼ log σ."""

    def __init__(self, model_config: Any = None) -> None:
        super().__init__(model_config)
        settings = getattr(model_config, "sampling_settings", None) or {}
        self.set_parameters(settings.get("sigma_min", 0.002), settings.get("sigma_max", 120.0))

    def set_parameters(self, sigma_min: float, sigma_max: float, sigma_data: float = 1.0) -> None:
        """Sets the range, and the standard deviation of clean latents."""
        self.sigma_data = sigma_data
        self.levels = EdmLevels(float(sigma_min), float(sigma_max))


class ModelSamplingContinuousV(ModelSamplingContinuousEDM):
    """All levels of a range, told as an angle."""

    def set_parameters(self, sigma_min: float, sigma_max: float, sigma_data: float = 1.0) -> None:
        """Sets the range, and the standard deviation of clean latents."""
        self.sigma_data = sigma_data
        self.levels = VelocityLevels(float(sigma_min), float(sigma_max))


class ModelSamplingDiscreteFlow(Leveled):
    """Levels of a flow, moved toward noise by `shift`."""

    def __init__(self, model_config: Any = None) -> None:
        super().__init__(model_config)
        settings = getattr(model_config, "sampling_settings", None) or {}
        self.set_parameters(settings.get("shift", 1.0), multiplier=settings.get("multiplier", 1000))

    def set_parameters(self, shift: float = 1.0, timesteps: int = 1000, multiplier: float = 1000) -> None:
        """Sets how far levels are moved, how many there are, and by what the network is told them."""
        self.shift, self.multiplier = shift, multiplier
        self.levels = FlowLevels(partial(_shifted, by=shift), float(multiplier), timesteps)


class ModelSamplingFlux(Leveled):
    """Levels of a flow, moved toward noise by the exponential of `shift`."""

    def __init__(self, model_config: Any = None) -> None:
        super().__init__(model_config)
        settings = getattr(model_config, "sampling_settings", None) or {}
        self.set_parameters(settings.get("shift", 1.15))

    def set_parameters(self, shift: float = 1.15, timesteps: int = 10000) -> None:
        """Sets how far levels are moved, and how many there are."""
        self.shift = shift
        self.levels = FlowLevels(partial(exponential_shift, mu=shift), 1.0, timesteps)


def _shifted(time: Tensor, by: float) -> Tensor:
    return shift(time, by)


METHODS = (
    "calculate_input", "calculate_denoised", "noise_scaling", "inverse_noise_scaling", "prediction", "made_prediction",
    "timestep", "sigma", "percent_to_sigma", "sigmas", "sigma_min", "sigma_max",
)  # fmt: skip
"""What a pack may replace in a class of its own."""


@dataclass(frozen=True, eq=False)
class PredictionOfPack:
    """What a network predicts, as an object of a pack says."""

    theirs: Any

    def network_input(self, x: Tensor, sigma: Tensor) -> Tensor:
        return self.theirs.calculate_input(_rows(sigma, x), x)

    def denoised(self, output: Tensor, x: Tensor, sigma: Tensor) -> Tensor:
        return self.theirs.calculate_denoised(_rows(sigma, x), output, x)

    def noised(self, latent: Tensor, noise: Tensor, sigma: Tensor, from_pure_noise: bool) -> Tensor:
        return self.theirs.noise_scaling(_rows(sigma, latent), noise, latent, from_pure_noise)

    def ended(self, x: Tensor, sigma: Tensor) -> Tensor:
        return self.theirs.inverse_noise_scaling(sigma, x)


@dataclass(frozen=True, eq=False)
class FlowOfPack(PredictionOfPack, FlowPrediction):
    """The velocity of a flow, as an object of a pack says."""


@dataclass(frozen=True, eq=False)
class LevelsOfPack:
    """Levels of noise, as an object of a pack says."""

    theirs: Any

    @property
    def sigmas(self) -> Tensor:
        return self.theirs.sigmas.float().cpu()

    @property
    def sigma_min(self) -> float:
        return float(self.theirs.sigma_min)

    @property
    def sigma_max(self) -> float:
        return float(self.theirs.sigma_max)

    def timestep(self, sigma: Tensor) -> Tensor:
        return self.theirs.timestep(sigma)

    def sigma(self, timestep: Tensor) -> Tensor:
        return self.theirs.sigma(timestep)

    def sigma_at_percent(self, percent: float) -> float:
        return float(self.theirs.percent_to_sigma(percent))


@dataclass(frozen=True, eq=False)
class SamplingOfPack(ModelSampling):
    """The sampling of a model that a pack has replaced."""

    theirs: Any = None


PREDICTIONS: tuple[tuple[type, type], ...] = (
    (EdmPrediction, EDM),
    (VPrediction, V_PREDICTION),
    (PictureToPicture, IMG_TO_IMG),
    (CleanPrediction, X0),
    (FlowPrediction, CONST),
    (EpsPrediction, EPS),
)
LEVELS: tuple[tuple[type, type], ...] = (
    (DiscreteLevels, ModelSamplingDiscrete),
    (VelocityLevels, ModelSamplingContinuousV),
    (EdmLevels, ModelSamplingContinuousEDM),
    (FlowLevels, ModelSamplingDiscreteFlow),
)
"""Ours, and the classes that stand for them; the first that fits counts."""


class Ours(Leveled, Predicting):
    """Marks an object that stands for a sampling of ours."""

    ours: ModelSampling


def sampling_to_foreign(ours: ModelSampling) -> Any:
    """The sampling of a model as packs expect it: an instance of the two classes that it is made of."""
    if isinstance(ours, SamplingOfPack):
        return ours.theirs
    predicting = next((theirs for kind, theirs in PREDICTIONS if isinstance(ours.prediction, kind)), Predicting)
    leveled = next((theirs for kind, theirs in LEVELS if isinstance(ours.levels, kind)), Leveled)
    bases = [kind for kind in (leveled, predicting) if kind not in (Leveled, Predicting)]
    made = type("ModelSampling", (*bases, Ours), {})()
    made.ours, made.levels, made.own_prediction = ours, ours.levels, ours.prediction
    made.sigma_data = getattr(ours.prediction, "sigma_data", 1.0)
    return made


def sampling_to_ours(theirs: Any) -> ModelSampling:
    """What an object says that stands for ours, or that a pack has made."""
    if isinstance(theirs, Ours) and theirs.levels is theirs.ours.levels:
        return theirs.ours
    prediction = FlowOfPack(theirs) if isinstance(theirs, CONST) else PredictionOfPack(theirs)
    if isinstance(theirs, Predicting) and isinstance(theirs, Leveled) and _is_plain(theirs):
        return SamplingOfPack(theirs.prediction, theirs.levels, theirs)
    return SamplingOfPack(prediction, LevelsOfPack(theirs), theirs)


def _is_plain(theirs: Any) -> bool:
    """Whether an object has no method of a pack's own."""
    defining = [next((one for one in type(theirs).__mro__ if name in vars(one)), None) for name in METHODS]
    return all(one is not None and one.__module__ == __name__ for one in defining)


def _column(sigma: Tensor, like: Tensor) -> Tensor:
    """Sigmas (b,), or one, against (b c h w)."""
    sigma = torch.as_tensor(sigma).to(like.device)
    return sigma if sigma.ndim == 0 else sigma.reshape(-1, *[1] * (like.ndim - 1))


def _rows(sigma: Tensor, like: Tensor) -> Tensor:
    """One sigma for each picture (b,)."""
    return sigma.to(like.device).expand(len(like))
