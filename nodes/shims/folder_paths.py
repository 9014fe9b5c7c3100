"""`folder_paths`: where files lie, and which there are."""

import mimetypes
import os
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

from nodes.files import NumberedFiles, expand_prefix
from nodes.paths import (
    FOLDER_ALIASES,
    MODEL_SUFFIXES,
    SUFFIXES_OF_FOLDER,
    PathError,
    Paths,
    UnknownFolderError,
    files_below,
    resolve,
)
from nodes.v1.runtime import PACKAGE, Runtime

KINDS = ("input", "output", "temp")


class FolderPaths:
    """The functions of the module, over the folders of one base directory.

    `folder_names_and_paths` belongs to packs: what they add to it is searched from then on.
    """

    def __init__(self, paths: Paths, runtime: Runtime) -> None:
        self._runtime = runtime
        self.base_path = str(paths.base)
        self.models_dir = str(paths.base / "models")
        self.input_directory = str(paths.input)
        self.output_directory = str(paths.output)
        self.temp_directory = str(paths.temp)
        self.user_directory = str(paths.user)
        self.supported_pt_extensions = set(MODEL_SUFFIXES)
        self.filename_list_cache: dict[str, Any] = {}
        self.folder_names_and_paths: dict[str, tuple[list[str], set[str]]] = {
            folder: ([str(path) for path in directories], set(SUFFIXES_OF_FOLDER.get(folder, MODEL_SUFFIXES)))
            for folder, directories in paths.models.items()
            if folder != PACKAGE
        }
        self.folder_names_and_paths[PACKAGE] = ([str(root) for root in roots_of_packs(paths)], set())

    def map_legacy(self, folder_name: str) -> str:
        """The name that a folder has now."""
        return FOLDER_ALIASES.get(folder_name, folder_name)

    def get_input_directory(self) -> str:
        """The folder of uploaded files."""
        return self.input_directory

    def get_output_directory(self) -> str:
        """The folder of results."""
        return self.output_directory

    def get_temp_directory(self) -> str:
        """The folder that each start empties."""
        return self.temp_directory

    def get_user_directory(self) -> str:
        """The folder of settings and workflows."""
        return self.user_directory

    def get_system_user_directory(self, name: str = "system") -> str:
        """A folder for what is nobody's in particular, of a program part of this name."""
        return str(Path(self.user_directory) / f"__{name}")

    def get_public_user_directory(self, user_id: str) -> str | None:
        """The folder of a user, None for names that stand for no user. Raises UnsafeNameError if the name leads out."""
        return None if user_id.startswith("__") else str(resolve(Path(self.user_directory), user_id))

    def get_directory_by_type(self, type_name: str) -> str | None:
        """The folder of a kind of file, None for an unknown kind."""
        return getattr(self, f"{type_name}_directory") if type_name in KINDS else None

    def get_input_subfolders(self) -> list[str]:
        """The folders below the input folder, relative."""
        root = Path(self.input_directory)
        return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_dir())

    def add_model_folder_path(self, folder_name: str, full_folder_path: str, is_default: bool = False) -> None:
        """Has a folder searched for models of this name, before the others if it is the default."""
        name, path = self.map_legacy(folder_name), str(full_folder_path)
        places, _ = self.folder_names_and_paths.setdefault(name, ([], set()))
        if path in places:
            places.remove(path)
        places.insert(0 if is_default else len(places), path)

    def get_folder_paths(self, folder_name: str) -> list[str]:
        """The folders that are searched. Raises UnknownFolderError."""
        return list(self._entry(folder_name)[0])

    def _entry(self, folder_name: str) -> tuple[Iterable[str], Collection[str]]:
        entry = self.folder_names_and_paths.get(self.map_legacy(folder_name))
        if entry is None:
            raise UnknownFolderError(f"There is no model folder {folder_name!r}.")
        return entry[0], entry[1]

    def get_filename_list(self, folder_name: str) -> list[str]:
        """The files there are now, relative to their folders."""
        places, suffixes = self._entry(folder_name)

        def list_now() -> list[str]:
            return sorted({name for place in places for name in files_below(Path(place), suffixes or None)})

        return self._runtime.listed(folder_name, list_now)

    def get_full_path(self, folder_name: str, filename: str) -> str | None:
        """The path of a model, None if there is no such file."""
        if self.map_legacy(folder_name) not in self.folder_names_and_paths:
            return None
        for place in self._entry(folder_name)[0]:
            try:
                path = resolve(Path(place), str(filename), follow_links=True)
            except PathError:
                return None
            if path.is_file():
                return str(path)
        return None

    def get_full_path_or_raise(self, folder_name: str, filename: str) -> str:
        """The path of a model. Raises FileNotFoundError."""
        path = self.get_full_path(folder_name, filename)
        if path is None:
            raise FileNotFoundError(f"There is no file {filename!r} in the model folder {folder_name!r}.")
        return path

    def annotated_filepath(self, name: str) -> tuple[str, str | None]:
        """Cuts "x.png [output]" into its name and the folder it names."""
        for kind in KINDS:
            if name.endswith(f"[{kind}]"):
                return name.removesuffix(f"[{kind}]").removesuffix(" "), self.get_directory_by_type(kind)
        return name, None

    def get_annotated_filepath(self, name: str, default_dir: str | None = None) -> str:
        """The path of a person's file. Raises UnsafeNameError if the name leads out of its folder."""
        plain, folder = self.annotated_filepath(name)
        return str(resolve(Path(folder or default_dir or self.input_directory), plain, follow_links=True))

    def exists_annotated_filepath(self, name: str) -> bool:
        """Whether a person's file is there."""
        try:
            return os.path.exists(self.get_annotated_filepath(name))
        except PathError:
            return False

    def recursive_search(
        self, directory: str, excluded_dir_names: Collection[str] | None = None
    ) -> tuple[list[str], dict[str, float]]:
        """The files below a folder, relative, and when each of the folders was changed."""
        root = Path(directory)
        excluded = set(excluded_dir_names or ())
        names = [name for name in files_below(root) if excluded.isdisjoint(Path(name).parts[:-1])]
        folders = {root, *(root / Path(name).parent for name in names)} if root.is_dir() else set()
        return names, {str(folder): folder.stat().st_mtime for folder in folders}

    def filter_files_extensions(self, files: Collection[str], extensions: Collection[str]) -> list[str]:
        """The names that end in one of the suffixes, or all if there are none."""
        wanted = tuple(extensions)
        return sorted(name for name in files if not wanted or name.lower().endswith(wanted))

    def filter_files_content_types(self, files: Iterable[str], content_types: Collection[str]) -> list[str]:
        """The names of pictures, videos, … as their suffixes tell."""
        kinds = ((name, mimetypes.guess_type(name, strict=False)[0] or "") for name in files)
        return [name for name, kind in kinds if kind.split("/")[0] in content_types]

    def get_save_image_path(
        self, filename_prefix: str, output_dir: str, image_width: int = 0, image_height: int = 0
    ) -> tuple[str, str, int, str, str]:
        """(folder, file name without number, next number, subfolder, prefix). Raises UnsafeNameError."""
        prefix = expand_prefix(filename_prefix, image_width, image_height)
        files = NumberedFiles(Path(output_dir), prefix)
        return str(files.folder), Path(prefix).name, files.next_number, files.subfolder, prefix


def roots_of_packs(paths: Paths) -> list[Path]:
    """The folders that hold packs: that of the base directory, and those of the extra paths configuration."""
    extra = [path for path in paths.models.get(PACKAGE, ()) if path != paths.bundled / "models" / PACKAGE]
    return [paths.custom_nodes, *extra]
