"""What an adapter does to one weight: a change for every way in which adapters are written down."""

from dataclasses import dataclass
from math import prod
from typing import Protocol

import torch
from torch import Tensor

Shape = tuple[int, ...]


class Change(Protocol):
    """A change to one weight, which may be made more or less strongly."""

    def changed(self, weight: Tensor, strength: float) -> Tensor:
        """The changed weight: a new float32 tensor. The weight must be of a shape that fits."""
        ...

    def fits(self, shape: Shape) -> bool:
        """Whether weights of this shape can be changed."""
        ...


class Delta(Protocol):
    """What is added to a weight, before it is scaled. `rank` divides alpha, where there is one."""

    @property
    def rank(self) -> int | None: ...

    def of(self, weight: Tensor) -> Tensor:
        """The difference, float32 and of the weight's shape."""
        ...

    def fits(self, shape: Shape) -> bool:
        """Whether weights of this shape can be changed."""
        ...


@dataclass(frozen=True, eq=False)
class Magnitude:
    """DoRA's length of each row or column of a weight, arXiv:2402.09353, equation 5: (out, 1, …) or (1, in, …).

    Along the outputs ComfyUI divides by the lengths that the weight had before, and files made for it count on that.
    `of_sum` marks PEFT's, which are always along the outputs, and divides by those of the sum, as the paper does.
    """

    lengths: Tensor
    of_sum: bool = False

    def imposed(self, weight: Tensor, delta: Tensor) -> Tensor:
        """The sum of weight and delta, rescaled to these lengths."""
        changed = weight + delta
        axis = self._axis(weight.shape)
        measured = weight if axis == 0 and not self.of_sum else changed
        across = [other for other in range(weight.ndim) if other != axis]
        lengths = torch.linalg.vector_norm(measured, dim=across, keepdim=True) + torch.finfo(torch.float32).eps
        return changed * (_like(self.lengths, weight).reshape(lengths.shape) / lengths)

    def fits(self, shape: Shape) -> bool:
        """Whether there is a length for each output, or each input, of weights of this shape."""
        return len(shape) > 1 and self.lengths.numel() == shape[self._axis(shape)]

    def _axis(self, shape: Shape) -> int:
        """The axis along which the lengths lie: 0 for outputs, 1 for inputs."""
        return 0 if self.of_sum or len(self.lengths) == shape[0] else 1


@dataclass(frozen=True, eq=False)
class Added:
    """Adds strength · (alpha / rank) · delta; without an alpha, or a rank, strength · delta."""

    delta: Delta
    alpha: float | None = None
    magnitude: Magnitude | None = None

    def changed(self, weight: Tensor, strength: float) -> Tensor:
        delta, rank = self.delta.of(weight), self.delta.rank
        scale = self.alpha / rank if self.alpha is not None and rank else 1.0
        if self.magnitude is None:
            return weight + (strength * scale) * delta
        return weight + strength * (self.magnitude.imposed(weight, scale * delta) - weight)

    def fits(self, shape: Shape) -> bool:
        return self.delta.fits(shape) and (self.magnitude is None or self.magnitude.fits(shape))


@dataclass(frozen=True, eq=False)
class Replaced:
    """Puts another tensor in the weight's place, whatever the strength."""

    value: Tensor

    def changed(self, weight: Tensor, strength: float) -> Tensor:
        return _like(self.value, weight).reshape(weight.shape).clone()

    def fits(self, shape: Shape) -> bool:
        return self.value.numel() == prod(shape)


@dataclass(frozen=True, eq=False)
class Whole:
    """A difference written out in full."""

    value: Tensor
    rank: int | None = None

    def of(self, weight: Tensor) -> Tensor:
        return _like(self.value, weight).reshape(weight.shape)

    def fits(self, shape: Shape) -> bool:
        return self.value.numel() == prod(shape)


@dataclass(frozen=True, eq=False)
class LowRank:
    """LoRA, arXiv:2106.09685: up (out, r, …) · down (r, in, …). LoCon puts a convolution `mid` (r, r, h, w) between."""

    up: Tensor
    down: Tensor
    mid: Tensor | None = None

    @property
    def rank(self) -> int:
        return self.down.shape[0]

    def of(self, weight: Tensor) -> Tensor:
        up, down = _like(self.up, weight).flatten(1), _like(self.down, weight).flatten(1)
        if self.mid is None:
            return (up @ down).reshape(weight.shape)
        return _tucker(_like(self.mid, weight), up.T, down).reshape(weight.shape)

    def fits(self, shape: Shape) -> bool:
        if min(self.up.ndim, self.down.ndim) < 2:
            return False
        left, right = self.up.shape[1], self.down.shape[0]
        inner = (left, right) if self.mid is None else self.mid.shape[:2]
        kernel = 1 if self.mid is None else prod(self.mid.shape[2:])
        joined = (left, right) == tuple(inner) and (self.mid is not None or left == right)
        size = self.up.numel() // left * self.down.numel() // right * kernel
        return joined and len(self.up) == shape[0] and size == prod(shape)


@dataclass(frozen=True, eq=False)
class Factors:
    """A matrix given whole, or as the product of two; `core` (r, r, h, w) makes a convolution's kernel of them."""

    left: Tensor
    right: Tensor | None = None
    core: Tensor | None = None

    @property
    def rank(self) -> int | None:
        return None if self.right is None else self.right.shape[0]

    def product(self, like: Tensor) -> Tensor:
        """The matrix, float32 on the device of `like`."""
        left = _like(self.left, like)
        if self.right is None:
            return left
        right = _like(self.right, like)
        return left @ right if self.core is None else _tucker(_like(self.core, like), left, right)

    @property
    def shape(self) -> Shape | None:
        """The matrix's shape, None if the factors do not belong together."""
        if self.right is None:
            return tuple(self.left.shape)
        if self.left.ndim != 2 or self.right.ndim != 2:
            return None
        if self.core is None:
            return (len(self.left), self.right.shape[1]) if self.left.shape[1] == len(self.right) else None
        fits = self.core.shape[:2] == (len(self.left), len(self.right))
        return (self.left.shape[1], self.right.shape[1], *self.core.shape[2:]) if fits else None


@dataclass(frozen=True, eq=False)
class Hadamard:
    """LoHa, arXiv:2108.06098: the elementwise product of two low-rank matrices."""

    first: Factors
    second: Factors

    @property
    def rank(self) -> int | None:
        return self.first.rank

    def of(self, weight: Tensor) -> Tensor:
        return (self.first.product(weight) * self.second.product(weight)).reshape(weight.shape)

    def fits(self, shape: Shape) -> bool:
        first, second = self.first.shape, self.second.shape
        return first is not None and first == second and first[0] == shape[0] and prod(first) == prod(shape)


@dataclass(frozen=True, eq=False)
class Kronecker:
    """LoKr, arXiv:2309.14859: the Kronecker product of two matrices, the second maybe a convolution's kernel."""

    first: Factors
    second: Factors

    @property
    def rank(self) -> int | None:
        return self.second.rank or self.first.rank

    def of(self, weight: Tensor) -> Tensor:
        first, second = self.first.product(weight), self.second.product(weight)
        first = first.reshape(*first.shape, *[1] * (second.ndim - first.ndim))
        return torch.kron(first, second).reshape(weight.shape)

    def fits(self, shape: Shape) -> bool:
        first, second = self.first.shape, self.second.shape
        if not first or not second or len(first) > len(second):
            return False
        return first[0] * second[0] == shape[0] and prod(first) * prod(second) == prod(shape)


@dataclass(frozen=True, eq=False)
class Generalized:
    """GLoRA, arXiv:2306.07967: W · a1 · a2 + b1 · b2, with a1 (in, r), a2 (r, in), b1 (out, r), b2 (r, in)."""

    a1: Tensor
    a2: Tensor
    b1: Tensor
    b2: Tensor

    @property
    def rank(self) -> int:
        return self.b2.shape[0]

    def of(self, weight: Tensor) -> Tensor:
        a1, a2, b1, b2 = (_like(factor, weight).flatten(1) for factor in (self.a1, self.a2, self.b1, self.b2))
        through = torch.einsum("o i ..., i r, r j -> o j ...", weight, a1, a2)
        return through + (b1 @ b2).reshape(weight.shape)

    def fits(self, shape: Shape) -> bool:
        if len(shape) < 2 or any(factor.ndim < 2 for factor in (self.a1, self.a2, self.b1, self.b2)):
            return False
        inputs = [self.a1.shape[0], prod(self.a2.shape[1:])]
        ranks = [prod(self.a1.shape[1:]) == len(self.a2), prod(self.b1.shape[1:]) == len(self.b2)]
        added = len(self.b1) == shape[0] and prod(self.b2.shape[1:]) == prod(shape[1:])
        return inputs == [shape[1]] * 2 and all(ranks) and added


@dataclass(frozen=True, eq=False)
class Rotated:
    """OFT, arXiv:2306.07280: each of k blocks of n outputs is turned by a rotation, made of `blocks` (k, n, n)."""

    blocks: Tensor
    rescale: Tensor | None = None
    constraint: float = 0.0
    rank: int | None = None

    def of(self, weight: Tensor) -> Tensor:
        rotations = _rotations(_like(self.blocks, weight), self.constraint * len(weight))
        return _rescaled(_turned(rotations.transpose(1, 2), weight), self.rescale) - weight

    def fits(self, shape: Shape) -> bool:
        return self.blocks.ndim == 3 and _rotates(self.blocks, self.rescale, shape)


@dataclass(frozen=True, eq=False)
class Butterfly:
    """BOFT, arXiv:2311.06243: m stages of rotations, `blocks` (m, k, n, n), each among other outputs.

    The strength draws every stage, not the result, toward what changes nothing.
    """

    blocks: Tensor
    rescale: Tensor | None = None
    constraint: float = 0.0

    def changed(self, weight: Tensor, strength: float) -> Tensor:
        rotations = _rotations(_like(self.blocks, weight), self.constraint * len(weight))
        size = rotations.shape[-1]
        rotations = strength * rotations + (1 - strength) * torch.eye(size, device=weight.device)
        turned = weight
        for stage, rotation in enumerate(rotations):
            stride = 2**stage * size // 2
            apart = turned.unflatten(0, (-1, 2, stride)).transpose(1, 2).flatten(0, 2)
            turned = _turned(rotation, apart).unflatten(0, (-1, stride, 2)).transpose(1, 2).flatten(0, 2)
        return _rescaled(turned, self.rescale)

    def fits(self, shape: Shape) -> bool:
        stages, size = self.blocks.shape[0], self.blocks.shape[-1]
        return self.blocks.ndim == 4 and size % 2 == 0 and (
            shape[0] % (2 ** (stages - 1) * size) == 0 and _rotates(self.blocks, self.rescale, shape)
        )  # fmt: skip


def _rotates(blocks: Tensor, rescale: Tensor | None, shape: Shape) -> bool:
    """Whether blocks (…, k, n, n) turn k · n outputs, each with its scale."""
    *_, count, size, other = blocks.shape
    return size == other and count * size == shape[0] and (rescale is None or rescale.numel() == shape[0])


def _rotations(blocks: Tensor, limit: float) -> Tensor:
    """The Cayley transforms of blocks (…, n, n), whose skew-symmetric parts together are no longer than the limit."""
    skew = blocks - blocks.transpose(-1, -2)
    if limit > 0:
        skew = skew * (limit / skew.norm().clamp(min=limit))
    identity = torch.eye(blocks.shape[-1], device=blocks.device)
    return (identity + skew) @ torch.linalg.inv(identity - skew)


def _rescaled(weight: Tensor, rows: Tensor | None) -> Tensor:
    return weight if rows is None else weight * _like(rows, weight).reshape(-1, *[1] * (weight.ndim - 1))


def _turned(rotations: Tensor, weight: Tensor) -> Tensor:
    """Multiplies each block of n rows by its rotation (k, n, n)."""
    rows = weight.unflatten(0, rotations.shape[:2])
    return torch.einsum("k m n, k n ... -> k m ...", rotations, rows).flatten(0, 1)


def _tucker(core: Tensor, left: Tensor, right: Tensor) -> Tensor:
    """Σ core[i, j, …] · left[i, out] · right[j, in] → (out, in, …)."""
    return torch.einsum("i j ..., i o, j n -> o n ...", core, left, right)


def _like(tensor: Tensor, weight: Tensor) -> Tensor:
    return tensor.to(weight.device, torch.float32)
