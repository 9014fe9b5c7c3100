"""Measures how long jobs wait for a new worker when theirs has died, with a spare worker and without one.

    python -m benchmarks.recovery

Each row is the median of several deaths: a node has its worker killed, and the time runs from the
news of it until a job that was posted at once has succeeded. Also printed: what the spare takes of the memory, its
share of pages that it has in common with the worker counted in part (PSS).
"""

import asyncio
import json
import os
import platform
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import aiohttp
import psutil

from benchmarks.queue import trivial
from benchmarks.server import Server, serving

DEATHS = 5
SECONDS_FOR_A_SPARE = 60.0

DEADLY = """
import os

class EndWorker:
    CATEGORY, FUNCTION, OUTPUT_NODE, RETURN_TYPES = "benchmark", "end", True, ()

    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {}}

    def end(self):
        os.kill(os.getpid(), 9)

NODE_CLASS_MAPPINGS = {"EndWorker": EndWorker}
"""
END: dict[str, Any] = {"1": {"class_type": "EndWorker", "inputs": {}}}


def settled(process: psutil.Process) -> bool:
    """Whether a process has nothing left to do for now."""
    before = process.cpu_times()
    time.sleep(0.3)
    return process.cpu_times() == before


async def spare_of(server: Server, worker: int) -> psutil.Process:
    """Returns the process that waits beside the worker, once it has imported all it can. Raises TimeoutError."""
    async with asyncio.timeout(SECONDS_FOR_A_SPARE):
        while True:
            others = [one for one in server.workers() if one.pid != worker]
            if others and await asyncio.to_thread(settled, others[0]):
                return others[0]
            await asyncio.sleep(0.1)


async def seconds_to_recover(http: aiohttp.ClientSession, server: Server, number: int) -> float:
    """Returns the seconds from the news of a worker's death until the next job has succeeded."""
    async with http.ws_connect(f"{server.url}/ws", params={"clientId": "benchmark"}, max_msg_size=0) as events:
        await http.post(f"{server.url}/prompt", json={"prompt": END, "client_id": "benchmark"})
        start = 0.0
        async for message in events:
            if message.type is not aiohttp.WSMsgType.TEXT:
                continue
            match json.loads(message.data)["type"]:
                case "execution_error":
                    start = time.perf_counter()
                    graph = trivial(number)
                    await http.post(f"{server.url}/prompt", json={"prompt": graph, "client_id": "benchmark"})
                case "execution_success":
                    return time.perf_counter() - start
    raise RuntimeError("the server closed the socket")


async def recoveries(base: Path, *flags: str) -> tuple[list[float], int]:
    """Returns the seconds of several deaths, and the spare's bytes of memory, 0 without one."""
    async with serving(base, *flags) as server, aiohttp.ClientSession() as http:
        await server.wait_until_page(http)
        await server.wait_until_ready(http)
        found, size = [], 0
        for number in range(DEATHS):
            [worker, *_] = [one.pid for one in server.workers()]
            if not flags:
                size = (await spare_of(server, worker)).memory_full_info().pss
            found.append(await seconds_to_recover(http, server, number))
        return found, size


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        packs = Path(folder) / "custom_nodes"
        packs.mkdir()
        (packs / "deadly.py").write_text(DEADLY)
        without, _ = await recoveries(Path(folder), "--no-spare-worker")
        with_spare, size = await recoveries(Path(folder))
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} processors\n")
    print("| from a worker's death to the next job's success | median s | longest s |\n| --- | ---: | ---: |")
    print(f"| with a spare worker | {median(with_spare):.2f} | {max(with_spare):.2f} |")
    print(f"| with --no-spare-worker | {median(without):.2f} | {max(without):.2f} |")
    print(f"\nThe spare makes it {median(without) / median(with_spare):.1f} times as quick, for {size / 1e6:.0f} MB.")


if __name__ == "__main__":
    asyncio.run(main())
