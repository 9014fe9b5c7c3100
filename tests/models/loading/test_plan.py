"""Networks are planned without memory, and without numbers that their file replaces anyway."""

from collections.abc import Callable
from typing import Any

from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from models.loading.plan import Plan


class Operations(TorchDispatchMode):
    """Notes the names of all operations on tensors."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def __torch_dispatch__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        self.names.append(str(func))
        return func(*args, **(kwargs or {}))


def test_parameters_without_memory_are_not_filled() -> None:
    with Operations() as operations:
        plan = Plan.of(lambda: nn.Sequential(nn.Linear(3, 4), nn.Embedding(5, 6), nn.Conv2d(1, 2, 3)), {})
    assert all(parameter.is_meta for parameter in plan.network.parameters())
    assert not [name for name in operations.names if "normal" in name or "uniform" in name]
