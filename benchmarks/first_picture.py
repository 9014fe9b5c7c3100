"""Measures what a user waits for: the page, the worker, the first picture, the next one, a step; and peak memory.

    python -m benchmarks.first_picture [--full FILE.safetensors]

Without --full only the bundled checkpoint is measured. A full-size file of random weights comes from
`python -m benchmarks.random_checkpoint`. Times are of one run each; take several on a machine that does other work.
"""

import argparse
import asyncio
import os
import platform
import tempfile
from pathlib import Path
from typing import Any

import aiohttp

from benchmarks.server import serving

BUNDLED = "weft-tiny.safetensors"


def text_to_image(checkpoint: str, side: int, steps: int, seed: int) -> dict[str, Any]:
    """The default workflow as a graph in API format."""
    return {
        "1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": checkpoint}},
        "2": {"class_type": "CLIPTextEncode", "inputs": {"text": "a large red circle", "clip": ["1", 1]}},
        "3": {"class_type": "CLIPTextEncode", "inputs": {"text": "", "clip": ["1", 1]}},
        "4": {"class_type": "EmptyLatentImage", "inputs": {"width": side, "height": side, "batch_size": 1}},
        "5": {
            "class_type": "KSampler",
            "inputs": {
                "model": ["1", 0],
                "positive": ["2", 0],
                "negative": ["3", 0],
                "latent_image": ["4", 0],
                "seed": seed,
                "steps": steps,
                "cfg": 5.0,
                "sampler_name": "euler",
                "scheduler": "normal",
                "denoise": 1.0,
            },
        },
        "6": {"class_type": "VAEDecode", "inputs": {"samples": ["5", 0], "vae": ["1", 2]}},
        "7": {"class_type": "SaveImage", "inputs": {"images": ["6", 0], "filename_prefix": "benchmark"}},
    }


async def measure(checkpoint: str, side: int, steps: int, folder: Path | None) -> dict[str, str]:
    """Returns one column of the table."""
    with tempfile.TemporaryDirectory() as base:
        if folder is not None:
            target = Path(base, "models", "checkpoints", checkpoint)
            target.parent.mkdir(parents=True)
            target.symlink_to(folder / checkpoint)
        async with serving(Path(base), "--no-spare-worker") as server, aiohttp.ClientSession() as http:
            page = await server.wait_until_page(http)
            ready = await server.wait_until_ready(http)
            first = await server.run(http, text_to_image(checkpoint, side, steps, seed=1))
            second = await server.run(http, text_to_image(checkpoint, side, steps, seed=2))
            again = await server.run(http, text_to_image(checkpoint, side, steps, seed=2))
            return {
                "picture": f"{side} × {side}, {steps} steps",
                "start → page (s)": f"{page:.2f}",
                "start → ready (s)": f"{ready:.2f}",
                "first picture (s)": f"{first.seconds:.2f}",
                "picture with a new seed (s)": f"{second.seconds:.2f}",
                "unchanged graph again (ms)": f"{again.seconds * 1000:.0f}",
                "one step (s)": f"{second.seconds_per_step():.3f}",
                "peak memory, server and worker (MiB)": f"{server.peak_bytes / 2**20:.0f}",
            }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", type=Path, help="a full-size Stable Diffusion 1.x checkpoint")
    options = parser.parse_args()
    columns = {"bundled": asyncio.run(measure(BUNDLED, 128, 20, None))}
    if options.full:
        full = options.full.resolve()
        columns["full size"] = asyncio.run(measure(full.name, 256, 4, full.parent))
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}\n")
    print("| | " + " | ".join(columns) + " |")
    print("| --- |" + " ---: |" * len(columns))
    for row in columns["bundled"]:
        print(f"| {row} | " + " | ".join(column[row] for column in columns.values()) + " |")


if __name__ == "__main__":
    main()
