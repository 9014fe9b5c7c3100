"""A network whose weights come and go: in its file, in the machine's memory, on the compute device."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Generic, Literal, Protocol, TypeVar

import torch
from torch import Tensor, nn

from models.memory.measures import size_in_bytes
from models.memory.placing import empty, move, place, place_one, streamed, tensor_of, tensors_of

if TYPE_CHECKING:
    from models.memory.keeper import DeviceMemory

Network = TypeVar("Network", bound=nn.Module)
Place = Literal["file", "machine", "card"]
HOME = torch.device("cpu")


class WeightPatch(Protocol):
    """A change to some of a network's parameters, such as a LoRA's."""

    @property
    def names(self) -> Collection[str]:
        """The parameters that it changes."""
        ...

    def patched(self, name: str, weight: Tensor) -> Tensor:
        """The parameter of that name, changed: float32, of the same shape, on the same device. A new tensor."""
        ...


class WeightsSource(Protocol):
    """Reads a network's weights from where they came from, once more."""

    def __call__(self, names: Collection[str] | None = None) -> Mapping[str, Tensor]:
        """The parameters of these names, or all, in memory of their own. May raise ModelFileError."""
        ...


class Resident(Generic[Network]):
    """A network that is brought to the compute device for as long as it is used.

    With a `source` its weights may be let go when memory is short; they are read again when the network is used next.
    Without one they stay as long as anybody holds it. Changed weights are rounded to the precision that they are
    `stored` in before they take that in which they are computed with.
    """

    def __init__(
        self,
        network: Network,
        dtype: torch.dtype,
        memory: "DeviceMemory",
        source: WeightsSource | None = None,
        stored: torch.dtype | None = None,
    ) -> None:
        self._network = network
        self._dtype = dtype
        self._memory = memory
        self._source = source
        self._stored = stored or dtype
        self._worn: tuple[WeightPatch, ...] = ()
        self._originals: dict[str, Tensor] = {}
        self._replaced: set[str] = set()
        self._shapes = {name: tuple(tensor.shape) for name, tensor in tensors_of(network).items()}
        self.bytes = size_in_bytes(network)
        self.place: Place = "machine"
        self.users = 0
        self.last_use = 0
        memory.machine.add(self)

    @property
    def device(self) -> torch.device:
        """The device the network computes on."""
        return self._memory.card.device

    @property
    def dtype(self) -> torch.dtype:
        """The precision the network computes in."""
        return self._dtype

    @property
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """The shapes of the network's parameters, by their names."""
        return self._shapes

    @property
    def bytes_at_home(self) -> int:
        """Bytes of the machine's memory that the weights take, with those kept to undo changes."""
        kept = sum(tensor.numel() * tensor.element_size() for tensor in self._originals.values())
        return kept + (self.bytes if self.place == "machine" else 0)

    @property
    def can_be_read_again(self) -> bool:
        """Whether the weights may be let go."""
        return self._source is not None

    @contextmanager
    def on_device(self, weights: Sequence[WeightPatch] = ()) -> Iterator[Network]:
        """Yields the network, its weights on the compute device and changed as asked until the block ends.

        Changes stay on afterwards, until others are asked for: then the weights first become what they were, bit for
        bit. Blocks may lie inside each other; when the inner one ends, what the outer one asked for holds again.
        """
        is_whole = self._memory.bring(self)
        before, outermost = self._worn, self.users == 0
        self.users += 1
        try:
            self._wear(tuple(weights))
            with nullcontext() if is_whole or not outermost else streamed(self._network, self._memory.card.put):
                yield self._network
        finally:
            self.users -= 1
            if not outermost:
                self._wear(before)

    def parameter(self, name: str, weights: Sequence[WeightPatch] = ()) -> Tensor:
        """Returns one parameter as it is with these changes, and no others, in float32 on the compute device."""
        self._memory.load(self)
        self.users += 1
        try:
            if name not in self._replaced:
                original = tensor_of(self._network, name)
            elif name in self._originals:
                original = self._originals[name]
            else:
                original = self._read([name])[name]
            return _patched(name, self._memory.card.put(original).float(), weights).clone()
        finally:
            self.users -= 1

    def read(self) -> None:
        """Reads the weights from their source into the machine's memory."""
        place(self._network, self._read(None))
        self.place = "machine"

    def stay(self) -> None:
        """Says that the weights are not what the source has any more, so that they must stay."""
        self._source = None

    def let_go(self) -> None:
        """Gives the memory of the weights back; there must be a source."""
        assert self.users == 0
        assert self._source is not None
        empty(self._network)
        self._originals.clear()
        self._replaced.clear()
        self._worn = ()
        self.place = "file"

    def to_card(self) -> None:
        """Moves the weights to the compute device."""
        move(self._network, self._memory.card.put)
        self.place = "card"

    def to_machine(self) -> None:
        """Moves the weights to the machine's memory."""
        move(self._network, lambda tensor: tensor.to(HOME, copy=True))
        self.place = "machine"

    def _read(self, names: Collection[str] | None) -> Mapping[str, Tensor]:
        assert self._source is not None
        return self._source(names)

    def _wear(self, weights: tuple[WeightPatch, ...]) -> None:
        if weights == self._worn:
            return
        self._take_off()
        names = _changed_by(weights)
        if missing := [name for name in names if name not in self.shapes]:
            raise ValueError(f"a change of weights is for another network: this one has no {missing[0]}")
        wanted = sum(self._bytes_of(name) for name in names)
        keeps_originals = self._source is None or self._memory.machine.has_room(wanted)
        self._worn = weights
        try:
            for name in names:
                self._change(name, weights, keeps_originals)
        except BaseException:
            self._take_off()
            raise

    def _bytes_of(self, name: str) -> int:
        tensor = tensor_of(self._network, name)
        return tensor.numel() * tensor.element_size()

    def _change(self, name: str, weights: Iterable[WeightPatch], keeps_original: bool) -> None:
        original = tensor_of(self._network, name)
        changed = _patched(name, self._memory.card.put(original).float(), weights)
        weight = changed.to(self._stored).to(original.dtype)
        if keeps_original:
            self._originals[name] = original.to(HOME)
        self._replaced.add(name)
        place_one(self._network, name, weight if self.place == "card" else weight.to(HOME))

    def _take_off(self) -> None:
        """Makes the weights what they were, from memory or, where there was no room to keep them, from their source."""
        unkept = [name for name in self._replaced if name not in self._originals]
        originals = {**self._originals, **(self._read(unkept) if unkept else {})}
        for name, original in originals.items():
            place_one(self._network, name, self._memory.card.put(original) if self.place == "card" else original)
        self._originals.clear()
        self._replaced.clear()
        self._worn = ()


def _changed_by(weights: Iterable[WeightPatch]) -> dict[str, None]:
    """The names of all changed parameters, each once, in order."""
    return dict.fromkeys(name for patch in weights for name in patch.names)


def _patched(name: str, weight: Tensor, weights: Iterable[WeightPatch]) -> Tensor:
    for patch in weights:
        if name in patch.names:
            weight = patch.patched(name, weight)
    return weight
