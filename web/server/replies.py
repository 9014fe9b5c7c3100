"""How the server answers, and how it says what is wrong with a request."""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from execution.engine import NodeProblems, Problem
from web.server import strict_json

_KINDS = {
    409: "prompt_id_taken",
    413: "request_too_large",
    429: "queue_full",
    500: "server_error",
    503: "unavailable",
    507: "disk_full",
}


class RequestError(Exception):
    """A request that cannot be answered; the message tells the person who sent it what to change."""

    def __init__(self, message: str, status: int = 400, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.headers = headers


def reply(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.json_response(value, status=status, headers=headers, dumps=strict_json.dumps)


def refusal(
    request: web.Request, message: str, status: int, headers: Mapping[str, str] | None = None, kind: str | None = None
) -> web.Response:
    """An error in the form that clients of this route expect: a problem for /prompt, a sentence elsewhere."""
    if request.path in ("/prompt", "/api/prompt", "/api/weft/graph", "/weft/graph"):
        kind = kind or _KINDS.get(status, "bad_request")
        return reply({"error": problem(Problem(kind, message)), "node_errors": {}}, status, headers)
    return reply({"error": message}, status, headers)


def problem(found: Problem) -> dict[str, Any]:
    return {
        "type": found.type,
        "message": found.message,
        "details": found.details,
        "extra_info": dict(found.extra_info),
    }


def node_problems(found: Mapping[str, NodeProblems]) -> dict[str, Any]:
    return {
        node_id: {
            "errors": [problem(error) for error in node.errors],
            "dependent_outputs": list(node.dependent_outputs),
            "class_type": node.class_type,
        }
        for node_id, node in found.items()
    }
