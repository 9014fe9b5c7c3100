"""Loads networks that come apart: UNets, text encoders and autoencoders in files of their own."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import torch

from models.loading.detect import UNKNOWN, UnknownModelError, autoencoder_config, detect, text_config
from models.loading.families import SD1, SD2, SDXL, SDXL_REFINER, stranger
from models.loading.files import open_tensors
from models.loading.header import ModelFileError
from models.loading.joined import JoinedFile
from models.loading.keys import (
    TEXT_PREFIXES,
    UNET_PREFIX,
    VAE_PREFIX,
    Parts,
    autoencoder_sources,
    is_left_out,
    text_sources,
    unet_sources,
)
from models.loading.load import model_of, text_plan
from models.loading.plan import Plan, Report, reader_for
from models.loading.sources import Shapes, named_shapes
from models.memory import DevicePolicy
from models.text.clip import ClipTextConfig
from models.text.encoders import ROLE_FACTS, EncoderUse, Role
from models.text.tokenizer import Tokenizer
from models.types import Clip, Model, Vae
from models.unet import UNet
from models.vae import Autoencoder

ROLES_BY_SIZE: tuple[Role, ...] = ("clip_g", "clip_h", "clip_l")

ENCODERS: tuple[tuple[EncoderUse, ...], ...] = (SD1.encoders, SD2.encoders, SDXL.encoders, SDXL_REFINER.encoders)
"""How sets of text encoders are used: as by the family that has just these."""


def load_unet(
    path: Path, policy: DevicePolicy, stored: torch.dtype | None = None, report: Report | None = None
) -> Model:
    """Loads the UNet of a file, alone or of a checkpoint; `stored` is a precision that its weights are rounded to.

    Raises ModelFileError.
    """
    with named(path), open_tensors(path) as file:
        prefix = UNET_PREFIX if _any_begins(file.shapes, UNET_PREFIX) else ""
        parts = Parts(unet=unet_sources(_below(file.shapes, prefix), prefix))
        found = detect(parts, file.shapes, file.metadata)
        dtypes = (policy.unet_dtype,) if stored is None else (stored, policy.unet_dtype)
        plan = Plan.of(lambda: UNet(found.unet), parts.unet, *dtypes)
        resident = plan.resident(reader_for(file, [plan], found.family.name, policy, report), policy)
        return model_of(resident, found, file)


def load_autoencoder(path: Path, policy: DevicePolicy, report: Report | None = None) -> Vae:
    """Loads the autoencoder of a file, alone or of a checkpoint. Raises ModelFileError."""
    with named(path), open_tensors(path) as file:
        prefix = next((one for one in (VAE_PREFIX, "vae.") if _any_begins(file.shapes, one)), "")
        sources = autoencoder_sources(_below(file.shapes, prefix), prefix)
        try:
            config = autoencoder_config(sources, file.shapes, file.metadata)
        except UNKNOWN as error:
            raise _unknown(error, file.shapes) from error
        plan = Plan.of(lambda: Autoencoder(config), sources, policy.vae_dtype)
        resident = plan.resident(reader_for(file, [plan], "an autoencoder", policy, report), policy)
        return Vae(resident)


def load_text_encoders(paths: Sequence[Path], policy: DevicePolicy, report: Report | None = None) -> Clip:
    """Loads text encoders, each in a file of its own or all in one, for the family that listens to just these.

    Raises ModelFileError.
    """
    with named(*paths), ExitStack() as stack:
        files = [stack.enter_context(open_tensors(path)) for path in paths]
        file = JoinedFile((f"{number}/", file) for number, file in enumerate(files))
        parts = Parts()
        for number, one in enumerate(files):
            _add_text(parts, one.shapes, f"{number}/")
        try:
            configs: dict[Role, ClipTextConfig] = {
                role: text_config(role, sources, file.shapes) for role, sources in parts.text.items()
            }
        except UNKNOWN as error:
            raise _unknown(error, file.shapes) from error
        uses = uses_of(configs)
        plan = text_plan(configs, parts.text, policy)
        resident = plan.resident(reader_for(file, [plan], "a text encoder", policy, report), policy)
        return Clip(resident, Tokenizer(), uses)


def uses_of(roles: Iterable[Role]) -> tuple[EncoderUse, ...]:
    """Returns how the family with just these encoders listens to them. Raises UnknownModelError if there is none."""
    roles = set(roles)
    for uses in ENCODERS:
        if {use.role for use in uses} == roles:
            return uses
    titles = " and ".join(sorted(ROLE_FACTS[role].title for role in roles))
    raise UnknownModelError(f"no family of models listens to {titles} together")


def _add_text(parts: Parts, shapes: Shapes, mark: str) -> None:
    """Adds the text encoders of one file, whose keys get a mark in front."""
    prefixes: list[tuple[str, Role]] = [
        (prefix, role) for prefix, role in TEXT_PREFIXES.items() if _any_begins(shapes, prefix)
    ]
    for prefix, role in prefixes or [("", role_of(_below(shapes, ""), shapes))]:
        if role in parts.text:
            raise UnknownModelError(f"two of the files are {ROLE_FACTS[role].title}: choose a different one")
        parts.text[role] = text_sources([mark + key for key in _below(shapes, prefix)], role, mark + prefix)


def role_of(keys: Sequence[str], shapes: Shapes) -> Role:
    """Tells a text encoder that stands alone by the number of its blocks."""
    names = text_sources(keys, "clip_g")
    try:
        layers = ClipTextConfig.from_shapes(named_shapes(names, shapes)).layers
    except UNKNOWN as error:
        raise _unknown(error, shapes) from error
    # OpenCLIP-H may lack its last block, which nobody listens to
    for role in ROLES_BY_SIZE:
        if ROLE_FACTS[role].layers - 1 <= layers:
            return role
    return "clip_l"


def _below(shapes: Shapes, prefix: str) -> list[str]:
    return [key for key in shapes if key.startswith(prefix) and not is_left_out(key)]


def _any_begins(shapes: Shapes, prefix: str) -> bool:
    return any(key.startswith(prefix) for key in shapes)


def _unknown(error: Exception, shapes: Shapes) -> ModelFileError:
    if isinstance(error, ModelFileError):
        return error
    kind = stranger(shapes)
    return UnknownModelError(f"{f'it looks like {kind}: ' if kind else ''}{error}")


@contextmanager
def named(*paths: Path) -> Iterator[None]:
    """Puts the names of the files before what is wrong with them."""
    try:
        yield
    except ModelFileError as error:
        names = " and ".join(path.name for path in paths)
        if str(error).startswith(tuple(path.name for path in paths)):
            raise
        raise type(error)(f"{names} cannot be loaded: {error}") from error.__cause__
