"""The nodes there are, once the worker has told them; files to choose from are listed at every request."""

import asyncio

from aiohttp import web

from nodes.object_info import object_info
from nodes.spec import NodeSpec
from web.server.keys import ENGINE, PATHS
from web.server.replies import reply

routes = web.RouteTableDef()


@routes.get("/object_info")
async def get_all(request: web.Request) -> web.Response:
    return await _described(request, list((await _specs(request)).values()))


@routes.get("/object_info/{id}")
async def get_one(request: web.Request) -> web.Response:
    spec = (await _specs(request)).get(request.match_info["id"])
    return await _described(request, [] if spec is None else [spec])


async def _specs(request: web.Request) -> dict[str, NodeSpec]:
    return dict((await request.app[ENGINE].fresh_catalog()).specs)


async def _described(request: web.Request, specs: list[NodeSpec]) -> web.Response:
    return reply(await asyncio.to_thread(object_info, specs, request.app[PATHS].choices))
