"""How a model's predictions are read: what its network predicts, at which levels of noise."""

from dataclasses import dataclass, field

from models.sampling.denoiser import EpsPrediction, Prediction, VPrediction
from models.sampling.levels import NoiseLevels, discrete_levels, scaled_linear_alphas_bar, with_zero_terminal_snr
from models.sampling.predictions import FlowPrediction


def stable_diffusion_levels() -> NoiseLevels:
    """The thousand levels that Stable Diffusion 1.x, 2.x and XL were trained on."""
    return discrete_levels(scaled_linear_alphas_bar())


@dataclass(frozen=True, eq=False)
class ModelSampling:
    """What the network predicts and the levels of noise it knows; by default the noise, as Stable Diffusion 1.x."""

    prediction: Prediction = field(default_factory=EpsPrediction)
    levels: NoiseLevels = field(default_factory=stable_diffusion_levels)

    @property
    def is_flow(self) -> bool:
        """Whether latent and noise are mixed as (1 − σ) · latent + σ · noise, not as latent + σ · noise."""
        return isinstance(self.prediction, FlowPrediction)


def v_sampling(zero_snr: bool = False) -> ModelSampling:
    """The sampling of a network that predicts velocity, if asked for trained down to no signal at all."""
    alphas_bar = scaled_linear_alphas_bar()
    return ModelSampling(VPrediction(), discrete_levels(with_zero_terminal_snr(alphas_bar) if zero_snr else alphas_bar))
