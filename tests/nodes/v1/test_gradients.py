"""Laws of coroutines that compute without gradients: while they wait, and after them, all is as it was."""

import asyncio

import pytest
import torch

from nodes.v1.gradients import without_gradients


async def work(turns, seen):
    for _ in range(turns):
        seen.append(torch.is_grad_enabled())
        await asyncio.sleep(0)
    return "done"


async def test_gradients_are_off_only_while_a_coroutine_computes():
    first, second = [], []
    tasks = [
        asyncio.ensure_future(without_gradients(work(2, first))),
        asyncio.ensure_future(without_gradients(work(4, second))),
    ]
    while not all(task.done() for task in tasks):
        assert torch.is_grad_enabled()
        await asyncio.sleep(0)
    assert [await task for task in tasks] == ["done", "done"]
    assert not any(first + second)
    assert torch.is_grad_enabled()


async def test_a_cancellation_reaches_the_coroutine():
    async def forever():
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            raise KeyError("cleaned up") from None

    task = asyncio.ensure_future(without_gradients(forever()))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(KeyError, match="cleaned up"):
        await task
    assert torch.is_grad_enabled()
