"""Starts the program as a user does and talks to it, for benchmarks."""

import asyncio
import json
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import psutil

ROOT = Path(__file__).parent.parent


def free_port() -> int:
    """Returns a port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass
class Run:
    """One job as its client saw it. Times are seconds from submission; `steps` are (time, value) of the sampler."""

    seconds: float
    steps: list[tuple[float, int]] = field(default_factory=list)
    messages: int = 0

    def seconds_per_step(self) -> float:
        """Returns the mean time between the first and the last step that was told."""
        (start, first), (end, last) = self.steps[0], self.steps[-1]
        return (end - start) / max(last - first, 1)


class Server:
    """A running program and the memory it takes."""

    def __init__(self, url: str, process: psutil.Process, started: float) -> None:
        self.url = url
        self.started = started
        self.peak_bytes = 0
        self.process = process

    def memory(self) -> int:
        """Returns the resident bytes of the server and its workers together."""
        total = 0
        for process in (self.process, *self.process.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                total += process.memory_info().rss
        return total

    def workers(self) -> list[psutil.Process]:
        """Returns the processes that the server has started, oldest first, a spare one among them."""
        return sorted(self.process.children(), key=lambda process: process.create_time())

    def server_memory(self) -> int:
        """Returns the resident bytes of the server alone."""
        return self.process.memory_info().rss

    def processor_seconds(self) -> float:
        """Returns the processor time that the server and its workers have taken."""
        total = 0.0
        for process in (self.process, *self.process.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                total += times.user + times.system
        return total

    async def watch_memory(self) -> None:
        """Keeps the largest reading, twenty times a second."""
        while True:
            self.peak_bytes = max(self.peak_bytes, self.memory())
            await asyncio.sleep(0.05)

    async def wait_until_page(self, http: aiohttp.ClientSession) -> float:
        """Returns the seconds from the start until the page answered."""
        while True:
            with suppress(aiohttp.ClientError):
                async with http.get(self.url) as answer:
                    if answer.status == 200:
                        await answer.read()
                        return time.perf_counter() - self.started
            await asyncio.sleep(0.005)

    async def wait_until_ready(self, http: aiohttp.ClientSession) -> float:
        """Returns the seconds from the start until the worker took jobs."""
        while True:
            async with http.get(f"{self.url}/weft/status") as answer:
                state = (await answer.json())["worker"]["state"]
            if state == "ready":
                return time.perf_counter() - self.started
            if state == "failed":
                raise RuntimeError("the worker does not start")
            await asyncio.sleep(0.01)

    async def run(self, http: aiohttp.ClientSession, graph: dict[str, Any]) -> Run:
        """Queues a graph and returns when it has succeeded. Raises RuntimeError if it did not."""
        async with http.ws_connect(f"{self.url}/ws", params={"clientId": "benchmark"}, max_msg_size=0) as events:
            start = time.perf_counter()
            async with http.post(f"{self.url}/prompt", json={"prompt": graph, "client_id": "benchmark"}) as answer:
                body = await answer.json()
                if answer.status != 200:
                    raise RuntimeError(f"refused: {json.dumps(body)[:400]}")
            steps: list[tuple[float, int]] = []
            messages = 0
            async for message in events:
                messages += 1
                if message.type != aiohttp.WSMsgType.TEXT:
                    continue
                event = json.loads(message.data)
                if event["data"].get("prompt_id") != body["prompt_id"]:
                    continue
                now = time.perf_counter() - start
                match event["type"]:
                    case "progress":
                        steps.append((now, event["data"]["value"]))
                    case "execution_success":
                        return Run(now, steps, messages)
                    case "execution_error" | "execution_interrupted":
                        raise RuntimeError(json.dumps(event["data"])[:400])
        raise RuntimeError("the server closed the socket")


@asynccontextmanager
async def serving(base: Path, *flags: str) -> AsyncIterator[Server]:
    """Starts `python main.py` on a base directory and a free port; ends it afterwards."""
    port = free_port()
    started = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "main.py",
        *("--port", str(port), "--base-directory", str(base), *flags),
        cwd=ROOT,
        stdout=asyncio.subprocess.DEVNULL,
    )
    server = Server(f"http://127.0.0.1:{port}", psutil.Process(process.pid), started)
    watch = asyncio.create_task(server.watch_memory())
    try:
        yield server
    finally:
        watch.cancel()
        with suppress(ProcessLookupError):  # Some are made to end before.
            process.terminate()
        await process.wait()
