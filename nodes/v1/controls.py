"""ControlNets and their kin in foreign hands: packs copy one, give it a hint and put it into a conditioning."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from models.conditioning import Control
from models.controls import ControlModel, ControlNetModel, Hint
from nodes.v1.conditioning import HoldsControls
from nodes.v1.facade import Facade
from nodes.v1.runtime import NotOfferedError


class ForeignControlNet(Facade):
    """A CONTROL_NET with the methods that packs call; with a hint it is a control of a conditioning."""

    what = "CONTROL_NET"
    ours: ControlModel

    def __init__(self, ours: ControlModel) -> None:
        super().__init__(ours)
        self.cond_hint_original: Tensor | None = None
        self.strength = 1.0
        self.timestep_percent_range = (0.0, 1.0)
        self.previous_controlnet: HoldsControls | None = None
        self._given: tuple[Hint, Control] | None = None

    def copy(self) -> "ForeignControlNet":
        """Another handle on the same network, with the same hint."""
        made = ForeignControlNet(self.ours)
        made.set_cond_hint(self.cond_hint_original, self.strength, self.timestep_percent_range)
        return made.set_previous_controlnet(self.previous_controlnet)

    def set_cond_hint(
        self,
        cond_hint: Tensor | None,
        strength: float = 1.0,
        timestep_percent_range: tuple[float, float] = (0.0, 1.0),
        vae: Any = None,
        extra_concat: Sequence[Any] = (),
    ) -> "ForeignControlNet":
        """Sets the hint pictures (b 3 h w) in 0..1, how strongly and in which part of the schedule they count."""
        if len(extra_concat):
            raise NotOfferedError(
                "extra_concat of a CONTROL_NET", "the ControlNets of Stable Diffusion read hints only"
            )
        self.cond_hint_original = cond_hint
        self.strength = strength
        self.timestep_percent_range = timestep_percent_range
        return self

    def set_previous_controlnet(self, controlnet: HoldsControls | None) -> "ForeignControlNet":
        """Sets what steers beside this one."""
        self.previous_controlnet = controlnet
        return self

    def set_extra_arg(self, argument: str, value: Any = None) -> None:
        """Tells a union ControlNet what its hints are, by `control_type` and a list of one number."""
        is_union = isinstance(self.ours, ControlNetModel) and self.ours.union
        if argument != "control_type" or (value and not is_union):
            raise NotOfferedError(f"the extra argument {argument!r} of this CONTROL_NET")
        if isinstance(self.ours, ControlNetModel) and is_union:
            self.ours = replace(self.ours, type=int(value[0]) if value else None)
            self._given = None

    def get_models(self) -> list[Any]:
        """None: networks are brought to the device when they are used."""
        return []

    def cleanup(self) -> None:
        """Nothing to do: a network goes when nobody refers to it."""

    @property
    def controls(self) -> tuple[Control, ...]:
        """This control after those before it; the same for as long as nothing else is set."""
        hint = self.cond_hint_original
        if hint is None:
            raise ValueError("a CONTROL_NET without a hint is in a conditioning: the pack has not called set_cond_hint")
        start, end = self.timestep_percent_range
        before = () if self.previous_controlnet is None else self.previous_controlnet.controls
        if self._given is None or not _same(self._given[0], hint, self.strength, start, end):
            given = Hint(hint.movedim(1, -1).to("cpu", torch.float32), self.strength, start, end)
            self._given = replace(given, pictures=hint), self.ours.given(given)
        return (*before, self._given[1])


def _same(hint: Hint, pictures: Tensor, strength: float, start: float, end: float) -> bool:
    return hint.pictures is pictures and (hint.strength, hint.start, hint.end) == (strength, start, end)
