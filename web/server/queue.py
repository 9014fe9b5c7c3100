"""The jobs that run and wait."""

from collections.abc import AsyncGenerator

from aiohttp import web

from execution.engine import Engine
from web.server import requests
from web.server.job_text import queue_item
from web.server.keys import ENGINE
from web.server.pages import items, streamed

routes = web.RouteTableDef()


@routes.get("/queue")
async def get_queue(request: web.Request) -> web.StreamResponse:
    return await streamed(request, _written(request.app[ENGINE]))


async def _written(engine: Engine) -> AsyncGenerator[str]:
    view = engine.queue()
    yield '{"queue_running":['
    async for text in items(view.running, engine.jobs, queue_item):
        yield text
    yield '],"queue_pending":['
    async for text in items(view.pending, engine.jobs, queue_item):
        yield text
    yield "]}"


@routes.post("/queue")
async def change_queue(request: web.Request) -> web.Response:
    """Take all waiting jobs out of the queue (`clear`), or some (`delete`, a list of ids)."""
    fields = await requests.json_object(request)
    clear, delete = requests.flag(fields, "clear"), requests.texts(fields, "delete")
    if clear:
        await request.app[ENGINE].clear()
    if delete:
        await request.app[ENGINE].cancel(delete)
    return web.Response()
