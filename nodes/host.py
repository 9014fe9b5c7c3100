"""What a worker serves: the nodes that could be loaded, and the devices that they compute on."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from models.memory import free_bytes, return_freed, total_bytes
from nodes.context import Home
from nodes.registry import load_builtin
from nodes.spec import NodeSpec
from nodes.v1.loading import CustomNodes


@dataclass(frozen=True)
class Host:
    """Node types by id, the tracebacks of packs that could not be loaded, and folders with files for the browser."""

    specs: Mapping[str, NodeSpec]
    custom: CustomNodes

    @property
    def failures(self) -> Mapping[str, str]:
        """What is wrong with packs, by their name."""
        return self.custom.failures

    @property
    def web_directories(self) -> Mapping[str, Path]:
        """The folders of packs with files for the browser, by the pack's name."""
        return self.custom.web_directories

    @property
    def pack_socket(self) -> Path | None:
        """Where requests to addresses of packs are answered."""
        return self.custom.pack_socket

    def refresh(self) -> Mapping[str, NodeSpec]:
        """Asks foreign nodes for their inputs again; returns those that have changed."""
        return self.custom.refresh()

    def device_stats(self) -> Mapping[str, Any]:
        """Returns the devices and their memory in bytes, in the words of ComfyUI's /system_stats."""
        cards = [_card(index) for index in range(torch.cuda.device_count())]
        return {"devices": cards or [_processor()], "pytorch_version": torch.__version__}

    def release(self) -> None:
        """Gives memory that is held in reserve back to the system and the devices."""
        return_freed()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()


def _card(index: int) -> dict[str, Any]:
    device = torch.device("cuda", index)
    reserved = torch.cuda.memory_reserved(device)
    return {
        "name": f"cuda:{index} {torch.cuda.get_device_name(device)}",
        "type": "cuda",
        "index": index,
        "vram_total": torch.cuda.mem_get_info(device)[1],
        "vram_free": free_bytes(device),
        "torch_vram_total": reserved,
        "torch_vram_free": reserved - torch.cuda.memory_allocated(device),
    }


def _processor() -> dict[str, Any]:
    total, free = total_bytes(), free_bytes(torch.device("cpu"))
    return {
        "name": "cpu",
        "type": "cpu",
        "index": None,
        "vram_total": total,
        "vram_free": free,
        "torch_vram_total": total,
        "torch_vram_free": free,
    }


def load(home: Home) -> Host:
    """Imports the nodes, and with them torch, and then the packs of custom nodes."""
    registry = load_builtin()
    return Host(registry, CustomNodes(home, registry))
