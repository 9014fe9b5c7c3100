"""Samplers and schedules whose names packs have put into the lists of `comfy.samplers`: our nodes show and run them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import ModuleType

from torch import Tensor

from models.sampling.levels import NoiseLevels
from models.sampling.model_sampling import ModelSampling
from models.sampling.named import ADDED_SAMPLERS, ADDED_SCHEDULES
from models.sampling.samplers.table import SAMPLERS
from models.sampling.schedules import SCHEDULES, Schedule
from nodes.registry import Registry
from nodes.spec import Choice, InputSpec, NodeSpec
from nodes.v1.guiders import guided_by
from nodes.v1.model_sampling import sampling_to_foreign
from nodes.v1.samplers import SamplerOfPack


def added_sampler(module: ModuleType, name: str) -> SamplerOfPack:
    """A sampler by the name that a pack has added; which function it is, is asked when it runs."""
    drops = name in module.KSampler.DISCARD_PENULTIMATE_SIGMA_SAMPLERS
    return SamplerOfPack(lambda: module.sampler_object(name), guided_by, drops)


def added_schedule(module: ModuleType, name: str) -> Schedule:
    """A schedule by the name that a pack has added."""

    def schedule(levels: NoiseLevels, steps: int) -> Tensor:
        sampling = sampling_to_foreign(ModelSampling(levels=levels))
        return module.calculate_sigmas(sampling, name, steps).float().cpu()

    return schedule


def take_added(module: ModuleType, registry: Registry) -> Mapping[str, NodeSpec]:
    """Takes over the names that are in the lists of `comfy.samplers` now; returns the nodes that show others for it."""
    samplers = _names(module.KSampler.SAMPLERS, module.SAMPLER_NAMES, module.KSAMPLER_NAMES)
    schedules = _names(module.KSampler.SCHEDULERS, module.SCHEDULER_NAMES, list(module.SCHEDULER_HANDLERS))
    before = {tuple(SAMPLERS) + tuple(ADDED_SAMPLERS), tuple(SCHEDULES) + tuple(ADDED_SCHEDULES)}
    for name in samplers:
        if name not in SAMPLERS and name not in ADDED_SAMPLERS:
            ADDED_SAMPLERS[name] = added_sampler(module, name)
    for name in schedules:
        if name not in SCHEDULES and name not in ADDED_SCHEDULES:
            ADDED_SCHEDULES[name] = added_schedule(module, name)
    now = {next(iter(SAMPLERS)): (*SAMPLERS, *ADDED_SAMPLERS), next(iter(SCHEDULES)): (*SCHEDULES, *ADDED_SCHEDULES)}
    if before == set(now.values()):
        return {}
    changed = {id: shown for id, spec in registry.items() if (shown := _showing(spec, before, now)) is not spec}
    for spec in changed.values():
        registry.replace(spec)
    return changed


def forget_added() -> None:
    """Leaves ours alone again."""
    ADDED_SAMPLERS.clear()
    ADDED_SCHEDULES.clear()


def _names(*lists: Sequence[object]) -> list[str]:
    return list(dict.fromkeys(name for one in lists for name in one if isinstance(name, str)))


def _showing(spec: NodeSpec, before: set[tuple[str, ...]], now: Mapping[str, tuple[str, ...]]) -> NodeSpec:
    """The node with the names of now wherever one of its inputs shows all names of before."""
    inputs = tuple(_with_names(one, before, now) for one in spec.inputs)
    return (
        spec
        if all(one is other for one, other in zip(inputs, spec.inputs, strict=True))
        else replace(spec, inputs=inputs)
    )


def _with_names(one: InputSpec, before: set[tuple[str, ...]], now: Mapping[str, tuple[str, ...]]) -> InputSpec:
    if not isinstance(one.widget, Choice) or one.widget.options not in before:
        return one
    return replace(one, widget=Choice(now[one.widget.options[0]]))
