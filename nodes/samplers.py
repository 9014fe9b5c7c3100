"""Nodes that choose a sampler and its options."""

from dataclasses import replace
from typing import Annotated, Literal

from models.resize import ResizeMethod
from models.sampling.named import SamplingNames, built_in
from models.sampling.noise import continued, generated
from models.sampling.samplers import cfg_pp, sde
from models.sampling.samplers.lcm import lcm_upscale
from models.sampling.samplers.table import SAMPLERS, Sampler
from nodes.context import Context
from nodes.sampling import SamplerName
from nodes.sockets import MODEL, SAMPLER
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
Percent = Annotated[
    float, Number(0.0, 1.0, step=0.001), Help("A share of the way from noise to picture", advanced=True)
]


@node("KSamplerSelect", category=CATEGORY)
def ksampler_select(sampler_name: SamplerName, *, context: Context) -> SAMPLER:
    """A sampler by its name, with its usual options."""
    return context.services.get(SamplingNames, built_in).samplers[sampler_name]


@node("SamplerEulerAncestral", category=CATEGORY)
def sampler_euler_ancestral(eta: AdvancedEta = 1.0, s_noise: AdvancedNoiseScale = 1.0) -> SAMPLER:
    """Euler steps a little too far down, made up for by new noise."""
    return SAMPLERS["euler_ancestral"].with_options(eta=eta, s_noise=s_noise)


@node("SamplerEulerAncestralCFGPP", name="SamplerEulerAncestralCFG++", category=CATEGORY)
def sampler_euler_ancestral_cfg_pp(
    eta: Annotated[float, Number(0.0, 1.0, step=0.01)] = 1.0,
    s_noise: Annotated[float, Number(0.0, 10.0, step=0.01)] = 1.0,
) -> SAMPLER:
    """Ancestral Euler steps that renoise by the unguided estimate; wants a guidance scale of about 1."""
    return SAMPLERS["euler_ancestral_cfg_pp"].with_options(eta=eta, s_noise=s_noise)


@node("SamplerLMS", category=CATEGORY)
def sampler_lms(
    order: Annotated[int, Number(1, 100), Help("How many slopes it goes by", advanced=True)] = 4,
) -> SAMPLER:
    """Linear multistep: goes by the slopes of several steps."""
    return SAMPLERS["lms"].with_options(order=order)


@node("SamplerDPMPP_2S_Ancestral", category=CATEGORY)
def sampler_dpmpp_2s_ancestral(eta: Eta = 1.0, s_noise: NoiseScale = 1.0) -> SAMPLER:
    """DPM-Solver++ with an estimate in the middle of each step and new noise at its end."""
    return SAMPLERS["dpmpp_2s_ancestral"].with_options(eta=eta, s_noise=s_noise)


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
    return _brownian("dpmpp_sde", noise_device).with_options(eta=eta, s_noise=s_noise, r=r)


@node("SamplerDPMPP_2M_SDE", category=CATEGORY)
def sampler_dpmpp_2m_sde(
    *,
    solver_type: Literal["midpoint", "heun"],
    eta: AdvancedEta = 1.0,
    s_noise: AdvancedNoiseScale = 1.0,
    noise_device: NoiseDevice,
) -> SAMPLER:
    """DPM-Solver++ for the reverse SDE, by two steps' estimates."""
    return _brownian("dpmpp_2m_sde", noise_device).with_options(eta=eta, s_noise=s_noise, solver=solver_type)


@node("SamplerDPMPP_3M_SDE", category=CATEGORY)
def sampler_dpmpp_3m_sde(
    *, eta: AdvancedEta = 1.0, s_noise: AdvancedNoiseScale = 1.0, noise_device: NoiseDevice
) -> SAMPLER:
    """DPM-Solver++ for the reverse SDE, by three steps' estimates."""
    return _brownian("dpmpp_3m_sde", noise_device).with_options(eta=eta, s_noise=s_noise)


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
    return replace(SAMPLERS["dpm_adaptive"], noise=generated).with_options(
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
        return SAMPLERS["er_sde"].with_options(max_stage=stages, s_noise=s_noise)
    if solver_type == "ODE" or eta == 0:
        eta, s_noise = 0.0, 0.0
    return SAMPLERS["er_sde"].with_options(scale=sde.reverse_sde_scale(eta), max_stage=stages, s_noise=s_noise)


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
    return SAMPLERS["seeds_2"].with_options(eta=eta, s_noise=s_noise, r=r, solver=solver_type)


@node("SamplerSASolver", category=CATEGORY)
def sampler_sa_solver(
    *,
    model: MODEL,
    eta: Annotated[
        float, Number(0.0, 10.0, step=0.01), Help("How much of the noise is renewed; 0 is none", advanced=True)
    ] = 1.0,
    sde_start_percent: Percent = 0.2,
    sde_end_percent: Percent = 0.8,
    s_noise: AdvancedNoiseScale = 1.0,
    predictor_order: Annotated[int, Number(1, 6), Help(advanced=True)] = 3,
    corrector_order: Annotated[int, Number(0, 6), Help("0 corrects nothing", advanced=True)] = 4,
    use_pece: Annotated[bool, Help("Evaluate what was corrected, too: twice the work", advanced=True)],
    simple_order_2: Annotated[bool, Help("Other weights in steps of second order", advanced=True)],
) -> SAMPLER:
    """Adams' method for the reverse SDE: goes by several steps' estimates and renews noise in a part of the way."""
    levels = model.sampling.levels
    start, end = levels.sigma_at_percent(sde_start_percent), levels.sigma_at_percent(sde_end_percent)
    sampler = SAMPLERS["sa_solver"].with_options(
        eta=eta,
        s_noise=s_noise,
        predictor_order=predictor_order,
        corrector_order=corrector_order,
        use_pece=use_pece,
        simple_order_2=simple_order_2,
    )
    return replace(sampler, sigma_options={"start": lambda _: start, "end": lambda _: end})


@node("SamplerLCM", category=CATEGORY)
def sampler_lcm(
    s_noise: Annotated[float, Number(0.0, 64.0, step=0.01), Help("Multiplies the new noise in the first step")] = 1.0,
    s_noise_end: Annotated[float, Number(0.0, 64.0, step=0.01), Help("Multiplies it in the last step")] = 1.0,
    noise_clip_std: Annotated[
        float, Number(0.0, 10.0, step=0.01), Help("Cuts the new noise off at so many standard deviations; 0 never")
    ] = 0.0,
) -> SAMPLER:
    """Sampling of consistency models, which jump to the picture and add noise again."""
    return SAMPLERS["lcm"].with_options(s_noise=s_noise, s_noise_end=s_noise_end, noise_clip_std=noise_clip_std)


@node("SamplerLCMUpscale", category=CATEGORY)
def sampler_lcm_upscale(
    *,
    scale_ratio: Annotated[
        float, Number(0.1, 20.0, step=0.01), Help("How many times longer the sides become", advanced=True)
    ] = 1.0,
    scale_steps: Annotated[
        int, Number(-1, 1000, step=1), Help("In how many of the first steps; -1 is half of them", advanced=True)
    ] = -1,
    upscale_method: Annotated[ResizeMethod, Choice(("bislerp", "nearest-exact", "bilinear", "area", "bicubic"))],
) -> SAMPLER:
    """Sampling of consistency models that enlarges the latent from step to step."""
    sampler = Sampler(lcm_upscale, continued, "process")
    steps = None if scale_steps < 0 else scale_steps
    return sampler.with_options(ratio=scale_ratio, steps=steps, method=upscale_method)


@node("SamplerEulerCFGpp", name="SamplerEulerCFG++", category="experimental", experimental=True)
def sampler_euler_cfg_pp(
    version: Annotated[Literal["regular", "alternative"], Help(advanced=True)],
) -> SAMPLER:
    """Euler steps that renoise by the unguided estimate, as published or in another form."""
    return SAMPLERS["euler_cfg_pp"] if version == "regular" else Sampler(cfg_pp.euler_alternative)


def _brownian(name: str, noise_device: str) -> Sampler:
    return SAMPLERS[name if noise_device == "cpu" else f"{name}_gpu"]
