"""The modules that packs import from ComfyUI, as thin as can be over our own code."""
