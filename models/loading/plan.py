"""Gives networks their weights: built without memory, checked against the file in every key, each tensor read once."""

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from models.loading.files import TensorFile
from models.loading.header import ModelFileError
from models.loading.sources import Source, Sources, named_shapes
from models.memory import DevicePolicy, Resident

Network = TypeVar("Network", bound=nn.Module)
Report = Callable[[float], None]
"""Is told the fraction of the weights read so far, and may raise to stop."""

LISTED = 12
"""Keys named in an error before the rest is only counted."""


class WeightsMismatchError(ModelFileError):
    """The tensors of a file are not those of the network it was taken for."""


@dataclass(frozen=True)
class Plan(Generic[Network]):
    """A network without memory, where in the file each of its parameters lies, and what the weights are converted to.

    Weights take each precision of `dtypes` in turn, so that a text encoder's are rounded to half before they are used.
    """

    network: Network
    sources: Sources
    dtypes: tuple[torch.dtype, ...]

    @classmethod
    def of(cls, build: Callable[[], Network], sources: Sources, *dtypes: torch.dtype) -> "Plan[Network]":
        """Builds the network on the meta device, where tensors have shapes but no memory.

        Raises WeightsMismatchError if no network can have the shapes that its configuration was read off.
        """
        try:
            with torch.device("meta"), _Uninitialized():
                return cls(build(), sources, dtypes)
        except (ValueError, RuntimeError, ZeroDivisionError) as error:
            raise WeightsMismatchError(f"no network can have the shapes of its tensors ({error})") from error

    def mismatches(self, file: TensorFile) -> list[str]:
        """Says which tensors are missing, unexpected or of another shape than the network's."""
        wanted = {name: tuple(tensor.shape) for name, tensor in self.network.state_dict().items()}
        shapes = named_shapes(self.sources, file.shapes)
        missing = [f"{name} is missing" for name in wanted if name not in shapes]
        unexpected = [f"{source.key} is unexpected" for name, source in self.sources.items() if name not in wanted]
        misshapen = [
            f"{self.sources[name].key} has shape {list(shapes[name])} instead of {list(shape)}"
            for name, shape in wanted.items()
            if name in shapes and shapes[name] != shape
        ]
        return missing + unexpected + misshapen

    def bytes(self) -> int:
        """Memory the weights will take."""
        return sum(parameter.numel() for parameter in self.network.parameters()) * self.dtypes[-1].itemsize

    def filled(self, read: "Reader") -> Network:
        """Gives the network its weights and returns it, ready to compute and not to train."""
        weights = {name: read(source, self.dtypes) for name, source in self.sources.items()}
        self.network.load_state_dict(weights, strict=True, assign=True)
        return self.network.eval().requires_grad_(False)

    def resident(self, read: "Reader", policy: DevicePolicy) -> Resident[Network]:
        """Gives the network its weights and returns it as one that may let them go: they are read again when needed."""
        weights = FileWeights(read.file.reopened, self.sources, self.dtypes)
        return policy.resident(self.filled(read), self.dtypes[-1], weights, self.dtypes[0])


class _Uninitialized(TorchFunctionMode):
    """Leaves out what fills new parameters: a file does, and where there is no memory torch takes seconds for it."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        named = kwargs or {}
        if getattr(func, "__module__", None) == "torch.nn.init":
            return args[0] if args else named["tensor"]
        return func(*args, **named)


@dataclass(frozen=True)
class FileWeights:
    """Reads a network's weights from its file once more."""

    reopened: Callable[[], AbstractContextManager[TensorFile]]
    sources: Sources
    dtypes: tuple[torch.dtype, ...]

    def __call__(self, names: Collection[str] | None = None) -> Mapping[str, Tensor]:
        """Returns the parameters of these names, or all. Raises ModelFileError if the file is not what it was."""
        wanted = {name: source for name, source in self.sources.items() if names is None or name in names}
        with self.reopened() as file:
            read = Reader(file, wanted.values())
            return {name: read(source, self.dtypes) for name, source in wanted.items()}


class Reader:
    """Reads parameters from a file, converted, and reports how much of the total has been read.

    A tensor that holds several parameters is read once, as long as they are asked for one after the other.
    """

    def __init__(self, file: TensorFile, sources: Iterable[Source], report: Report | None = None) -> None:
        self.file = file
        self._report = report
        self._sizes = file.sizes
        self._total = sum(self._sizes[key] for key in {source.key for source in sources})
        self._done = 0
        self._last: tuple[str, Tensor] | None = None

    def __call__(self, source: Source, dtypes: tuple[torch.dtype, ...]) -> Tensor:
        """Returns a parameter in memory of its own. Raises WeightsMismatchError if it is not finite."""
        tensor = source.cut(self._whole(source.key, dtypes))
        return tensor.clone(memory_format=torch.contiguous_format) if source.parts > 1 else tensor.contiguous()

    def _whole(self, key: str, dtypes: tuple[torch.dtype, ...]) -> Tensor:
        if self._last is not None and self._last[0] == key:
            return self._last[1]
        tensor = self.file.read(key, dtypes[0])
        for dtype in dtypes[1:]:
            tensor = tensor.to(dtype)
        if not math.isfinite(tensor.sum(dtype=torch.float32).item()):
            raise WeightsMismatchError(f"{key} holds numbers that are infinite or not a number: the file is damaged")
        self._last = key, tensor
        self._done += self._sizes[key]
        if self._report is not None:
            self._report(self._done / self._total)
        return tensor


def reader_for(
    file: TensorFile,
    plans: Iterable[Plan[Any]],
    what: str,
    policy: DevicePolicy,
    report: Report | None,
    also: Iterable[str] = (),
) -> Reader:
    """Checks that the tensors of a file fit all the plans, makes room for them, and returns the reader that fills them.

    `what` says what the file was taken for and `also` which keys belong to none of it. Raises WeightsMismatchError and
    NotEnoughMemoryError.
    """
    plans = list(plans)
    problems = [f"{key} is unexpected" for key in also]
    problems += [problem for plan in plans for problem in plan.mismatches(file)]
    if problems:
        more = f" and {len(problems) - LISTED} more" if len(problems) > LISTED else ""
        raise WeightsMismatchError(
            f"it looks like {what}, but its tensors do not fit: {'; '.join(problems[:LISTED])}{more}"
        )
    policy.memory.machine.make_room(sum(plan.bytes() for plan in plans))
    return Reader(file, [source for plan in plans for source in plan.sources.values()], report)
