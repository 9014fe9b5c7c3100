"""Hypernetworks are read as their files describe them, and change keys and values by their strength."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from models.adapters.hypernetwork import HypernetworkPatch
from models.loading.header import ModelFileError
from models.loading.hypernetwork import hypernetwork_of, load_hypernetwork
from models.memory import DevicePolicy
from models.unet_patches import Call, Place
from tests.models.sampling.fakes import FakeResidence

CALL = Call(torch.tensor(1.0), (0,), 1, (1, 4, 8, 8))


def perceptron(width: int, numbers: tuple[int, int] = (0, 1)) -> dict[str, Tensor]:
    """Weights of two layers, under the numbers that they have among all layers."""
    first, second = (f"linear.{number}" for number in numbers)
    return {
        f"{first}.weight": torch.randn(width * 2, width),
        f"{first}.bias": torch.randn(width * 2),
        f"{second}.weight": torch.randn(width, width * 2),
        f"{second}.bias": torch.randn(width),
    }


def test_keys_and_values_are_changed_by_their_own_perceptrons() -> None:
    torch.manual_seed(0)
    for_keys, for_values = perceptron(8), perceptron(8)
    network = hypernetwork_of({8: (for_keys, for_values), "layer_structure": [1, 2, 1], "activation_func": "relu"})
    x = torch.randn(1, 3, 8)

    def expected(tensors: dict[str, Tensor]) -> Tensor:
        inner = torch.relu(x @ tensors["linear.0.weight"].T + tensors["linear.0.bias"])
        return x + 0.5 * (inner @ tensors["linear.1.weight"].T + tensors["linear.1.bias"])

    keys, values = network(x, x, 0.5)
    torch.testing.assert_close(keys, expected(for_keys))
    torch.testing.assert_close(values, expected(for_values))


def test_numbers_of_layers_may_count_dropouts() -> None:
    pair = (perceptron(8, (0, 3)), perceptron(8, (0, 3)))
    network = hypernetwork_of({8: pair, "activation_func": "relu"})
    plain = {name.replace(".3.", ".1."): tensor for name, tensor in pair[0].items()}
    other = hypernetwork_of({8: (plain, plain), "activation_func": "relu"})
    x = torch.randn(1, 3, 8)
    assert torch.equal(network(x, x, 1.0)[0], other(x, x, 1.0)[0])


def test_norms_and_an_activated_output_are_built_as_the_file_says() -> None:
    tensors = perceptron(8, (0, 3)) | {
        "linear.2.weight": torch.ones(16), "linear.2.bias": torch.zeros(16),
        "linear.5.weight": torch.ones(8), "linear.5.bias": torch.zeros(8),
    }  # fmt: skip
    said = {"activation_func": "tanh", "is_layer_norm": True, "activate_output": True}
    network = hypernetwork_of({8: (tensors, tensors), **said})
    kinds = [type(layer) for layer in network.pairs["8"][0]]  # pyright: ignore
    assert kinds == [nn.Linear, nn.Tanh, nn.LayerNorm] * 2


def test_features_of_another_width_stay() -> None:
    patch = HypernetworkPatch(FakeResidence(hypernetwork_of({8: (perceptron(8), perceptron(8))})), 1.0)
    queries, keys, values = (torch.randn(1, 3, 12) for _ in range(3))
    found = patch(queries, keys, values, Place("middle", 0), CALL)
    assert all(one is other for one, other in zip(found, (queries, keys, values), strict=True))


def test_a_file_is_loaded_without_running_anything(tmp_path: Path) -> None:
    torch.save({8: (perceptron(8), perceptron(8)), "name": "paint", "step": 100}, tmp_path / "paint.pt")
    network = load_hypernetwork(tmp_path / "paint.pt", DevicePolicy.choose(cpu=True))
    assert network.bytes == 2 * (2 * 8 * 16 + 24) * 4
    with network.on_device() as ready:
        assert list(ready.pairs) == ["8"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"a": torch.zeros(1)}, "not a hypernetwork"),
        ({8: (perceptron(8), perceptron(8)), "activation_func": "wobble"}, "'wobble' is not known"),
        ({8: (perceptron(8), perceptron(9))}, "does not fit"),
        ({10**6: (perceptron(8), perceptron(8)), "layer_structure": [1, 10**6, 1]}, "does not fit"),
        ({8: (perceptron(8), perceptron(8)), "layer_structure": [1, float("inf"), 1]}, "unknown kind"),
        ({8: (perceptron(8), perceptron(8)), "layer_structure": [1] * 1000}, "1000 layers"),
        ({8: (perceptron(8), perceptron(8)), "layer_structure": [1, 2, 2, 1]}, "2 layers instead of 3"),
    ],
)
def test_other_content_is_refused(content: object, message: str, tmp_path: Path) -> None:
    torch.save(content, tmp_path / "other.pt")
    with pytest.raises(ModelFileError, match=f"other.pt.*{message}"):
        load_hypernetwork(tmp_path / "other.pt", DevicePolicy.choose(cpu=True))
