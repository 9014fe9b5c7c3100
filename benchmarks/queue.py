"""Measures the queue of a running server: trivial jobs a second, and how long others wait meanwhile.

    python -m benchmarks.queue

The rows: jobs of two small nodes, each with a picture of its own; the same job again, all of it cached; GET /queue
while a job samples on all processors, while a spare worker starts besides, and of fifty clients while a node lets
nothing else of its process run; and GET /prompt while another client reads a queue of 2,000 jobs that hold 50 kB each.
Times are of one run; take several on a machine that does other work. The last table holds figures against the limits
that the program is to keep.
"""

import asyncio
import os
import platform
import tempfile
import time
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import aiohttp

from benchmarks.first_picture import BUNDLED, text_to_image
from benchmarks.server import Server, serving
from benchmarks.verdicts import Verdicts

JOBS = 500
AT_ONCE = 16
WAITING, BYTES_EACH = 2_000, 50_000
CLIENTS, SECONDS_HELD = 50, 5
LEAST_JOBS_A_SECOND, MOST_MS_TO_ANSWER = 100.0, 20.0

HOLDING = """
import ctypes

class HoldInterpreter:
    CATEGORY, FUNCTION, OUTPUT_NODE, RETURN_TYPES = "benchmark", "hold", True, ()

    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"seconds": ("INT", {})}}

    def hold(self, seconds):
        ctypes.PyDLL(None).sleep(seconds)  # unlike functions of CDLL, it keeps the interpreter meanwhile

NODE_CLASS_MAPPINGS = {"HoldInterpreter": HoldInterpreter}
"""


def trivial(number: int) -> dict[str, Any]:
    """A picture of one color, shown."""
    return {
        "1": {"class_type": "EmptyImage", "inputs": {"width": 16, "height": 16, "batch_size": 1, "color": number}},
        "2": {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}},
    }


async def submit(http: aiohttp.ClientSession, server: Server, graph: dict[str, Any], **fields: Any) -> str:
    async with http.post(f"{server.url}/prompt", json={"prompt": graph, **fields}) as answer:
        return (await answer.json())["prompt_id"]


async def throughput(http: aiohttp.ClientSession, server: Server, numbers: list[int]) -> float:
    """Returns jobs per second, from the first submission to the last success."""
    async with http.ws_connect(f"{server.url}/ws", params={"clientId": "benchmark"}) as events:
        waiting = iter(numbers)
        start = time.perf_counter()

        async def post() -> None:
            for number in waiting:
                await submit(http, server, trivial(number), client_id="benchmark")

        posting = asyncio.gather(*(post() for _ in range(AT_ONCE)))
        done = 0
        async for message in events:
            if message.type is aiohttp.WSMsgType.TEXT and message.json()["type"] == "execution_success":
                done += 1
            if posting.done() and not posting.cancelled() and done == len(numbers):
                break
        return len(numbers) / (time.perf_counter() - start)


async def latencies(
    http: aiohttp.ClientSession, server: Server, seconds: float, path: str, pause: float = 0.05
) -> list[float]:
    """Returns the milliseconds that each GET took."""
    found = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        async with http.get(server.url + path) as answer:
            await answer.read()
        found.append((time.perf_counter() - start) * 1000)
        await asyncio.sleep(pause)
    return found


def p99(found: list[float]) -> float:
    return quantiles(found, n=100)[98]


def told(found: list[float]) -> str:
    return f"{median(found):.1f} | {p99(found):.1f} | {max(found):.1f}"


async def while_sampling(http: aiohttp.ClientSession, server: Server) -> list[float]:
    job = await submit(http, server, text_to_image(BUNDLED, 256, 400, 1))
    await asyncio.sleep(1)
    found = await latencies(http, server, 15, "/queue")
    async with http.post(f"{server.url}/interrupt", json={"prompt_id": job}):
        return found


async def while_a_spare_starts(http: aiohttp.ClientSession, server: Server) -> list[float]:
    """Returns the latencies of /queue while a spare worker imports torch and a job samples, which came just after."""
    while len(server.workers()) < 2:
        await asyncio.sleep(0.1)
    worker, spare = server.workers()
    worker.kill()
    while server.workers()[-1] in (worker, spare):
        await asyncio.sleep(0.01)
    job = await submit(http, server, text_to_image(BUNDLED, 256, 400, 3))
    found = await latencies(http, server, 5, "/queue")
    async with http.post(f"{server.url}/interrupt", json={"prompt_id": job}):
        return found


async def while_the_interpreter_is_held(http: aiohttp.ClientSession, server: Server) -> list[float]:
    """Returns the latencies of /queue for many clients, each twice a second, while a node keeps the interpreter."""
    held = {"1": {"class_type": "HoldInterpreter", "inputs": {"seconds": SECONDS_HELD}}}
    await submit(http, server, held)

    async def poll(number: int) -> list[float]:
        await asyncio.sleep(0.5 * number / CLIENTS)
        async with aiohttp.ClientSession() as session:
            return await latencies(session, server, SECONDS_HELD - 1, "/queue", 0.5)

    return [one for found in await asyncio.gather(*map(poll, range(CLIENTS))) for one in found]


async def beside_a_long_queue(http: aiohttp.ClientSession, server: Server) -> tuple[list[float], float, float]:
    """Returns the latencies of /prompt, the seconds that the whole queue took, and its megabytes."""
    running = await submit(http, server, text_to_image(BUNDLED, 256, 2000, 2))
    extra = {"extra_pnginfo": {"workflow": {"nodes": [], "text": "x" * BYTES_EACH}}}
    for number in range(WAITING):
        await submit(http, server, trivial(number), extra_data=extra)
    other = asyncio.create_task(latencies(http, server, 6, "/prompt"))
    start = time.perf_counter()
    async with aiohttp.ClientSession() as session, session.get(f"{server.url}/queue") as answer:
        size = len(await answer.read())
    seconds = time.perf_counter() - start
    found = await other
    async with http.post(f"{server.url}/queue", json={"clear": True}):
        pass
    async with http.post(f"{server.url}/interrupt", json={"prompt_id": running}):
        return found, seconds, size / 1e6


async def main() -> None:
    with tempfile.TemporaryDirectory() as base:
        packs = Path(base) / "custom_nodes"
        packs.mkdir()
        (packs / "holding.py").write_text(HOLDING)
        async with serving(Path(base)) as server, aiohttp.ClientSession() as http:
            await server.wait_until_page(http)
            await server.wait_until_ready(http)
            await throughput(http, server, list(range(1_000_000, 1_000_050)))
            print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} processors\n")
            print("| jobs over HTTP | per second |\n| --- | ---: |")
            rate = await throughput(http, server, list(range(JOBS)))
            print(f"| {JOBS} of two nodes | {rate:.0f} |")
            verdicts = Verdicts()
            verdicts.at_least("jobs of two nodes a second", LEAST_JOBS_A_SECOND, rate)
            rate = await throughput(http, server, [7] * JOBS)
            print(f"| {JOBS} times the same | {rate:.0f} |\n", flush=True)
            print("| GET, ms | median | p99 | max |\n| --- | ---: | ---: | ---: |")
            print(f"| /queue, nothing runs | {told(await latencies(http, server, 5, '/queue'))} |", flush=True)
            found = await while_sampling(http, server)
            print(f"| /queue while a job samples | {told(found)} |", flush=True)
            verdicts.at_most("ms for /queue while a job samples, p99", MOST_MS_TO_ANSWER, p99(found))
            print(f"| /queue while a spare starts too | {told(await while_a_spare_starts(http, server))} |", flush=True)
            found = await while_the_interpreter_is_held(http, server)
            print(f"| /queue of {CLIENTS} clients while a node holds the interpreter | {told(found)} |", flush=True)
            before = server.server_memory()
            found, seconds, megabytes = await beside_a_long_queue(http, server)
            print(f"| /prompt while another reads {megabytes:.0f} MB of queue in {seconds:.1f} s | {told(found)} |")
            print(f"\nThe server grew by {(server.server_memory() - before) / 1e6:.0f} MB with {WAITING} jobs waiting.")
            verdicts.print()


if __name__ == "__main__":
    asyncio.run(main())
