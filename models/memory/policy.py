"""The compute device and the precision of each kind of network on it, as the command line and the machine decide."""

from dataclasses import dataclass, replace
from typing import TypeVar

import torch
from torch import nn

from models.memory.card import ACTIVATIONS, Card
from models.memory.keeper import DeviceMemory, VramMode
from models.memory.resident import Resident, WeightsSource

Network = TypeVar("Network", bound=nn.Module)


@dataclass(frozen=True)
class DevicePolicy:
    """The compute device and the precision of each kind of network on it."""

    memory: DeviceMemory
    unet_dtype: torch.dtype
    vae_dtype: torch.dtype
    text_dtype: torch.dtype = torch.float32

    @property
    def device(self) -> torch.device:
        """The device that networks compute on."""
        return self.memory.card.device

    @classmethod
    def choose(
        cls,
        cpu: bool = False,
        force_fp32: bool = False,
        force_fp16: bool = False,
        vram: VramMode = "normal",
        reserve: int = 0,
    ) -> "DevicePolicy":
        """Takes the graphics card if there is one: the UNet in half precision there, everything in float32 on the CPU.

        The autoencoder overflows float16, so that it computes in bfloat16 where the card can. `reserve` bytes of the
        card are left to other programs. Raises ValueError.
        """
        if force_fp32 and force_fp16:
            raise ValueError("--force-fp32 and --force-fp16 exclude each other: leave one out")
        device = torch.device("cpu") if cpu else _best_device()
        half = force_fp16 or (device.type != "cpu" and not force_fp32)
        bfloat = device.type == "cuda" and not force_fp32 and torch.cuda.is_bf16_supported(including_emulation=False)
        return cls(
            DeviceMemory(Card.of(device), reserve=ACTIVATIONS + reserve, mode=vram),
            unet_dtype=torch.float16 if half else torch.float32,
            vae_dtype=torch.bfloat16 if bfloat else torch.float32,
        )

    def on_cpu(self) -> "DevicePolicy":
        """Returns what holds for networks that compute on the processor, whatever device the others are on."""
        return replace(self, memory=DeviceMemory(Card.of(torch.device("cpu")), self.memory.machine))

    def resident(
        self,
        network: Network,
        dtype: torch.dtype,
        source: WeightsSource | None = None,
        stored: torch.dtype | None = None,
    ) -> Resident[Network]:
        """Returns the network as something that is brought to the compute device when it is used."""
        return Resident(network, dtype, self.memory, source, stored)


def _best_device() -> torch.device:
    if torch.cuda.is_available():
        return torch.device("cuda", torch.cuda.current_device())
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
