"""Nodes that join batches of latents and take them apart. The numbers of the pictures decide their noise."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Annotated, Literal

import torch
from torch import Tensor

from models.batches import batch_slice, repeated_to
from models.compositing import mask_of_size
from models.latent_math import fitted
from models.types import Latent
from nodes.sizes import BatchIndex, BatchSize
from nodes.sockets import LATENT
from nodes.spec import Grows, Help, Number, node

Count = Annotated[int, Number(1, 64)]


@node("LatentFromBatch", name="Get Latent From Batch", category="model/latent/batch")
def latent_from_batch(samples: LATENT, batch_index: BatchIndex = 0, length: Count = 1) -> LATENT:
    """Takes latents out of a batch. Each keeps the noise that it would have had there."""
    count = len(samples.samples)
    taken = batch_slice(count, batch_index, length)
    mask = samples.noise_mask
    if mask is not None and len(mask) > 1:
        mask = repeated_to(mask, count)[taken]
    return Latent(samples.samples[taken].clone(), mask, numbers(samples)[taken])


@node("RepeatLatentBatch", name="Repeat Latent Batch", category="model/latent/batch")
def repeat_latent_batch(samples: LATENT, amount: Count = 1) -> LATENT:
    """Repeats a batch so many times, each time with other noise."""
    count = len(samples.samples)
    mask, index = samples.noise_mask, samples.batch_index
    if mask is not None and len(mask) > 1:
        mask = repeated_to(mask, count).repeat(amount, *([1] * (mask.ndim - 1)))
    if index is not None:
        step = max(index) - min(index) + 1
        index = tuple(number + turn * step for turn in range(amount) for number in index)
    return Latent(samples.samples.repeat(amount, 1, 1, 1), mask, index)


@node("LatentBatch", name="Batch Latents (DEPRECATED)", category="model/latent/batch", deprecated=True)
def latent_batch(samples1: LATENT, samples2: LATENT) -> LATENT:
    """Puts latents into one batch; the second are brought to the size of the first."""
    second = samples2.samples
    first = samples1.samples
    joined = torch.cat([first, fitted(second, first[:1].expand(len(second), -1, -1, -1))])
    return replace(samples1, samples=joined, batch_index=numbers(samples1) + numbers(samples2))


@node("BatchLatentsNode", name="Batch Latents", category="model/latent/batch")
def batch_latents(latents: Annotated[Sequence[LATENT], Grows("latent", max=50)]) -> LATENT:
    """Puts any number of latents into one batch; all are brought to the size of the first."""
    like = latents[0].samples[:1]
    alike = [
        replace(one, samples=fitted(one.samples, like.expand(len(one.samples), -1, -1, -1)), batch_index=numbers(one))
        for one in latents
    ]
    return _joined(list(_single(alike)))


@node("LatentBatchSeedBehavior", category="model/latent/advanced")
def latent_batch_seed_behavior(
    samples: LATENT,
    seed_behavior: Annotated[
        Literal["random", "fixed"], Help("fixed: every picture of the batch gets the same noise")
    ] = "fixed",
) -> LATENT:
    """Says whether the pictures of a batch begin with different noise."""
    if seed_behavior == "random":
        return replace(samples, batch_index=None)
    return replace(samples, batch_index=numbers(samples)[:1] * len(samples.samples))


@node("RebatchLatents", name="Rebatch Latents", category="model/latent/batch", takes_lists=True)
def rebatch_latents(latents: Sequence[LATENT], batch_size: Sequence[BatchSize] = (1,)) -> Sequence[LATENT]:
    """Cuts all latents of a list into batches of one size; one that differs in size begins a new batch."""
    size = batch_size[0]
    batches: list[Latent] = []
    for _, alike in groupby(_single(latents), key=lambda one: one.samples.shape):
        run = list(alike)
        batches += [_joined(run[start : start + size]) for start in range(0, len(run), size)]
    return batches


def numbers(latent: Latent) -> tuple[int, ...]:
    """Which draw of noise each item gets."""
    return tuple(range(len(latent.samples))) if latent.batch_index is None else latent.batch_index


def _single(latents: Sequence[Latent]) -> Iterator[Latent]:
    """The items of all batches one by one, numbered on from batch to batch where they have no numbers."""
    done = 0
    for latent in latents:
        count = len(latent.samples)
        indices = latent.batch_index or tuple(range(done, done + count))
        masks = None if latent.noise_mask is None else repeated_to(latent.noise_mask, count)
        for item in range(count):
            mask = None if masks is None else masks[item : item + 1]
            yield Latent(latent.samples[item : item + 1], mask, (indices[item],))
        done += count


def _joined(items: Sequence[Latent]) -> Latent:
    """One batch; items without a mask may be changed everywhere."""
    masks = None
    if any(one.noise_mask is not None for one in items):
        masks = torch.cat([_mask_or_ones(one) for one in items])
    indices = tuple(index for one in items for index in numbers(one))
    return Latent(torch.cat([one.samples for one in items]), masks, indices)


def _mask_or_ones(latent: Latent) -> Tensor:
    """The noise mask (1, 1, h, w) at eight times the latent's size, that of the picture."""
    height, width = (8 * side for side in latent.samples.shape[-2:])
    if latent.noise_mask is None:
        return torch.ones(1, 1, height, width)
    return mask_of_size(latent.noise_mask, height, width)
