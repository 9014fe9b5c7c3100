"""What networks predict beside noise and velocity, and flows, whose mixture of latent and noise is another."""

from dataclasses import dataclass

from torch import Tensor

from models.sampling.denoiser import EpsPrediction, VarianceExploding
from models.sampling.levels import NoiseLevels

CONSISTENCY_SIGMA_DATA, TIMESTEP_SCALING = 0.5, 10.0
"""How latent consistency models are bound to return their input at the first timestep, arXiv:2310.04378."""


@dataclass(frozen=True)
class EdmPrediction(VarianceExploding):
    """The network predicts what Karras et al. have it (arXiv:2206.00364, equation 7): velocity with the other sign."""

    def denoised(self, output: Tensor, x: Tensor, sigma: Tensor) -> Tensor:
        """x · σ_data² / (σ² + σ_data²) + output · σ · σ_data / √(σ² + σ_data²)."""
        variance = sigma**2 + self.sigma_data**2
        return x * self.sigma_data**2 / variance + output * sigma * self.sigma_data / variance**0.5


@dataclass(frozen=True)
class CleanPrediction(VarianceExploding):
    """The network predicts the clean latent itself."""

    def denoised(self, output: Tensor, x: Tensor, sigma: Tensor) -> Tensor:
        """The output."""
        return output


@dataclass(frozen=True)
class PictureToPicture(CleanPrediction):
    """A network that changes pictures: it is fed the latent as it is and predicts the clean one."""

    def network_input(self, x: Tensor, sigma: Tensor) -> Tensor:
        """x."""
        return x


@dataclass(frozen=True, eq=False)
class ConsistencyPrediction(EpsPrediction):
    """A latent consistency model (arXiv:2310.04378): noise prediction, bound to its input as the noise vanishes."""

    levels: NoiseLevels | None = None
    """Whose timesteps say how much noise is left."""

    def denoised(self, output: Tensor, x: Tensor, sigma: Tensor) -> Tensor:
        """c_skip(t) · x + c_out(t) · (x − σ · output), by the scaled timestep t."""
        if self.levels is None:
            raise ValueError("a consistency model's estimate depends on its timesteps, and none are known")
        time = self.levels.timestep(sigma).to(x) * TIMESTEP_SCALING
        variance = time**2 + CONSISTENCY_SIGMA_DATA**2
        kept, taken = CONSISTENCY_SIGMA_DATA**2 / variance, time / variance**0.5
        return taken * super().denoised(output, x, sigma) + kept * x


@dataclass(frozen=True)
class FlowPrediction:
    """The network predicts the velocity, noise − latent, of a rectified flow x = (1 − σ) · latent + σ · noise.

    arXiv:2209.03003; so are Stable Diffusion 3 (arXiv:2403.03206) and Flux trained.
    """

    def network_input(self, x: Tensor, sigma: Tensor) -> Tensor:
        """x."""
        return x

    def denoised(self, output: Tensor, x: Tensor, sigma: Tensor) -> Tensor:
        """x − σ · output."""
        return x - output * sigma

    def noised(self, latent: Tensor, noise: Tensor, sigma: Tensor, from_pure_noise: bool) -> Tensor:
        """(1 − σ) · latent + σ · noise."""
        return (1 - sigma) * latent + sigma * noise

    def ended(self, x: Tensor, sigma: Tensor) -> Tensor:
        """x / (1 − σ), with the latent at scale one; x itself where there is none in it."""
        return x / (1 - sigma) if sigma < 1 else x


@dataclass(frozen=True)
class FlowCleanPrediction(FlowPrediction):
    """The network predicts the clean latent of a flow."""

    def denoised(self, output: Tensor, x: Tensor, sigma: Tensor) -> Tensor:
        """The output."""
        return output


@dataclass(frozen=True)
class ExplodingFlowPrediction(VarianceExploding):
    """A flow's network (velocity) that is walked as x = latent + σ' · noise with σ' = σ / (1 − σ); Cosmos,
    arXiv:2501.03575."""

    def network_input(self, x: Tensor, sigma: Tensor) -> Tensor:
        """x / (1 + σ'), which is the flow's x."""
        return x / (1 + sigma)

    def denoised(self, output: Tensor, x: Tensor, sigma: Tensor) -> Tensor:
        """(x − σ' · output) / (1 + σ')."""
        return (x - sigma * output) / (1 + sigma)

    def noised(self, latent: Tensor, noise: Tensor, sigma: Tensor, from_pure_noise: bool) -> Tensor:
        """latent + σ' · noise."""
        return latent + sigma * noise
