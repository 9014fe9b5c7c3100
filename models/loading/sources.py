"""Where in a file each parameter of a network lies."""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

Shapes = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True)
class Source:
    """A tensor of a file, or the `part`-th of the equal `parts` that its first axis is cut into.

    `transposed` swaps the two axes of a matrix; `unsqueezed` adds two axes of length one, as a matrix needs to be a
    1×1 convolution.
    """

    key: str
    part: int = 0
    parts: int = 1
    transposed: bool = False
    unsqueezed: bool = False

    def shape(self, shapes: Shapes) -> tuple[int, ...]:
        """Returns the parameter's shape, given those of the file."""
        shape = shapes[self.key]
        if self.parts > 1 and shape and shape[0] % self.parts == 0:
            shape = (shape[0] // self.parts, *shape[1:])
        if self.transposed:
            shape = shape[::-1]
        return (*shape, 1, 1) if self.unsqueezed and len(shape) == 2 else shape

    def cut(self, tensor: Tensor) -> Tensor:
        """Returns the parameter, given the file's tensor."""
        if self.parts > 1:
            tensor = tensor.chunk(self.parts)[self.part]
        if self.transposed:
            tensor = tensor.T
        return tensor[..., None, None] if self.unsqueezed and tensor.ndim == 2 else tensor


Sources = Mapping[str, Source]
"""A network's parameters by its own names."""


def named_shapes(sources: Sources, shapes: Shapes) -> Shapes:
    """Returns the shapes of a network's parameters by its own names."""
    return {name: source.shape(shapes) for name, source in sources.items()}
