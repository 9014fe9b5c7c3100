"""What people set in the editor: one JSON object, kept in the user directory under the name ComfyUI gives it."""

import asyncio
import json
from pathlib import Path
from typing import Any

from aiohttp import web

from web.server import files, requests, strict_json
from web.server.keys import FILE_LOCK, PATHS, SETTINGS
from web.server.replies import RequestError, reply

routes = web.RouteTableDef()


@routes.get("/settings")
async def get_settings(request: web.Request) -> web.Response:
    return reply(await asyncio.to_thread(_read, _file(request)))


@routes.get("/settings/{id}")
async def get_setting(request: web.Request) -> web.Response:
    """One setting, null if it has never been set."""
    return reply((await asyncio.to_thread(_read, _file(request))).get(request.match_info["id"]))


@routes.post("/settings")
async def set_settings(request: web.Request) -> web.Response:
    """Set those that the object names; the others stay as they are."""
    return await _merge(request, await requests.json_object(request))


@routes.post("/settings/{id}")
async def set_setting(request: web.Request) -> web.Response:
    return await _merge(request, {request.match_info["id"]: await requests.json_value(request)})


async def _merge(request: web.Request, changes: dict[str, Any]) -> web.Response:
    async with request.app[FILE_LOCK]:
        file = _file(request)
        merged = await asyncio.to_thread(_read, file) | changes
        content = json.dumps(merged, indent=4, ensure_ascii=False).encode(errors="surrogatepass")
        if len(content) > request.app[SETTINGS].max_json_bytes:
            raise RequestError("The settings are too large.", 413)
        _check_readable(content)
        await asyncio.to_thread(files.write, file, content)
    return web.Response()


def _file(request: web.Request) -> Path:
    return request.app[PATHS].user / "default" / "comfy.settings.json"


def _check_readable(content: bytes) -> None:
    """Names come from addresses and values from bodies: only together do they show whether `_read` will take them."""
    try:
        strict_json.parse(content)
    except strict_json.JsonError as error:
        raise RequestError(f"The setting cannot be stored: {error}") from error


def _read(file: Path) -> dict[str, Any]:
    """The settings; none if there is no file. A damaged file is an error, lest it be overwritten."""
    if not file.exists():
        return {}
    try:
        settings = strict_json.parse(file.read_bytes())
    except strict_json.JsonError:
        settings = None
    if not isinstance(settings, dict):
        raise RequestError(f"The file {file.name} in the user directory is damaged; mend or remove it.", 500)
    return settings
