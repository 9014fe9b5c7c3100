"""Where a person's files lie, and the one function that turns a name from outside into a path."""

import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

FileKind = Literal["input", "output", "temp"]

# Folder on the wire → directories below models/ that hold its files. The first is where new files belong.
MODEL_FOLDERS: Mapping[str, tuple[str, ...]] = {
    "checkpoints": ("checkpoints",),
    "configs": ("configs",),
    "loras": ("loras",),
    "vae": ("vae",),
    "text_encoders": ("text_encoders", "clip"),
    "diffusion_models": ("diffusion_models", "unet"),
    "clip_vision": ("clip_vision",),
    "style_models": ("style_models",),
    "embeddings": ("embeddings",),
    "diffusers": ("diffusers",),
    "vae_approx": ("vae_approx",),
    "controlnet": ("controlnet", "t2i_adapter"),
    "gligen": ("gligen",),
    "upscale_models": ("upscale_models",),
    "latent_upscale_models": ("latent_upscale_models",),
    "hypernetworks": ("hypernetworks",),
    "photomaker": ("photomaker",),
    "classifiers": ("classifiers",),
    "model_patches": ("model_patches",),
    "audio_encoders": ("audio_encoders",),
}
# Names that older workflows and configurations use for the same folders.
FOLDER_ALIASES: Mapping[str, str] = {"clip": "text_encoders", "unet": "diffusion_models"}

MODEL_SUFFIXES = frozenset({".safetensors", ".sft", ".ckpt", ".pt", ".pth", ".bin"})
DIFFUSERS_INDEX = "model_index.json"
SUFFIXES_OF_FOLDER: Mapping[str, frozenset[str]] = {"configs": frozenset({".yaml", ".yml", ".json"})}
TINY_AUTOENCODERS = ("taesd", "taesdxl")
"""Names under which pairs of files of the folder `vae_approx` are offered as autoencoders."""
LATENT_SUFFIX = ".latent"
IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp"})

_LONGEST_NAME, _LONGEST_SEGMENT, _MOST_SEGMENTS = 1024, 255, 32  # bytes, bytes, count
_DRIVE = re.compile(r"[A-Za-z]:")
_ANNOTATED = re.compile(r"(?P<name>.*?) ?\[(?P<kind>input|output|temp)\]", re.DOTALL)
# Control characters end or split names for some programs; the bidirectional marks make a name look like another.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


class PathError(ValueError):
    """A name from outside that no file can be given for. The message is safe to show: it holds no server path."""


class UnsafeNameError(PathError):
    """A name that leads out of its folder or that no file may have."""


class FileMissingError(PathError):
    """A well-formed name of a file that is not there."""


class UnknownFolderError(PathError):
    """A folder or kind of file that does not exist."""


def name_segments(name: str) -> list[str]:
    """The parts of a relative file name. Backslashes separate as well: workflows made on Windows hold them."""
    shown = repr(name if len(name) <= 80 else f"{name[:80]}…")
    if _UNPRINTABLE.search(name):
        raise UnsafeNameError(f"The file name {shown} holds a character that file names may not have.")
    slashed = name.replace("\\", "/")
    if slashed.startswith("/") or _DRIVE.match(slashed):
        raise UnsafeNameError(f"The file name {shown} is absolute; give it relative to its folder.")
    segments = [segment for segment in slashed.split("/") if segment not in ("", ".")]
    if ".." in segments:
        raise UnsafeNameError(f'The file name {shown} leads out of its folder ("..").')
    if len(name.encode()) > _LONGEST_NAME or len(segments) > _MOST_SEGMENTS:
        raise UnsafeNameError(f"The file name {shown} is too long.")
    if any(len(segment.encode()) > _LONGEST_SEGMENT for segment in segments):
        raise UnsafeNameError(f"A part of the file name {shown} is longer than {_LONGEST_SEGMENT} bytes.")
    return segments


def resolve(root: Path, name: str, *, follow_links: bool = False) -> Path:
    """The path of `name` inside `root`; every name that comes from outside goes through here.

    Raises UnsafeNameError if the name is absolute, climbs out, or (unless `follow_links`) leads out by a symbolic link.
    """
    path = root.joinpath(*name_segments(name))
    if not follow_links and not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(root)):
        raise UnsafeNameError(f"The file name {name!r} leads out of its folder through a link.")
    return path


def split_annotation(name: str, default: FileKind) -> tuple[str, FileKind]:
    """Cut "x.png [output]" into its name and the kind of folder it names."""
    match = _ANNOTATED.fullmatch(name)
    return (match["name"], as_kind(match["kind"])) if match else (name, default)


def as_kind(text: str) -> FileKind:
    """Check that `text` names one of the three folders of pictures."""
    for kind in get_args(FileKind):
        if text == kind:
            return kind
    raise UnknownFolderError(f"{text!r} is no kind of file; use one of {', '.join(get_args(FileKind))}.")


def files_below(root: Path, suffixes: Iterable[str] | None = None) -> Iterator[str]:
    """Names of the files below `root`, relative, with forward slashes. Hidden ones and loops of links are left out."""
    wanted = None if suffixes is None else tuple(suffixes)
    seen: set[tuple[int, int]] = set()
    for directory, folders, files in os.walk(root, followlinks=True):
        status = os.stat(directory)
        if (status.st_dev, status.st_ino) in seen:
            folders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        folders[:] = sorted(folder for folder in folders if not folder.startswith("."))
        for file in files:
            path = Path(directory, file)
            if is_listed(file) and (wanted is None or file.lower().endswith(wanted)) and path.is_file():
                yield path.relative_to(root).as_posix()


def is_listed(name: str) -> bool:
    """Whether a file of this name is shown: hidden ones and those that `resolve` would refuse are not."""
    return not name.startswith(".") and "\\" not in name and not _UNPRINTABLE.search(name)


@dataclass(frozen=True)
class ExtraFolder:
    """One directory that a configuration file adds to a model folder; `first` puts it before the others."""

    folder: str
    path: Path
    first: bool = False


@dataclass(frozen=True)
class Paths:
    """The directories of one base directory. `models` maps a folder to the directories searched for its files."""

    base: Path
    input: Path
    output: Path
    temp: Path
    user: Path
    bundled: Path
    models: Mapping[str, tuple[Path, ...]]

    @classmethod
    def below(
        cls,
        base: Path,
        bundled: Path,
        *,
        input_directory: Path | None = None,
        output_directory: Path | None = None,
        temp_directory: Path | None = None,
        user_directory: Path | None = None,
        extra: Iterable[ExtraFolder] = (),
    ) -> "Paths":
        """Lay out `base`; single directories may lie elsewhere. `bundled` is searched last and never written."""
        models = {
            folder: [base / "models" / directory for directory in directories]
            for folder, directories in MODEL_FOLDERS.items()
        }
        for addition in extra:
            directories = models.setdefault(FOLDER_ALIASES.get(addition.folder, addition.folder), [])
            directories.insert(0 if addition.first else len(directories), addition.path)
        return cls(
            base=base,
            input=input_directory or base / "input",
            output=output_directory or base / "output",
            temp=temp_directory or base / "temp",
            user=user_directory or base / "user",
            bundled=bundled,
            models={folder: (*directories, bundled / "models" / folder) for folder, directories in models.items()},
        )

    @property
    def custom_nodes(self) -> Path:
        return self.base / "custom_nodes"

    @property
    def workflows(self) -> Path:
        return self.user / "default" / "workflows"

    def prepare(self) -> None:
        """Make the directories that people put files into. Raises OSError if one cannot be made or written."""
        for directory in (self.input, self.output, self.temp, self.workflows, self.custom_nodes):
            directory.mkdir(parents=True, exist_ok=True)
        for names in MODEL_FOLDERS.values():
            (self.base / "models" / names[0]).mkdir(parents=True, exist_ok=True)
        for directory in (self.base, self.input, self.output, self.temp, self.user):
            if not os.access(directory, os.W_OK | os.X_OK):
                raise PermissionError(13, "Permission denied", str(directory))

    def empty_temp(self) -> None:
        """Delete what earlier runs have left in the temporary folder; links go, what they lead to stays."""
        for path in list(self.temp.iterdir()):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)

    def root(self, kind: FileKind) -> Path:
        return {"input": self.input, "output": self.output, "temp": self.temp}[kind]

    def user_file(self, name: str, kind: FileKind = "input") -> Path:
        """An existing file of a person, by its name or by "name [output]"."""
        plain, kind = split_annotation(name, kind)
        path = resolve(self.root(kind), plain)
        if not path.is_file():
            raise FileMissingError(f"There is no file {plain!r} in the {kind} folder.")
        return path

    def input_files(self, suffixes: Iterable[str] = IMAGE_SUFFIXES) -> list[str]:
        """Names of the files directly in the input folder, sorted."""
        wanted = tuple(suffixes)
        with os.scandir(self.input) as entries:
            return sorted(
                entry.name
                for entry in entries
                if entry.name.lower().endswith(wanted) and is_listed(entry.name) and entry.is_file()
            )

    def choices(self, folder: str) -> list[str]:
        """The files a node may be offered: of the input folder or of a model folder, or folders that are models."""
        match folder:
            case "input":
                return self.input_files()
            case "input_latents":
                return self.input_files({LATENT_SUFFIX})
            case "vae":
                return self.model_files("vae") + [name for name in TINY_AUTOENCODERS if self.tiny_autoencoder(name)]
            case "diffusers":
                return self.diffusers_folders()
            case _:
                return self.model_files(folder)

    def tiny_autoencoder(self, name: str) -> tuple[Path, Path] | None:
        """The files of encoder and decoder of a tiny autoencoder, or None if they are not both there."""
        if name not in TINY_AUTOENCODERS:
            return None
        parts = [self.approximation(f"{name}_{part}") for part in ("encoder", "decoder")]
        return None if parts[0] is None or parts[1] is None else (parts[0], parts[1])

    def approximation(self, beginning: str) -> Path | None:
        """The first file of the model folder `vae_approx` whose name begins so, or None."""
        found = (name for name in self.model_files("vae_approx") if name.startswith(beginning))
        return next((self.model_file("vae_approx", name) for name in found), None)

    def diffusers_folders(self) -> list[str]:
        """Names of the folders that hold a model in the layout of the diffusers library, sorted."""
        roots = self.model_directories("diffusers")
        indexes = {name for root in roots for name in files_below(root, {DIFFUSERS_INDEX})}
        return sorted(name.rpartition("/")[0] for name in indexes if name.endswith(f"/{DIFFUSERS_INDEX}"))

    def diffusers_folder(self, name: str) -> Path:
        """An existing folder of `diffusers_folders`, by its name."""
        for root in self.model_directories("diffusers"):
            path = resolve(root, name, follow_links=True)
            if (path / DIFFUSERS_INDEX).is_file():
                return path
        raise FileMissingError(f"There is no folder {name!r} with a {DIFFUSERS_INDEX} in the model folder 'diffusers'.")

    def model_directories(self, folder: str) -> tuple[Path, ...]:
        try:
            return self.models[FOLDER_ALIASES.get(folder, folder)]
        except KeyError:
            raise UnknownFolderError(f"There is no model folder {folder!r}.") from None

    def model_files(self, folder: str) -> list[str]:
        """Names of the models in `folder`, sorted, each once; what an earlier directory holds hides later ones."""
        suffixes = SUFFIXES_OF_FOLDER.get(folder, MODEL_SUFFIXES)
        return sorted({name for root in self.model_directories(folder) for name in files_below(root, suffixes)})

    def model_file(self, folder: str, name: str) -> Path:
        """An existing model by its name in `folder`. Links are followed: the machine's owner has put them there."""
        for root in self.model_directories(folder):
            path = resolve(root, name, follow_links=True)
            if path.is_file():
                return path
        raise FileMissingError(f"There is no file {name!r} in the model folder {folder!r}.")
