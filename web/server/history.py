"""The jobs that have ended."""

from collections.abc import AsyncGenerator, Sequence

from aiohttp import web

from execution.engine import Engine
from web.server import requests
from web.server.job_text import history_member
from web.server.keys import ENGINE
from web.server.pages import items, streamed

routes = web.RouteTableDef()


@routes.get("/history")
async def get_history(request: web.Request) -> web.StreamResponse:
    """Ended jobs, oldest first: `max_items` from `offset` (counted from the oldest), else the latest ones."""
    limit, offset = requests.whole_number(request, "max_items"), requests.whole_number(request, "offset")
    limit = None if limit is not None and limit < 0 else limit
    offset = None if offset is not None and offset < 0 else offset
    engine = request.app[ENGINE]
    return await streamed(request, _written(engine, await engine.history_ids(limit, offset)))


@routes.get("/history/{id}")
async def get_entry(request: web.Request) -> web.StreamResponse:
    return await streamed(request, _written(request.app[ENGINE], [request.match_info["id"]]))


async def _written(engine: Engine, job_ids: Sequence[str]) -> AsyncGenerator[str]:
    yield "{"
    async for text in items(job_ids, engine.history, history_member):
        yield text
    yield "}"


@routes.post("/history")
async def change_history(request: web.Request) -> web.Response:
    """Forget all ended jobs (`clear`), or some (`delete`, a list of ids). Their files stay."""
    fields = await requests.json_object(request)
    clear, delete = requests.flag(fields, "clear"), requests.texts(fields, "delete")
    if clear:
        await request.app[ENGINE].clear_history()
    if delete:
        await request.app[ENGINE].delete_history(delete)
    return web.Response()
