"""What every stage shares: a budget, a learning-rate curve, averaged gradients, an average of weights, saving."""

import math
import os
import socket
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.multiprocessing.spawn import spawn
from torch.nn.attention import SDPBackend, sdpa_kernel
from tqdm import tqdm

# The C library's allocator gives freed memory back at once, and each step pays for fresh pages: a tenth of the time.
KEEP_MEMORY = {"MALLOC_TRIM_THRESHOLD_": "20000000000", "MALLOC_MMAP_MAX_": "0", "MALLOC_TOP_PAD_": "1000000000"}


@dataclass(frozen=True)
class Recipe:
    """How a network is optimized; training ends at the first of `steps` and `seconds`."""

    steps: int
    batch: int
    rate: float
    seconds: float = math.inf
    warmup: int = 50
    hold: float = 0.4
    final_rate: float = 0.02
    betas: tuple[float, float] = (0.9, 0.99)
    weight_decay: float = 0.01
    clip: float = 1.0
    average: float = 0.998

    def rate_at(self, step: int, progress: float) -> float:
        """Warms up, holds the rate until `hold` of the budget is spent, then falls along a half cosine."""
        fall = max(0.0, (progress - self.hold) / (1 - self.hold))
        factor = self.final_rate + (1 - self.final_rate) * (1 + math.cos(math.pi * min(1.0, fall))) / 2
        return self.rate * factor * min(1.0, (step + 1) / self.warmup)


@dataclass(frozen=True)
class Team:
    """The processes that train one network together, seen from one of them."""

    rank: int = 0
    size: int = 1
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    workers: int = 0
    """Processes that make batches for this one; none where the network itself keeps the processors busy."""

    def autocast(self) -> AbstractContextManager[object]:
        """Compute in bfloat16, with attention written out on the CPU, where the fused kernel's backward is slow."""
        stack = ExitStack()
        stack.enter_context(torch.autocast(self.device.type, torch.bfloat16))
        if self.device.type == "cpu":
            stack.enter_context(sdpa_kernel(SDPBackend.MATH))
        return stack

    def share(self, batch: int) -> int:
        """Tell how many samples of a batch are this process's part."""
        return max(1, batch // self.size)


class Trainer:
    """Optimizes a network within a recipe's budget and keeps a moving average of its weights."""

    def __init__(self, network: nn.Module, recipe: Recipe, team: Team, path: Path, bar: str) -> None:
        self.network = network
        self.recipe = recipe
        self.team = team
        self.path = path
        self.parameters = [p for p in network.parameters() if p.requires_grad]
        self.averaged = [p.detach().clone() for p in self.parameters]
        self.optimizer = torch.optim.AdamW(
            self.parameters, lr=recipe.rate, betas=recipe.betas, weight_decay=recipe.weight_decay, fused=True
        )
        self.step = 0
        self.progress = 0.0
        self._spent = 0.0
        self._started = time.monotonic()
        if path.exists():
            self._load()
        total = recipe.steps if math.isinf(recipe.seconds) else None
        self.bar = tqdm(
            initial=self.step, total=total, desc=bar, disable=team.rank > 0, mininterval=5, dynamic_ncols=True
        )

    @property
    def done(self) -> bool:
        """Whether the budget is spent; the same in every process."""
        return self.progress >= 1

    def update(self, loss: Tensor) -> None:
        """Take one optimizer step, with the gradients averaged over the team."""
        loss.backward()
        self.progress = self._average_gradients(self._budget_spent(self.step + 1))
        torch.nn.utils.clip_grad_norm_(self.parameters, self.recipe.clip, foreach=True)
        for group in self.optimizer.param_groups:
            group["lr"] = self.recipe.rate_at(self.step, self.progress)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        decay = min(self.recipe.average, (self.step + 1) / (self.step + 10))
        for averaged, parameter in zip(self.averaged, self.parameters, strict=True):
            averaged.lerp_(parameter.detach(), 1 - decay)
        self.step += 1
        self.bar.update()

    def _budget_spent(self, steps: int) -> float:
        seconds = self._spent + time.monotonic() - self._started
        return max(steps / self.recipe.steps, seconds / self.recipe.seconds)

    def _average_gradients(self, progress: float) -> float:
        if self.team.size == 1:
            return progress
        grads = [p.grad if p.grad is not None else torch.zeros_like(p) for p in self.parameters]
        flat = torch.cat([*(grad.flatten() for grad in grads), torch.tensor([progress])])
        dist.all_reduce(flat)
        flat /= self.team.size
        offset = 0
        for parameter in self.parameters:
            parameter.grad = flat[offset : offset + parameter.numel()].view_as(parameter)
            offset += parameter.numel()
        return float(flat[-1])

    def report(self, **numbers: float) -> None:
        """Show measurements beside the progress bar and append them to the stage's log."""
        if self.team.rank > 0:
            return
        text = " ".join(f"{name}={value:.4g}" for name, value in numbers.items())
        self.bar.set_postfix_str(f"{self.progress:.1%} {text}", refresh=False)
        with self.path.with_suffix(".log").open("a") as log:
            log.write(f"{time.strftime('%H:%M:%S')} step={self.step} progress={self.progress:.4f} {text}\n")

    def average_state(self) -> dict[str, Tensor]:
        """Return the network's state with the averaged weights in place of the current ones."""
        state = {name: value.detach().clone() for name, value in self.network.state_dict().items()}
        names = [name for name, parameter in self.network.named_parameters() if parameter.requires_grad]
        state.update(dict(zip(names, (p.clone() for p in self.averaged), strict=True)))
        return state

    def save(self) -> None:
        """Write everything needed to go on, and the averaged weights, at once or not at all."""
        if self.team.rank > 0:
            return
        state = {
            "network": self.network.state_dict(),
            "averaged": self.averaged,
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "spent": self._spent + time.monotonic() - self._started,
            "average_state": self.average_state(),
        }
        self.path.parent.mkdir(parents=True, exist_ok=True)
        partial = self.path.with_suffix(".part")
        torch.save(state, partial)
        os.replace(partial, self.path)

    def _load(self) -> None:
        state: dict[str, Any] = torch.load(self.path, map_location=self.team.device, weights_only=True)
        self.network.load_state_dict(state["network"])
        self.averaged = [tensor.to(self.team.device) for tensor in state["averaged"]]
        self.optimizer.load_state_dict(state["optimizer"])
        self.step = state["step"]
        self._spent = state["spent"]
        self.progress = self._budget_spent(self.step)


def averaged_weights(path: Path) -> dict[str, Tensor]:
    """Read the averaged weights of a stage's save file."""
    return torch.load(path, map_location="cpu", weights_only=True)["average_state"]


def together(size: int, work: Callable[..., None], *arguments: Any) -> None:
    """Run `work(team, *arguments)` in `size` processes of one thread each, or here on the GPU if there is one.

    Threads of one process wait for each other at every operation, which is slow on a machine that is also used for
    other things; processes wait once per step.
    """
    if torch.cuda.is_available():
        work(Team(device=torch.device("cuda"), workers=max(1, (os.cpu_count() or 2) - 2)), *arguments)
    elif size == 1:
        work(Team(), *arguments)
    else:
        os.environ.update(KEEP_MEMORY)
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        spawn(_member, (size, port, work, arguments), nprocs=size)


def _member(rank: int, size: int, port: int, work: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    torch.set_num_threads(1)
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    dist.init_process_group("gloo", init_method=f"tcp://127.0.0.1:{port}", rank=rank, world_size=size)
    try:
        work(Team(rank, size), *arguments)
    finally:
        dist.destroy_process_group()
