"""Loads checkpoints: networks built without memory, each tensor of the file read once and adopted as it is."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor, nn

from models.loading.detect import Detected, detect
from models.loading.files import TensorFile, open_tensors
from models.loading.header import ModelFileError
from models.memory import DevicePolicy, Kept, NotEnoughMemoryError, free_bytes, total_bytes
from models.sampling.model_sampling import ModelSampling, v_sampling
from models.text.clip import ClipText
from models.text.tokenizer import Tokenizer
from models.types import Clip, Model, Vae
from models.unet import UNet
from models.vae import Autoencoder

Network = TypeVar("Network", bound=nn.Module)
Report = Callable[[float], None]

LISTED = 12
"""Keys named in an error before the rest is only counted."""


class WeightsMismatchError(ModelFileError):
    """The tensors of a file are not those of the network it was taken for."""


@dataclass(frozen=True)
class Checkpoint:
    """The networks of one file, ready to use. The text encoder and the autoencoder may be missing in it."""

    model: Model
    clip: Clip | None
    vae: Vae | None
    bytes: int


class Checkpoints:
    """The checkpoints loaded last, kept while they fit into half of the machine's memory."""

    def __init__(self, policy: DevicePolicy, budget: int | None = None) -> None:
        self._policy = policy
        self._kept: Kept[Checkpoint] = Kept(budget or total_bytes() // 2, lambda checkpoint: checkpoint.bytes)

    def get(self, path: Path, report: Report | None = None) -> Checkpoint:
        """Returns a checkpoint, loaded at most once as long as its file does not change. Raises ModelFileError."""
        if not path.is_file():
            raise ModelFileError(f"{path.name} cannot be read: there is no such file")
        status = path.stat()
        key = (path, status.st_size, status.st_mtime_ns)
        expected = status.st_size * self._policy.unet_dtype.itemsize // 2  # published files are in half precision
        return self._kept.get(key, expected, lambda: load_checkpoint(path, self._policy, report))

    def clear(self) -> None:
        """Lets go of all checkpoints."""
        self._kept.clear()


def load_checkpoint(path: Path, policy: DevicePolicy, report: Report | None = None) -> Checkpoint:
    """Loads a single-file checkpoint. `report` is told the fraction read so far and may raise to stop.

    Raises ModelFileError if the file is damaged, unknown or does not fit its family.
    """
    with open_tensors(path) as file:
        try:
            return _loaded(file, policy, report or (lambda fraction: None))
        except ModelFileError as error:
            raise type(error)(f"{path.name} cannot be loaded: {error}") from error.__cause__


@dataclass(frozen=True)
class _Plan(Generic[Network]):
    """A network without memory, the file's key of each of its parameters, and what the weights are converted to.

    Weights take each precision of `dtypes` in turn, so that a text encoder's are rounded to half before they are used.
    """

    network: Network
    keys: Mapping[str, str]
    dtypes: tuple[torch.dtype, ...]

    def mismatches(self, file: TensorFile) -> list[str]:
        """Says which tensors are missing, unexpected or of another shape than the network's."""
        wanted = {name: tuple(tensor.shape) for name, tensor in self.network.state_dict().items()}
        missing = [f"{name} is missing" for name in wanted if name not in self.keys]
        unexpected = [f"{key} is unexpected" for name, key in self.keys.items() if name not in wanted]
        misshapen = [
            f"{self.keys[name]} has shape {list(file.shapes[self.keys[name]])} instead of {list(shape)}"
            for name, shape in wanted.items()
            if name in self.keys and file.shapes[self.keys[name]] != shape
        ]
        return missing + unexpected + misshapen

    def bytes(self) -> int:
        """Memory the weights will take."""
        return sum(parameter.numel() for parameter in self.network.parameters()) * self.dtypes[-1].itemsize

    def filled(self, read: Callable[[str, tuple[torch.dtype, ...]], Tensor]) -> Network:
        """Gives the network its weights and returns it, ready to compute and not to train."""
        weights = {name: read(key, self.dtypes) for name, key in self.keys.items()}
        self.network.load_state_dict(weights, strict=True, assign=True)
        return self.network.eval().requires_grad_(False)


def _loaded(file: TensorFile, policy: DevicePolicy, report: Report) -> Checkpoint:
    found = detect(file.shapes, file.metadata)
    unet, text, vae = _planned(found, policy)
    plans = [plan for plan in (unet, text, vae) if plan]
    _refuse_mismatches(file, found, plans)
    _refuse_too_large(sum(plan.bytes() for plan in plans))
    read = _reader(file, report, sum(file.sizes[key] for plan in plans for key in plan.keys.values()))
    model = policy.resident(unet.filled(read), policy.unet_dtype)
    encoder = policy.resident(text.filled(read), policy.text_dtype) if text else None
    autoencoder = policy.resident(vae.filled(read), policy.vae_dtype) if vae else None
    return Checkpoint(
        model=Model(model, found.latent_format, v_sampling() if found.family.prediction == "v" else ModelSampling()),
        clip=Clip(encoder, Tokenizer()) if encoder else None,
        vae=Vae(autoencoder) if autoencoder else None,
        bytes=sum(resident.bytes for resident in (model, encoder, autoencoder) if resident),
    )


def _planned(
    found: Detected, policy: DevicePolicy
) -> tuple[_Plan[UNet], _Plan[ClipText] | None, _Plan[Autoencoder] | None]:
    """Builds the networks on the meta device, where tensors have shapes but no memory."""
    try:
        with torch.device("meta"):
            unet = UNet(found.unet)
            text = ClipText(found.text) if found.text else None
            vae = Autoencoder(found.vae) if found.vae else None
    except (ValueError, RuntimeError) as error:
        raise WeightsMismatchError(f"no network can have the shapes of its tensors ({error})") from error
    return (
        _Plan(unet, found.parts.unet, (policy.unet_dtype,)),
        _Plan(text, found.parts.text, (torch.float16, policy.text_dtype)) if text else None,
        _Plan(vae, found.parts.vae, (policy.vae_dtype,)) if vae else None,
    )


def _refuse_mismatches(file: TensorFile, found: Detected, plans: Iterable[_Plan[Any]]) -> None:
    problems = [f"{key} is unexpected" for key in found.parts.unexpected]
    problems += [problem for plan in plans for problem in plan.mismatches(file)]
    if not problems:
        return
    more = f" and {len(problems) - LISTED} more" if len(problems) > LISTED else ""
    raise WeightsMismatchError(
        f"it looks like {found.family.name}, but its tensors do not fit: {'; '.join(problems[:LISTED])}{more}"
    )


def _refuse_too_large(wanted: int) -> None:
    available = free_bytes(torch.device("cpu"))
    if wanted > available:
        raise NotEnoughMemoryError(
            f"its weights need {wanted / 1e9:.1f} GB of memory, and {available / 1e9:.1f} GB are free: "
            "close other programs"
        )


def _reader(file: TensorFile, report: Report, total: int) -> Callable[[str, tuple[torch.dtype, ...]], Tensor]:
    """Returns the function that reads a tensor, converts it and reports how much of the total has been read."""
    done = 0

    def read(key: str, dtypes: tuple[torch.dtype, ...]) -> Tensor:
        nonlocal done
        tensor = file.read(key, dtypes[0])
        for dtype in dtypes[1:]:
            tensor = tensor.to(dtype)
        if not math.isfinite(tensor.sum(dtype=torch.float32).item()):
            raise WeightsMismatchError(f"{key} holds numbers that are infinite or not a number: the file is damaged")
        done += file.sizes[key]
        report(done / total)
        return tensor

    return read
