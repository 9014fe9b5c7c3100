"""The samplers by name, each with what it needs around it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Literal

from torch import Tensor

from models.sampling.denoiser import GuidedDenoiser
from models.sampling.levels import NoiseLevels
from models.sampling.model_sampling import ModelSampling
from models.sampling.noise import brownian, brownian_on_device, generated
from models.sampling.samplers import cfg_pp, deis, dpm, dpmpp, ipndm, lcm, multistep, one_step, sa_solver, sde, unipc
from models.sampling.samplers.common import State
from models.sampling.samplers.process import FLOWING
from models.sampling.samplers.ratios import from_finite_ratio, ratio, walk_in_ratios
from models.types import Model

OnFlow = Literal["same", "process", "ratios"]
"""How a walk of x = latent + σ · noise goes on a flow model: as it is, since the probability flow is the same; by an
argument `process` of its own; or in the ratios of noise to signal."""

SigmaOption = Callable[[NoiseLevels], float]
"""An option of a walk that is a sigma of the model's levels."""


@dataclass(frozen=True)
class Sampler:
    """A sampler and the surroundings it is used in."""

    walk: Callable[..., Iterator[State]]
    """Called as walk(denoise, x, sigmas), with the noise of its steps as a fourth argument if it has a source."""
    noise: Callable[..., Any] | None = None
    """A StepNoiseSource, or what gives the walk another kind of noise of (x, sigmas, seed)."""
    on_flow: OnFlow = "same"
    drops_penultimate_sigma: bool = False
    """Whether the plain sampler nodes leave the last but one sigma of its schedules out."""
    renews_masked_noise: bool = False
    """Whether the part kept by a noise mask is covered by other noise than the part that is sampled."""
    sigma_options: Mapping[str, SigmaOption] = field(default_factory=dict[str, SigmaOption])

    def __call__(
        self, denoise: GuidedDenoiser, x: Tensor, sigmas: Tensor, seed: int, sampling: ModelSampling | None = None
    ) -> Iterator[State]:
        """Walks x (b c h w) down the sigmas (n,), one state a step. The seed decides the noise of the steps.

        `sampling` is the model's, by default that of Stable Diffusion 1.x.
        """
        sampling = sampling or ModelSampling()
        noise = None if self.noise is None else self.noise(x, sigmas, seed)
        options: dict[str, Any] = {name: option(sampling.levels) for name, option in self.sigma_options.items()}
        if sampling.is_flow and self.on_flow == "ratios":
            sigmas = from_finite_ratio(sigmas, sampling.levels)
            options = {name: float(ratio(sigmas.new_tensor(sigma))) for name, sigma in options.items()}
            return walk_in_ratios(partial(self.walk, **options), denoise, x, sigmas, noise)
        if sampling.is_flow and self.on_flow == "process":
            options["process"] = FLOWING
        return self.walk(denoise, x, sigmas, *(() if noise is None else (noise,)), **options)

    def run(
        self,
        denoise: GuidedDenoiser,
        x: Tensor,
        sigmas: Tensor,
        seed: int,
        model: Model,
        each: Callable[[State], None],
    ) -> Tensor:
        """Walks to the end, telling every state; returns the last latent."""
        for state in self(denoise, x, sigmas, seed, model.sampling):
            x = state.x
            each(state)
        return x

    def with_options(self, **options: Any) -> "Sampler":
        """The same with other options of its walk."""
        return replace(self, walk=partial(self.walk, **options))


def at_percent(percent: float) -> SigmaOption:
    """The sigma at a share of the way from noise to picture."""
    return lambda levels: levels.sigma_at_percent(percent)


SA_SOLVER = Sampler(
    sa_solver.sa_solver,
    generated,
    "ratios",
    sigma_options={"start": at_percent(0.2), "end": at_percent(0.8)},
)

SAMPLERS: dict[str, Sampler] = {
    "euler": Sampler(one_step.euler),
    "euler_cfg_pp": Sampler(cfg_pp.euler_cfg_pp, on_flow="ratios"),
    "euler_ancestral": Sampler(one_step.euler_ancestral, generated, "process"),
    "euler_ancestral_cfg_pp": Sampler(cfg_pp.euler_ancestral_cfg_pp, generated, "ratios"),
    "heun": Sampler(one_step.heun),
    "heunpp2": Sampler(one_step.heunpp2),
    "exp_heun_2_x0": Sampler(sde.exp_heun_2_x0, on_flow="ratios"),
    "exp_heun_2_x0_sde": Sampler(partial(sde.seeds_2, r=1.0, solver="phi_2"), generated, "ratios"),
    "dpm_2": Sampler(one_step.dpm_2, drops_penultimate_sigma=True),
    "dpm_2_ancestral": Sampler(one_step.dpm_2_ancestral, generated, "process", drops_penultimate_sigma=True),
    "lms": Sampler(multistep.lms),
    "dpm_fast": Sampler(dpm.dpm_fast),
    "dpm_adaptive": Sampler(dpm.dpm_adaptive),
    "dpmpp_2s_ancestral": Sampler(dpmpp.dpmpp_2s_ancestral, generated, "process"),
    "dpmpp_2s_ancestral_cfg_pp": Sampler(cfg_pp.dpmpp_2s_ancestral_cfg_pp, generated, "process"),
    "dpmpp_sde": Sampler(dpmpp.dpmpp_sde, brownian, "ratios"),
    "dpmpp_sde_gpu": Sampler(dpmpp.dpmpp_sde, brownian_on_device, "ratios"),
    "dpmpp_2m": Sampler(dpmpp.dpmpp_2m),
    "dpmpp_2m_cfg_pp": Sampler(cfg_pp.dpmpp_2m_cfg_pp),
    "dpmpp_2m_sde": Sampler(dpmpp.dpmpp_2m_sde, brownian, "ratios"),
    "dpmpp_2m_sde_gpu": Sampler(dpmpp.dpmpp_2m_sde, brownian_on_device, "ratios"),
    "dpmpp_2m_sde_heun": Sampler(partial(dpmpp.dpmpp_2m_sde, solver="heun"), brownian, "ratios"),
    "dpmpp_2m_sde_heun_gpu": Sampler(partial(dpmpp.dpmpp_2m_sde, solver="heun"), brownian_on_device, "ratios"),
    "dpmpp_3m_sde": Sampler(dpmpp.dpmpp_3m_sde, brownian, "ratios"),
    "dpmpp_3m_sde_gpu": Sampler(dpmpp.dpmpp_3m_sde, brownian_on_device, "ratios"),
    "ddpm": Sampler(one_step.euler_ancestral, generated, "process"),  # the same steps, written in sigmas
    "lcm": Sampler(lcm.lcm, generated, "process"),
    "ipndm": Sampler(ipndm.ipndm),
    "ipndm_v": Sampler(ipndm.ipndm_v),
    "deis": Sampler(deis.deis),
    "res_multistep": Sampler(dpmpp.res_multistep),
    "res_multistep_cfg_pp": Sampler(cfg_pp.res_multistep_cfg_pp),
    "res_multistep_ancestral": Sampler(dpmpp.res_multistep_ancestral, generated, "process"),
    "res_multistep_ancestral_cfg_pp": Sampler(cfg_pp.res_multistep_ancestral_cfg_pp, generated, "process"),
    "gradient_estimation": Sampler(multistep.gradient_estimation),
    "gradient_estimation_cfg_pp": Sampler(cfg_pp.gradient_estimation_cfg_pp),
    "er_sde": Sampler(sde.er_sde, generated, "ratios"),
    "seeds_2": Sampler(sde.seeds_2, generated, "ratios"),
    "seeds_3": Sampler(sde.seeds_3, generated, "ratios"),
    "sa_solver": SA_SOLVER,
    "sa_solver_pece": SA_SOLVER.with_options(use_pece=True),
    "ddim": Sampler(one_step.euler, renews_masked_noise=True),
    "uni_pc": Sampler(unipc.uni_pc, drops_penultimate_sigma=True),
    "uni_pc_bh2": Sampler(partial(unipc.uni_pc, variant="bh2"), drops_penultimate_sigma=True),
}
"""By the names nodes show, in their order."""
