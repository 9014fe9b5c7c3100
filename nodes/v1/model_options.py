"""The dictionary in which packs keep what they have changed about a model, `model_options`, and our patches of it.

The dictionary is what counts: packs write into it by methods of the model or by hand, read what other packs have
written, and hand changed copies to single evaluations. Patches are made of it where a model of ours is wanted.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from models.sampling.patches import GuidancePatches, ModelPatches
from models.types import Model
from nodes.v1 import model_patches
from nodes.v1.apply_model import wrapped
from nodes.v1.model_patches import Owner
from nodes.v1.runtime import NotOfferedError
from nodes.v1.unet_options import attention_of, unet_patches_of
from nodes.v1.wrappers import as_one, wrapped_by_type

Options = dict[str, Any]

SINGLE = {"sampler_cfg_function": "formula", "denoise_mask_function": "mask", "model_function_wrapper": "evaluation"}
"""Options of which there is one, and the parts of ModelPatches that stand for them."""

REFUSED = ("sampler_calc_cond_batch_function",)
"""Options that would go unheard."""


@dataclass(frozen=True)
class ForeignPatches(ModelPatches):
    """All changes to a model, some of which a pack has written into `options`; `own` are the others."""

    own: ModelPatches = field(default_factory=ModelPatches)
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @classmethod
    def of(cls, own: ModelPatches, model: Model, options: Options) -> "ForeignPatches":
        """Our changes with those of a pack after them. Raises NotOfferedError for what cannot be done."""
        total = own.plus(patches_of(options, Owner(model, options)))
        return cls(**{one.name: getattr(total, one.name) for one in fields(ModelPatches)}, own=own, options=options)

    def plus(self, other: ModelPatches) -> "ForeignPatches":
        """These and then the others, which come to ours; where only one can be, theirs gives way."""
        total = super().plus(other)
        taken = {
            name for name, part in SINGLE.items() if getattr(other, part, None) or getattr(other.guidance, part, 0)
        }
        return ForeignPatches(
            **{one.name: getattr(total, one.name) for one in fields(ModelPatches)},
            own=self.own.plus(other),
            options={name: value for name, value in self.options.items() if name not in taken},
        )


def own_patches(patches: ModelPatches) -> ModelPatches:
    """The changes that no pack has written."""
    return patches.own if isinstance(patches, ForeignPatches) else patches


def options_of(patches: ModelPatches) -> Options:
    """What packs have written, in new containers."""
    found = copied(patches.options) if isinstance(patches, ForeignPatches) else {}
    found.setdefault("transformer_options", {})
    return found


def copied(options: Any) -> Any:
    """Dictionaries and lists copied all the way down; what they hold stays itself."""
    if isinstance(options, Mapping):
        return {key: copied(value) for key, value in options.items()}
    return [copied(value) for value in options] if isinstance(options, list) else options


def patches_of(options: Mapping[str, Any], owner: Owner) -> ModelPatches:
    """Our patches of what is written in options. Raises NotOfferedError for what cannot be done."""
    for name in REFUSED:
        if options.get(name) is not None:
            raise NotOfferedError(f"{name!r} of a MODEL")
    formula, mask = options.get("sampler_cfg_function"), options.get("denoise_mask_function")
    wrapper = options.get("model_function_wrapper")
    guidance = GuidancePatches(
        tuple(model_patches.before(function, owner) for function in options.get("sampler_pre_cfg_function", ())),
        None if formula is None else model_patches.formula(formula, owner),
        tuple(model_patches.after(function, owner) for function in options.get("sampler_post_cfg_function", ())),
        bool(options.get("disable_cfg1_optimization", False)),
    )
    return ModelPatches(
        guidance,
        unet_patches_of(options.get("transformer_options", {}), owner),
        None if mask is None else model_patches.mask(mask, owner),
        as_one([*([] if wrapper is None else [wrapped(wrapper, owner)]), *wrapped_by_type(options, owner)]),
    )


def create_model_options_clone(orig_model_options: Options) -> Options:
    """The options in new containers."""
    return copied(orig_model_options)


def set_model_options_patch_replace(
    model_options: Options,
    patch: Callable[..., Any],
    name: str,
    block_name: Any,
    number: int,
    transformer_index: int | None = None,
) -> Options:
    """New options with a function in place of one attention layer, or of all of one block."""
    attention_of(name)
    place = (block_name, number) if transformer_index is None else (block_name, number, transformer_index)
    options = copied(model_options)
    transformer = options.setdefault("transformer_options", {})
    transformer.setdefault("patches_replace", {}).setdefault(name, {})[place] = patch
    return options


def set_model_options_post_cfg_function(
    model_options: Options, post_cfg_function: Callable[..., Any], disable_cfg1_optimization: bool = False
) -> Options:
    """New options with one more change to what guidance has made."""
    return _with_function(model_options, "sampler_post_cfg_function", post_cfg_function, disable_cfg1_optimization)


def set_model_options_pre_cfg_function(
    model_options: Options, pre_cfg_function: Callable[..., Any], disable_cfg1_optimization: bool = False
) -> Options:
    """New options with one more change to the estimates before guidance combines them."""
    return _with_function(model_options, "sampler_pre_cfg_function", pre_cfg_function, disable_cfg1_optimization)


def _with_function(options: Options, name: str, function: Callable[..., Any], need_negative: bool) -> Options:
    options = copied(options)
    options[name] = [*options.get(name, ()), function]
    if need_negative:
        options["disable_cfg1_optimization"] = True
    return options
