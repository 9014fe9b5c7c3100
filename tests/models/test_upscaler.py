"""ESRGAN's network, in every layout of its files, and pictures enlarged by it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor, nn

from models.loading.header import ModelFileError
from models.loading.upscaler import esrgan_sources, load_upscaler
from models.memory import DevicePolicy, NotEnoughMemoryError
from models.upscaler import RrdbConfig, RrdbNet, Upscaler, upscaled

POLICY = DevicePolicy.choose(cpu=True)
Weights = dict[str, Tensor]


def weights_of(config: RrdbConfig) -> Weights:
    torch.manual_seed(5)
    return {name: torch.randn_like(value) * 0.1 for name, value in RrdbNet(config).state_dict().items()}


def first_version(weights: Weights, doublings: int) -> Weights:
    """The layout of the first ESRGAN: places in nested sequences, where enlarging and activation take places too."""
    after = [f"model.{3 * number}" for number in range(1, doublings + 1)]
    after += [f"model.{3 * doublings + 2}", f"model.{3 * doublings + 4}"]
    names = dict(zip([f"conv_up{n + 1}" for n in range(doublings)] + ["conv_hr", "conv_last"], after, strict=True))
    names |= {"conv_first": "model.0", "conv_body": "model.1.sub.2"}
    renamed: Weights = {}
    for name, value in weights.items():
        layer, kind = name.rsplit(".", 1)
        if layer.startswith("body."):
            _, block, dense, conv = layer.split(".")
            renamed[f"model.1.sub.{block}.{dense.upper()}.{conv}.0.{kind}"] = value
        else:
            renamed[f"{names[layer]}.{kind}"] = value
    return renamed


def second_version(weights: Weights) -> Weights:
    renamed: Weights = {}
    for name, value in weights.items():
        for ours, theirs in (("conv_body", "trunk_conv"), ("body.", "RRDB_trunk."), ("rdb", "RDB")):
            name = name.replace(ours, theirs)
        renamed[name.replace("conv_up", "upconv").replace("conv_hr", "HRconv")] = value
    return renamed


def written_out(w: Weights, x: Tensor, blocks: int, doublings: int) -> Tensor:
    """The network as the paper and its code describe it, layer by layer."""

    def conv(name: str, x: Tensor) -> Tensor:
        return F.conv2d(x, w[f"{name}.weight"], w[f"{name}.bias"], padding=1)

    def dense(name: str, x: Tensor) -> Tensor:
        seen = [x]
        for number in range(1, 5):
            seen.append(F.leaky_relu(conv(f"{name}.conv{number}", torch.cat(seen, 1)), 0.2))
        return x + 0.2 * conv(f"{name}.conv5", torch.cat(seen, 1))

    first = h = conv("conv_first", x)
    for block in range(blocks):
        inner = h
        for number in (1, 2, 3):
            inner = dense(f"body.{block}.rdb{number}", inner)
        h = h + 0.2 * inner
    h = first + conv("conv_body", h)
    for number in range(1, doublings + 1):
        h = F.leaky_relu(conv(f"conv_up{number}", h.repeat_interleave(2, 2).repeat_interleave(2, 3)), 0.2)
    return conv("conv_last", F.leaky_relu(conv("conv_hr", h), 0.2))


@pytest.mark.parametrize("layout", ["first", "second", "third"])
@pytest.mark.parametrize("doublings", [0, 1, 2, 3])
def test_every_layout_is_the_network_of_the_paper(layout: str, doublings: int, tmp_path: Path) -> None:
    weights = weights_of(RrdbConfig(3, 6, 2, 4, doublings))
    stored = {"first": first_version(weights, doublings), "second": second_version(weights), "third": weights}[layout]
    save_file(stored, tmp_path / "up.safetensors")
    upscaler = load_upscaler(tmp_path / "up.safetensors", POLICY)
    assert upscaler.scale == 2**doublings
    x = torch.rand(1, 3, 5, 7)
    with upscaler.network.on_device() as network:
        torch.testing.assert_close(network(x), written_out(weights, x, 2, doublings))


@pytest.mark.parametrize(("unshuffle", "scale"), [(2, 2), (4, 1)])
def test_pixels_put_together_lower_the_scale_and_any_size_goes_in(unshuffle: int, scale: int) -> None:
    config = RrdbConfig(3, 6, 1, 4, 2, unshuffle)
    weights = weights_of(config)
    assert RrdbConfig.from_shapes({name: value.shape for name, value in weights.items()}) == config
    network = RrdbNet(config)
    network.load_state_dict(weights)
    x = torch.rand(1, 3, 8, 12)
    torch.testing.assert_close(network(x), written_out(weights, F.pixel_unshuffle(x, unshuffle), 1, 2))
    assert network(torch.rand(1, 3, 7, 9)).shape == (1, 3, 7 * scale, 9 * scale)
    assert network(torch.rand(1, 3, 1, 1)).shape == (1, 3, scale, scale)


def test_an_archive_may_hold_the_weights_beside_their_average(tmp_path: Path) -> None:
    weights = weights_of(RrdbConfig(3, 6, 1, 4, 1))
    torch.save({"params": {"nothing": torch.zeros(1)}, "params_ema": weights}, tmp_path / "up.pth")
    assert load_upscaler(tmp_path / "up.pth", POLICY).scale == 2


def test_another_upscaler_needs_spandrel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.loading.upscaler.find_spec", lambda name: None)
    save_file({"body.0.weight": torch.zeros(4, 3, 3, 3)}, tmp_path / "other.safetensors")
    with pytest.raises(ModelFileError, match=r"other.safetensors .* no conv_first.weight.* `pip install spandrel`"):
        load_upscaler(tmp_path / "other.safetensors", POLICY)


def test_a_file_that_lacks_a_layer_names_it(tmp_path: Path) -> None:
    weights = weights_of(RrdbConfig(3, 6, 2, 4, 1))
    del weights["body.1.rdb2.conv3.bias"]
    save_file(weights, tmp_path / "up.safetensors")
    with pytest.raises(ModelFileError, match=r"body.1.rdb2.conv3.bias is missing"):
        load_upscaler(tmp_path / "up.safetensors", POLICY)


def test_keys_that_mean_nothing_keep_their_names() -> None:
    assert set(esrgan_sources(["foo.weight", "model.0.weight"])) == {"foo.weight", "conv_first.weight"}


class Doubler(nn.Module):
    """Doubles every pixel, if the tile is small enough for its memory."""

    def __init__(self, largest: int) -> None:
        super().__init__()
        self.largest = largest
        self.tiles: list[tuple[int, ...]] = []

    device, dtype = torch.device("cpu"), torch.float32

    @contextmanager
    def on_device(self) -> Iterator["Doubler"]:
        yield self

    def forward(self, x: Tensor) -> Tensor:
        self.tiles.append(tuple(x.shape))
        if max(x.shape[-2:]) > self.largest:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return F.interpolate(x, scale_factor=2.0, mode="nearest") * 3 - 1


def doubled(doubler: Doubler, images: Tensor, report: Any = lambda done, total: None) -> Tensor:
    return upscaled(Upscaler(cast(Any, doubler), 2), images, report)


PICTURES = torch.rand(2, 300, 600, 4)


@pytest.mark.parametrize("largest", [600, 512, 256, 128])
def test_tiles_are_halved_until_they_fit(largest: int) -> None:
    doubler = Doubler(largest)
    expected = (PICTURES[..., :3].repeat_interleave(2, 1).repeat_interleave(2, 2) * 3 - 1).clamp(0, 1)
    torch.testing.assert_close(doubled(doubler, PICTURES), expected)
    assert max(doubler.tiles[-1][-2:]) <= largest


def test_tiles_below_128_are_not_tried() -> None:
    with pytest.raises(NotEnoughMemoryError, match="128 × 128"):
        doubled(Doubler(100), PICTURES)


def test_every_tile_is_told_and_may_stop_the_rest() -> None:
    doubler, told = Doubler(512), []

    def stop(done: int, total: int) -> None:
        told.append((done, total))
        raise InterruptedError

    with pytest.raises(InterruptedError):
        doubled(doubler, PICTURES, stop)
    assert told == [(1, 4)]
    assert len(doubler.tiles) == 1
