"""Shows the pictures that people have uploaded and nodes have saved."""

import asyncio
from pathlib import Path
from urllib.parse import quote

from aiohttp import hdrs, web

from nodes.paths import as_kind, split_annotation
from web.server import pictures
from web.server.keys import PATHS, PICTURE_LOCK
from web.server.replies import RequestError
from web.server.security import FILE_POLICY

routes = web.RouteTableDef()

# What is shown in place, told by the first bytes of a file. All else is only ever downloaded.
SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"BM", "image/bmp"),
)
DOWNLOAD = "application/octet-stream"


@routes.get("/view")
async def view(request: web.Request) -> web.StreamResponse:
    """A file of the output, input or temp folder; `preview` and `channel` give another picture made of it."""
    path = _path(request)
    preview, channel = request.query.get("preview"), _channel(request)
    if preview is None and channel == "rgba":
        return web.FileResponse(path, headers=file_headers(path.name, await asyncio.to_thread(media_type, path)))
    async with request.app[PICTURE_LOCK]:
        if preview is None:
            content, type = await asyncio.to_thread(pictures.channel_of, path, channel), "image/png"
        else:
            format, quality = _preview(preview)
            content = await asyncio.to_thread(pictures.preview, path, format, quality, channel)
            type = f"image/{format}"
    return web.Response(body=content, headers=file_headers(path.name, type))


def file_headers(name: str, type: str) -> dict[str, str]:
    """Headers of a file that a person has put here: nothing in it runs, and what is no picture is downloaded."""
    disposition = "attachment" if type == DOWNLOAD else "inline"
    plain = name.encode("ascii", "replace").decode().replace('"', "'").replace("\\", "_").replace("?", "_")
    return {
        hdrs.CONTENT_TYPE: type,
        hdrs.CONTENT_DISPOSITION: f"{disposition}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}",
        hdrs.CACHE_CONTROL: "no-cache",
        "Content-Security-Policy": FILE_POLICY,
    }


def media_type(path: Path) -> str:
    """The kind of picture a file holds, or DOWNLOAD."""
    with path.open("rb") as file:
        start = file.read(16)
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return "image/webp"
    return next((type for signature, type in SIGNATURES if start.startswith(signature)), DOWNLOAD)


def _path(request: web.Request) -> Path:
    name = request.query.get("filename")
    if not name:
        raise RequestError('The query needs a "filename".')
    name, kind = split_annotation(name, as_kind(request.query.get("type", "output")))
    subfolder = request.query.get("subfolder", "")
    return request.app[PATHS].user_file(f"{subfolder}/{name}" if subfolder else name, kind)


def _channel(request: web.Request) -> pictures.Channel:
    match request.query.get("channel", "rgba"):
        case "rgba" | "rgb" | "a" as channel:
            return channel
        case other:
            raise RequestError(f'"channel" must be rgba, rgb or a, not {other[:40]!r}.')


def _preview(wish: str) -> tuple[pictures.PreviewFormat, int]:
    """Read "webp;90": a format and a quality from 1 to 100."""
    name, _, quality = wish.partition(";")
    format: pictures.PreviewFormat = "jpeg" if name == "jpeg" else "webp"
    return format, min(max(int(quality[:3]), 1), 100) if quality.isascii() and quality.isdigit() else 90
