"""The jobs that have ended."""

from aiohttp import web

from web.server import requests, wire
from web.server.keys import ENGINE
from web.server.replies import reply

routes = web.RouteTableDef()


@routes.get("/history")
async def get_history(request: web.Request) -> web.Response:
    """Ended jobs, oldest first: `max_items` from `offset` (counted from the oldest), else the latest ones."""
    limit, offset = requests.whole_number(request, "max_items"), requests.whole_number(request, "offset")
    limit = None if limit is not None and limit < 0 else limit
    offset = None if offset is not None and offset < 0 else offset
    entries = await request.app[ENGINE].history(limit, offset)
    return reply({entry.job.id: wire.history_item(entry) for entry in entries})


@routes.get("/history/{id}")
async def get_entry(request: web.Request) -> web.Response:
    entry = await request.app[ENGINE].history_entry(request.match_info["id"])
    return reply({} if entry is None else {entry.job.id: wire.history_item(entry)})


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
