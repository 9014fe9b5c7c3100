"""Who may speak to the server: the first thing that every request passes, and headers on every answer.

A browser lends its access to this machine to any page it shows. Three checks take it back: the name a request is
addressed to must be one of ours (a name that an attacker points at this machine is not), a page that sends a request
must come from the server itself, and what a page may load or run is told to the browser.
"""

import ipaddress
import re
from collections.abc import Awaitable, Callable

from aiohttp import hdrs, web

from web.server.keys import SETTINGS
from web.server.replies import refusal
from web.server.settings import LOOPBACK_NAMES, ServerSettings

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

PAGE_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' blob: data:",
        "media-src 'self' blob: data:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
# For files that people have put here: nothing in them runs, even when opened in a tab of its own.
FILE_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; media-src 'self'"

_HOST = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[^\s\[\]:/@?#]+)(:[0-9]{1,5})?")
_SAFE_METHODS = frozenset({"GET", "HEAD"})


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse requests that are addressed to another name or sent by a foreign page."""
    settings = request.app[SETTINGS]
    status, message = _host_problem(request, settings) or _origin_problem(request, settings) or (200, "")
    if status != 200:
        return refusal(request, message, status)
    if request.headers.get(hdrs.CONTENT_ENCODING, "identity").lower() != "identity":
        return refusal(request, "Compressed requests are not accepted.", 415)
    if _is_preflight(request, settings):
        return web.Response(status=204)
    return await handler(request)


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Signal handler: tells browsers what they may do with any answer of the server."""
    settings = request.app[SETTINGS]
    headers = response.headers
    headers.pop(hdrs.SERVER, None)
    headers.setdefault("Content-Security-Policy", PAGE_POLICY)
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "no-referrer"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["Cross-Origin-Resource-Policy"] = "same-origin" if settings.cors_origin is None else "cross-origin"
    headers.setdefault(hdrs.CACHE_CONTROL, "no-store")
    if settings.cors_origin is not None:
        headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = settings.cors_origin
        headers[hdrs.ACCESS_CONTROL_ALLOW_METHODS] = "GET, POST, DELETE, PUT, PATCH, OPTIONS"
        headers[hdrs.ACCESS_CONTROL_ALLOW_HEADERS] = "Content-Type, Authorization, Comfy-User"
        headers.add(hdrs.VARY, hdrs.ORIGIN)


def _host_problem(request: web.Request, settings: ServerSettings) -> tuple[int, str] | None:
    headers = request.headers.getall(hdrs.HOST, [])
    match = _HOST.fullmatch(headers[0].lower()) if len(headers) == 1 else None
    if match is None or not request.raw_path.startswith("/"):
        return 400, "The request must name one host, and only in its Host header."
    name = match["name"]
    if name in LOOPBACK_NAMES or name in settings.allowed_hosts or (settings.any_address and _is_address(name)):
        return None
    return 421, f"This server does not answer to the name {name!r}. Start it with --allow-host to let it."


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


def _origin_problem(request: web.Request, settings: ServerSettings) -> tuple[int, str] | None:
    origins = request.headers.getall(hdrs.ORIGIN, [])
    if origins:
        host = request.headers[hdrs.HOST].lower()
        own = {f"http://{host}", f"https://{host}"}
        if len(origins) == 1 and (origins[0].lower() in own or settings.cors_origin in ("*", origins[0])):
            return None
        return 403, "The request comes from a page of another site."
    site = request.headers.get("Sec-Fetch-Site", "none")
    if site in ("none", "same-origin") or _may_be_linked_to(request):
        return None
    if settings.cors_origin is not None and request.method in _SAFE_METHODS:
        return None
    return 403, "The request comes from a page of another site."


def _may_be_linked_to(request: web.Request) -> bool:
    """Whether this is somebody following a link to the editor."""
    return (
        request.method in _SAFE_METHODS
        and request.path == "/"
        and request.headers.get("Sec-Fetch-Mode") == "navigate"
        and request.headers.get("Sec-Fetch-Dest") == "document"
    )


def _is_preflight(request: web.Request, settings: ServerSettings) -> bool:
    return request.method == hdrs.METH_OPTIONS and settings.cors_origin is not None
