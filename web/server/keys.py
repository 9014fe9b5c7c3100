"""The typed places in which the application keeps what its handlers work with."""

import asyncio

from aiohttp import web

from execution.engine import Engine
from execution.workflow import KnownDrawings
from nodes.paths import Paths
from web.server.settings import ServerSettings
from web.server.sockets import Sockets

ENGINE = web.AppKey("engine", Engine)
DRAWINGS = web.AppKey("drawings", KnownDrawings)
PATHS = web.AppKey("paths", Paths)
SETTINGS = web.AppKey("settings", ServerSettings)
SOCKETS = web.AppKey("sockets", Sockets)
# Files are named and put in place one at a time, so that two requests never choose the same name.
FILE_LOCK = web.AppKey("file_lock", asyncio.Lock)
# Pictures are decoded one at a time: each may take hundreds of megabytes.
PICTURE_LOCK = web.AppKey("picture_lock", asyncio.Lock)
