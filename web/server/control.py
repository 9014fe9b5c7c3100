"""Stops jobs and frees memory."""

from aiohttp import web

from web.server import requests
from web.server.keys import ENGINE

routes = web.RouteTableDef()


@routes.post("/interrupt")
async def interrupt(request: web.Request) -> web.Response:
    """Stop the running job; with a `prompt_id`, only if it is that one."""
    fields = await requests.optional_json_object(request)
    request.app[ENGINE].interrupt(requests.text(fields, "prompt_id"))
    return web.Response()


@routes.post("/free")
async def free(request: web.Request) -> web.Response:
    """Drop loaded models, or cached results too, as soon as no job runs."""
    fields = await requests.optional_json_object(request)
    request.app[ENGINE].free(requests.flag(fields, "unload_models"), requests.flag(fields, "free_memory"))
    return web.Response()
