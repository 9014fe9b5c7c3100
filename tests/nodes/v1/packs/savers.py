"""A pack in the style of those that save pictures their own way: classes derived from ComfyUI's own."""

import logging

import folder_paths

import nodes

logging.info("savers: loaded")


class QuickLook(nodes.SaveImage):
    def __init__(self):
        self.output_dir = folder_paths.get_temp_directory()
        self.type = "temp"
        self.prefix_append = "_look"
        self.compress_level = 1

    @classmethod
    def INPUT_TYPES(s):
        return {
            "required": {"images": ("IMAGE",)},
            "hidden": {"prompt": "PROMPT", "extra_pnginfo": "EXTRA_PNGINFO"},
        }

    FUNCTION = "look"
    CATEGORY = "savers"

    def look(self, images, prompt=None, extra_pnginfo=None):
        return self.save_images(images, "quick", prompt, extra_pnginfo)


class LookTwice(nodes.PreviewImage):
    def save_images(self, images, filename_prefix="twice", prompt=None, extra_pnginfo=None):
        shown = super().save_images(images, filename_prefix, prompt, {"note": "twice"})
        return {"ui": {"images": shown["ui"]["images"]}}


NODE_CLASS_MAPPINGS = {"Test QuickLook": QuickLook, "Test LookTwice": LookTwice}
