"""Samplers and schedules whose names packs have put into the lists of `comfy.samplers`: our nodes show and run them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import ModuleType

from torch import Tensor

from models.sampling.levels import NoiseLevels
from models.sampling.model_sampling import ModelSampling
from models.sampling.named import SamplingNames, built_in
from models.sampling.schedules import Schedule
from nodes.context import Services
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


def take_added(module: ModuleType, registry: Registry, services: Services) -> Mapping[str, NodeSpec]:
    """Takes over the names that are in the lists of `comfy.samplers` now; returns the nodes that show others for it."""
    known = services.get(SamplingNames, built_in)
    samplers = _names(module.KSampler.SAMPLERS, module.SAMPLER_NAMES, module.KSAMPLER_NAMES)
    schedules = _names(module.KSampler.SCHEDULERS, module.SCHEDULER_NAMES, list(module.SCHEDULER_HANDLERS))
    more_samplers = {name: added_sampler(module, name) for name in samplers if name not in known.samplers}
    more_schedules = {name: added_schedule(module, name) for name in schedules if name not in known.schedules}
    if not more_samplers and not more_schedules:
        return {}
    names = SamplingNames({**known.samplers, **more_samplers}, {**known.schedules, **more_schedules})
    services.give(SamplingNames, names)
    shown = {
        tuple(known.samplers): tuple(names.samplers),
        tuple(known.schedules): tuple(names.schedules),
    }
    changed = {id: now for id, spec in registry.items() if (now := _showing(spec, shown)) is not spec}
    for spec in changed.values():
        registry.replace(spec)
    return changed


def _names(*lists: Sequence[object]) -> list[str]:
    return list(dict.fromkeys(name for one in lists for name in one if isinstance(name, str)))


def _showing(spec: NodeSpec, shown: Mapping[tuple[str, ...], tuple[str, ...]]) -> NodeSpec:
    """The node with other words wherever one of its inputs shows exactly the words that these stand for."""
    inputs = tuple(_with_words(one, shown) for one in spec.inputs)
    is_as_before = all(one is before for one, before in zip(inputs, spec.inputs, strict=True))
    return spec if is_as_before else replace(spec, inputs=inputs)


def _with_words(one: InputSpec, shown: Mapping[tuple[str, ...], tuple[str, ...]]) -> InputSpec:
    if not isinstance(one.widget, Choice) or one.widget.options not in shown:
        return one
    return replace(one, widget=Choice(shown[one.widget.options]))
