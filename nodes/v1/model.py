"""A diffusion model in foreign hands."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import reduce
from math import prod
from typing import Any

import torch

from models.memory import WeightPatch
from models.types import Model
from nodes.v1.facade import Facade
from nodes.v1.model_options import (
    ForeignPatches,
    Options,
    copied,
    options_of,
    own_patches,
    set_model_options_patch_replace,
    set_model_options_post_cfg_function,
    set_model_options_pre_cfg_function,
)
from nodes.v1.model_parts import BaseModel
from nodes.v1.model_sampling import sampling_to_ours
from nodes.v1.runtime import NotOfferedError
from nodes.v1.unet_options import listed
from nodes.v1.weights import PREFIX, weight_patches
from nodes.v1.wrapper_options import (
    add_wrapper_with_key,
    get_all_wrappers,
    get_wrappers_with_key,
    remove_wrappers_with_key,
)

Function = Callable[..., Any]


class ForeignModel(Facade):
    """A MODEL with the methods that packs call. What is set on a clone leaves the original as it is.

    `model_options` says what packs have changed, of which patches of ours are made when the model goes back to us.
    """

    what = "MODEL"
    ours: Model

    def __init__(self, ours: Model, model_options: Options | None = None) -> None:
        super().__init__(replace(ours, patches=own_patches(ours.patches)))
        self.model_options = options_of(ours.patches) if model_options is None else model_options
        self.load_device = ours.unet.device
        self.offload_device = torch.device("cpu")
        self.parent = None

    def clone(self) -> "ForeignModel":
        """Another handle on the same network."""
        return ForeignModel(self.ours, copied(self.model_options))

    def is_clone(self, other: Any) -> bool:
        """Whether another handle is on the same network."""
        return isinstance(other, ForeignModel) and other.ours.unet is self.ours.unet

    def unwrapped(self) -> Model:
        """The model, with all that packs have written into `model_options`."""
        options = copied(self.model_options)
        if options == {"transformer_options": {}}:
            return self.ours
        return replace(self.ours, patches=ForeignPatches.of(self.ours.patches, self.ours, options))

    @property
    def model(self) -> BaseModel:
        """What packs read of the network itself."""
        return BaseModel(self.ours)

    def model_dtype(self) -> torch.dtype:
        """The precision the network computes in."""
        return self.ours.unet.dtype

    def model_size(self) -> int:
        """Bytes of the network's weights."""
        return sum(map(prod, self.ours.unet.shapes.values())) * self.ours.unet.dtype.itemsize

    @property
    def attachments(self) -> dict[str, Any]:
        """What packs keep with the model, for nodes of theirs that get it later."""
        return self.model_options.setdefault("attachments", {})

    def set_attachments(self, key: str, attachment: Any) -> None:
        """Keeps something with the model."""
        self.attachments[key] = attachment

    def get_attachment(self, key: str) -> Any:
        """What is kept with the model under a name, None if there is nothing."""
        return self.attachments.get(key)

    def remove_attachments(self, key: str) -> None:
        """Keeps it no longer."""
        self.attachments.pop(key, None)

    def memory_required(self, input_shape: Any) -> int:
        """No bytes that a pack would have to make free: networks make room for each other by themselves."""
        return 0

    def get_model_object(self, name: str) -> Any:
        """A part of the model by its name: `model_sampling`, `diffusion_model.input_blocks.0.0.weight`."""
        return reduce(getattr, name.split("."), self.model)

    def add_object_patch(self, name: str, obj: Any) -> None:
        """Puts another object in the place of a part of the model; Weft's models let `model_sampling` be replaced."""
        if name != "model_sampling":
            raise NotOfferedError(f"add_object_patch of {name!r} in a MODEL")
        self.ours = replace(self.ours, sampling=sampling_to_ours(obj))

    def add_patches(
        self, patches: Mapping[str, Any], strength_patch: float = 1.0, strength_model: float = 1.0
    ) -> list[str]:
        """Changes weights, by their names; returns the names that there are in this model."""
        found = weight_patches(patches, self.ours.unet.shapes, PREFIX, strength_patch, strength_model)
        if found.patch is not None:
            self._change_weights(found.patch)
        return found.names

    def _change_weights(self, patch: WeightPatch) -> None:
        self.ours = replace(self.ours, weights=(*self.ours.weights, patch))

    def set_model_sampler_cfg_function(
        self, sampler_cfg_function: Function, disable_cfg1_optimization: bool = False
    ) -> None:
        """Puts a formula in place of classifier-free guidance's."""
        self.model_options["sampler_cfg_function"] = sampler_cfg_function
        if disable_cfg1_optimization:
            self.model_options["disable_cfg1_optimization"] = True

    def set_model_sampler_pre_cfg_function(
        self, pre_cfg_function: Function, disable_cfg1_optimization: bool = False
    ) -> None:
        """Changes the estimates before guidance combines them."""
        self.model_options = set_model_options_pre_cfg_function(
            self.model_options, pre_cfg_function, disable_cfg1_optimization
        )

    def set_model_sampler_post_cfg_function(
        self, post_cfg_function: Function, disable_cfg1_optimization: bool = False
    ) -> None:
        """Changes what guidance has made."""
        self.model_options = set_model_options_post_cfg_function(
            self.model_options, post_cfg_function, disable_cfg1_optimization
        )

    def set_model_unet_function_wrapper(self, unet_wrapper_function: Function) -> None:
        """Puts a function in the place of the network's evaluations, which it may call."""
        self.model_options["model_function_wrapper"] = unet_wrapper_function

    def add_wrapper(self, wrapper_type: str, wrapper: Function) -> None:
        """Puts a function around one of the places that `comfy.patcher_extension` names."""
        self.add_wrapper_with_key(wrapper_type, None, wrapper)

    def add_wrapper_with_key(self, wrapper_type: str, key: str | None, wrapper: Function) -> None:
        """Does so under a key, by which it can be found and taken away."""
        add_wrapper_with_key(wrapper_type, key, wrapper, self.model_options, is_model_options=True)

    def remove_wrappers_with_key(self, wrapper_type: str, key: str | None) -> None:
        """Takes away the functions under a key."""
        remove_wrappers_with_key(wrapper_type, key, self.model_options, is_model_options=True)

    def get_wrappers(self, wrapper_type: str, key: str | None) -> list[Function]:
        """The functions around one of these places that are under a key."""
        return get_wrappers_with_key(wrapper_type, key, self.model_options, is_model_options=True)

    def get_all_wrappers(self, wrapper_type: str) -> list[Function]:
        """The functions around one of these places, the outermost first."""
        return get_all_wrappers(wrapper_type, self.model_options, is_model_options=True)

    def set_model_denoise_mask_function(self, denoise_mask_function: Function) -> None:
        """Changes the noise mask at each sigma."""
        self.model_options["denoise_mask_function"] = denoise_mask_function

    def set_model_attn1_patch(self, patch: Function) -> None:
        """Changes what goes into self-attention."""
        self.set_model_patch(patch, "attn1_patch")

    def set_model_attn2_patch(self, patch: Function) -> None:
        """Changes what goes into the attention to the prompt."""
        self.set_model_patch(patch, "attn2_patch")

    def set_model_attn1_output_patch(self, patch: Function) -> None:
        """Changes what self-attention puts out."""
        self.set_model_patch(patch, "attn1_output_patch")

    def set_model_attn2_output_patch(self, patch: Function) -> None:
        """Changes what attention to the prompt puts out."""
        self.set_model_patch(patch, "attn2_output_patch")

    def set_model_attn1_replace(
        self, patch: Function, block_name: Any, number: int, transformer_index: int | None = None
    ) -> None:
        """Puts a function in place of self-attention in one block, or in one of its transformers."""
        self.set_model_patch_replace(patch, "attn1", block_name, number, transformer_index)

    def set_model_attn2_replace(
        self, patch: Function, block_name: Any, number: int, transformer_index: int | None = None
    ) -> None:
        """Puts a function in place of attention to the prompt in one block, or in one of its transformers."""
        self.set_model_patch_replace(patch, "attn2", block_name, number, transformer_index)

    def set_model_patch_replace(
        self, patch: Function, name: str, block_name: Any, number: int, transformer_index: int | None = None
    ) -> None:
        """Puts a function in place of the attention in one block, or in one of its transformers."""
        self.model_options = set_model_options_patch_replace(
            self.model_options, patch, name, block_name, number, transformer_index
        )

    def set_model_patch(self, patch: Function, name: str) -> None:
        """Adds a function to a list of those that change what is computed inside the network."""
        listed(name)
        transformer = self.model_options.setdefault("transformer_options", {})
        transformer.setdefault("patches", {}).setdefault(name, []).append(patch)

    def set_model_input_block_patch(self, patch: Function) -> None:
        """Changes what an input block puts out, skip connection included."""
        self.set_model_patch(patch, "input_block_patch")

    def set_model_input_block_patch_after_skip(self, patch: Function) -> None:
        """Changes what an input block hands to the next."""
        self.set_model_patch(patch, "input_block_patch_after_skip")

    def set_model_output_block_patch(self, patch: Function) -> None:
        """Changes what an output block joins."""
        self.set_model_patch(patch, "output_block_patch")
