"""Turns whatever goes wrong while a request is answered into a clear JSON message without paths or tracebacks."""

import logging
from collections.abc import Mapping

from aiohttp import hdrs, web

from execution.engine import StoppingError, StoreError, StoreFullError, WorkerFailedError
from nodes.paths import FileMissingError, PathError
from web.server.files import is_disk_full
from web.server.pictures import PictureError, PictureTooLargeError
from web.server.replies import RequestError, refusal
from web.server.security import Handler

log = logging.getLogger(__name__)


KINDS: Mapping[type[Exception], str] = {StoppingError: "stopping", WorkerFailedError: "worker_failed"}
"""What programs are told where the status alone does not say it."""


@web.middleware
async def explain(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer errors of handlers. What nobody foresaw is logged, and told without details."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        return _of_framework(request, error)
    except ConnectionError:
        raise
    except Exception as error:
        status, message, headers = _explained(error)
        if status >= 500 and not isinstance(error, StoppingError):
            log.exception("%s %s failed", request.method, request.path)
        return refusal(request, message, status, headers, KINDS.get(type(error)))


def _explained(error: Exception) -> tuple[int, str, Mapping[str, str] | None]:
    match error:
        case RequestError():
            return error.status, error.message, error.headers
        case FileMissingError():
            return 404, str(error), None
        case PictureTooLargeError():
            return 413, str(error), None
        case PathError() | PictureError():
            return 400, str(error), None
        case WorkerFailedError():
            return 503, str(error), None
        case StoreError():
            return _of_store(error)
        case TimeoutError():
            return 408, "The request did not arrive in time.", None
        case OSError() if is_disk_full(error):
            return 507, "The disk is full.", None
        case OSError():
            return 500, f"A file of the server could not be read or written: {error.strerror}.", None
        case _:
            return 500, "The server met an error that it did not foresee; its log has the details.", None


def _of_store(error: StoreError) -> tuple[int, str, Mapping[str, str] | None]:
    if isinstance(error, StoppingError):
        return 503, str(error), {hdrs.RETRY_AFTER: "5"}
    return 507 if isinstance(error, StoreFullError) else 500, str(error), None


def _of_framework(request: web.Request, error: web.HTTPException) -> web.StreamResponse:
    match error:
        case web.HTTPRequestEntityTooLarge():
            return refusal(request, f"The body is larger than {request.client_max_size} bytes.", 413)
        case web.HTTPMethodNotAllowed():
            message = f"{error.method} is not possible here; {', '.join(sorted(error.allowed_methods))} is."
            return refusal(request, message, 405, {hdrs.ALLOW: error.headers[hdrs.ALLOW]})
        case web.HTTPNotFound():
            return refusal(request, "There is nothing at this address.", 404)
        case _:
            return refusal(request, f"{error.reason}.", error.status)
