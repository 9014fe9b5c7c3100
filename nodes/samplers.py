"""Nodes that choose a sampler and its options."""

from functools import partial
from typing import Annotated, Literal

from models.sampling.noise import StepNoiseSource, brownian, brownian_on_device, generated
from models.sampling.samplers import cfg_pp, dpm, dpmpp, multistep, one_step, sde
from models.sampling.samplers.table import SAMPLERS, Sampler
from nodes.sampling import SamplerName
from nodes.sockets import SAMPLER
from nodes.spec import Choice, Help, Number, node

CATEGORY = "model/sampling/samplers"

Eta = Annotated[float, Number(0.0, 100.0, step=0.01), Help("How much of the noise is renewed; 0 is none")]
AdvancedEta = Annotated[
    float, Number(0.0, 100.0, step=0.01), Help("How much of the noise is renewed; 0 is none", advanced=True)
]
NoiseScale = Annotated[float, Number(0.0, 100.0, step=0.01), Help("Multiplies the new noise")]
AdvancedNoiseScale = Annotated[float, Number(0.0, 100.0, step=0.01), Help("Multiplies the new noise", advanced=True)]
NoiseDevice = Annotated[
    str, Choice(("gpu", "cpu")), Help("cpu gives the same noise on every machine, gpu is faster", advanced=True)
]
Coefficient = Annotated[float, Number(0.0, 100.0, step=0.01), Help(advanced=True)]


@node("KSamplerSelect", category=CATEGORY)
def ksampler_select(sampler_name: SamplerName) -> SAMPLER:
    """A sampler by its name, with its usual options."""
    return SAMPLERS[sampler_name]


@node("SamplerEulerAncestral", category=CATEGORY)
def sampler_euler_ancestral(eta: AdvancedEta = 1.0, s_noise: AdvancedNoiseScale = 1.0) -> SAMPLER:
    """Euler steps a little too far down, made up for by new noise."""
    return Sampler(partial(one_step.euler_ancestral, eta=eta, s_noise=s_noise), generated)


@node("SamplerEulerAncestralCFGPP", name="SamplerEulerAncestralCFG++", category=CATEGORY)
def sampler_euler_ancestral_cfg_pp(
    eta: Annotated[float, Number(0.0, 1.0, step=0.01)] = 1.0,
    s_noise: Annotated[float, Number(0.0, 10.0, step=0.01)] = 1.0,
) -> SAMPLER:
    """Ancestral Euler steps that renoise by the unguided estimate; wants a guidance scale of about 1."""
    return Sampler(partial(cfg_pp.euler_ancestral_cfg_pp, eta=eta, s_noise=s_noise), generated)


@node("SamplerLMS", category=CATEGORY)
def sampler_lms(
    order: Annotated[int, Number(1, 100), Help("How many slopes it goes by", advanced=True)] = 4,
) -> SAMPLER:
    """Linear multistep: goes by the slopes of several steps."""
    return Sampler(partial(multistep.lms, order=order))


@node("SamplerDPMPP_2S_Ancestral", category=CATEGORY)
def sampler_dpmpp_2s_ancestral(eta: Eta = 1.0, s_noise: NoiseScale = 1.0) -> SAMPLER:
    """DPM-Solver++ with an estimate in the middle of each step and new noise at its end."""
    return Sampler(partial(dpmpp.dpmpp_2s_ancestral, eta=eta, s_noise=s_noise), generated)


@node("SamplerDPMPP_SDE", category=CATEGORY)
def sampler_dpmpp_sde(
    *,
    eta: AdvancedEta = 1.0,
    s_noise: AdvancedNoiseScale = 1.0,
    r: Annotated[
        float, Number(0.0, 100.0, step=0.01), Help("Where in the step the second estimate lies", advanced=True)
    ] = 0.5,
    noise_device: NoiseDevice,
) -> SAMPLER:
    """DPM-Solver++ for the reverse SDE, two estimates a step."""
    if r == 0:
        raise ValueError("r is 0, so the second estimate would be the first: choose a share of the step, such as 0.5")
    return Sampler(partial(dpmpp.dpmpp_sde, eta=eta, s_noise=s_noise, r=r), _brownian(noise_device))


@node("SamplerDPMPP_2M_SDE", category=CATEGORY)
def sampler_dpmpp_2m_sde(
    *,
    solver_type: Literal["midpoint", "heun"],
    eta: AdvancedEta = 1.0,
    s_noise: AdvancedNoiseScale = 1.0,
    noise_device: NoiseDevice,
) -> SAMPLER:
    """DPM-Solver++ for the reverse SDE, by two steps' estimates."""
    walk = partial(dpmpp.dpmpp_2m_sde, eta=eta, s_noise=s_noise, solver=solver_type)
    return Sampler(walk, _brownian(noise_device))


@node("SamplerDPMPP_3M_SDE", category=CATEGORY)
def sampler_dpmpp_3m_sde(
    *, eta: AdvancedEta = 1.0, s_noise: AdvancedNoiseScale = 1.0, noise_device: NoiseDevice
) -> SAMPLER:
    """DPM-Solver++ for the reverse SDE, by three steps' estimates."""
    return Sampler(partial(dpmpp.dpmpp_3m_sde, eta=eta, s_noise=s_noise), _brownian(noise_device))


@node("SamplerDPMAdaptative", category=CATEGORY)
def sampler_dpm_adaptive(
    *,
    order: Annotated[int, Number(2, 3), Help(advanced=True)] = 3,
    rtol: Coefficient = 0.05,
    atol: Coefficient = 0.0078,
    h_init: Coefficient = 0.05,
    pcoeff: Coefficient = 0.0,
    icoeff: Coefficient = 1.0,
    dcoeff: Coefficient = 0.0,
    accept_safety: Coefficient = 0.81,
    eta: AdvancedEta = 0.0,
    s_noise: AdvancedNoiseScale = 1.0,
) -> SAMPLER:
    """DPM-Solver that chooses its own steps: as long as two orders differ by less than the tolerances."""
    if h_init == 0 or (rtol == 0 and atol == 0):
        raise ValueError("h_init and one of rtol and atol must be above 0, or no step is ever taken")
    walk = partial(
        dpm.dpm_adaptive,
        order=3 if order == 3 else 2,
        rtol=rtol,
        atol=atol,
        h_init=h_init,
        pcoeff=pcoeff,
        icoeff=icoeff,
        dcoeff=dcoeff,
        accept_safety=accept_safety,
        eta=eta,
        s_noise=s_noise,
    )
    return Sampler(walk, generated)


@node("SamplerER_SDE", category=CATEGORY)
def sampler_er_sde(
    *,
    solver_type: Literal["ER-SDE", "Reverse-time SDE", "ODE"],
    max_stage: Annotated[int, Number(1, 3), Help("How many steps' estimates it goes by", advanced=True)] = 3,
    eta: Annotated[
        float,
        Number(0.0, 10.0, step=0.01),
        Help(
            "How much of the noise is renewed by the reverse-time SDE; ER-SDE has a measure of its own", advanced=True
        ),
    ] = 1.0,
    s_noise: AdvancedNoiseScale = 1.0,
) -> SAMPLER:
    """Extended reverse-time SDE solver: of the three kinds, ODE adds no noise."""
    stages: Literal[1, 2, 3] = 1 if max_stage == 1 else 2 if max_stage == 2 else 3
    if solver_type == "ER-SDE":
        return Sampler(partial(sde.er_sde, max_stage=stages, s_noise=s_noise), generated)
    if solver_type == "ODE" or eta == 0:
        eta, s_noise = 0.0, 0.0
    scale = sde.reverse_sde_scale(eta)
    return Sampler(partial(sde.er_sde, scale=scale, max_stage=stages, s_noise=s_noise), generated)


@node("SamplerSEEDS2", category=CATEGORY)
def sampler_seeds_2(
    *,
    solver_type: Literal["phi_1", "phi_2"],
    eta: AdvancedEta = 1.0,
    s_noise: AdvancedNoiseScale = 1.0,
    r: Annotated[
        float, Number(0.01, 1.0, step=0.01), Help("Where in the step the second estimate lies", advanced=True)
    ] = 0.5,
) -> SAMPLER:
    """Exponential solver of the reverse SDE, two estimates a step."""
    return Sampler(partial(sde.seeds_2, eta=eta, s_noise=s_noise, r=r, solver=solver_type), generated)


def _brownian(noise_device: str) -> StepNoiseSource:
    return brownian if noise_device == "cpu" else brownian_on_device
