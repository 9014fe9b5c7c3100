"""Freeing models leaves nothing of them in memory."""

import gc
import weakref

from models.memory import DevicePolicy
from nodes.checkpoint import checkpoint_loader_simple
from nodes.context import Context
from nodes.library import library_of, policy_of
from tests.models.tiny_checkpoint import write_tiny_checkpoint


def test_the_weights_of_a_checkpoint_go_with_the_services(context: Context) -> None:
    write_tiny_checkpoint(context.paths.model_directories("checkpoints")[0] / "tiny.safetensors")
    loaded = checkpoint_loader_simple("tiny.safetensors", context)
    machine, unet = policy_of(context).memory.machine, weakref.ref(loaded.model.unet)
    assert machine.bytes > 0
    del loaded
    context.services.forget()
    gc.collect()
    assert unet() is None
    assert machine.bytes == 0


def test_all_loaders_share_one_memory(context: Context) -> None:
    assert policy_of(context) is context.services.get(DevicePolicy, DevicePolicy.choose)
    assert library_of(context) is library_of(context)
