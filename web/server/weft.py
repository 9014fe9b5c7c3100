"""What the editor asks beyond ComfyUI's interface."""

import asyncio
import json

from aiohttp import web

from execution.engine import InvalidGraphError
from nodes.paths import FileMissingError
from web.server import requests, wire
from web.server.keys import ENGINE, PATHS
from web.server.prompt import submission_of
from web.server.replies import node_problems, problem, reply
from web.server.version import VERSION

routes = web.RouteTableDef()


@routes.get("/weft/status")
async def get_status(request: web.Request) -> web.Response:
    engine = request.app[ENGINE]
    worker, notices = engine.status(), wire.notices(engine.notices())
    return reply({"worker": {"state": worker.state, "detail": worker.detail}, "version": VERSION, **notices.data})


@routes.get("/weft/default-workflow")
async def get_default_workflow(request: web.Request) -> web.Response:
    """The workflow that the editor opens with."""
    file = request.app[PATHS].bundled / "workflows" / "text_to_image.json"
    if not file.is_file():
        raise FileMissingError("The program's folder bundled/workflows has no text_to_image.json.")
    return reply(json.loads(await asyncio.to_thread(file.read_text, encoding="utf-8")))


@routes.post("/weft/graph")
async def check_graph(request: web.Request) -> web.Response:
    """The graph of a workflow and all that keeps it from running, without queueing it."""
    try:
        submission = await submission_of(await requests.json_object(request), request.app)
        checked = await request.app[ENGINE].check(submission)
    except InvalidGraphError as error:
        return reply({"graph": {}, "node_errors": node_problems(error.node_errors), "error": problem(error.error)})
    return reply(
        {
            "graph": submission.graph,
            "node_errors": node_problems(checked.node_errors),
            "error": None if checked.error is None else problem(checked.error),
        }
    )
