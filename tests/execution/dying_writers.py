"""Programs that write to a queue on disk, each killed at a random moment. Run as a script: see `main`.

A script of its own, because only a process without threads may fork.
"""

import os
import random
import signal
import sys
import time
from itertools import count
from pathlib import Path

from execution.engine import Job
from execution.json_text import JsonText
from execution.store import End, Store

LARGE = 6_000
"""Letters that take more than a page of the database."""


def job(id: str, size: int = 0) -> Job:
    """A job with so many letters in its extra data."""
    return Job(
        id, 1.0, JsonText("{}"), (), JsonText.of({"x": "y" * size}), None, "pending", created=1, digest=id.encode()
    )


def write(path: Path, number: int, told: int) -> None:
    """Accept jobs, and begin and end every second one, until somebody puts an end to it."""
    store = Store(path)
    for step in count():
        id = f"{number}-{step}"
        store.transaction([lambda id=id: store.add(job(id, LARGE))], durable=True)
        os.write(told, f"accepted {id}\n".encode())
        if step % 2:
            os.write(told, f"ending {id}\n".encode())
            store.transaction([lambda id=id: store.begin(id, 1, 1)], durable=False)
            store.transaction([lambda id=id: store.finish(End(id, "succeeded", 2, {}, ()), 20)], durable=False)


def main(path: Path, lives: int) -> None:
    """Let so many writers live, one after the other; writes what they have accepted, and what they meant to end."""
    generator = random.Random(3)
    for number in range(lives):
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            write(path, number, writing)
        os.close(writing)
        with open(reading) as told:
            for _ in range(generator.randrange(4)):
                sys.stdout.write(told.readline())
            time.sleep(generator.uniform(0, 0.004))
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            sys.stdout.write(told.read())


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
