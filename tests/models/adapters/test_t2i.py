"""T2I-Adapters agree with diffusers', given the same weights, and are described by their own shapes."""

import pytest
import torch
from diffusers.models.adapter import T2IAdapter as Theirs

from models.adapters.t2i import T2IAdapter, T2IAdapterConfig, UnknownAdapterError, halved
from models.loading.control_keys import adapter_sources

FULL = T2IAdapterConfig(3, (16, 32, 64, 64), 2)
SKETCH = T2IAdapterConfig(1, (16, 32, 64, 64), 2)
LIGHT = T2IAdapterConfig(3, (16, 32, 64, 64), 4, light=True)
WIDE = T2IAdapterConfig(3, (16, 32, 64, 64), 2, wide=True)
CONFIGS = pytest.mark.parametrize("config", [FULL, SKETCH, LIGHT, WIDE], ids=["full", "sketch", "light", "SDXL"])


@CONFIGS
@torch.no_grad()
def test_the_network_agrees_with_diffusers(config: T2IAdapterConfig) -> None:
    torch.manual_seed(0)
    kind = "light_adapter" if config.light else "full_adapter_xl" if config.wide else "full_adapter"
    channels = list(config.channels[:3] if config.light else config.channels)  # the last is twice there
    theirs = Theirs(config.hint_channels, channels, config.blocks, config.unshuffle, kind).eval()
    tensors = theirs.state_dict()
    ours = T2IAdapter(config)
    ours.load_state_dict({name: source.cut(tensors[source.key]) for name, source in adapter_sources(tensors).items()})
    hint = torch.rand(1, config.hint_channels, 128, 64)
    torch.testing.assert_close(ours(hint), theirs(hint), atol=1e-5, rtol=1e-5)


@CONFIGS
def test_the_configuration_is_read_off_the_shapes(config: T2IAdapterConfig) -> None:
    shapes = {name: tuple(tensor.shape) for name, tensor in T2IAdapter(config).state_dict().items()}
    assert T2IAdapterConfig.from_shapes(shapes) == config


def test_names_of_the_papers_code_are_the_networks_own() -> None:
    names = list(T2IAdapter(FULL).state_dict())
    assert list(adapter_sources(names)) == names
    assert list(adapter_sources([f"adapter.{name}" for name in names])) == names


def test_an_odd_side_is_rounded_up_as_in_the_unet() -> None:
    assert halved(torch.ones(1, 1, 5, 8)).shape == (1, 1, 3, 4)


def test_other_shapes_are_no_adapter() -> None:
    with pytest.raises(UnknownAdapterError):
        T2IAdapterConfig.from_shapes({"input_blocks.0.0.weight": (32, 4, 3, 3)})
