"""Decodes pictures of unknown origin, within limits. Pillow is loaded with the first one."""

from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from PIL.Image import Image

MOST_PIXELS = 64 * 1024 * 1024
LONGEST_SIDE = 16384  # pixels
# Formats that are accepted, with the suffix a file gets whose name lacks one. Pillow knows more, and more bugs.
FORMATS = {"PNG": ".png", "JPEG": ".jpg", "WEBP": ".webp", "GIF": ".gif", "BMP": ".bmp"}

Channel = Literal["rgba", "rgb", "a"]
PreviewFormat = Literal["webp", "jpeg"]


class PictureError(ValueError):
    """A file that is no picture, or a damaged one; the message says which."""


class PictureTooLargeError(PictureError):
    """A picture with more pixels than are decoded."""


def decoded(path: Path) -> "Image":
    """The first picture of a file. Raises PictureError."""
    from PIL import Image

    try:
        with Image.open(path, formats=tuple(FORMATS)) as image:
            if max(image.size) > LONGEST_SIDE or image.width * image.height > MOST_PIXELS:
                width, height = image.size
                limit = f"{MOST_PIXELS // 1024**2} megapixels or {LONGEST_SIDE} pixels a side"
                raise PictureTooLargeError(f"The picture is too large: {width} × {height} pixels; at most {limit}.")
            image.load()
            return image
    except FileNotFoundError:
        raise
    except Image.DecompressionBombError as error:
        raise PictureTooLargeError("The picture is too large.") from error
    except Image.UnidentifiedImageError as error:
        raise PictureError(f"The file is no picture of a known kind ({', '.join(FORMATS)}).") from error
    except PictureError:
        raise
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise PictureError("The picture is damaged and cannot be decoded.") from error


def suffix_of(path: Path) -> str:
    """Decode a picture to see that it is one; returns the suffix that files of its format have."""
    return FORMATS[str(decoded(path).format)]


def preview(path: Path, format: PreviewFormat, quality: int, channel: Channel) -> bytes:
    """A picture in another format, for showing."""
    picture = _channels(decoded(path), channel)
    if format == "jpeg" or picture.mode not in ("RGB", "RGBA"):
        picture = picture.convert("RGB" if format == "jpeg" else "RGBA")
    return _encoded(picture, format, quality=quality)


def channel_of(path: Path, channel: Channel) -> bytes:
    """A PNG of a picture's colors, or of its opacity."""
    return _encoded(_channels(decoded(path), channel), "png")


def with_mask(original: Path, mask: Path) -> bytes:
    """A PNG with the colors and texts of one picture and the opacity of another, which is stretched to fit."""
    from PIL import PngImagePlugin

    image, masking = decoded(original), decoded(mask)
    texts = PngImagePlugin.PngInfo()
    for name, text in getattr(image, "text", {}).items():
        texts.add_text(name, text)
    picture = image.convert("RGBA")
    picture.putalpha(masking.convert("RGBA").getchannel("A").resize(picture.size))
    return _encoded(picture, "png", pnginfo=texts)


def _channels(image: "Image", channel: Channel) -> "Image":
    from PIL import Image

    if channel == "rgb":
        return image.convert("RGB")
    if channel == "a":
        opacity = Image.new("RGBA", image.size)
        opacity.putalpha(image.convert("RGBA").getchannel("A"))
        return opacity
    return image


def _encoded(image: "Image", format: str, **options: Any) -> bytes:
    stream = BytesIO()
    image.save(stream, format=format, **options)
    return stream.getvalue()
