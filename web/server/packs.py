"""Packs of custom nodes: their files for the browser, and what keeps some from being loaded."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from aiohttp import web

from nodes.paths import FileMissingError, files_below
from web.server.client import REVALIDATE, file_of
from web.server.keys import ENGINE
from web.server.replies import reply

routes = web.RouteTableDef()


@routes.get("/extensions")
async def get_extensions(request: web.Request) -> web.Response:
    """Scripts that packs bring for ComfyUI's editor. Weft's editor runs none of them."""
    catalog = await request.app[ENGINE].catalog()
    return reply(await asyncio.to_thread(_scripts, catalog.web_directories))


@routes.get("/extensions/{pack}/{file:.+}")
async def get_extension_file(request: web.Request) -> web.StreamResponse:
    pack = request.match_info["pack"]
    folder = (await request.app[ENGINE].catalog()).web_directories.get(pack)
    if folder is None:
        raise FileMissingError(f"There is no pack {pack[:80]!r} with files for the browser.")
    return file_of(folder, request.match_info["file"], REVALIDATE)


@routes.get("/weft/packs")
async def get_packs(request: web.Request) -> web.Response:
    """The packs that could not be loaded, or only in part, with their tracebacks; then those that have nodes."""
    catalog = await request.app[ENGINE].catalog()
    counts: dict[str, int] = {}
    for spec in catalog.specs.values():
        package, _, pack = spec.module.partition(".")
        if package == "custom_nodes":
            counts[pack] = counts.get(pack, 0) + 1
    failures = [{"name": name, "problem": problem} for name, problem in sorted(catalog.failures.items())]
    loaded = [{"name": name, "nodes": count} for name, count in sorted(counts.items())]
    return reply({"failures": failures, "loaded": loaded})


def _scripts(directories: Mapping[str, Path]) -> list[str]:
    return [
        quote(f"/extensions/{pack}/{name}")
        for pack, folder in sorted(directories.items())
        for name in sorted(files_below(folder, (".js",)))
    ]
