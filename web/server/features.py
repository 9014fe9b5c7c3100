"""What this server can do beyond the first version of the interface."""

from typing import Any

from aiohttp import web

from web.server.keys import SETTINGS
from web.server.replies import reply

routes = web.RouteTableDef()


def of(app: web.Application) -> dict[str, Any]:
    """The flags that clients ask for before they use a feature."""
    return {"supports_preview_metadata": True, "max_upload_size": app[SETTINGS].max_upload_bytes}


@routes.get("/features")
async def get_features(request: web.Request) -> web.Response:
    return reply(of(request.app))
