"""Serves the built editor."""

from pathlib import Path

from aiohttp import hdrs, web

from nodes.paths import FileMissingError, resolve
from web.server.keys import SETTINGS

MISSING = """The editor's page is not there: the folder web/static has no index.html.

It belongs to the program. Get it back with `git checkout web/static`, or build it:
    cd web/client && npm ci && npm run build
"""
REVALIDATE: dict[str, str] = {hdrs.CACHE_CONTROL: "no-cache"}
# Names of assets hold a hash of their content: what is behind one never changes.
FOREVER: dict[str, str] = {hdrs.CACHE_CONTROL: "public, max-age=31536000, immutable"}
# Types by suffix: the system's own table may say something else, which browsers refuse because of nosniff.
TYPES = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
    ".map": "application/json",
    ".txt": "text/plain",
}

routes = web.RouteTableDef()


@routes.get("/")
async def get_page(request: web.Request) -> web.StreamResponse:
    page = request.app[SETTINGS].client_directory / "index.html"
    if not page.is_file():
        return web.Response(text=MISSING, status=503)
    return web.FileResponse(page, headers={hdrs.CONTENT_TYPE: "text/html; charset=utf-8", **REVALIDATE})


@routes.get("/assets/{file:.+}")
async def get_asset(request: web.Request) -> web.StreamResponse:
    return file_of(request.app[SETTINGS].client_directory, f"assets/{request.match_info['file']}", FOREVER)


@routes.get(r"/{file:[\w-]+\.(?:svg|png|ico|webmanifest|txt)}")
async def get_top_level(request: web.Request) -> web.StreamResponse:
    """The page's icon and its like."""
    return file_of(request.app[SETTINGS].client_directory, request.match_info["file"], REVALIDATE)


def file_of(folder: Path, name: str, caching: dict[str, str]) -> web.StreamResponse:
    """A file for the browser. Raises FileMissingError, UnsafeNameError."""
    path = resolve(folder, name)
    if not path.is_file():
        raise FileMissingError(f"The editor has no file {name[:80]!r}.")
    type = TYPES.get(path.suffix, "application/octet-stream")
    return web.FileResponse(path, headers={hdrs.CONTENT_TYPE: type, **caching})
