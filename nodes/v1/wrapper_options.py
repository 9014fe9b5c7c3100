"""The wrappers that packs write into the options of a model, by type and key."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from nodes.v1.runtime import NotOfferedError

Function = Callable[..., Any]


class WrappersMP:
    """The places that wrappers are for."""

    OUTER_SAMPLE = "outer_sample"
    PREPARE_SAMPLING = "prepare_sampling"
    SAMPLER_SAMPLE = "sampler_sample"
    PREDICT_NOISE = "predict_noise"
    CALC_COND_BATCH = "calc_cond_batch"
    APPLY_MODEL = "apply_model"
    DIFFUSION_MODEL = "diffusion_model"


OFFERED = frozenset({WrappersMP.OUTER_SAMPLE, WrappersMP.APPLY_MODEL, WrappersMP.DIFFUSION_MODEL})
"""Those that there are here."""


@dataclass(frozen=True)
class WrapperExecutor:
    """What a wrapper is called with first: called itself, it goes on to the next wrapper, and at last to `original`.

    `class_obj` is the object whose method `original` is.
    """

    original: Function
    class_obj: Any
    wrappers: Sequence[Function]

    @classmethod
    def new_executor(cls, original: Function, wrappers: Sequence[Function]) -> "WrapperExecutor":
        """Of a function."""
        return cls(original, None, wrappers)

    @classmethod
    def new_class_executor(cls, original: Function, class_obj: Any, wrappers: Sequence[Function]) -> "WrapperExecutor":
        """Of an object's method."""
        return cls(original, class_obj, wrappers)

    def execute(self, *arguments: Any, **named: Any) -> Any:
        """What the first wrapper makes of this, or the function itself where there is none."""
        if not self.wrappers:
            return self.original(*arguments, **named)
        first, *rest = self.wrappers
        return first(replace(self, wrappers=rest), *arguments, **named)

    __call__ = execute


def offered(wrapper_type: str) -> str:
    """The type of a wrapper, if there is such a place here. Raises NotOfferedError."""
    if wrapper_type not in OFFERED:
        raise NotOfferedError(f"a wrapper of the type {wrapper_type!r}")
    return wrapper_type


def add_wrapper(wrapper_type: str, wrapper: Function, options: dict[str, Any], is_model_options: bool = False) -> None:
    """Writes a wrapper without a key into transformer options, or into those of model options."""
    add_wrapper_with_key(wrapper_type, None, wrapper, options, is_model_options)


def add_wrapper_with_key(
    wrapper_type: str,
    key: str | None,
    wrapper: Function,
    options: dict[str, Any],
    is_model_options: bool = False,
) -> None:
    """Writes a wrapper into transformer options, or into those of model options. Raises NotOfferedError for a type
    that would go unheard."""
    transformer = options.setdefault("transformer_options", {}) if is_model_options else options
    by_key = transformer.setdefault("wrappers", {}).setdefault(offered(wrapper_type), {})
    by_key.setdefault(key, []).append(wrapper)


def get_all_wrappers(wrapper_type: str, options: Mapping[str, Any], is_model_options: bool = False) -> list[Function]:
    """The wrappers of a type, the outermost first."""
    by_key = _wrappers(options, is_model_options).get(wrapper_type, {})
    return [wrapper for wrappers in by_key.values() for wrapper in wrappers]


def get_wrappers_with_key(
    wrapper_type: str, key: str | None, options: Mapping[str, Any], is_model_options: bool = False
) -> list[Function]:
    """The wrappers of a type that have this key."""
    return list(_wrappers(options, is_model_options).get(wrapper_type, {}).get(key, ()))


def remove_wrappers_with_key(
    wrapper_type: str, key: str | None, options: Mapping[str, Any], is_model_options: bool = False
) -> None:
    """Takes the wrappers of a type that have this key away."""
    _wrappers(options, is_model_options).get(wrapper_type, {}).pop(key, None)


def _wrappers(options: Mapping[str, Any], is_model_options: bool) -> Mapping[str, Any]:
    return (options.get("transformer_options", {}) if is_model_options else options).get("wrappers", {})
