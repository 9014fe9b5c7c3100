"""Small files that people keep on the server: above all saved workflows."""

import asyncio
import os
from pathlib import Path
from typing import Any

from aiohttp import hdrs, web

from nodes.paths import FileMissingError, files_below, name_segments, resolve
from web.server import files, requests
from web.server.keys import FILE_LOCK, PATHS
from web.server.replies import RequestError, reply
from web.server.view import DOWNLOAD, file_headers

routes = web.RouteTableDef()


@routes.get("/userdata")
async def list_files(request: web.Request) -> web.Response:
    """Files of the directory `dir`: names, or with `full_info` sizes and times, or with `split` the parts of paths."""
    name = request.query.get("dir")
    if not name:
        raise RequestError('The query needs a "dir".')
    directory = _resolve(request, name)
    if not directory.is_dir():
        raise RequestError("Directory not found", 404)
    recurse = requests.is_true(request.query.get("recurse"))
    names = sorted(await asyncio.to_thread(_names, directory, recurse))
    if requests.is_true(request.query.get("full_info")):
        return reply([{"path": name, **_times(directory / name)} for name in names])
    if requests.is_true(request.query.get("split")):
        return reply([[name, *name.split("/")] for name in names])
    return reply(names)


@routes.get("/v2/userdata")
async def list_entries(request: web.Request) -> web.Response:
    """Files and directories directly in `path`."""
    directory = _resolve(request, request.query.get("path", ""))
    if not directory.is_dir():
        raise RequestError("Directory not found", 404)
    root = _root(request)
    found = [entry for entry in sorted(directory.iterdir()) if not entry.name.startswith(".")]
    return reply([_entry(root, entry) for entry in found])


@routes.get("/userdata/{file}")
async def get_file(request: web.Request) -> web.StreamResponse:
    path = _existing(request, request.match_info["file"])
    type = "application/json" if path.suffix == ".json" else DOWNLOAD
    return web.FileResponse(path, headers=file_headers(path.name, type))


@routes.post("/userdata/{file}")
async def put_file(request: web.Request) -> web.Response:
    """Store the body. With overwrite=false a file of that name is a conflict; with If-Match, one that is no longer as
    it was when the ETag that the header gives was told."""
    content = await requests.body(request)
    async with request.app[FILE_LOCK]:
        path = _target(request, request.match_info["file"])
        await asyncio.to_thread(files.write, path, content)
        return _stored(request, path)


@routes.delete("/userdata/{file}")
async def delete_file(request: web.Request) -> web.Response:
    async with request.app[FILE_LOCK]:
        path = _existing(request, request.match_info["file"])
        _refuse_outdated(request, path)
        path.unlink()
    return web.Response(status=204)


@routes.post("/userdata/{file}/move/{target}")
async def move_file(request: web.Request) -> web.Response:
    async with request.app[FILE_LOCK]:
        source = _existing(request, request.match_info["file"])
        target = _target(request, request.match_info["target"])
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(source, target)
        return _stored(request, target)


def _root(request: web.Request) -> Path:
    return request.app[PATHS].user / "default"


def _resolve(request: web.Request, name: str) -> Path:
    return resolve(_root(request), name)


def _existing(request: web.Request, name: str) -> Path:
    path = _resolve(request, name)
    if not path.is_file():
        raise FileMissingError(f"There is no file {name[:80]!r}.")
    return path


def _target(request: web.Request, name: str) -> Path:
    """Where a file is to be stored. Raises RequestError if it may not be."""
    path = _resolve(request, name)
    if not name_segments(name) or path.is_dir():
        raise RequestError(f"{name[:80]!r} is no name for a file.")
    if path.exists() and request.query.get("overwrite", "true").lower() == "false":
        raise RequestError(f"There is a file {name[:80]!r} already.", 409, _told_revision(path))
    _refuse_outdated(request, path)
    return path


def _refuse_outdated(request: web.Request, path: Path) -> None:
    """Raises RequestError if somebody has changed the file since the client of this request has seen it."""
    seen = request.if_match
    if seen is None:
        return
    revision = _revision(path)
    if revision is None or not any(tag.value in ("*", revision) and not tag.is_weak for tag in seen):
        message = f"The file {path.name[:80]!r} has been changed or deleted since it was read. It is as it was before."
        raise RequestError(message, 409, _told_revision(path))


def _revision(path: Path) -> str | None:
    """What tells this state of a file from others, as it is told when the file is read; None if there is no file."""
    if not path.is_file():
        return None
    status = path.stat()
    return f"{status.st_mtime_ns:x}-{status.st_size:x}"


def _told_revision(path: Path) -> dict[str, str]:
    revision = _revision(path)
    return {} if revision is None else {hdrs.ETAG: f'"{revision}"'}


def _stored(request: web.Request, path: Path) -> web.Response:
    name = path.relative_to(_root(request)).as_posix()
    told = {"path": name, **_times(path)} if requests.is_true(request.query.get("full_info")) else name
    return reply(told, headers=_told_revision(path))


def _names(directory: Path, recurse: bool) -> list[str]:
    return [name for name in files_below(directory) if recurse or "/" not in name]


def _times(path: Path) -> dict[str, Any]:
    """Size in bytes, times in milliseconds since 1970."""
    status = path.stat()
    return {
        "size": status.st_size,
        "modified": int(status.st_mtime * 1000),
        "created": int(status.st_ctime * 1000),
    }


def _entry(root: Path, path: Path) -> dict[str, Any]:
    named = {"name": path.name, "path": path.relative_to(root).as_posix()}
    return named | ({"type": "directory"} if path.is_dir() else {"type": "file", **_times(path)})
