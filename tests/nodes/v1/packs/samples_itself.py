"""A pack in the style of those that load, encode, patch and sample with their own code."""

import comfy.sample
import comfy.samplers
import comfy.sd
import comfy.utils
import folder_paths
import latent_preview
import torch
from comfy import model_management
from comfy.comfy_types import IO, ComfyNodeABC, InputTypeDict
from comfy.ldm.modules.attention import optimized_attention

from nodes import CLIPTextEncode, common_ksampler


class LoadAndEncode(ComfyNodeABC):
    @classmethod
    def INPUT_TYPES(cls) -> InputTypeDict:
        return {
            "required": {
                "ckpt_name": (folder_paths.get_filename_list("checkpoints"),),
                "text": (IO.STRING, {"default": "", "multiline": True}),
            }
        }

    RETURN_TYPES = (IO.MODEL, IO.CONDITIONING, IO.CONDITIONING, IO.VAE)
    FUNCTION = "load"
    CATEGORY = "own"

    def load(self, ckpt_name, text):
        path = folder_paths.get_full_path_or_raise("checkpoints", ckpt_name)
        model, clip, vae, _ = comfy.sd.load_checkpoint_guess_config(path, output_vae=True, output_clip=True)
        by_tokens = clip.encode_from_tokens_scheduled(clip.tokenize(text), add_dict={"mine": 1})
        features, pooled = clip.encode_from_tokens(clip.tokenize(text), return_pooled=True)
        (by_node,) = CLIPTextEncode().encode(clip, text)
        assert torch.equal(features, by_tokens[0][0])
        assert torch.equal(features, by_node[0][0])
        assert torch.equal(pooled, by_node[0][1]["pooled_output"])
        return (model, by_tokens, by_node, vae)


class SampleItself:
    @classmethod
    def INPUT_TYPES(cls):
        return {
            "required": {
                "model": ("MODEL",),
                "positive": ("CONDITIONING",),
                "negative": ("CONDITIONING",),
                "vae": ("VAE",),
                "how": (["node", "library", "patched"],),
            }
        }

    RETURN_TYPES = ("LATENT", "IMAGE")
    FUNCTION = "sample"
    CATEGORY = "own"

    def attend(self, q, k, v, extra_options):
        self.attended += 1
        return optimized_attention(q, k, v, extra_options["n_heads"])

    def sample(self, model, positive, negative, vae, how):
        assert model_management.get_torch_device() == model.load_device
        latent = {"samples": torch.zeros(1, 4, 8, 8, device=model_management.intermediate_device())}
        if how == "node":
            (out,) = common_ksampler(model, 5, 3, 4.0, "euler", "normal", positive, negative, latent)
            return (out, vae.decode(out["samples"]))
        if how == "patched":
            model = model.clone()
            model.set_model_sampler_cfg_function(
                lambda args: args["uncond"] + args["cond_scale"] * (args["cond"] - args["uncond"])
            )
            model.set_model_sampler_post_cfg_function(lambda args: args["denoised"])
            model.set_model_attn1_patch(lambda q, k, v, options: (q, k, v))
            model.set_model_attn2_output_patch(lambda out, options: out)
            model.set_model_output_block_patch(lambda h, hsp, options: (h, hsp))
            options = model.model_options["transformer_options"]
            options["patches"] = {"attn1_output_patch": [lambda out, options: out]}
            options["patches_replace"] = {"attn2": {("middle", 0, 0): self.attend}}
            self.attended = 0
        samples = comfy.sample.fix_empty_latent_channels(model, latent["samples"])
        noise = comfy.sample.prepare_noise(samples, 5)
        callback = latent_preview.prepare_callback(model, 3)
        out = comfy.sample.sample(
            model, noise, 3, 4.0, "euler", "normal", positive, negative, samples, callback=callback, seed=5
        )
        assert how != "patched" or self.attended
        return ({"samples": out}, vae.decode(out))


class Unsupported:
    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"model": ("MODEL",)}}

    RETURN_TYPES = ("MODEL",)
    FUNCTION = "run"
    CATEGORY = "own"

    def run(self, model):
        assert not hasattr(model, "no_such_thing")
        model.model.diffusion_model.double_blocks.append(1)
        return (model,)


class DoubledNoise:
    def __init__(self, noise):
        self.noise = noise
        self.seed = noise.seed

    def generate_noise(self, input_latent):
        return self.noise.generate_noise(input_latent) * 2


class DoubleNoise:
    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"noise": ("NOISE",), "guider": ("GUIDER",)}}

    RETURN_TYPES = ("NOISE", "MODEL")
    FUNCTION = "double"
    CATEGORY = "own"

    def double(self, noise, guider):
        return (DoubledNoise(noise), guider.model_patcher)


NODE_CLASS_MAPPINGS = {
    "Test DoubleNoise": DoubleNoise,
    "Test LoadAndEncode": LoadAndEncode,
    "Test SampleItself": SampleItself,
    "Test Unsupported": Unsupported,
}
