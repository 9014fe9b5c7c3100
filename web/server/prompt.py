"""Queues graphs: POST /prompt, ComfyUI's word for a submitted graph."""

import asyncio
import json
import re
import time
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

from aiohttp import web

from execution.engine import InvalidGraphError, KeyTakenError, Problem, QueueFullError, Submission
from execution.workflow import WorkflowError
from web.server import requests
from web.server.keys import DRAWINGS, ENGINE
from web.server.replies import RequestError, node_problems, problem, reply

routes = web.RouteTableDef()

_JOB_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


@routes.get("/prompt")
async def get_remaining(request: web.Request) -> web.Response:
    view = request.app[ENGINE].queue()
    return reply({"exec_info": {"queue_remaining": len(view.running) + len(view.pending)}})


@routes.post("/prompt")
async def submit(request: web.Request) -> web.Response:
    """Queue a graph, or the graph of an editor's workflow; all its problems come back at once."""
    try:
        submission = await submission_of(await requests.json_object(request), request.app)
        accepted = await request.app[ENGINE].submit(submission)
    except InvalidGraphError as error:
        return invalid(error)
    except QueueFullError as error:
        raise RequestError(str(error), 429, {"Retry-After": "5"}) from error
    except KeyTakenError as error:
        raise RequestError(str(error), 409) from error
    errors = node_problems(accepted.node_errors)
    return reply({"prompt_id": accepted.job_id, "number": accepted.number, "node_errors": errors})


def invalid(error: InvalidGraphError) -> web.Response:
    return reply({"error": problem(error.error), "node_errors": node_problems(error.node_errors)}, 400)


async def submission_of(fields: dict[str, Any], app: web.Application) -> Submission:
    """What a body asks for. Raises RequestError if a field has the wrong type, InvalidGraphError without a graph."""
    extra_data = requests.mapping(fields, "extra_data")
    if "workflow" in fields:
        workflow = requests.mapping(fields, "workflow")
        graph = await _drawn(workflow, app)
        saved = requests.mapping(extra_data, "extra_pnginfo") | {"workflow": workflow}
        extra_data = extra_data | {"extra_pnginfo": saved}
    elif "prompt" in fields:
        graph = fields["prompt"]
    else:
        raise InvalidGraphError(Problem("no_prompt", "No prompt provided", "No prompt provided"), {})
    requests.mapping(extra_data, "extra_pnginfo")
    targets = requests.texts(fields, "partial_execution_targets")
    client_id, job_id = requests.text(fields, "client_id"), _job_id(fields)
    known_to_client = {} if client_id is None else {"client_id": client_id}
    return Submission(
        graph=graph,
        client_id=client_id,
        job_id=job_id,
        number=requests.number(fields, "number"),
        front=requests.flag(fields, "front"),
        # Clients find these two there when they read the queue or the history.
        extra_data=extra_data | {"create_time": time.time_ns() // 1_000_000} | known_to_client,
        targets=None if targets is None else tuple(targets),
        # In a thread, as it takes a large body longer than other clients should wait.
        digest=None if job_id is None else await asyncio.to_thread(_digest, fields),
    )


def _digest(fields: dict[str, Any]) -> bytes:
    """Tells what was asked for from what else might be, however the body was written."""
    asked = [fields.get(name) for name in ("prompt", "workflow", "partial_execution_targets")]
    return blake2b(json.dumps(asked, sort_keys=True).encode(), digest_size=16).digest()


async def _drawn(workflow: dict[str, Any], app: web.Application) -> Mapping[str, Any]:
    """The graph that a workflow draws."""
    specs = (await app[ENGINE].catalog()).specs
    try:
        return await asyncio.to_thread(app[DRAWINGS].graph_of, workflow, specs)
    except WorkflowError as error:
        raise InvalidGraphError(Problem("invalid_workflow", str(error)), {}) from error


def _job_id(fields: dict[str, Any]) -> str | None:
    value = requests.text(fields, "prompt_id")
    if value is not None and not _JOB_ID.fullmatch(value):
        message = "The id of a prompt must be a UUID in its canonical form, in small letters."
        raise InvalidGraphError(Problem("invalid_prompt_id", message, value), {})
    return value
