"""Control-LoRA: a ControlNet that borrows the weights of the UNet it steers, and has changes and a few of its own.

The weights stay where they are: a change is computed beside the layer, W x + up (down x), and no sum is ever stored.
"""

from collections.abc import Callable, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call

from models.controlnet import ControlNet, ControlNetConfig, hint_widths_of
from models.unet import UNet, UNetConfig
from models.unet_patches import Residuals

MARKER = "lora_controlnet"
"""A key that all files of control-LoRAs have."""

UP, DOWN = ".up", ".down"


class BesideLinear(nn.Linear):
    """A linear layer with a low-rank change beside it."""

    def __init__(self, layer: nn.Linear, rank: int) -> None:
        super().__init__(layer.in_features, layer.out_features, layer.bias is not None)
        self.up = nn.Parameter(torch.empty(layer.out_features, rank))
        self.down = nn.Parameter(torch.empty(rank, layer.in_features))

    def forward(self, input: Tensor) -> Tensor:
        return super().forward(input) + F.linear(F.linear(input, self.down), self.up)


class BesideConvolution(nn.Conv2d):
    """A square convolution with a low-rank change beside it."""

    def __init__(self, layer: nn.Conv2d, rank: int) -> None:
        side, step, border = layer.kernel_size[0], layer.stride[0], layer.padding[0]
        assert isinstance(border, int)
        super().__init__(layer.in_channels, layer.out_channels, side, step, border, bias=layer.bias is not None)
        self.up = nn.Parameter(torch.empty(layer.out_channels, rank, 1, 1))
        self.down = nn.Parameter(torch.empty(rank, layer.in_channels, side, side))

    def forward(self, input: Tensor) -> Tensor:
        inner = F.conv2d(input, self.down, stride=self.stride, padding=self.padding)  # pyright: ignore[reportArgumentType]
        return super().forward(input) + F.conv2d(inner, self.up)


class ControlLora(nn.Module):
    """The own weights of a control-LoRA, by the names of a ControlNet's parameters and of changes to its layers.

    Raises ValueError for shapes that no control-LoRA has.
    """

    def __init__(self, shapes: Mapping[str, tuple[int, ...]]) -> None:
        super().__init__()
        _check(shapes)
        self.names = tuple(shapes)
        self.own = nn.ParameterList(nn.Parameter(torch.empty(shape)) for shape in shapes.values())
        self._structures: dict[UNetConfig, ControlNet] = {}

    def forward(
        self,
        steered: Callable[..., Tensor],
        x: Tensor,
        hint: Tensor,
        timesteps: Tensor,
        context: Tensor,
        y: Tensor | None,
    ) -> Residuals:
        """What to add inside the UNet that is steered, as a ControlNet tells. Raises ValueError if they do not fit."""
        if not isinstance(steered, UNet):
            raise TypeError("a control-LoRA borrows the weights of a UNet, and what it is to steer is none")
        structure = self._structure(steered.config)
        borrowed = dict(steered.named_parameters())
        wanted = structure.state_dict()
        own = {name: weight.reshape(wanted[name].shape) for name, weight in zip(self.names, self.own, strict=True)}
        weights = {name: (own[name] if name in own else borrowed[name]).to(x) for name in wanted}
        return functional_call(structure, weights, (x, hint, timesteps, context, y), strict=True)

    def _structure(self, config: UNetConfig) -> ControlNet:
        """A ControlNet without memory for a UNet of this configuration, with the changes beside its layers."""
        if config not in self._structures:
            shapes = {name: tuple(weight.shape) for name, weight in zip(self.names, self.own, strict=True)}
            with torch.device("meta"):
                structure = ControlNet(ControlNetConfig(config, hint_widths_of(shapes)))
                for name in self.names:
                    if name.endswith(UP):
                        _put_beside(structure, name.removesuffix(UP), shapes[name.removesuffix(UP) + DOWN][0])
            _refuse_misfit(structure, shapes)
            self._structures[config] = structure
        return self._structures[config]


def _check(shapes: Mapping[str, tuple[int, ...]]) -> None:
    try:
        hint_widths_of(shapes)
    except KeyError as missing:
        raise ValueError(f"{missing.args[0]} is missing") from None
    for name, shape in shapes.items():
        if name.endswith(UP):
            down = name.removesuffix(UP) + DOWN
            if shape[1:2] != shapes.get(down, ())[:1]:
                raise ValueError(f"{name} {list(shape)} and {down} {list(shapes.get(down, ()))} are no pair")


def _put_beside(network: nn.Module, name: str, rank: int) -> None:
    try:
        layer = network.get_submodule(name)
    except AttributeError:
        raise ValueError(f"this control-LoRA changes {name}, which the model does not have: {REMEDY}") from None
    if isinstance(layer, nn.Conv2d):
        network.set_submodule(name, BesideConvolution(layer, rank))
    elif isinstance(layer, nn.Linear):
        network.set_submodule(name, BesideLinear(layer, rank))
    else:
        raise ValueError(f"this control-LoRA changes {name}, which is no layer with weights: {REMEDY}")


def _refuse_misfit(structure: nn.Module, own: Mapping[str, tuple[int, ...]]) -> None:
    wanted = structure.state_dict()
    for name, shape in own.items():
        if name not in wanted or wanted[name].numel() != torch.Size(shape).numel():
            raise ValueError(f"this control-LoRA's {name} {list(shape)} does not fit the model: {REMEDY}")


REMEDY = "choose a control-LoRA made for the model's family"
