"""`comfy_api.latest.ui`: what a node shows, its pictures saved on the way."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from nodes.animated import write_png, write_webp
from nodes.image import PREVIEW_COMPRESSION, SAVED_COMPRESSION, saved, shown_for_now
from nodes.paths import as_kind
from nodes.shims.io_types import FolderType
from nodes.spec import Shown
from nodes.v1.runtime import Runtime


class SavedResult(dict[str, Any]):
    """Where a file lies that the editor shows."""

    def __init__(self, filename: str, subfolder: str, type: Any) -> None:
        super().__init__(filename=filename, subfolder=subfolder, type=str(type))
        self.filename = filename
        self.subfolder = subfolder
        self.type = type


class Ui:
    """What a node shows, by kind."""

    def __init__(self, shown: dict[str, Any]) -> None:
        self.shown = shown

    def as_dict(self) -> dict[str, Any]:
        """The same as a dictionary of lists."""
        return self.shown


class SavedImages(Ui):
    """Pictures that have been saved."""

    def __init__(self, results: Sequence[SavedResult], is_animated: bool = False) -> None:
        super().__init__({"images": [dict(one) for one in results]} | ({"animated": [True]} if is_animated else {}))
        self.results = list(results)
        self.is_animated = is_animated


class PreviewText(Ui):
    """A text."""

    def __init__(self, value: str, **options: Any) -> None:
        super().__init__({"text": [value]})
        self.value = value


class ImageSaveHelper:
    """Saves pictures, with the workflow. `cls`, the node that saves, is known without being told."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def save_images(
        self,
        images: Tensor,
        filename_prefix: str,
        folder_type: Any = FolderType.output,
        cls: Any = None,
        compress_level: int | None = None,
    ) -> list[SavedResult]:
        """Saves all pictures of a batch as PNG."""
        kind = as_kind(str(folder_type))
        usual = PREVIEW_COMPRESSION if kind == "temp" else SAVED_COMPRESSION
        compression = usual if compress_level is None else compress_level
        return _results(saved(images, kind, filename_prefix, compression, self._runtime.context))

    def get_save_images_ui(
        self, images: Tensor, filename_prefix: str, cls: Any = None, compress_level: int | None = None
    ) -> SavedImages:
        """Saves all pictures of a batch in the output folder, to be shown."""
        return SavedImages(self.save_images(images, filename_prefix, FolderType.output, cls, compress_level))

    def save_animated_png(
        self,
        images: Tensor,
        filename_prefix: str,
        folder_type: Any = FolderType.output,
        cls: Any = None,
        fps: float = 6.0,
        compress_level: int = SAVED_COMPRESSION,
    ) -> SavedResult:
        """Saves the pictures as the frames of one PNG file."""
        kind = as_kind(str(folder_type))
        return _results(write_png(images, kind, filename_prefix, fps, compress_level, self._runtime.context))[0]

    def get_save_animated_png_ui(
        self,
        images: Tensor,
        filename_prefix: str,
        cls: Any = None,
        fps: float = 6.0,
        compress_level: int = SAVED_COMPRESSION,
    ) -> SavedImages:
        """Saves the pictures as the frames of one PNG file in the output folder, to be shown."""
        one = self.save_animated_png(images, filename_prefix, FolderType.output, cls, fps, compress_level)
        return SavedImages([one], is_animated=len(images) > 1)

    def save_animated_webp(
        self,
        images: Tensor,
        filename_prefix: str,
        folder_type: Any = FolderType.output,
        cls: Any = None,
        fps: float = 6.0,
        lossless: bool = True,
        quality: int = 80,
        method: int = 4,
    ) -> SavedResult:
        """Saves the pictures as the frames of one WebP file."""
        options = {"lossless": lossless, "quality": quality, "method": method}
        kind = as_kind(str(folder_type))
        return _results(write_webp(images, kind, filename_prefix, fps, options, self._runtime.context))[0]

    def get_save_animated_webp_ui(
        self, images: Tensor, filename_prefix: str, cls: Any = None, **options: Any
    ) -> SavedImages:
        """Saves the pictures as the frames of one WebP file in the output folder, to be shown."""
        one = self.save_animated_webp(images, filename_prefix, FolderType.output, cls, **options)
        return SavedImages([one], is_animated=len(images) > 1)


def offered(runtime: Runtime) -> dict[str, Any]:
    """What the module holds for one worker; sounds, films and solids are not among it."""

    class PreviewImage(SavedImages):
        """Pictures that are shown and not kept."""

        def __init__(self, image: Tensor, animated: bool = False, cls: Any = None, **options: Any) -> None:
            self.values = _results(shown_for_now(image, runtime.context))
            super().__init__(self.values, animated)

    class PreviewMask(PreviewImage):
        """Masks (b, h, w) that are shown and not kept."""

        def __init__(self, mask: Tensor, animated: bool = False, cls: Any = None, **options: Any) -> None:
            image = mask.reshape(-1, *mask.shape[-2:], 1).expand(-1, -1, -1, 3)
            super().__init__(image, animated, cls)

    offers = (SavedResult, SavedImages, PreviewText, PreviewImage, PreviewMask)
    others = {"ImageSaveHelper": ImageSaveHelper(runtime), "FolderType": FolderType}
    return {one.__name__: one for one in offers} | others


def _results(shown: Shown) -> list[SavedResult]:
    return [SavedResult(one["filename"], one["subfolder"], FolderType(one["type"])) for one in shown.ui["images"]]
