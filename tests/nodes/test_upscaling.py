"""An upscaler is loaded once and enlarges pictures."""

import torch
from safetensors.torch import save_file

from models.upscaler import RrdbConfig, RrdbNet
from nodes.context import Context
from nodes.upscaling import image_upscale_with_model, upscale_model_loader


def test_a_file_of_the_folder_enlarges_a_picture(context: Context) -> None:
    folder = context.paths.model_directories("upscale_models")[0]
    save_file(RrdbNet(RrdbConfig(3, 4, 1, 2, 1)).state_dict(), folder / "2x.safetensors")
    upscaler = upscale_model_loader("2x.safetensors", context)
    assert upscale_model_loader("2x.safetensors", context) is upscaler
    enlarged = image_upscale_with_model(upscaler, torch.rand(2, 6, 5, 3), context)
    assert enlarged.shape == (2, 12, 10, 3)
    assert not enlarged.requires_grad
