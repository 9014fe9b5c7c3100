"""Measures the queue of a running server: trivial jobs a second, and how long others wait meanwhile.

    python -m benchmarks.queue

Four tables' rows: jobs of two small nodes, each with a picture of its own; the same job again, all of it cached; GET
/queue while a job samples on all processors; and GET /queue of one client while another reads a queue of 2,000 jobs
that hold 50 kB each. Times are of one run; take several on a machine that does other work.
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

JOBS = 500
AT_ONCE = 16
WAITING, BYTES_EACH = 2_000, 50_000


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


async def latencies(http: aiohttp.ClientSession, server: Server, seconds: float, path: str) -> list[float]:
    """Returns the milliseconds that GET took, twenty times a second."""
    found = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        async with http.get(server.url + path) as answer:
            await answer.read()
        found.append((time.perf_counter() - start) * 1000)
        await asyncio.sleep(0.05)
    return found


def told(found: list[float]) -> str:
    p99 = quantiles(found, n=100)[98]
    return f"{median(found):.1f} | {p99:.1f} | {max(found):.1f}"


async def while_sampling(http: aiohttp.ClientSession, server: Server) -> list[float]:
    job = await submit(http, server, text_to_image(BUNDLED, 256, 400, 1))
    await asyncio.sleep(1)
    found = await latencies(http, server, 15, "/queue")
    async with http.post(f"{server.url}/interrupt", json={"prompt_id": job}):
        return found


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
        async with serving(Path(base)) as server, aiohttp.ClientSession() as http:
            await server.wait_until_page(http)
            await server.wait_until_ready(http)
            await throughput(http, server, list(range(1_000_000, 1_000_050)))
            print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} processors\n")
            print("| jobs over HTTP | per second |\n| --- | ---: |")
            rate = await throughput(http, server, list(range(JOBS)))
            print(f"| {JOBS} of two nodes | {rate:.0f} |")
            rate = await throughput(http, server, [7] * JOBS)
            print(f"| {JOBS} times the same | {rate:.0f} |\n", flush=True)
            print("| GET, ms | median | p99 | max |\n| --- | ---: | ---: | ---: |")
            print(f"| /queue, nothing runs | {told(await latencies(http, server, 5, '/queue'))} |", flush=True)
            print(f"| /queue while a job samples | {told(await while_sampling(http, server))} |", flush=True)
            before = server.server_memory()
            found, seconds, megabytes = await beside_a_long_queue(http, server)
            print(f"| /prompt while another reads {megabytes:.0f} MB of queue in {seconds:.1f} s | {told(found)} |")
            print(f"\nThe server grew by {(server.server_memory() - before) / 1e6:.0f} MB with {WAITING} jobs waiting.")


if __name__ == "__main__":
    asyncio.run(main())
