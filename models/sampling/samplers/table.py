"""The samplers by name, each with what it needs around it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from torch import Tensor

from models.sampling.denoiser import GuidedDenoiser
from models.sampling.noise import StepNoiseSource, brownian, brownian_on_device, generated
from models.sampling.samplers import cfg_pp, deis, dpm, dpmpp, multistep, one_step, sde, unipc
from models.sampling.samplers.common import State


@dataclass(frozen=True)
class Sampler:
    """A sampler and the surroundings it is used in."""

    walk: Callable[..., Iterator[State]]
    """Called as walk(denoise, x, sigmas), with the noise of its steps as a fourth argument if it has a source."""
    noise: StepNoiseSource | None = None
    drops_penultimate_sigma: bool = False
    """Whether the plain sampler nodes leave the last but one sigma of its schedules out."""
    renews_masked_noise: bool = False
    """Whether the part kept by a noise mask is covered by other noise than the part that is sampled."""

    def __call__(self, denoise: GuidedDenoiser, x: Tensor, sigmas: Tensor, seed: int) -> Iterator[State]:
        """Walks x (b c h w) down the sigmas (n,), one state a step. The seed decides the noise of the steps."""
        if self.noise is None:
            return self.walk(denoise, x, sigmas)
        return self.walk(denoise, x, sigmas, self.noise(x, sigmas, seed))


SAMPLERS: dict[str, Sampler] = {
    "euler": Sampler(one_step.euler),
    "euler_cfg_pp": Sampler(cfg_pp.euler_cfg_pp),
    "euler_ancestral": Sampler(one_step.euler_ancestral, generated),
    "euler_ancestral_cfg_pp": Sampler(cfg_pp.euler_ancestral_cfg_pp, generated),
    "heun": Sampler(one_step.heun),
    "heunpp2": Sampler(one_step.heunpp2),
    "exp_heun_2_x0": Sampler(sde.exp_heun_2_x0),
    "exp_heun_2_x0_sde": Sampler(partial(sde.seeds_2, r=1.0, solver="phi_2"), generated),
    "dpm_2": Sampler(one_step.dpm_2, drops_penultimate_sigma=True),
    "dpm_2_ancestral": Sampler(one_step.dpm_2_ancestral, generated, drops_penultimate_sigma=True),
    "lms": Sampler(multistep.lms),
    "dpm_fast": Sampler(dpm.dpm_fast),
    "dpm_adaptive": Sampler(dpm.dpm_adaptive),
    "dpmpp_2s_ancestral": Sampler(dpmpp.dpmpp_2s_ancestral, generated),
    "dpmpp_sde": Sampler(dpmpp.dpmpp_sde, brownian),
    "dpmpp_sde_gpu": Sampler(dpmpp.dpmpp_sde, brownian_on_device),
    "dpmpp_2m": Sampler(dpmpp.dpmpp_2m),
    "dpmpp_2m_cfg_pp": Sampler(cfg_pp.dpmpp_2m_cfg_pp),
    "dpmpp_2m_sde": Sampler(dpmpp.dpmpp_2m_sde, brownian),
    "dpmpp_2m_sde_gpu": Sampler(dpmpp.dpmpp_2m_sde, brownian_on_device),
    "dpmpp_2m_sde_heun": Sampler(partial(dpmpp.dpmpp_2m_sde, solver="heun"), brownian),
    "dpmpp_2m_sde_heun_gpu": Sampler(partial(dpmpp.dpmpp_2m_sde, solver="heun"), brownian_on_device),
    "dpmpp_3m_sde": Sampler(dpmpp.dpmpp_3m_sde, brownian),
    "dpmpp_3m_sde_gpu": Sampler(dpmpp.dpmpp_3m_sde, brownian_on_device),
    "ddpm": Sampler(one_step.euler_ancestral, generated),  # the same steps, written in sigmas
    "lcm": Sampler(one_step.lcm, generated),
    "ipndm": Sampler(multistep.ipndm),
    "deis": Sampler(deis.deis),
    "res_multistep": Sampler(dpmpp.res_multistep),
    "res_multistep_cfg_pp": Sampler(cfg_pp.res_multistep_cfg_pp),
    "res_multistep_ancestral": Sampler(dpmpp.res_multistep_ancestral, generated),
    "res_multistep_ancestral_cfg_pp": Sampler(cfg_pp.res_multistep_ancestral_cfg_pp, generated),
    "gradient_estimation": Sampler(multistep.gradient_estimation),
    "gradient_estimation_cfg_pp": Sampler(cfg_pp.gradient_estimation_cfg_pp),
    "er_sde": Sampler(sde.er_sde, generated),
    "seeds_2": Sampler(sde.seeds_2, generated),
    "seeds_3": Sampler(sde.seeds_3, generated),
    "ddim": Sampler(one_step.euler, renews_masked_noise=True),
    "uni_pc": Sampler(unipc.uni_pc, drops_penultimate_sigma=True),
    "uni_pc_bh2": Sampler(partial(unipc.uni_pc, variant="bh2"), drops_penultimate_sigma=True),
}
"""By the names nodes show, in their order."""
