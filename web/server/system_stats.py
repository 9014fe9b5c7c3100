"""What this machine is and how much memory it has left."""

import os
import platform
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from aiohttp import web

from web.server.keys import ENGINE
from web.server.replies import reply

# The version of ComfyUI's interface that this server speaks; clients decide by it what they may ask.
INTERFACE_VERSION = "0.33.0"

routes = web.RouteTableDef()


@routes.get("/system_stats")
async def get_stats(request: web.Request) -> web.Response:
    from_worker = await request.app[ENGINE].device_stats()
    return reply({"system": _system(from_worker), "devices": from_worker.get("devices") or [_processor()]})


def _processor() -> dict[str, Any]:
    """What there is in any case, for clients that ask before a worker has started."""
    total, free = memory()
    sizes = {"vram_total": total, "vram_free": free, "torch_vram_total": total, "torch_vram_free": free}
    return {"name": "cpu", "type": "cpu", "index": None, **sizes}


def _system(from_worker: Mapping[str, Any]) -> dict[str, Any]:
    total, free = memory()
    return {
        "os": sys.platform,
        "ram_total": total,
        "ram_free": free,
        "comfyui_version": INTERFACE_VERSION,
        "required_frontend_version": "",
        "installed_templates_version": "",
        "required_templates_version": "",
        "python_version": f"{platform.python_version()} ({platform.python_implementation()})",
        "pytorch_version": from_worker.get("pytorch_version") or _version("torch"),
        "embedded_python": False,
        "argv": [],
    }


def _version(package: str) -> str:
    """The version of a package that this process does not load."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def memory() -> tuple[int, int]:
    """Bytes of memory in all, and bytes that programs may still take; 0 where the system does not say."""
    try:
        page = os.sysconf("SC_PAGE_SIZE")
        total, free = os.sysconf("SC_PHYS_PAGES") * page, os.sysconf("SC_AVPHYS_PAGES") * page
    except (AttributeError, ValueError, OSError):
        return 0, 0
    return total, _available() or free


def _available() -> int | None:
    """Linux counts memory that it would give back if asked."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")), None)
