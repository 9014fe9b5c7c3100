"""Nodes that join batches of pictures and take them apart."""

from collections.abc import Iterator, Sequence
from typing import Annotated

import torch
from torch import Tensor

from models.batches import batch_slice
from models.resize import resize_image
from models.stitching import with_same_channels
from nodes.sizes import BatchIndex, BatchSize
from nodes.sockets import IMAGE
from nodes.spec import Grows, node


@node("ImageBatch", name="Batch Images (DEPRECATED)", category="image/batch", deprecated=True)
def image_batch(image1: IMAGE, image2: IMAGE) -> IMAGE:
    """Puts pictures into one batch; the second are brought to the size of the first."""
    return joined([image1, image2])


@node("BatchImagesNode", name="Batch Images", category="image/batch")
def batch_images(images: Annotated[Sequence[IMAGE], Grows("image", max=50)]) -> IMAGE:
    """Puts any number of pictures into one batch; all are brought to the size of the first."""
    return joined(images)


@node("RepeatImageBatch", name="Repeat Image Batch", category="image/batch")
def repeat_image_batch(image: IMAGE, amount: BatchSize = 1) -> IMAGE:
    """Repeats a batch so many times."""
    return image.repeat(amount, 1, 1, 1)


@node("ImageFromBatch", name="Get Image from Batch", category="image/batch")
def image_from_batch(image: IMAGE, batch_index: BatchIndex = 0, length: BatchSize = 1) -> IMAGE:
    """Takes pictures out of a batch; a negative index counts from its end."""
    return image[batch_slice(len(image), batch_index, length)]


@node("RebatchImages", name="Rebatch Images", category="image/batch", takes_lists=True)
def rebatch_images(images: Sequence[IMAGE], batch_size: Sequence[BatchSize] = (1,)) -> Sequence[IMAGE]:
    """Cuts all pictures of a list into batches of one size; the last may be smaller."""
    return list(_batches(images, batch_size[0]))


def joined(batches: Sequence[Tensor]) -> Tensor:
    """One batch of all pictures, at the size of the first and with the channels of the richest."""
    height, width = batches[0].shape[1:3]
    result = batches[0]
    for batch in batches[1:]:
        if batch.shape[1:3] != (height, width):
            batch = resize_image(batch, width, height, "bilinear", center=True)
        result = torch.cat(with_same_channels(result, batch))
    return result


def _batches(images: Sequence[Tensor], size: int) -> Iterator[Tensor]:
    shapes = {tuple(one.shape[1:]) for one in images}
    if len(shapes) > 1:
        sizes = ", ".join(sorted(f"{width} × {height}" for height, width, _ in shapes))
        raise ValueError(f"pictures of different sizes ({sizes}) cannot share a batch: scale them to one size before")
    yield from torch.cat(list(images)).split(size)
