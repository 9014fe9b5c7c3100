"""Puts the server together: every resource at its address and under /api, behind one guard."""

import asyncio
import time
from collections.abc import AsyncIterator

from aiohttp import web

from execution.engine import Engine
from execution.workflow import KnownDrawings
from nodes.paths import Paths
from web.server import (
    client,
    control,
    features,
    history,
    keys,
    models,
    object_info,
    packs,
    prompt,
    queue,
    system_stats,
    upload,
    user_settings,
    userdata,
    view,
    websocket,
    weft,
)
from web.server.errors import explain
from web.server.pack_routes import pass_on
from web.server.security import add_headers, guard
from web.server.settings import ServerSettings
from web.server.sockets import Sockets

RESOURCES = (
    control,
    features,
    history,
    models,
    object_info,
    packs,
    prompt,
    queue,
    system_stats,
    upload,
    user_settings,
    userdata,
    view,
    websocket,
    weft,
)


def create_app(engine: Engine, paths: Paths, settings: ServerSettings) -> web.Application:
    """The application; it starts the engine when it starts and stops it when it stops."""
    app = web.Application(
        middlewares=[guard, explain, pass_on],
        client_max_size=settings.max_json_bytes,
        handler_args={
            "keepalive_timeout": settings.idle_seconds,
            "lingering_time": settings.linger_seconds,
            "auto_decompress": False,  # compressed bodies are refused, and what is refused needs no unpacking
        },
    )
    app[keys.ENGINE] = engine
    app[keys.DRAWINGS] = KnownDrawings()
    app[keys.PATHS] = paths
    app[keys.SETTINGS] = settings
    app[keys.SOCKETS] = Sockets(time.monotonic)
    app[keys.FILE_LOCK] = asyncio.Lock()
    app[keys.PICTURE_LOCK] = asyncio.Lock()
    for resource in RESOURCES:
        app.add_routes(resource.routes)
        app.add_routes(under_api(resource.routes))
    app.add_routes(client.routes)
    app.on_response_prepare.append(add_headers)
    app.on_shutdown.append(_close_sockets)
    app.cleanup_ctx.append(_run_engine)
    return app


def under_api(routes: web.RouteTableDef) -> list[web.RouteDef]:
    """The same routes once more, each with /api before its path."""
    found = [route for route in routes if isinstance(route, web.RouteDef)]
    return [web.RouteDef(route.method, f"/api{route.path}", route.handler, route.kwargs) for route in found]


async def _run_engine(app: web.Application) -> AsyncIterator[None]:
    engine = app[keys.ENGINE]
    unsubscribe = engine.subscribe(app[keys.SOCKETS].tell)
    await engine.start()
    yield
    unsubscribe()
    await engine.stop()


async def _close_sockets(app: web.Application) -> None:
    await app[keys.SOCKETS].close()
