"""A pack in the style of those that work on models, conditionings and latents; a package with relative imports."""

import comfy.model_management as mm
import comfy.samplers
import folder_paths
import torch
from server import PromptServer

import nodes
from nodes import MAX_RESOLUTION

from .helpers import describe

folder_paths.add_model_folder_path("test_models", folder_paths.models_dir + "/test_models")


class PickModel:
    @classmethod
    def INPUT_TYPES(s):
        return {
            "required": {
                "name": (folder_paths.get_filename_list("test_models"),),
                "sampler": (comfy.samplers.KSampler.SAMPLERS, {"default": "euler"}),
                "width": ("INT", {"default": 512, "min": 16, "max": MAX_RESOLUTION, "step": 8}),
            }
        }

    RETURN_TYPES = ("STRING",)
    FUNCTION = "pick"
    CATEGORY = "models"

    def pick(self, name, sampler, width):
        path = folder_paths.get_full_path_or_raise("test_models", name)
        PromptServer.instance.send_sync("test.picked", {"name": name})
        return (describe(path),)


class NoisyLatent:
    @classmethod
    def INPUT_TYPES(s):
        return {"required": {"latent": ("LATENT",), "conditioning": ("CONDITIONING",)}}

    RETURN_TYPES = ("LATENT", "CONDITIONING")
    FUNCTION = "run"
    CATEGORY = "models"

    def run(self, latent, conditioning):
        out = latent.copy()
        out["samples"] = latent["samples"] + torch.ones(1, device=mm.intermediate_device())
        out["note"] = "kept"
        changed = [[features, {**noted, "strength": 0.5, "my_key": 1}] for features, noted in conditioning]
        return (out, changed)


class DecodeTwice(nodes.VAEDecode):
    RETURN_TYPES = ("IMAGE", "LATENT")
    FUNCTION = "both"

    def both(self, vae, samples):
        (image,) = self.decode(vae, samples)
        return (image, {"samples": vae.encode(image[:, :, :, :3])})


NODE_CLASS_MAPPINGS = {"Test PickModel": PickModel, "Test NoisyLatent": NoisyLatent, "Test DecodeTwice": DecodeTwice}
NODE_DISPLAY_NAME_MAPPINGS = {"Test PickModel": "Pick a model"}
