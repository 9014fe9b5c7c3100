"""`comfy.model_patcher`: changes to the options of MODEL values."""

from nodes.v1 import model_options

EXPORTED = {
    "create_model_options_clone": model_options.create_model_options_clone,
    "set_model_options_patch_replace": model_options.set_model_options_patch_replace,
    "set_model_options_post_cfg_function": model_options.set_model_options_post_cfg_function,
    "set_model_options_pre_cfg_function": model_options.set_model_options_pre_cfg_function,
}
"""What packs take from the module."""
