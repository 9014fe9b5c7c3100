"""A diffusion model in foreign hands."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from models.sampling.patches import GuidancePatches, ModelPatches
from models.types import LatentFormat, Model
from models.unet_patches import AttentionPatches, Place, UNetPatches
from nodes.v1 import model_patches
from nodes.v1.facade import Facade
from nodes.v1.runtime import NotOfferedError

ATTENTIONS = {"attn1": "self_attention", "attn2": "cross_attention"}


class ForeignModelSampling(Facade):
    """The noise levels of a model, by the names that packs ask for."""

    what = "model_sampling"
    ours: Model

    @property
    def sigmas(self) -> Tensor:
        """The sigmas of training, ascending (n,)."""
        return self.ours.sampling.levels.sigmas

    @property
    def sigma_min(self) -> Tensor:
        """The smallest sigma, a scalar."""
        return torch.tensor(self.ours.sampling.levels.sigma_min)

    @property
    def sigma_max(self) -> Tensor:
        """The largest sigma, a scalar."""
        return torch.tensor(self.ours.sampling.levels.sigma_max)

    def sigma(self, timestep: Tensor) -> Tensor:
        """The sigma of a timestep."""
        return self.ours.sampling.levels.sigma(timestep)

    def timestep(self, sigma: Tensor) -> Tensor:
        """The timestep of a sigma."""
        return self.ours.sampling.levels.timestep(sigma)

    def percent_to_sigma(self, percent: float) -> float:
        """The sigma at a share 0..1 of the way from noise to picture."""
        return self.ours.sampling.levels.sigma_at_percent(percent)

    def calculate_input(self, sigma: Tensor, noise: Tensor) -> Tensor:
        """A noisy latent as the network is given it."""
        return self.ours.sampling.prediction.network_input(noise, sigma)

    def calculate_denoised(self, sigma: Tensor, model_output: Tensor, model_input: Tensor) -> Tensor:
        """The clean latent that the network's output means."""
        return self.ours.sampling.prediction.denoised(model_output, model_input, sigma)


class ForeignLatentFormat(Facade):
    """How latents are scaled for the network."""

    what = "latent_format"
    ours: LatentFormat

    @property
    def scale_factor(self) -> float:
        """By what raw latents are multiplied."""
        return self.ours.scale

    @property
    def latent_channels(self) -> int:
        """Channels of a latent."""
        return self.ours.channels

    def process_in(self, latent: Tensor) -> Tensor:
        """A raw latent in the network's scale."""
        return self.ours.scaled(latent)

    def process_out(self, latent: Tensor) -> Tensor:
        """The raw latent of one in the network's scale."""
        return self.ours.raw(latent)


class ForeignInnerModel(Facade):
    """What packs reach as `model.model`."""

    what = "model.model"
    ours: Model

    @property
    def model_sampling(self) -> ForeignModelSampling:
        """The noise levels."""
        return ForeignModelSampling(self.ours)

    @property
    def latent_format(self) -> ForeignLatentFormat:
        """How latents are scaled."""
        return ForeignLatentFormat(self.ours.latent_format)

    def process_latent_in(self, latent: Tensor) -> Tensor:
        """A raw latent in the network's scale."""
        return self.latent_format.process_in(latent)

    def process_latent_out(self, latent: Tensor) -> Tensor:
        """The raw latent of one in the network's scale."""
        return self.latent_format.process_out(latent)


class ForeignModel(Facade):
    """A MODEL with the methods that packs call. What is set on a clone leaves the original as it is."""

    what = "MODEL"
    ours: Model

    def __init__(self, ours: Model, model_options: dict[str, Any] | None = None) -> None:
        super().__init__(ours)
        self.model_options = model_options if model_options is not None else {"transformer_options": {}}
        self.load_device = ours.unet.device
        self.offload_device = torch.device("cpu")

    def clone(self) -> "ForeignModel":
        """Another handle on the same network."""
        return ForeignModel(self.ours, _copied(self.model_options))

    def unwrapped(self) -> Model:
        """The model, with the patches that packs have written into `model_options` themselves."""
        handle = ForeignModel(self.ours, self.model_options)
        set_from_options(handle, handle.model_options)
        return handle.ours

    @property
    def model(self) -> ForeignInnerModel:
        """What packs read of the network itself."""
        return ForeignInnerModel(self.ours)

    def model_dtype(self) -> torch.dtype:
        """The precision the network computes in."""
        return self.ours.unet.dtype

    def get_model_object(self, name: str) -> Any:
        """A part of the model by its name: `model_sampling`, `latent_format`."""
        return getattr(self.model, name)

    def set_model_sampler_cfg_function(
        self, sampler_cfg_function: Callable[..., Any], disable_cfg1_optimization: bool = False
    ) -> None:
        """Puts a formula in place of classifier-free guidance's."""
        change = model_patches.formula(sampler_cfg_function, self)
        self._guide(GuidancePatches(formula=change, need_negative=disable_cfg1_optimization))

    def set_model_sampler_pre_cfg_function(
        self, pre_cfg_function: Callable[..., Any], disable_cfg1_optimization: bool = False
    ) -> None:
        """Changes the estimates before guidance combines them."""
        change = model_patches.before(pre_cfg_function, self)
        self._guide(GuidancePatches(before=(change,), need_negative=disable_cfg1_optimization))

    def set_model_sampler_post_cfg_function(
        self, post_cfg_function: Callable[..., Any], disable_cfg1_optimization: bool = False
    ) -> None:
        """Changes what guidance has made."""
        change = model_patches.after(post_cfg_function, self)
        self._guide(GuidancePatches(after=(change,), need_negative=disable_cfg1_optimization))

    def set_model_attn1_patch(self, patch: Callable[..., Any]) -> None:
        """Changes what goes into self-attention."""
        self._attend("attn1", AttentionPatches(inputs=(model_patches.attention_inputs(patch, self),)))

    def set_model_attn2_patch(self, patch: Callable[..., Any]) -> None:
        """Changes what goes into the attention to the prompt."""
        self._attend("attn2", AttentionPatches(inputs=(model_patches.attention_inputs(patch, self),)))

    def set_model_attn1_output_patch(self, patch: Callable[..., Any]) -> None:
        """Changes what self-attention puts out."""
        self._attend("attn1", AttentionPatches(outputs=(model_patches.features(patch, self),)))

    def set_model_attn2_output_patch(self, patch: Callable[..., Any]) -> None:
        """Changes what attention to the prompt puts out."""
        self._attend("attn2", AttentionPatches(outputs=(model_patches.features(patch, self),)))

    def set_model_attn1_replace(
        self, patch: Callable[..., Any], block_name: Any, number: int, transformer_index: int = 0
    ) -> None:
        """Puts a function in place of one layer of self-attention."""
        self.set_model_patch_replace(patch, "attn1", block_name, number, transformer_index)

    def set_model_attn2_replace(
        self, patch: Callable[..., Any], block_name: Any, number: int, transformer_index: int = 0
    ) -> None:
        """Puts a function in place of one layer of attention to the prompt."""
        self.set_model_patch_replace(patch, "attn2", block_name, number, transformer_index)

    def set_model_patch_replace(
        self, patch: Callable[..., Any], name: str, block_name: Any, number: int, transformer_index: int | None = None
    ) -> None:
        """Puts a function in place of one attention layer."""
        place = Place(block_name, number, transformer_index or 0)
        self._attend(name, AttentionPatches(instead={place: model_patches.attention(patch, self)}))

    def set_model_patch(self, patch: Callable[..., Any], name: str) -> None:
        """Changes the features between the two attentions of transformer blocks (`middle_patch`)."""
        if name != "middle_patch":
            raise NotOfferedError(f"the patch {name!r} of a MODEL")
        self._change(UNetPatches(between_attentions=(model_patches.features(patch, self),)))

    def set_model_input_block_patch(self, patch: Callable[..., Any]) -> None:
        """Changes what an input block puts out, skip connection included."""
        self._change(UNetPatches(after_input=(model_patches.features(patch, self),)))

    def set_model_input_block_patch_after_skip(self, patch: Callable[..., Any]) -> None:
        """Changes what an input block hands to the next."""
        self._change(UNetPatches(after_skip=(model_patches.features(patch, self),)))

    def set_model_output_block_patch(self, patch: Callable[..., Any]) -> None:
        """Changes what an output block joins."""
        self._change(UNetPatches(before_output=(model_patches.joined(patch, self),)))

    def _guide(self, patches: GuidancePatches) -> None:
        self._patch(ModelPatches(guidance=patches))

    def _attend(self, name: str, patches: AttentionPatches) -> None:
        if name not in ATTENTIONS:
            raise NotOfferedError(f"a patch of {name!r} in a MODEL")
        self._change(replace(UNetPatches(), **{ATTENTIONS[name]: patches}))

    def _change(self, patches: UNetPatches) -> None:
        self._patch(ModelPatches(unet=patches))

    def _patch(self, patches: ModelPatches) -> None:
        self.ours = replace(self.ours, patches=self.ours.patches.plus(patches))


def _copied(options: Any) -> Any:
    """Dictionaries and lists copied all the way down; what they hold stays itself."""
    if isinstance(options, dict):
        return {key: _copied(value) for key, value in options.items()}
    return [_copied(value) for value in options] if isinstance(options, list) else options


LISTS: Mapping[str, str] = {
    "attn1_patch": "set_model_attn1_patch",
    "attn2_patch": "set_model_attn2_patch",
    "attn1_output_patch": "set_model_attn1_output_patch",
    "attn2_output_patch": "set_model_attn2_output_patch",
    "input_block_patch": "set_model_input_block_patch",
    "input_block_patch_after_skip": "set_model_input_block_patch_after_skip",
    "output_block_patch": "set_model_output_block_patch",
}
"""Lists of patches in `transformer_options`, and the methods that set one of them."""


def set_from_options(handle: ForeignModel, options: Mapping[str, Any]) -> None:
    """Sets on a handle what is written in `model_options`. Raises NotOfferedError for what cannot be set."""
    if options.get("model_function_wrapper") is not None:
        raise NotOfferedError("'model_function_wrapper' of a MODEL")
    if options.get("sampler_cfg_function") is not None:
        handle.set_model_sampler_cfg_function(options["sampler_cfg_function"])
    for function in options.get("sampler_pre_cfg_function", ()):
        handle.set_model_sampler_pre_cfg_function(function)
    for function in options.get("sampler_post_cfg_function", ()):
        handle.set_model_sampler_post_cfg_function(function)
    transformer = options.get("transformer_options", {})
    for name, patches in transformer.get("patches", {}).items():
        for patch in patches:
            getattr(handle, LISTS[name])(patch) if name in LISTS else handle.set_model_patch(patch, name)
    for name, by_place in transformer.get("patches_replace", {}).items():
        for place, patch in by_place.items():
            handle.set_model_patch_replace(patch, name, *place)
