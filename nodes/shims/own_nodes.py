"""`nodes`: every node there is as a class in ComfyUI's protocol, under the names by which packs call some of them."""

import asyncio
import inspect
import os
import sys
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from models.sampling.guidance import ClassifierFree, Guider
from models.sampling.named import SamplingNames, built_in
from models.sampling.noise import NoNoise, RandomNoise
from models.sampling.run import ksampler_sigmas
from models.sampling.steps import between_steps
from nodes.denoising import denoised
from nodes.image import PREVIEW_COMPRESSION, SAVED_COMPRESSION, saved_in
from nodes.inputs import Dependent, Growing
from nodes.object_info import entry
from nodes.paths import FileKind
from nodes.shims.io_nodes import NodeOutput
from nodes.spec import NodeSpec, Shown
from nodes.v1.runtime import NotOfferedError, Runtime
from nodes.v1.values import to_foreign, to_ours

MAX_RESOLUTION = 16384


class Method(NamedTuple):
    """A method as packs call it: its name, and its parameters where their order is not that of the inputs."""

    name: str
    parameters: tuple[str, ...] = ()


METHODS: Mapping[str, Method] = {
    "KSampler": Method("sample"),
    "KSamplerAdvanced": Method("sample"),
    "CheckpointLoaderSimple": Method("load_checkpoint"),
    "CLIPTextEncode": Method("encode", ("clip", "text")),
    "CLIPSetLastLayer": Method("set_last_layer"),
    "VAEDecode": Method("decode", ("vae", "samples")),
    "VAEDecodeTiled": Method("decode", ("vae", "samples", "tile_size", "overlap")),
    "VAEEncode": Method("encode", ("vae", "pixels")),
    "VAEEncodeTiled": Method("encode", ("vae", "pixels", "tile_size", "overlap")),
    "VAEEncodeForInpaint": Method("encode", ("vae", "pixels", "mask", "grow_mask_by")),
    "VAELoader": Method("load_vae"),
    "EmptyLatentImage": Method("generate"),
    "LatentUpscale": Method("upscale"),
    "LatentUpscaleBy": Method("upscale"),
    "LatentComposite": Method("composite"),
    "LatentFromBatch": Method("frombatch"),
    "RepeatLatentBatch": Method("repeat"),
    "SetLatentNoiseMask": Method("set_mask"),
    "LoraLoader": Method("load_lora"),
    "LoraLoaderModelOnly": Method("load_lora_model_only"),
    "CLIPLoader": Method("load_clip"),
    "DualCLIPLoader": Method("load_clip"),
    "UNETLoader": Method("load_unet"),
    "CLIPVisionLoader": Method("load_clip"),
    "CLIPVisionEncode": Method("encode"),
    "StyleModelLoader": Method("load_style_model"),
    "ControlNetLoader": Method("load_controlnet"),
    "ControlNetApply": Method("apply_controlnet"),
    "ControlNetApplyAdvanced": Method("apply_controlnet"),
    "ConditioningAverage": Method("addWeighted"),
    "ConditioningCombine": Method("combine"),
    "ConditioningConcat": Method("concat"),
    "ConditioningSetArea": Method("append"),
    "ConditioningSetAreaPercentage": Method("append"),
    "ConditioningSetMask": Method("append"),
    "ConditioningSetTimestepRange": Method("set_range"),
    "ConditioningZeroOut": Method("zero_out"),
    "InpaintModelConditioning": Method("encode"),
    "LoadImage": Method("load_image"),
    "LoadImageMask": Method("load_image"),
    "SaveImage": Method("save_images"),
    "PreviewImage": Method("save_images"),
    "ImageScale": Method("upscale"),
    "ImageScaleBy": Method("upscale"),
    "ImageInvert": Method("invert"),
    "ImageBatch": Method("batch"),
    "ImagePadForOutpaint": Method("expand_image"),
    "EmptyImage": Method("generate"),
}
"""The methods that packs call on classes of ComfyUI's own; of all others the method is called `execute`."""

HIDDEN = frozenset({"prompt", "extra_pnginfo", "unique_id", "dynprompt"})


class OwnNode:
    """A node of ours in foreign hands; the method named by FUNCTION runs it."""

    spec: ClassVar[NodeSpec]
    runtime: ClassVar[Runtime]
    parameters: ClassVar[tuple[str, ...]]

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        """The inputs in groups, files listed now."""
        groups = entry(cls.spec, cls.runtime.paths.choices)["input"]
        return {group: {name: tuple(one) for name, one in of.items()} for group, of in groups.items()}

    def __init__(self) -> None:
        self.type = "output"

    def call(self, *arguments: Any, **named: Any) -> Any:
        """Runs the node on foreign values; returns a tuple, or {"ui", "result"}."""
        return self.answer(arguments, named)

    @classmethod
    def answer(cls, arguments: Sequence[Any], named: Mapping[str, Any]) -> Any:
        """What the node gives for these inputs."""
        spec = cls.spec
        given = dict(zip(cls.parameters, arguments, strict=False)) | dict(named)
        unknown = set(given) - {one.name for one in spec.inputs} - HIDDEN
        if unknown:
            raise NotOfferedError(f"the input {min(unknown)!r} of the node {spec.id}")
        parts = [pair for name, value in given.items() if name not in HIDDEN for pair in cls._parts(name, value)]
        inputs = {name: to_ours(value) for name, value in parts}
        if spec.context_parameter is not None:
            inputs[spec.context_parameter] = cls.runtime.context
        assert spec.function is not None
        answer = spec.function(**inputs)
        return _foreign(spec, asyncio.run(answer) if inspect.iscoroutine(answer) else answer)

    @classmethod
    def _parts(cls, name: str, value: Any) -> Iterator[tuple[str, Any]]:
        """An input's value, or those of a group by dotted names: packs give a group as a dictionary, in which a choice
        stands under the name of the input."""
        declared = cls.spec.input(name)
        if declared is None or not isinstance(declared.widget, Growing | Dependent):
            yield name, value
        elif isinstance(value, Mapping):
            yield from ((name if part == name else f"{name}.{part}", one) for part, one in value.items())
        else:
            raise NotOfferedError(
                f"a {type(value).__name__} for {name!r} of the node {cls.spec.id}", "give a dictionary"
            )


class SchemaNode(OwnNode):
    """A node that ComfyUI declares by a schema: packs call it on the class, and ask its answer for `result`."""

    @classmethod
    def execute(cls, *arguments: Any, **named: Any) -> NodeOutput:
        """Runs the node on foreign values."""
        answer = cls.answer(arguments, named)
        return NodeOutput.from_dict(answer) if isinstance(answer, Mapping) else NodeOutput(*answer)

    EXECUTE_NORMALIZED = execute


class PictureSaver(OwnNode):
    """SaveImage and PreviewImage in foreign hands: classes derived from them say where their pictures lie."""

    def __init__(self) -> None:
        is_preview = self.spec.id == "PreviewImage"
        self.type: FileKind = "temp" if is_preview else "output"
        self.output_dir = str(self.runtime.paths.root(self.type))
        self.prefix_append = f"_temp_{os.urandom(4).hex()}" if is_preview else ""
        self.compress_level = PREVIEW_COMPRESSION if is_preview else SAVED_COMPRESSION

    def save_images(
        self,
        images: Any,
        filename_prefix: str = "ComfyUI",
        prompt: Mapping[str, Any] | None = None,
        extra_pnginfo: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Writes the pictures as PNG files with what they were made from."""
        now = self.runtime.context
        told = replace(now, graph=prompt or now.graph, extra_pnginfo=extra_pnginfo or now.extra_pnginfo)
        prefix = filename_prefix + self.prefix_append
        return _foreign(
            self.spec, saved_in(Path(self.output_dir), to_ours(images), self.type, prefix, self.compress_level, told)
        )


SAVERS = frozenset({"SaveImage", "PreviewImage"})


def _foreign(spec: NodeSpec, answer: Any) -> Any:
    shown = answer.ui if isinstance(answer, Shown) else None
    result = answer.result if isinstance(answer, Shown) else answer
    values = () if not spec.outputs else result if len(spec.outputs) > 1 else _only(result)
    outputs = tuple(to_foreign(value) for value in values)
    return outputs if shown is None else {"ui": dict(shown), "result": outputs}


def _only(result: Any) -> tuple[Any, ...]:
    return tuple(result) if hasattr(result, "_fields") and len(result) == 1 else (result,)


def own_class(spec: NodeSpec, runtime: Runtime) -> type:
    """The class of one of our nodes, or a foreign node's own."""
    if spec.id in runtime.classes:
        return runtime.classes[spec.id]
    method = METHODS.get(spec.id, Method("execute"))
    kind = PictureSaver if spec.id in SAVERS else OwnNode if spec.id in METHODS else SchemaNode
    return type(
        spec.id,
        (kind,),
        {
            "spec": spec,
            "runtime": runtime,
            "parameters": method.parameters or tuple(one.name for one in spec.inputs),
            "RETURN_TYPES": tuple(output.type for output in spec.outputs),
            "RETURN_NAMES": tuple(output.name for output in spec.outputs),
            "OUTPUT_IS_LIST": tuple(output.is_list for output in spec.outputs),
            "INPUT_IS_LIST": spec.takes_lists,
            "FUNCTION": method.name,
            "OUTPUT_NODE": spec.output_node,
            "CATEGORY": spec.category,
            "DESCRIPTION": spec.description,
            "__doc__": spec.description,
            "__module__": "nodes",
            **({method.name: OwnNode.call} if kind is OwnNode else {}),
        },
    )


class ClassMappings(MutableMapping[str, Any]):
    """NODE_CLASS_MAPPINGS: the classes of all nodes by id, each made when it is first asked for."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._made: dict[str, Any] = {}

    def __getitem__(self, id: str) -> Any:
        if id not in self._made:
            self._made[id] = own_class(self._runtime.specs[id], self._runtime)
        return self._made[id]

    def __setitem__(self, id: str, node_class: Any) -> None:
        self._made[id] = node_class
        if id not in self._runtime.specs:
            self._runtime.added[id] = node_class

    def __delitem__(self, id: str) -> None:
        self._made.pop(id, None)
        self._runtime.added.pop(id, None)

    def __iter__(self) -> Iterator[str]:
        return iter({**self._runtime.specs, **self._made})

    def __len__(self) -> int:
        return len({**self._runtime.specs, **self._made})


class DisplayNames(Mapping[str, str]):
    """NODE_DISPLAY_NAME_MAPPINGS: the names of all nodes for people, by id."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def __getitem__(self, id: str) -> str:
        return self._runtime.specs[id].display_name

    def __iter__(self) -> Iterator[str]:
        return iter(self._runtime.specs)

    def __len__(self) -> int:
        return len(self._runtime.specs)


class OwnNodes:
    """The attributes of the module: mappings, constants, and each of our nodes by its id."""

    MAX_RESOLUTION = MAX_RESOLUTION

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self.NODE_CLASS_MAPPINGS = ClassMappings(runtime)
        self.NODE_DISPLAY_NAME_MAPPINGS = DisplayNames(runtime)
        self.EXTENSION_WEB_DIRS: dict[str, str] = {}
        self.LOADED_MODULE_DIRS: dict[str, str] = {}

    def common_ksampler(
        self,
        model: Any,
        seed: int,
        steps: int,
        cfg: float,
        sampler_name: str,
        scheduler: str,
        positive: Any,
        negative: Any,
        latent: Any,
        denoise: float = 1.0,
        disable_noise: bool = False,
        start_step: int | None = None,
        last_step: int | None = None,
        force_full_denoise: bool = False,
    ) -> tuple[Any, ...]:
        """Samples as the nodes KSampler and KSamplerAdvanced do: a part of the steps that denoise leaves."""
        ours = to_ours(model)
        names = self._runtime.services.get(SamplingNames, built_in)
        whole = ksampler_sigmas(ours, scheduler, steps, denoise, sampler_name, names)
        end = len(whole) if last_step is None else last_step
        sigmas = between_steps(whole, start_step or 0, end, leave_noise=not force_full_denoise)
        guider = Guider(ours, ClassifierFree(to_ours(positive), to_ours(negative), cfg))
        noise = NoNoise(seed) if disable_noise else RandomNoise(seed)
        # Packs put other functions in the place of a sampler's for a while.
        sampler = to_ours(sys.modules["comfy.samplers"].sampler_object(sampler_name))
        return (to_foreign(denoised(self._runtime.context, guider, noise, to_ours(latent), sampler, sigmas).result),)

    def interrupt_processing(self, value: bool = True) -> None:
        """Stops the job that runs."""
        if value:
            self._runtime.interrupt()

    def before_node_execution(self) -> None:
        """Raises InterruptProcessingException once the job is to stop."""
        self._runtime.context.check()
