"""Wears a server out: thousands of small jobs and clients that come and go, and ends of server and worker under load.

    python -m benchmarks.endurance [--jobs 5000] [--kills 20]

Prints what the server holds as jobs go by (the slope should be nothing), how long each of fifty clients that ask five
things twice a second waits while a job samples, and how many jobs were accepted, lost and ended twice by a server that
was killed again and again, its worker too.
"""

import argparse
import asyncio
import os
import random
import signal
import tempfile
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import UUID

import aiohttp
import psutil

from benchmarks.first_picture import BUNDLED, text_to_image
from benchmarks.queue import latencies, submit, told, trivial
from benchmarks.server import Server, serving

CLIENTS, POLLERS = 20, 50
ROUNDS = 10
PATHS = ("/queue", "/history?max_items=20", "/prompt", "/weft/status", "/system_stats")


def held(server: Server, base: Path) -> str:
    """What the server and its workers hold open, and what the server takes, as cells of a table."""
    processes = [server.process, *server.workers()]
    files, threads = (sum(getattr(one, count)() for one in processes) for count in ("num_fds", "num_threads"))
    journal = (base / "weft.db-wal").stat().st_size
    return f"{server.server_memory() / 1e6:.1f} | {files} | {threads} | {journal / 1e6:.1f}"


async def quiet(http: aiohttp.ClientSession, server: Server) -> None:
    """Wait until nothing runs or waits."""
    while True:
        async with http.get(f"{server.url}/prompt") as answer:
            if (await answer.json())["exec_info"]["queue_remaining"] == 0:
                return
        await asyncio.sleep(0.05)


async def soak(http: aiohttp.ClientSession, server: Server, base: Path, jobs: int) -> None:
    """Run small jobs of clients that connect and leave, and print what is held after each tenth of them."""
    print("| jobs | server, MB | open files | threads | journal, MB |\n| ---: | ---: | ---: | ---: | ---: |")
    numbers = iter(range(jobs))

    async def client(number: int, share: int) -> None:
        while share > 0:
            async with http.ws_connect(f"{server.url}/ws", params={"clientId": f"client {number}"}):
                for _ in range(min(share, 5)):
                    await submit(http, server, trivial(next(numbers)), client_id=f"client {number}")
                share -= 5

    for step in range(1, ROUNDS + 1):
        await asyncio.gather(*(client(number, jobs // ROUNDS // CLIENTS) for number in range(CLIENTS)))
        await quiet(http, server)
        print(f"| {step * jobs // ROUNDS} | {held(server, base)} |", flush=True)


async def polled(http: aiohttp.ClientSession, server: Server, seconds: float) -> list[float]:
    """Returns the milliseconds that each request of fifty clients took while a job samples."""
    job = await submit(http, server, text_to_image(BUNDLED, 256, 400, 1))
    await asyncio.sleep(1)
    asked = (latencies(http, server, seconds, path, pause=0.5) for path in PATHS * POLLERS)
    found = [one for each in await asyncio.gather(*asked) for one in each]
    async with http.post(f"{server.url}/interrupt", json={"prompt_id": job}):
        return found


async def kill(base: Path, kills: int) -> tuple[list[str], dict[str, Any]]:
    """Kill server and worker at random moments under load; returns the ids accepted, and the history in the end."""
    generator = random.Random(11)
    accepted: list[str] = []

    async def load(http: aiohttp.ClientSession, server: Server) -> None:
        with suppress(aiohttp.ClientError, KeyError):
            while True:
                key = str(UUID(int=generator.getrandbits(128)))
                accepted.append(await submit(http, server, trivial(len(accepted)), prompt_id=key))

    for _ in range(kills):
        async with serving(base) as server, aiohttp.ClientSession() as http:
            await server.wait_until_page(http)
            await server.wait_until_ready(http)
            loading = asyncio.gather(*(load(http, server) for _ in range(4)))
            await asyncio.sleep(generator.uniform(0, 4))
            for worker in server.workers()[: generator.randrange(2)]:
                with suppress(psutil.NoSuchProcess):
                    worker.kill()
                await asyncio.sleep(generator.uniform(0, 0.5))
            os.kill(server.process.pid, signal.SIGKILL)
            await loading
    async with serving(base) as server, aiohttp.ClientSession() as http:
        await server.wait_until_page(http)
        await quiet(http, server)
        async with http.get(f"{server.url}/history") as answer:
            return accepted, await answer.json()


async def wear_out(base: Path, jobs: int) -> None:
    """Print what a server holds after each of many jobs, and how long others wait for it then."""
    connector = aiohttp.TCPConnector(limit=0)
    async with serving(base) as server, aiohttp.ClientSession(connector=connector) as http:
        await server.wait_until_page(http)
        await server.wait_until_ready(http)
        await soak(http, server, base, jobs)
        print("\n| GET, ms | median | p99 | max |\n| --- | ---: | ---: | ---: |")
        print(f"| {POLLERS} clients while a job samples | {told(await polled(http, server, 10))} |", flush=True)


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=5_000)
    parser.add_argument("--kills", type=int, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
        await wear_out(Path(first), options.jobs)
        accepted, history = await kill(Path(second), options.kills)
        ends = Counter(entry["status"]["status_str"] for entry in history.values())
        print(f"\n{options.kills} kills: {len(accepted)} jobs accepted, {len(set(accepted) - set(history))} lost.")
        print(f"In the history: {len(history)}, {dict(ends)}.")


if __name__ == "__main__":
    asyncio.run(main())
