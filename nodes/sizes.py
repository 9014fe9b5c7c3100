"""Sizes and places in pixels, with the limits that ComfyUI gives them."""

from typing import Annotated

from nodes.spec import Number

MAX_SIDE = 16384

Side = Annotated[int, Number(1, MAX_SIDE)]
SideOrZero = Annotated[int, Number(0, MAX_SIDE)]
Offset = SideOrZero
"""A distance from the left or the top."""

LatentSide = Annotated[int, Number(16, MAX_SIDE, step=8)]
LatentSideOrZero = Annotated[int, Number(0, MAX_SIDE, step=8)]
LatentOffset = LatentSideOrZero

BatchSize = Annotated[int, Number(1, 4096)]
BatchIndex = Annotated[int, Number(-MAX_SIDE, MAX_SIDE)]
"""A place in a batch; negative ones count from its end."""
