"""Asks a network for estimates under conditionings: prompts that fit share a call, and each is heard in its place."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial, reduce

import torch
from torch import Tensor

from models.batches import repeated_to
from models.conditioning import Cond, Conditioning, ControlCall, Occasion
from models.sampling.denoiser import Prediction
from models.sampling.entries import Entry, Rules, entries
from models.sampling.inputs import Evaluate, Inputs
from models.sampling.levels import NoiseLevels
from models.sampling.patches import ModelPatches
from models.unet_patches import Call, Hooks, Residuals, UNetPatches

LONGEST_REPETITION = 4
"""How often a shorter prompt is repeated at most so that it shares a network call with a longer one."""

UNHEARD = 1e-37
"""The weight of what no prompt covers, so that it becomes zero without a division by zero."""


@dataclass(frozen=True)
class ConditionedDenoiser:
    """(x, sigma, inputs) → denoised, by one evaluation of a network."""

    network: Callable[..., Tensor]
    """Called as network(x, timesteps, context=...), with y and hooks where there are some; timesteps (b,) float32."""
    prediction: Prediction
    levels: NoiseLevels
    dtype: torch.dtype = torch.float32
    """What the network computes in; everything outside it is float32."""
    before_evaluation: Callable[[], None] = lambda: None
    """Called before the network is: may raise to stop a sampler within a step."""

    @torch.no_grad()
    def __call__(self, x: Tensor, sigma: Tensor, inputs: Inputs) -> Tensor:
        """Estimates the clean latents (b c h w) of x, float32. sigma is a scalar."""
        self.before_evaluation()
        timesteps = self.levels.timestep(sigma).float().expand(len(x)).to(x.device)
        scaled = self.prediction.network_input(x, sigma).to(self.dtype)
        context = inputs.context.to(x.device, self.dtype)
        options: dict[str, Tensor | Hooks] = {}
        if inputs.y is not None:
            options["y"] = inputs.y.to(x.device, self.dtype)
        hooks = self._hooks(scaled, timesteps, sigma, inputs)
        if hooks is not None:
            options["hooks"] = hooks
        shown = scaled if inputs.concat is None else torch.cat([scaled, inputs.concat.to(scaled)], dim=1)
        network = self.network if inputs.around is None else partial(inputs.around, self.network)
        output = network(shown, timesteps, context=context, **options)
        return self.prediction.denoised(output.float(), x, sigma)

    def _hooks(self, scaled: Tensor, timesteps: Tensor, sigma: Tensor, inputs: Inputs) -> Hooks | None:
        if not inputs.controls and inputs.patches.empty:
            return None
        shape = tuple(scaled.shape)
        call = Call(sigma, inputs.prompts, inputs.pictures, shape, inputs.sigmas, inputs.extra)
        return Hooks(call, inputs.patches, self._residuals(scaled, timesteps, sigma, inputs))

    def _residuals(self, scaled: Tensor, timesteps: Tensor, sigma: Tensor, inputs: Inputs) -> Residuals:
        context = inputs.context if inputs.control_context is None else inputs.control_context
        call = ControlCall(
            scaled,
            timesteps,
            sigma,
            context.to(scaled),
            None if inputs.y is None else inputs.y.to(scaled),
            inputs.pictures,
            self.levels,
            self.network,
        )
        found = (control.residuals(call) for control in inputs.controls)
        return reduce(Residuals.plus, (one for one in found if one is not None), Residuals())


class Asker:
    """A network with the patches of its model, on one occasion. Prepares each conditioning once."""

    def __init__(
        self, evaluate: Evaluate, occasion: Occasion, rules: Rules, patches: ModelPatches | None = None
    ) -> None:
        self._evaluate = evaluate
        self._occasion = occasion
        self._rules = rules
        self._patches = patches or ModelPatches()
        self._prepared: list[tuple[tuple[Conditioning, ...], list[Entry]]] = []

    @property
    def patches(self) -> ModelPatches:
        """The changes that the model carries."""
        return self._patches

    @property
    def occasion(self) -> Occasion:
        """What does not change over the run."""
        return self._occasion

    def patched(self, patches: ModelPatches) -> "Asker":
        """The same network on the same occasion, with these changes in place of the model's."""
        asker = Asker(self._evaluate, self._occasion, self._rules, patches)
        asker._prepared = self._prepared
        return asker

    def __call__(
        self, x: Tensor, sigma: Tensor, conditionings: Sequence[Conditioning], unet: UNetPatches | None = None
    ) -> list[Tensor]:
        """The estimate under each conditioning: the weighted mean over its prompts, where they are heard."""
        patches = self._patches.unet if unet is None else self._patches.unet.plus(unet)
        instead = self._patches.evaluation
        evaluate = self._evaluate if instead is None else partial(instead, self._evaluate)
        totals = [torch.zeros_like(x) for _ in conditionings]
        weights = [torch.full_like(x, UNHEARD) for _ in conditionings]
        active = [entry for entry in self._entries(conditionings) if entry.active(float(sigma))]
        for group in groups(active):
            rows = torch.cat([entry.cut(x) for entry in group])
            inputs = inputs_of(group, len(x), patches, self._occasion.sigmas)
            estimates = evaluate(rows, sigma, inputs).chunk(len(group))
            for entry, estimate in zip(group, estimates, strict=True):
                entry.cut(totals[entry.place]).add_(estimate * entry.weight)
                entry.cut(weights[entry.place]).add_(entry.weight)
        return [total / weight for total, weight in zip(totals, weights, strict=True)]

    def _entries(self, conditionings: Sequence[Conditioning]) -> list[Entry]:
        for known, found in self._prepared:
            if len(known) == len(conditionings) and all(
                one is other for one, other in zip(known, conditionings, strict=True)
            ):
                return found
        found = entries(conditionings, self._occasion, self._rules)
        self._prepared.append((tuple(conditionings), found))
        return found


def groups(active: Sequence[Entry]) -> list[list[Entry]]:
    """Splits entries into those that fit one network call, in the order of their first."""
    found: list[list[Entry]] = []
    for entry in active:
        fitting = next((group for group in found if _fit([*group, entry])), None)
        if fitting is None:
            found.append([entry])
        else:
            fitting.append(entry)
    return found


def _fit(group: Sequence[Entry]) -> bool:
    first, last = group[0], group[-1]
    lengths = [entry.cond.context.shape[1] for entry in group]
    return (
        _size(first) == _size(last)
        and first.cond.context.shape[2] == last.cond.context.shape[2]
        and math.lcm(*lengths) <= LONGEST_REPETITION * min(lengths)
        and _same_controls(first.cond, last.cond)
        and first.cond.boxes is last.cond.boxes
    )


def _size(entry: Entry) -> tuple[int, int] | None:
    return None if entry.area is None else (entry.area.height, entry.area.width)


def _same_controls(one: Cond, other: Cond) -> bool:
    same = len(one.controls) == len(other.controls) and all(
        a is b for a, b in zip(one.controls, other.controls, strict=True)
    )
    return same and (one.control_context is None) == (other.control_context is None)


def inputs_of(group: Sequence[Entry], pictures: int, patches: UNetPatches, sigmas: Tensor | None = None) -> Inputs:
    """What the network is given for a group of entries: a row for each picture under each of them."""
    boxes = group[0].cond.boxes
    control_contexts = [entry.cond.control_context for entry in group if entry.cond.control_context is not None]
    return Inputs(
        context=_rows(of_equal_length([entry.cond.context for entry in group]), pictures),
        y=_rows([entry.y for entry in group if entry.y is not None], pictures) if group[0].y is not None else None,
        concat=_concat(group, pictures),
        control_context=_rows(of_equal_length(control_contexts), pictures) if control_contexts else None,
        controls=group[0].cond.controls,
        patches=patches if boxes is None else patches.plus(boxes.unet),
        prompts=tuple(entry.place for entry in group),
        pictures=pictures,
        sigmas=sigmas,
    )


def _concat(group: Sequence[Entry], pictures: int) -> Tensor | None:
    if group[0].concat is None:
        return None
    return _rows([entry.cut(entry.concat) for entry in group if entry.concat is not None], pictures)


def _rows(tensors: Sequence[Tensor], pictures: int) -> Tensor:
    """Joins tensors (1 or b, …), each repeated to all pictures."""
    return torch.cat([repeated_to(tensor, pictures) for tensor in tensors])


def of_equal_length(contexts: Sequence[Tensor]) -> list[Tensor]:
    """The contexts, shorter ones repeated. Attention over repeated tokens gives the same as over one copy."""
    length = math.lcm(*(context.shape[1] for context in contexts))
    return [context.repeat(1, length // context.shape[1], 1) for context in contexts]
