"""The networks use their weights only while the layer that they belong to computes, so that they may come by layer."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from models.adapters.gligen import Gligen, GligenConfig
from models.adapters.hypernetwork import Hypernetwork, Perceptrons
from models.adapters.style import StyleModel, StyleModelConfig
from models.adapters.t2i import T2IAdapter, T2IAdapterConfig
from models.controlnet import ControlNet, ControlNetConfig, UnionConfig
from models.memory.placing import streamed
from models.text.encoders import TextEncoders
from models.unet import UNet
from models.unet_patches import Place
from models.vae import Autoencoder
from models.vision import ClipVision, ClipVisionConfig
from tests.models.memory.fakes import at_random
from tests.models.tiny_checkpoint import TEXT, UNET, VAE

TOKENS = torch.arange(77)[None]
UNION = ControlNetConfig(replace(UNET, out_channels=0), (3, 16, 16, 32, 32, 96, 96, 256, 32), UnionConfig(6, 1))

NETWORKS: dict[str, tuple[Callable[[], nn.Module], Callable[[nn.Module], Tensor]]] = {
    "UNet": (
        lambda: UNet(UNET),
        lambda unet: unet(torch.ones(1, 4, 8, 8), torch.ones(1), torch.ones(1, 77, UNET.context_dim)),
    ),
    "text encoder": (
        lambda: TextEncoders({"clip_l": TEXT}),
        lambda encoders: encoders.of("clip_l")(TOKENS).hidden,  # pyright: ignore[reportCallIssue]
    ),
    "autoencoder": (
        lambda: Autoencoder(VAE),
        lambda vae: vae.decode(vae.encode(torch.ones(1, 3, 32, 32))[0]),  # pyright: ignore[reportCallIssue]
    ),
    "ControlNet": (
        lambda: ControlNet(UNION),
        lambda net: (
            net(torch.ones(1, 4, 8, 8), torch.ones(1, 3, 64, 64), torch.ones(1), torch.ones(1, 77, 64), type=1).middle
        ),
    ),
    "T2I-Adapter": (
        lambda: T2IAdapter(T2IAdapterConfig(3, (16, 32), 2)),
        lambda adapter: adapter(torch.ones(1, 3, 64, 64))[-1],
    ),
    "CLIP vision": (
        lambda: ClipVision(ClipVisionConfig(64, 2, 96, patch=14, grid=2, projection=40, quick_gelu=True)),
        lambda vision: vision(torch.ones(1, 3, 28, 28)).image_embeds,
    ),
    "style model": (
        lambda: StyleModel(StyleModelConfig(width=32, context_dim=24, tokens=8, layers=2)),
        lambda style: style(torch.ones(1, 5, 32)),
    ),
    "GLIGEN": (
        lambda: Gligen(GligenConfig(24, 16, 12, ((Place("middle", 0), 64),))),
        lambda gligen: gligen(
            torch.ones(1, 5, 64), Place("middle", 0), torch.ones(1, 2, 4), torch.ones(1, 2), torch.ones(1, 2, 24)
        ),
    ),
    "hypernetwork": (
        lambda: Hypernetwork([8], Perceptrons((1.0, 2.0, 1.0), "relu", layer_norm=True)),
        lambda hypernetwork: hypernetwork(torch.ones(1, 3, 8), torch.ones(1, 3, 8), 1.0)[0],
    ),
}


@pytest.mark.parametrize("name", NETWORKS)
@torch.no_grad()
def test_weights_are_used_in_their_own_layer_only(name: str) -> None:
    build, compute = NETWORKS[name]
    network = at_random(build())
    expected = compute(network)
    away: dict[int, Tensor] = {}
    for parameter in network.parameters():
        away[parameter.data_ptr()] = parameter.clone()
        parameter.fill_(float("nan"))
    with streamed(network, lambda tensor: away[tensor.data_ptr()]):
        assert torch.equal(compute(network), expected)
    assert all(parameter.isnan().all() for parameter in network.parameters())
