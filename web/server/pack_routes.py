"""Addresses of packs: what no resource of ours answers is passed on to the worker, where their code runs."""

import asyncio
from collections.abc import AsyncIterator

from aiohttp import ClientError, ClientSession, ClientTimeout, UnixConnector, hdrs, web

from web.server.keys import ENGINE, SETTINGS
from web.server.replies import RequestError
from web.server.requests import SLOWEST
from web.server.security import Handler

PASSED_ON = ("Accept", "Accept-Language", "Authorization", "Comfy-User", "Content-Type", "If-None-Match", "Range")
PASSED_BACK = (
    "Accept-Ranges", "Cache-Control", "Content-Disposition", "Content-Length", "Content-Range", "Content-Type", "ETag",
    "Last-Modified", "Location",
)  # fmt: skip
CHUNK = 64 * 1024
SECONDS_TO_CONNECT = 5.0


@web.middleware
async def pass_on(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Ask the packs for what is not found here."""
    if not isinstance(request.match_info.http_exception, web.HTTPNotFound):
        return await handler(request)
    engine = request.app[ENGINE]
    socket = (await engine.catalog()).pack_socket if engine.status().state == "ready" else None
    if socket is None:
        return await handler(request)
    if request.headers.get(hdrs.UPGRADE, "").lower() == "websocket":
        raise RequestError("WebSockets of packs are not served.", 501)
    if (request.content_length or 0) > request.app[SETTINGS].max_upload_bytes:
        raise RequestError("The request is too large.", 413)
    body = _Body(request)
    try:
        return await _passed_on(request, str(socket), body)
    except ClientError as error:
        unreached = RequestError("The worker, where packs answer, cannot be reached. Try again in a moment.", 503)
        raise body.problem or unreached from error


async def _passed_on(request: web.Request, socket: str, body: "_Body") -> web.StreamResponse:
    """The answer of a pack, as it comes."""
    headers = {name: request.headers[name] for name in PASSED_ON if name in request.headers}
    headers[hdrs.HOST] = request.headers[hdrs.HOST]
    headers[hdrs.ACCEPT_ENCODING] = "identity"
    timeout = ClientTimeout(total=None, sock_connect=SECONDS_TO_CONNECT)
    url = f"http://packs{request.path_qs.removeprefix('/api')}"
    async with (
        ClientSession(connector=UnixConnector(socket), timeout=timeout, auto_decompress=False) as session,
        session.request(request.method, url, headers=headers, data=body.chunks(), allow_redirects=False) as answer,
    ):
        kept = {name: answer.headers[name] for name in PASSED_BACK if name in answer.headers}
        response = web.StreamResponse(status=answer.status, reason=answer.reason, headers=kept)
        await response.prepare(request)
        async for chunk in answer.content.iter_chunked(CHUNK):
            await response.write(chunk)
        await response.write_eof()
        return response


class _Body:
    """A request's body on its way to a pack, not read beforehand; `problem` is what has ended it, if anything has."""

    def __init__(self, request: web.Request) -> None:
        self.problem: RequestError | None = None
        self._request = request
        self._settings = request.app[SETTINGS]

    def chunks(self) -> AsyncIterator[bytes] | None:
        """What comes, no longer and no slower than it may be; None where there is no body."""
        return self._read() if self._request.body_exists else None

    async def _read(self) -> AsyncIterator[bytes]:
        passed = 0
        start = asyncio.get_running_loop().time()
        while chunk := await self._next(start + self._settings.read_seconds + passed / SLOWEST):
            passed += len(chunk)
            if passed > self._settings.max_upload_bytes:
                self.problem = RequestError("The request is too large.", 413)
                raise self.problem
            yield chunk

    async def _next(self, deadline: float) -> bytes:
        try:
            async with asyncio.timeout_at(deadline):
                return await self._request.content.read(CHUNK)
        except TimeoutError:
            self.problem = RequestError("The body of the request did not arrive in time.", 408)
            raise self.problem from None
