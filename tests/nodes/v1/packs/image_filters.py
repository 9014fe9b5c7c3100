"""A pack in the style of those with image filters: one file, tensors b h w c."""

import comfy.utils
import torch


class Blur:
    @classmethod
    def INPUT_TYPES(s):
        return {
            "required": {
                "image": ("IMAGE",),
                "radius": ("INT", {"default": 1, "min": 0, "max": 16, "step": 1, "display": "slider"}),
                "mode": (["box", "gauss"],),
            },
            "optional": {"mask": ("MASK",)},
        }

    RETURN_TYPES = ("IMAGE", "MASK")
    RETURN_NAMES = ("image", "used_mask")
    FUNCTION = "blur"
    CATEGORY = "filters/blur"
    DESCRIPTION = "Blurs a picture."

    def blur(self, image, radius, mode, mask=None):
        bar = comfy.utils.ProgressBar(2)
        size = 2 * radius + 1
        nchw = image.permute(0, 3, 1, 2)
        bar.update(1)
        out = torch.nn.functional.avg_pool2d(nchw, size, stride=1, padding=radius, count_include_pad=False)
        bar.update(1)
        if mask is None:
            mask = torch.ones(image.shape[:3])
        return (out.permute(0, 2, 3, 1), mask)


class SaveText:
    @classmethod
    def INPUT_TYPES(s):
        return {
            "required": {"text": ("STRING", {"multiline": True, "forceInput": True})},
            "hidden": {"unique_id": "UNIQUE_ID", "prompt": "PROMPT", "extra_pnginfo": "EXTRA_PNGINFO"},
        }

    RETURN_TYPES = ()
    OUTPUT_NODE = True
    FUNCTION = "save"
    CATEGORY = "utils"

    def save(self, text, unique_id=None, prompt=None, extra_pnginfo=None):
        return {"ui": {"text": [text, unique_id, prompt[unique_id]["class_type"]]}}


class SolidImage:
    @classmethod
    def INPUT_TYPES(s):
        return {
            "required": {
                "side": ("INT", {"default": 8, "min": 1, "max": 64}),
                "value": ("FLOAT", {"default": 0.5, "min": 0.0, "max": 1.0, "step": 0.01}),
            }
        }

    RETURN_TYPES = ("IMAGE",)
    FUNCTION = "make"
    CATEGORY = "filters"

    def make(self, side, value):
        return (torch.full((1, side, side, 3), value),)


NODE_CLASS_MAPPINGS = {"Test Blur": Blur, "Test SaveText": SaveText, "Test SolidImage": SolidImage}
NODE_DISPLAY_NAME_MAPPINGS = {"Test Blur": "Blur (test)"}
