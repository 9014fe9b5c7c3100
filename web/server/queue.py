"""The jobs that run and wait."""

from aiohttp import web

from web.server import requests, wire
from web.server.keys import ENGINE
from web.server.replies import reply

routes = web.RouteTableDef()


@routes.get("/queue")
async def get_queue(request: web.Request) -> web.Response:
    view = request.app[ENGINE].queue()
    return reply(
        {
            "queue_running": [wire.queue_item(job) for job in view.running],
            "queue_pending": [wire.queue_item(job) for job in view.pending],
        }
    )


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
