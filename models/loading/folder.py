"""Loads a folder as the diffusers library writes it: each network in a subfolder of its own."""

import re
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from models.loading.files import TensorFile, open_tensors
from models.loading.header import ModelFileError
from models.loading.joined import JoinedFile
from models.loading.keys import UNET_PREFIX, VAE_PREFIX, split
from models.loading.load import Checkpoint, loaded
from models.loading.plan import Report
from models.loading.separate import role_of
from models.memory import DevicePolicy

NETWORKS = {"unet": UNET_PREFIX, "vae": VAE_PREFIX}
TEXT_ENCODERS = ("text_encoder", "text_encoder_2")

WEIGHT_FILES = (
    r"(diffusion_pytorch_|pytorch_)?model(\.fp16)?(-\d+-of-\d+)?(\.fp16)?\.safetensors",
    r"(diffusion_)?pytorch_model(\.fp16)?(-\d+-of-\d+)?(\.fp16)?\.bin",
)
"""Names of files with weights, in the order in which they are looked for. Large networks are cut into several."""


def load_folder(folder: Path, policy: DevicePolicy, report: Report | None = None) -> Checkpoint:
    """Loads the networks of a folder. Raises ModelFileError, also if it has no UNet."""
    with ExitStack() as stack:
        files: list[tuple[str, TensorFile]] = []
        for name, prefix in NETWORKS.items():
            if network := _opened(stack, folder / name):
                files.append((prefix, network))
        for name in TEXT_ENCODERS:
            if network := _opened(stack, folder / name):
                role = role_of(list(network.shapes), network.shapes)
                files.append((f"text_encoders.{role}.transformer.", network))
        if UNET_PREFIX not in dict(files):
            raise ModelFileError(f"{folder.name} cannot be loaded: its folder unet holds no file of weights")
        file = JoinedFile(files)
        try:
            return loaded(file, split(file.shapes), policy, report)
        except ModelFileError as error:
            raise type(error)(f"{folder.name} cannot be loaded: {error}") from error.__cause__


def weight_files(folder: Path) -> list[Path]:
    """Returns the files that hold the weights of one network, if there are any: full precision before half."""
    present = sorted(folder.iterdir()) if folder.is_dir() else []
    for pattern in WEIGHT_FILES:
        found = [path for path in present if re.fullmatch(pattern, path.name)]
        for half in (False, True):
            kind = [path for path in found if (".fp16" in path.name) is half]
            whole = [path for path in kind if "-of-" not in path.name]
            if kind:
                return whole[:1] or kind
    return []


def _opened(stack: ExitStack, folder: Path) -> TensorFile | None:
    paths: Sequence[Path] = weight_files(folder)
    if not paths:
        return None
    files = [stack.enter_context(open_tensors(path)) for path in paths]
    return files[0] if len(files) == 1 else JoinedFile(("", file) for file in files)
