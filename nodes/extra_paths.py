"""Reads the YAML file with which people point to models of another installation."""

import os
from pathlib import Path
from typing import Any

from nodes.paths import ExtraFolder


class ExtraPathsError(ValueError):
    """A configuration of extra model paths that cannot be read; the message says where and why."""


def read_extra_paths(file: Path) -> list[ExtraFolder]:
    """The folders of every section: `base_path` and `is_default` if given, then folder names with one path a line."""
    sections = _parse(file)
    if not isinstance(sections, dict):
        raise ExtraPathsError(f"{file}: expected sections with model folders, found {type(sections).__name__}.")
    return [extra for name, section in sections.items() if section for extra in _of_section(file, name, section)]


def _parse(file: Path) -> Any:
    import yaml  # Only people with such a file need it, and it comes with transformers.

    try:
        return yaml.safe_load(file.read_text(encoding="utf-8")) or {}
    except OSError as error:
        raise ExtraPathsError(f"{file}: cannot be read: {error.strerror}.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ExtraPathsError(f"{file}: is not valid YAML: {error}") from error


def _of_section(file: Path, name: str, section: Any) -> list[ExtraFolder]:
    if not isinstance(section, dict):
        raise ExtraPathsError(f"{file}: section {name!r} must hold `folder: path` lines.")
    base = file.parent / _expanded(section.get("base_path", ""))
    found = []
    for folder, lines in section.items():
        if folder in ("base_path", "is_default"):
            continue
        if not isinstance(lines, str):
            raise ExtraPathsError(f"{file}: {name}.{folder} must be a path, not {lines!r}.")
        paths = [base / _expanded(line.strip()) for line in lines.splitlines() if line.strip()]
        found += [ExtraFolder(str(folder), path, bool(section.get("is_default"))) for path in paths]
    return found


def _expanded(path: str) -> str:
    return os.path.expandvars(os.path.expanduser(path))
