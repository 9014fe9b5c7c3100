"""The names told from a UNet's structure are those that diffusers gives the same network."""

from torch import nn

from models.unet import UNet
from models.weights.diffusers_names import diffusers_modules
from tests.models.test_unet import CONFIGS, UNetConfig, reference


@CONFIGS
def test_every_module_has_the_name_and_the_shape_that_diffusers_has(config: UNetConfig) -> None:
    ours, theirs = UNet(config), reference(config)
    names = diffusers_modules(name for name, _ in ours.named_parameters())
    found = {
        f"{names[module]}.{parameter}": shape
        for name, shape in shapes(ours).items()
        for module, _, parameter in [name.rpartition(".")]
    }
    expected = {name.replace("class_embedding", "add_embedding"): shape for name, shape in shapes(theirs).items()}
    assert found == expected


def shapes(network: nn.Module) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in network.named_parameters()}
