"""The networks use their weights only while the layer that they belong to computes, so that they may come by layer."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from models.memory.placing import streamed
from models.text.encoders import TextEncoders
from models.unet import UNet
from models.vae import Autoencoder
from tests.models.memory.fakes import at_random
from tests.models.tiny_checkpoint import TEXT, UNET, VAE

TOKENS = torch.arange(77)[None]

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
