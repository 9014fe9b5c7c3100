"""Finds the packs of custom nodes and loads them one by one; what is wrong with one harms no other."""

import asyncio
import importlib.util
import inspect
import logging
import sys
import time
import tomllib
import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from nodes.context import Home
from nodes.v1.runtime import PACKAGE

T = TypeVar("T")

LOG = logging.getLogger("weft.custom_nodes")

PRESTARTUP = "prestartup_script.py"
ENTRYPOINT = "comfy_entrypoint"
OURS = str(Path(__file__).parents[1])
TAKEN_FOR_GRANTED = frozenset(
    {"alembic", "av", "kornia", "sentencepiece", "soundfile", "spandrel", "sqlalchemy", "torchaudio", "torchvision"}
)
"""Packages that ComfyUI needs and Weft does not."""

SHARED = frozenset({"nodes", "execution"})
"""Names of packages of ours under which packs look for ComfyUI's modules."""

SLOW = 5.0
"""Seconds from which on the log says how long a pack took."""


@dataclass(frozen=True)
class Pack:
    """A file or folder below custom_nodes, by the name people know it by."""

    name: str
    path: Path

    @property
    def module_name(self) -> str:
        """The name of its module; a dot in a folder's name would make Python look for a package."""
        return f"{PACKAGE}.{self.name.replace('.', '_')}"

    @property
    def source(self) -> Path:
        """The file that is run."""
        return self.path / "__init__.py" if self.path.is_dir() else self.path


@dataclass(frozen=True)
class LoadedPack:
    """A pack's classes by node id, their names for people, and the folder with its files for the browser."""

    pack: Pack
    classes: dict[str, Any]
    display_names: dict[str, str]
    web: Path | None = None


@dataclass(frozen=True)
class Packs:
    """The packs that could be loaded, and what went wrong with others, by their name."""

    loaded: tuple[LoadedPack, ...]
    failures: dict[str, str] = field(default_factory=dict[str, str])


class PackError(Exception):
    """A pack that runs, but declares nothing that can be used."""


def find_packs(roots: Iterable[Path], wanted: Callable[[str], bool]) -> list[Pack]:
    """The packs in these folders, sorted by name; of two of one name, the one in the earlier folder."""
    found: dict[str, Pack] = {}
    for root in roots:
        if root.is_dir():
            for path in sorted(root.iterdir()):
                if _is_pack(path) and wanted(path.name):
                    name = path.stem if path.is_file() else path.name
                    found.setdefault(name, Pack(name, path))
    return [found[name] for name in sorted(found)]


def _is_pack(path: Path) -> bool:
    if path.name.startswith((".", "_")) or path.name.lower().endswith(".disabled"):
        return False
    return path.is_dir() or path.suffix == ".py"


def load_packs(packs: Sequence[Pack], roots: Iterable[Path], home: Home) -> Packs:
    """Runs the scripts that packs want to have run before all others, then the packs themselves.

    Nothing that a pack's code raises gets out of here, sys.exit included.
    """
    _make_package([str(root) for root in roots])
    failures = {pack.name: home.left_out[pack.name] for pack in packs if pack.name in home.left_out}
    packs = [pack for pack in packs if pack.name not in failures]
    for pack in packs:
        script = pack.path / PRESTARTUP
        if script.is_file():
            home.loading(pack.name)
            attempt(
                pack.name, failures, lambda pack=pack, script=script: _run(f"{pack.module_name}_prestartup", script)
            )
    loaded: list[LoadedPack] = []
    for pack in packs:
        home.loading(pack.name)
        started = time.monotonic()
        found = attempt(pack.name, failures, lambda pack=pack: _load(pack))
        if (seconds := time.monotonic() - started) > SLOW:
            LOG.warning("The pack %s took %.1f seconds to load.", pack.name, seconds)
        if found is not None:
            loaded.append(found)
    return Packs(tuple(loaded), failures)


def attempt(name: str, failures: dict[str, str], action: Callable[[], T]) -> T | None:
    """What the action returns, or None if it fails; then the log and `failures` tell what went wrong in this pack."""
    try:
        return action()
    except BaseException as error:  # noqa: BLE001 - whatever a pack raises, sys.exit included, is its own affair
        told = explanation(error)
        LOG.error("Custom nodes: the pack %s failed.\n%s", name, told)
        failures[name] = f"{failures[name]}\n\n{told}" if name in failures else told
        return None


def _make_package(roots: Sequence[str]) -> None:
    """The package that all packs are members of, so that they find themselves and each other by name."""
    package = sys.modules.setdefault(PACKAGE, ModuleType(PACKAGE))
    package.__path__ = [*roots]


def _run(name: str, source: Path, folder: Path | None = None) -> ModuleType:
    """Runs a file as the module of this name; with a folder it is a package."""
    places = None if folder is None else [str(folder)]
    spec = importlib.util.spec_from_file_location(name, source, submodule_search_locations=places)
    if spec is None or spec.loader is None:
        raise PackError(f"{source.name} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _load(pack: Pack) -> LoadedPack:
    if not pack.source.is_file():
        raise PackError(f"the folder {pack.name} has no __init__.py: it is no pack, or was not downloaded whole")
    module = _run(pack.module_name, pack.source, pack.path if pack.path.is_dir() else None)
    web = _web_directory(pack, module)
    classes = getattr(module, "NODE_CLASS_MAPPINGS", None)
    if classes is None and hasattr(module, ENTRYPOINT):
        classes = {_id_of(node): node for node in _nodes_of_extension(getattr(module, ENTRYPOINT))}
    if classes is None and web is None:
        raise PackError(f"it has neither NODE_CLASS_MAPPINGS nor {ENTRYPOINT}: it declares no nodes")
    names = getattr(module, "NODE_DISPLAY_NAME_MAPPINGS", None) or {}
    return LoadedPack(pack, dict(classes or {}), {str(id): str(name) for id, name in names.items()}, web)


def _id_of(node: Any) -> str:
    """The id in a node's schema; the name of one that cannot say it, which is told when the node is added."""
    try:
        return node.GET_SCHEMA().node_id
    except Exception:  # noqa: BLE001 - whatever a node raises harms no other node
        return node.__name__


def _nodes_of_extension(entrypoint: Callable[[], Any]) -> list[Any]:
    """The nodes of a pack that lists them in an extension object."""

    async def ask() -> list[Any]:
        extension = await _awaited(entrypoint())
        if not hasattr(extension, "get_node_list"):
            raise PackError(f"{ENTRYPOINT} returned a {type(extension).__name__}, not a ComfyExtension")
        await _awaited(extension.on_load())
        return list(await _awaited(extension.get_node_list()))

    return asyncio.run(ask())


async def _awaited(value: Any) -> Any:
    return await value if inspect.isawaitable(value) else value


def _web_directory(pack: Pack, module: ModuleType) -> Path | None:
    """The folder with files for the browser that the pack names, if it lies within the pack."""
    folder = pack.path if pack.path.is_dir() else pack.path.parent
    named = getattr(module, "WEB_DIRECTORY", None) or _web_of_project(folder / "pyproject.toml")
    if not named or not (web := (folder / str(named)).resolve()).is_dir():
        return None
    if not web.is_relative_to(folder.resolve()):
        raise PackError(f"WEB_DIRECTORY {str(named)!r} lies outside the pack")
    return web


def _web_of_project(file: Path) -> str | None:
    if not file.is_file():
        return None
    try:
        return tomllib.loads(file.read_text(encoding="utf-8")).get("tool", {}).get("comfy", {}).get("web")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        return None


def explanation(error: BaseException) -> str:
    """The traceback from the pack's own file on, without folders of this machine, and what can be done about it."""
    frames = [one for one in traceback.extract_tb(error.__traceback__) if not one.filename.startswith(OURS)]
    own = next((index for index, frame in enumerate(frames) if PACKAGE in Path(frame.filename).parts), len(frames))
    if isinstance(error, SyntaxError) and error.filename:
        error.filename = _shown(error.filename)
    for frame in frames:
        frame.filename = _shown(frame.filename)
    lines = ["Traceback (most recent call last):\n", *traceback.format_list(frames[own:])] if own < len(frames) else []
    lines += [line.replace(f"{Path(__file__).parents[2]}/", "") for line in traceback.format_exception_only(error)]
    return "".join(lines).rstrip() + _advice(error)


def _shown(filename: str) -> str:
    parts = Path(filename).parts
    for root in (PACKAGE, "site-packages"):
        if root in parts:
            return "/".join(parts[len(parts) - 1 - parts[::-1].index(root) :])
    return Path(filename).name


def _advice(error: BaseException) -> str:
    match error:
        case ModuleNotFoundError(name=str(name)) if not name.startswith(PACKAGE):
            return f"\n\nThe Python package {name.split('.')[0]!r} is missing. {_source(name.split('.')[0])}"
        case ImportError(name=str(name)) if name in SHARED:
            return f"\n\nThe pack asks for a part of ComfyUI's module {name!r} that Weft does not offer."
        case SystemExit():
            return "\n\nThe pack asked the program to exit, which it is not let do."
        case _:
            return ""


def _source(package: str) -> str:
    """Where a missing package is to be had from."""
    if package in TAKEN_FOR_GRANTED:
        return f"ComfyUI brings it, so that packs need not name it: install it with pip install {package}."
    return "The pack's requirements.txt may name it."
