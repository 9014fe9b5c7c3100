"""Loads the networks that steer a model: ControlNets and their kin, CLIP vision, style models and GLIGEN."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import torch
from torch import nn

from models.adapters.gligen import Gligen, GligenConfig, network_name
from models.adapters.style import StyleModel, StyleModelConfig
from models.adapters.t2i import MARKERS as ADAPTER_MARKERS
from models.adapters.t2i import T2IAdapter, T2IAdapterConfig
from models.control_lora import MARKER, ControlLora
from models.controlnet import ControlNet, ControlNetConfig
from models.controls import ControlLoraModel, ControlModel, ControlNetModel, T2IModel
from models.loading.control_keys import DIFFERENCE, adapter_sources, control_keys, controlnet_sources
from models.loading.detect import UnknownModelError
from models.loading.families import stranger
from models.loading.files import TensorFile, open_tensors
from models.loading.plan import Plan, Report, reader_for
from models.loading.separate import named
from models.loading.sources import Shapes, Source, Sources, named_shapes
from models.loading.vision_keys import vision_sources
from models.memory import DevicePolicy, Resident
from models.types import Model
from models.vision import ClipVision, ClipVisionConfig

Network = TypeVar("Network", bound=nn.Module)
Config = TypeVar("Config")

POOLED = ("_shuffle", "_shuffle_fp16")
"""How the names of ControlNets end that steer the whole picture alike, which nothing else tells."""


@dataclass(frozen=True)
class Kind(Generic[Config, Network]):
    """A kind of network: what it is called, how it is described by shapes, and how it is built."""

    title: str
    config: Callable[[Shapes], Config]
    build: Callable[[Config], Network]

    def load(
        self, file: TensorFile, sources: Sources, policy: DevicePolicy, report: Report | None, *dtypes: torch.dtype
    ) -> Resident[Network]:
        """Loads a network of this kind, its weights taking each precision in turn. Raises ModelFileError."""
        try:
            config = self.config(named_shapes(sources, file.shapes))
        except (ValueError, IndexError, TypeError) as error:
            raise _unknown(file, str(error)) from error
        plan = Plan.of(lambda: self.build(config), sources, *dtypes)
        return plan.resident(reader_for(file, [plan], self.title, policy, report), policy)


def _unknown(file: TensorFile, problem: str) -> UnknownModelError:
    """Says what is wrong with a file and what it seems to be."""
    seems = stranger(file.shapes)
    return UnknownModelError(f"it looks like {seems}: {problem}" if seems else problem)


CONTROLNET = Kind("a ControlNet", ControlNetConfig.from_shapes, ControlNet)
T2I_ADAPTER = Kind("a T2I-Adapter", T2IAdapterConfig.from_shapes, T2IAdapter)
STYLE_MODEL = Kind("a style model", StyleModelConfig.from_shapes, StyleModel)
VISION = Kind("a CLIP vision encoder", ClipVisionConfig.from_shapes, ClipVision)


def load_control(
    path: Path, policy: DevicePolicy, base: Model | None = None, report: Report | None = None
) -> ControlModel:
    """Loads a ControlNet, control-LoRA or T2I-Adapter, told by the file's keys.

    `base` is the model that a file of differences was made from. Raises ModelFileError.
    """
    with named(path), open_tensors(path) as file:
        if MARKER in file.shapes:
            return ControlLoraModel(_control_lora(file, policy, report))
        keys = control_keys(file.shapes)
        if keys is None:
            sources = adapter_sources(file.shapes)
            if not ADAPTER_MARKERS & sources.keys():
                raise _unknown(file, "it is no ControlNet, control-LoRA or T2I-Adapter")
            return T2IModel(T2I_ADAPTER.load(file, sources, policy, report, policy.unet_dtype))
        resident = CONTROLNET.load(file, controlnet_sources(keys), policy, report, policy.unet_dtype)
        with resident.on_device() as network:
            if DIFFERENCE in file.shapes:
                _add_base(network, base)
                resident.stay()
            union = network.config.union is not None
        return ControlNetModel(resident, pooled=path.stem.endswith(POOLED), union=union)


def _control_lora(file: TensorFile, policy: DevicePolicy, report: Report | None) -> Resident[ControlLora]:
    shapes = {key: shape for key, shape in file.shapes.items() if key != MARKER}
    sources = {f"own.{number}": Source(key) for number, key in enumerate(shapes)}
    kind = Kind("a control-LoRA", lambda _: shapes, ControlLora)
    return kind.load(file, sources, policy, report, policy.unet_dtype)


def _add_base(network: ControlNet, base: Model | None) -> None:
    """Turns differences into weights. Raises UnknownModelError where nothing, or nothing that fits, is there to add."""
    if base is None:
        raise UnknownModelError(
            "it holds only differences to the model it was made for: load it with Load ControlNet Model (diff)"
        )
    with base.unet.on_device(base.weights) as unet:
        weights = dict(unet.named_parameters())
        for name, difference in network.named_parameters():
            weight = weights.get(name)
            if weight is None:
                continue
            if weight.shape != difference.shape:
                raise UnknownModelError(f"its {name} is {list(difference.shape)}, the model's {list(weight.shape)}")
            difference.data.add_(weight.to(difference))


def load_vision(path: Path, policy: DevicePolicy, report: Report | None = None) -> Resident[ClipVision]:
    """Loads the vision side of a CLIP. Raises ModelFileError."""
    with named(path), open_tensors(path) as file:
        return vision_of(file, file.shapes, policy, report)


def vision_of(
    file: TensorFile, keys: Iterable[str], policy: DevicePolicy, report: Report | None = None
) -> Resident[ClipVision]:
    """Loads the vision side of a CLIP from keys of an open file; weights are rounded to half, as the text's are."""
    return VISION.load(file, vision_sources(keys), policy, report, torch.float16, policy.text_dtype)


def load_style_model(path: Path, policy: DevicePolicy, report: Report | None = None) -> Resident[StyleModel]:
    """Loads a style model. Raises ModelFileError."""
    with named(path), open_tensors(path) as file:
        sources = {key: Source(key) for key in file.shapes}
        return STYLE_MODEL.load(file, sources, policy, report, policy.text_dtype)


def load_gligen(path: Path, policy: DevicePolicy, report: Report | None = None) -> Resident[Gligen]:
    """Loads a GLIGEN text-box model. Raises ModelFileError."""
    with named(path), open_tensors(path) as file:
        sources = {network_name(key): Source(key) for key in file.shapes}
        kind = Kind("a GLIGEN text-box model", lambda _: GligenConfig.from_shapes(file.shapes), Gligen)
        return kind.load(file, sources, policy, report, policy.unet_dtype)
