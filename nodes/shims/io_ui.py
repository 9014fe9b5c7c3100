"""`comfy_api.latest.ui`: what a node shows, its pictures saved on the way."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from nodes.image import preview_image, save_image
from nodes.shims.io_types import FolderType
from nodes.spec import Shown
from nodes.v1.runtime import NotOfferedError, Runtime


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
        super().__init__({"images": [dict(one) for one in results], "animated": [is_animated]})
        self.results = list(results)


class PreviewText(Ui):
    """A text."""

    def __init__(self, value: str, **options: Any) -> None:
        super().__init__({"text": [value]})
        self.value = value


def offered(runtime: Runtime) -> dict[str, Any]:
    """What the module holds for one worker."""

    def saved(images: Tensor, prefix: str, kind: Any) -> list[SavedResult]:
        if str(kind) == FolderType.input:
            raise NotOfferedError("saving pictures into the input folder")
        is_temporary = str(kind) == FolderType.temp
        context = runtime.context
        shown = preview_image(images, context) if is_temporary else _saved(images, prefix, context)
        return [SavedResult(one["filename"], one["subfolder"], FolderType(one["type"])) for one in shown.ui["images"]]

    class PreviewImage(SavedImages):
        """Pictures that are shown and not kept."""

        def __init__(self, image: Tensor, animated: bool = False, cls: Any = None, **options: Any) -> None:
            super().__init__(saved(image, "", FolderType.temp), animated)

    class PreviewMask(PreviewImage):
        """Masks (b, h, w) that are shown and not kept."""

        def __init__(self, mask: Tensor, animated: bool = False, cls: Any = None, **options: Any) -> None:
            image = mask.reshape(-1, *mask.shape[-2:], 1).expand(-1, -1, -1, 3)
            super().__init__(image, animated, cls)

    class ImageSaveHelper:
        """Saves pictures as PNG, with the workflow."""

        @staticmethod
        def save_images(
            images: Tensor, filename_prefix: str, folder_type: Any = FolderType.output, cls: Any = None, **options: Any
        ) -> list[SavedResult]:
            """Saves all pictures of a batch."""
            return saved(images, filename_prefix, folder_type)

        @staticmethod
        def get_save_images_ui(images: Tensor, filename_prefix: str, cls: Any = None, **options: Any) -> SavedImages:
            """Saves all pictures of a batch, to be shown."""
            return SavedImages(saved(images, filename_prefix, FolderType.output))

    offers = (SavedResult, SavedImages, PreviewText, PreviewImage, PreviewMask, ImageSaveHelper)
    return {one.__name__: one for one in offers} | {"FolderType": FolderType}


def _saved(images: Tensor, prefix: str, context: Any) -> Shown:
    return save_image(images=images, filename_prefix=prefix, context=context)
