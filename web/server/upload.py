"""Takes pictures from people: streamed to the disk, decoded to see that they are pictures, then given a name."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from aiohttp import BodyPartReader, web

from nodes.paths import IMAGE_SUFFIXES, FileKind, as_kind, resolve
from web.server import files, pictures, requests, strict_json
from web.server.keys import FILE_LOCK, PATHS, PICTURE_LOCK, SETTINGS
from web.server.replies import RequestError, reply

LONGEST_FIELD = 4096  # bytes
MOST_FIELDS = 16

routes = web.RouteTableDef()


@dataclass
class Form:
    """The fields of an upload; the picture itself is in a staged file, under the `name` its sender gave it."""

    name: str | None = None
    texts: dict[str, str] = field(default_factory=dict)

    @property
    def kind(self) -> FileKind:
        return as_kind(self.texts.get("type", "input"))

    def folder(self, request: web.Request) -> Path:
        """The directory that the picture goes to."""
        return resolve(request.app[PATHS].root(self.kind), self.texts.get("subfolder", ""))


@routes.post("/upload/image")
async def upload_image(request: web.Request) -> web.Response:
    with files.staged(request.app[PATHS].input) as file:
        form = await _receive(request, file)
        return await _keep(request, form, file)


@routes.post("/upload/mask")
async def upload_mask(request: web.Request) -> web.Response:
    """Save a copy of the picture that `original_ref` names, with the opacity of the uploaded one."""
    with files.staged(request.app[PATHS].input) as file, files.staged(request.app[PATHS].input) as masked:
        form = await _receive(request, file)
        original = _original(request, form)
        async with request.app[PICTURE_LOCK]:
            content = await asyncio.to_thread(pictures.with_mask, original, Path(file.name))
        await asyncio.to_thread(masked.write, content)
        return await _keep(request, form, masked)


async def _receive(request: web.Request, file: IO[bytes]) -> Form:
    """Read a multipart body: the field `image` into `file`, the others as texts."""
    if not request.content_type.startswith("multipart/"):
        raise RequestError('Send the picture as multipart/form-data, in a field named "image".', 415)
    try:
        async with asyncio.timeout(request.app[SETTINGS].read_seconds) as patience:
            form = await _read(request, file, patience)
    except (ValueError, AssertionError) as error:
        raise RequestError("The multipart body is damaged.") from error
    if form.name is None:
        raise RequestError('The form needs a file in a field named "image".')
    return form


async def _read(request: web.Request, file: IO[bytes], patience: asyncio.Timeout) -> Form:
    form = Form()
    reader = await request.multipart()
    for _ in range(MOST_FIELDS):
        part = await reader.next()
        if part is None:
            break
        if not isinstance(part, BodyPartReader):
            raise RequestError("The parts of the form may not have parts themselves.")
        if part.name == "image":
            form.name = part.filename
            await _copy(part, file, request.app[SETTINGS].max_upload_bytes, patience)
        else:
            form.texts[part.name or ""] = await _text(part)
    return form


async def _copy(part: BodyPartReader, file: IO[bytes], most: int, patience: asyncio.Timeout) -> None:
    """Write what comes, for which its sender has the more time the more there is."""
    size = 0
    while chunk := await part.read_chunk(256 * 1024):
        size += len(chunk)
        if size > most:
            raise RequestError(f"The file is larger than {most / 1024**2:g} MB (--max-upload-size).", 413)
        patience.reschedule((patience.when() or 0.0) + len(chunk) / requests.SLOWEST)
        await asyncio.to_thread(file.write, chunk)
    file.flush()


async def _text(part: BodyPartReader) -> str:
    content = bytearray()
    while chunk := await part.read_chunk(LONGEST_FIELD):
        content += chunk
        if len(content) > LONGEST_FIELD:
            raise RequestError(f"The field {(part.name or '')[:40]!r} is longer than {LONGEST_FIELD} bytes.", 413)
    return content.decode()


async def _keep(request: web.Request, form: Form, file: IO[bytes]) -> web.Response:
    """Check the staged picture and give it its name; a name that other content has already gets a number."""
    staged, folder = Path(file.name), form.folder(request)
    file.flush()
    async with request.app[PICTURE_LOCK]:
        suffix = await asyncio.to_thread(pictures.suffix_of, staged)
    name = files.file_name(form.name or "", IMAGE_SUFFIXES, suffix)
    async with request.app[FILE_LOCK]:
        if not requests.is_true(form.texts.get("overwrite")):
            name = await asyncio.to_thread(files.free_name, folder, name, staged)
        await asyncio.to_thread(files.publish, file, folder / name)
    subfolder = folder.relative_to(request.app[PATHS].root(form.kind)).as_posix()
    return reply({"name": name, "subfolder": "" if subfolder == "." else subfolder, "type": form.kind})


def _original(request: web.Request, form: Form) -> Path:
    """The picture that a mask belongs to."""
    try:
        reference = strict_json.parse(form.texts.get("original_ref", "null").encode())
    except strict_json.JsonError as error:
        raise RequestError(f'"original_ref": {error}') from error
    if not isinstance(reference, dict):
        raise RequestError('The form needs "original_ref": the filename, subfolder and type of a picture.')
    name, folder = requests.text(reference, "filename", 1024), requests.text(reference, "subfolder", 1024)
    kind = as_kind(requests.text(reference, "type") or "output")
    if not name:
        raise RequestError('"original_ref" needs a "filename".')
    return request.app[PATHS].user_file(f"{folder}/{name}" if folder else name, kind)
