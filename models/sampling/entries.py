"""Conditionings made ready for one run: each prompt with the part of the latent that it is heard in, and its weight."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from models.batches import repeated_to
from models.conditioning import Area, ConcatRule, Cond, Conditioning, FractionalArea, Occasion, VectorRule
from models.sampling.levels import NoiseLevels

RAMP = 8
"""Pixels of the latent over which an area fades out, or a quarter of its side if that is less."""

SMALLEST_BOX = 8
"""The least side of an area that is the box of a mask."""


@dataclass(frozen=True, eq=False)
class Entry:
    """One prompt to evaluate: the place of its conditioning, and all that is worked out beforehand.

    `weight` (1 or b, 1, h, w) covers the area, or the whole latent where there is none. The prompt is heard at
    sigmas of `first` down to `last`.
    """

    place: int
    cond: Cond
    area: Area | None
    weight: Tensor
    first: float
    last: float
    y: Tensor | None = None
    concat: Tensor | None = None

    def active(self, sigma: float) -> bool:
        """Whether the prompt is heard at this level of noise."""
        return self.last <= sigma <= self.first

    def cut(self, x: Tensor) -> Tensor:
        """The part of x (b c h w) in the entry's area."""
        return _cut(x, self.area)


@dataclass(frozen=True)
class Rules:
    """What a model asks of a conditioning beyond its tokens."""

    levels: NoiseLevels
    vector: VectorRule | None = None
    concat: ConcatRule | None = None


def entries(conditionings: Sequence[Conditioning], occasion: Occasion, rules: Rules) -> list[Entry]:
    """Every prompt of the conditionings, of which the last of several is the negative. Raises ValueError."""
    size = occasion.start.shape[2], occasion.start.shape[3]
    resolved = [[_in_pixels(cond, size) for cond in conds] for conds in conditionings]
    resolved = _with_equal_areas(resolved)
    if len(resolved) > 1:
        sharing = [cond for cond in resolved[0] if cond.controls_shared]
        resolved[-1] = _with_shared(sharing, resolved[-1], "controls")
        resolved[-1] = _with_shared(resolved[0], resolved[-1], "boxes")
    last = len(resolved) - 1
    return [
        _entry(place, cond, replace(occasion, negative=place == last and last > 0), rules)
        for place, conds in enumerate(resolved)
        for cond in conds
    ]


def _entry(place: int, cond: Cond, occasion: Occasion, rules: Rules) -> Entry:
    area = cond.area if isinstance(cond.area, Area) else None
    return Entry(
        place,
        cond,
        area,
        _weight(cond, area, occasion.start),
        rules.levels.sigma_at_percent(cond.start),
        rules.levels.sigma_at_percent(cond.end),
        rules.vector.vector(cond, occasion) if rules.vector else None,
        rules.concat.channels(cond, occasion) if rules.concat else None,
    )


def _in_pixels(cond: Cond, size: tuple[int, int]) -> Cond:
    """The prompt with its mask in the latent's size and its area in the latent's pixels, inside the latent."""
    mask = cond.mask
    if mask is not None:
        mask = mask if mask.ndim == 3 else mask[None]
        if mask.shape[1:] != size:
            mask = F.interpolate(mask[:, None].float(), size=size, mode="bilinear", align_corners=False)[:, 0]
    area = _box(mask) if mask is not None and cond.mask_bounds else cond.area
    return replace(cond, mask=mask, area=_fitted(area, size))


def _fitted(area: Area | FractionalArea | None, size: tuple[int, int]) -> Area | None:
    if area is None:
        return None
    height, width = size
    if isinstance(area, FractionalArea):
        area = Area(
            max(1, round(area.height * height)),
            max(1, round(area.width * width)),
            round(area.y * height),
            round(area.x * width),
        )
    fitted = replace(area, height=min(area.height, height - area.y), width=min(area.width, width - area.x))
    if fitted.height < 1 or fitted.width < 1:
        raise ValueError(
            f"the area of a prompt begins at {area.x}, {area.y} of the latent, which is only {width} × {height} "
            "(a pixel of the latent is 8 of the picture): move the area or make the picture larger"
        )
    return fitted


def _box(mask: Tensor) -> Area:
    """The smallest rectangle around all that the mask (b h w) lets through."""
    covered = mask.abs().amax(dim=0) > 0
    if not covered.any():
        return Area(SMALLEST_BOX, SMALLEST_BOX, 0, 0)
    rows, columns = covered.any(dim=1).nonzero()[:, 0], covered.any(dim=0).nonzero()[:, 0]
    top, left = int(rows[0]), int(columns[0])
    return Area(max(SMALLEST_BOX, int(rows[-1]) - top + 1), max(SMALLEST_BOX, int(columns[-1]) - left + 1), top, left)


def _cut(x: Tensor, area: Area | None) -> Tensor:
    """The part of x (b c h w) in an area, as a view; all of it where there is none."""
    return x if area is None else x[:, :, area.y : area.y + area.height, area.x : area.x + area.width]


def _weight(cond: Cond, area: Area | None, like: Tensor) -> Tensor:
    height, width = like.shape[2:]
    if cond.mask is not None:
        mask = cond.mask.to(like)[:, None] * cond.mask_strength
        return _cut(repeated_to(mask, len(like)), area) * cond.strength
    if area is None:
        return torch.full((1, 1, 1, 1), cond.strength, dtype=like.dtype, device=like.device)
    down = _ramps(area.height, starts=area.y > 0, ends=area.y + area.height < height).to(like)
    across = _ramps(area.width, starts=area.x > 0, ends=area.x + area.width < width).to(like)
    return cond.strength * down[None, None, :, None] * across[None, None, None, :]


def _ramps(length: int, starts: bool, ends: bool) -> Tensor:
    """Ones (length,) that fade out linearly at a start or an end that is inside the picture."""
    ramp = min(RAMP, length // 4)
    weights = torch.ones(length)
    rising = torch.arange(1, ramp + 1) / ramp if ramp else torch.ones(0)
    if starts:
        weights[:ramp] *= rising
    if ends:
        weights[length - ramp :] *= rising.flip(0)
    return weights


def _with_equal_areas(conditionings: Sequence[Sequence[Cond]]) -> list[list[Cond]]:
    """Gives each conditioning an entry for every area that another one has: its smallest that covers it, cut to it."""
    found = [list(conds) for conds in conditionings]
    for place, conds in enumerate(conditionings):
        for other, entries_of_other in enumerate(found):
            for cond in conds:
                if other != place and isinstance(cond.area, Area):
                    _add_area(entries_of_other, cond.area)
    return found


def _add_area(conds: list[Cond], area: Area) -> None:
    covering = [cond for cond in conds if cond.area is None or _covers(cond.area, area)]
    if not covering:
        return
    smallest = min(covering, key=_extent)
    if smallest.area != area:
        conds.append(replace(smallest, area=area))


def _covers(outer: Area | FractionalArea, inner: Area) -> bool:
    return (
        isinstance(outer, Area)
        and outer.y <= inner.y
        and outer.x <= inner.x
        and outer.y + outer.height >= inner.y + inner.height
        and outer.x + outer.width >= inner.x + inner.width
    )


def _extent(cond: Cond) -> float:
    return cond.area.height * cond.area.width if isinstance(cond.area, Area) else float("inf")


def _with_shared(positive: Iterable[Cond], negative: Sequence[Cond], field: Literal["controls", "boxes"]) -> list[Cond]:
    """Gives what is shared to the negative's entries without an area, in turn, if these have none of their own."""
    shared = [value for cond in positive if (value := getattr(cond, field)) and cond.area is None]
    found = list(negative)
    open_places = [place for place, cond in enumerate(found) if cond.area is None]
    if not open_places or any(getattr(found[place], field) for place in open_places):
        return found
    for turn, value in enumerate(shared):
        place = open_places[turn % len(open_places)]
        change: dict[str, Any] = {field: value}
        if turn < len(open_places):
            found[place] = replace(found[place], **change)
        else:
            found.append(replace(found[place], **change))
    return found
