"""Measures what the engine costs beside the work of nodes: graphs of trivial nodes, and trivial jobs, over HTTP.

    python -m benchmarks.engine
    python -m benchmarks.engine --sizes 100 1000 --jobs 200 --flags --workers 2

A run is timed from the POST until its client hears of the success. "CPU" is the processor time of server and worker
together, which other work on the machine changes less. The last table holds the figures against the limits that the
program is to keep.
"""

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp

from benchmarks.server import Server, serving
from benchmarks.verdicts import Verdicts

Graph = dict[str, Any]

POSTERS = 8
"""Clients that queue jobs at the same time."""

RUNS_AGAIN = 20
"""Runs of each unchanged graph."""

MOST_MS_A_NODE = 0.3
MOST_MS_UNCHANGED = 30.0
"""For a graph of a thousand nodes."""

MOST_MESSAGES_A_NODE = 0.1
"""For graphs of ten thousand nodes."""

LEAST_JOBS_A_SECOND = 100.0


def node(type: str, **inputs: Any) -> Graph:
    return {"class_type": type, "inputs": inputs}


def picture(seed: int) -> Graph:
    """16 × 16 pixels of a color that depends on the seed."""
    return node("EmptyImage", width=16, height=16, batch_size=1, color=seed % 0x1000000)


def chain(nodes: int, seed: int) -> Graph:
    """A picture that is inverted again and again."""
    inverts = {str(n): node("ImageInvert", image=[str(n - 1), 0]) for n in range(1, nodes - 1)}
    return {"0": picture(seed), **inverts, "out": node("PreviewAny", source=[str(nodes - 2), 0])}


def fan(nodes: int, seed: int) -> Graph:
    """Pictures of their own colors, and each inverted, all of them linked to one node."""
    pairs = nodes // 2
    graph = {f"p{n}": picture(seed + n) for n in range(pairs)}
    graph |= {f"i{n}": node("ImageInvert", image=[f"p{n}", 0]) for n in range(pairs)}
    links = {f"also_{source}": [source, 0] for source in graph}
    return graph | {"out": node("PreviewAny", source=str(seed), **links)}


@dataclass(frozen=True)
class Measured:
    """Medians over the runs of one graph: seconds, processor seconds, and messages that the client got."""

    seconds: float
    processor: float
    messages: int


async def timed(server: Server, http: aiohttp.ClientSession, graphs: list[Graph]) -> Measured:
    """Runs the graphs one after the other."""
    runs, processor = [], []
    for graph in graphs:
        before = server.processor_seconds()
        runs.append(await server.run(http, graph))
        processor.append(server.processor_seconds() - before)
    return Measured(
        statistics.median(run.seconds for run in runs),
        statistics.median(processor),
        round(statistics.median(run.messages for run in runs)),
    )


def hold(verdicts: Verdicts, shape: str, nodes: int, fresh: Measured, again: Measured) -> None:
    """Holds what was measured of a graph against the limits for one of its size."""
    verdicts.at_most(f"ms a node, {shape} of {nodes}", MOST_MS_A_NODE, fresh.seconds / nodes * 1000)
    if 1_000 <= nodes < 1_100:
        verdicts.at_most(f"ms until the success, unchanged {shape} of {nodes}", MOST_MS_UNCHANGED, again.seconds * 1000)
    if nodes >= 10_000:
        verdicts.at_most(f"messages a node, {shape} of {nodes}", MOST_MESSAGES_A_NODE, fresh.messages / nodes)


async def graphs_table(
    server: Server, http: aiohttp.ClientSession, sizes: list[int], repeats: int, verdicts: Verdicts
) -> None:
    """Prints a line for each shape and size: as new graphs, and unchanged."""
    print("| graph | nodes | ms a node | CPU ms a node | messages | unchanged: ms a node | ms in all | CPU ms in all |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    shapes: dict[str, Callable[[int, int], Graph]] = {"chain": chain, "fan": fan}
    seeds = count(1, 20_000)
    for shape, make in shapes.items():
        for size in sizes:
            graphs = [make(size, next(seeds)) for _ in range(repeats)]
            nodes = len(graphs[0])
            fresh = await timed(server, http, graphs)
            again = await timed(server, http, [graphs[-1]] * max(repeats, RUNS_AGAIN))
            hold(verdicts, shape, nodes, fresh, again)
            print(
                f"| {shape} | {nodes} | {fresh.seconds / nodes * 1000:.3f} | {fresh.processor / nodes * 1000:.3f} | "
                f"{fresh.messages} | {again.seconds / nodes * 1000:.3f} | {again.seconds * 1000:.1f} | "
                f"{again.processor * 1000:.1f} |",
                flush=True,
            )


async def jobs_table(server: Server, http: aiohttp.ClientSession, jobs: int, verdicts: Verdicts) -> None:
    """Prints how many jobs of two trivial nodes get done in a second, new ones each."""
    numbers = iter(range(jobs))

    async def post() -> None:
        for number in numbers:
            graph = {"1": node("PrimitiveInt", value=number), "2": node("PreviewAny", source=["1", 0])}
            body = {"prompt": graph, "client_id": "benchmark"}
            async with http.post(f"{server.url}/prompt", json=body) as answer:
                answer.raise_for_status()

    async with http.ws_connect(f"{server.url}/ws", params={"clientId": "benchmark"}) as events:
        start, before = time.perf_counter(), server.processor_seconds()
        posting = asyncio.gather(*(post() for _ in range(POSTERS)))
        ended = 0
        while ended < jobs:
            ended += json.loads(await events.receive_str())["type"] == "execution_success"
        seconds, processor = time.perf_counter() - start, server.processor_seconds() - before
        await posting
    print(f"\n{jobs} jobs of two nodes: {jobs / seconds:.0f} jobs/s, {processor / jobs * 1000:.1f} ms of CPU each.")
    verdicts.at_least("jobs of two nodes a second", LEAST_JOBS_A_SECOND, jobs / seconds)


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[100, 1_000, 10_000], metavar="NODES")
    parser.add_argument("--repeats", type=int, default=5, help="runs of each graph, of which the median is told")
    parser.add_argument("--jobs", type=int, default=500)
    parser.add_argument("--flags", nargs=argparse.REMAINDER, default=[], help="flags for the server")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as base:
        async with (
            serving(Path(base), "--cpu", "--no-spare-worker", *arguments.flags) as server,
            aiohttp.ClientSession() as http,
        ):
            await server.wait_until_page(http)
            await server.wait_until_ready(http)
            await server.run(http, chain(10, 0))
            verdicts = Verdicts()
            await graphs_table(server, http, arguments.sizes, arguments.repeats, verdicts)
            await jobs_table(server, http, arguments.jobs, verdicts)
            verdicts.print()


if __name__ == "__main__":
    asyncio.run(main())
