"""A model's network as packs may look at it: its parts by their names in checkpoints, to be read and not written."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from models.types import Model
from nodes.v1.facade import Facade
from nodes.v1.runtime import NotOfferedError


class Part(Facade):
    """Something inside a model's network, by its path. What it has not, and every change, is refused by name."""

    what = "diffusion_model"
    ours: Model
    _path: str

    def __init__(self, model: Model, path: str = "") -> None:
        vars(self).update(ours=model, _path=path)

    def unwrapped(self) -> "Part":
        """Itself: it is no value of ours."""
        return self

    @property
    def device(self) -> torch.device:
        """The device that the network computes on."""
        return self.ours.unet.device

    @property
    def dtype(self) -> torch.dtype:
        """The precision that the network computes in."""
        return self.ours.unet.dtype

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise NotOfferedError(f"{self._named(name)!r} of a MODEL")

    def __setattr__(self, name: str, value: Any) -> None:
        raise NotOfferedError(f"a change of {self._named(name)!r} in a MODEL")

    def _named(self, name: str) -> str:
        return ".".join(filter(None, (self.what, self._path, name)))


class Parameter(Part):
    """One parameter as the model's file has it. Its numbers are copied when they are asked for."""

    @property
    def shape(self) -> torch.Size:
        """Its shape."""
        return torch.Size(self.ours.unet.shapes[self._path])

    @property
    def ndim(self) -> int:
        """How many axes it has."""
        return len(self.shape)

    def size(self, dim: int | None = None) -> Any:
        """Its shape, or the length of one axis."""
        return self.shape if dim is None else self.shape[dim]

    def numel(self) -> int:
        """How many numbers it has."""
        return self.shape.numel()

    def detach(self) -> "Parameter":
        """Itself: it has no gradient."""
        return self

    def clone(self) -> Tensor:
        """A copy of its numbers, on the device and in the precision of the network."""
        return self.ours.unet.parameter(self._path).to(self.dtype)

    def to(self, *arguments: Any, **named: Any) -> Tensor:
        """A copy, as `torch.Tensor.to` puts it."""
        return self.clone().to(*arguments, **named)

    def float(self) -> Tensor:
        """A copy in float32."""
        return self.to(torch.float32)

    def cpu(self) -> Tensor:
        """A copy in the machine's memory."""
        return self.to("cpu")


class Module(Part):
    """The network, or a module of it: its members by name, or by number where they stand in a row."""

    @property
    def is_whole(self) -> bool:
        """Whether this is the whole network."""
        return not self._path

    def named_parameters(self, prefix: str = "") -> Iterator[tuple[str, Parameter]]:
        """The parameters with their names, from this module on."""
        own = f"{self._path}." if self._path else ""
        for path in self.ours.unet.shapes:
            if path.startswith(own):
                name = path.removeprefix(own)
                yield f"{prefix}.{name}" if prefix else name, Parameter(self.ours, path)

    def parameters(self) -> Iterator[Parameter]:
        """The parameters."""
        return (parameter for _, parameter in self.named_parameters())

    def state_dict(self) -> dict[str, Parameter]:
        """The parameters by name."""
        return dict(self.named_parameters())

    def __getattr__(self, name: str) -> Any:
        path = f"{self._path}.{name}" if self._path else name
        shapes = self.ours.unet.shapes
        if path in shapes:
            return Parameter(self.ours, path)
        if any(one.startswith(f"{path}.") for one in shapes):
            return Module(self.ours, path)
        return super().__getattr__(name)

    def __getitem__(self, number: int) -> Any:
        return getattr(self, str(number if number >= 0 else len(self) + number))

    def __len__(self) -> int:
        return 1 + max((int(name) for name in self._members() if name.isdigit()), default=-1)

    def __iter__(self) -> Iterator[Any]:
        return (getattr(self, name) for name in self._members() if name.isdigit())

    def __bool__(self) -> bool:
        return True

    def _members(self) -> list[str]:
        return list(dict.fromkeys(name.partition(".")[0] for name, _ in self.named_parameters()))
