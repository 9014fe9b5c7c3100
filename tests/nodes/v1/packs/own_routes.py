"""A pack in the style of those whose scripts ask the server for something."""

from pathlib import Path

from aiohttp import web
from comfy.model_management import interrupt_current_processing
from server import PromptServer

routes = PromptServer.instance.routes


@routes.get("/test_pack/greeting/{name}")
async def greet(request):
    answer = web.json_response({"hello": request.match_info["name"], "loud": request.query.get("loud")})
    answer.enable_compression()
    return answer


@routes.post("/test_pack/echo")
async def echo(request):
    data = await request.post() if request.content_type.startswith("multipart") else await request.json()
    return web.Response(text=f"{len(data)} values", status=201, headers={"Set-Cookie": "a=b", "ETag": '"x"'})


@routes.get("/test_pack/running")
async def running(request):
    server = PromptServer.instance
    return web.json_response({"job": server.last_prompt_id, "client": server.client_id, "node": server.last_node_id})


@routes.post("/test_pack/stop")
async def stop(request):
    interrupt_current_processing()
    return web.Response(text=f"{PromptServer.instance.address}:{PromptServer.instance.port}")


@routes.get("/test_pack/fails")
async def fail(request):
    raise RuntimeError("a handler of a pack")


if hasattr(PromptServer, "instance"):
    PromptServer.instance.app.add_routes([web.static("/test_pack/files", Path(__file__).parent)])

NODE_CLASS_MAPPINGS = {}
