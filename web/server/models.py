"""The models that lie in the base directory: their folders, their names and what their headers say."""

import asyncio
from pathlib import Path
from typing import Any

from aiohttp import web

from nodes.paths import FileMissingError, UnknownFolderError
from web.server import strict_json
from web.server.keys import PATHS
from web.server.replies import RequestError, reply

LARGEST_HEADER = 32 * 1024 * 1024  # bytes

routes = web.RouteTableDef()


@routes.get("/models")
async def get_folders(request: web.Request) -> web.Response:
    return reply(list(request.app[PATHS].models))


@routes.get("/models/{folder}")
async def get_files(request: web.Request) -> web.Response:
    return reply(await _files(request, request.match_info["folder"]))


@routes.get("/embeddings")
async def get_embeddings(request: web.Request) -> web.Response:
    """Names of embeddings as prompts write them, without their suffix."""
    return reply([name.rpartition(".")[0] for name in await _files(request, "embeddings")])


@routes.get("/view_metadata/{folder}")
async def get_metadata(request: web.Request) -> web.Response:
    """The texts that a safetensors file carries beside its tensors."""
    name = request.query.get("filename")
    if not name:
        raise RequestError('The query needs a "filename".')
    try:
        path = request.app[PATHS].model_file(request.match_info["folder"], name)
    except UnknownFolderError as error:
        raise RequestError(str(error), 404) from error
    metadata = await asyncio.to_thread(_metadata, path)
    if metadata is None:
        raise FileMissingError(f"The file {name[:80]!r} carries no metadata.")
    return reply(metadata)


async def _files(request: web.Request, folder: str) -> list[str]:
    try:
        return await asyncio.to_thread(request.app[PATHS].model_files, folder)
    except UnknownFolderError as error:
        raise RequestError(str(error), 404) from error


def _metadata(path: Path) -> dict[str, Any] | None:
    """A safetensors file begins with the length of its JSON header, 8 bytes, little-endian."""
    if path.suffix.lower() not in (".safetensors", ".sft"):
        return None
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if length > LARGEST_HEADER:
            return None
        try:
            header = strict_json.parse(file.read(length))
        except strict_json.JsonError:
            return None
    metadata = header.get("__metadata__") if isinstance(header, dict) else None
    return metadata if isinstance(metadata, dict) else None
