"""A server without HTTP, for tests that kill it: reads jobs as lines of JSON and prints the ids it has accepted.

Run as a script with a base directory and a number of workers. Prints "ready", then an id per job, {"graph", "key"};
ends when its input does.
"""

import asyncio
import json
import sys
from pathlib import Path

from execution.engine import Submission
from execution.engines.process import process_engine
from execution.messages import WorkerSetup
from execution.settings import EngineSettings
from nodes.paths import Paths
from tests.execution.fake_host import HOST, FakeFiles


async def main(base: Path, workers: int) -> None:
    paths = Paths.below(base, base / "bundled")
    settings = EngineSettings(base, paths.user / "jobs.sqlite3", FakeFiles())
    engine = process_engine(settings, *[WorkerSetup(paths, host=HOST)] * workers)
    await engine.start()
    _say("ready")
    while line := await asyncio.to_thread(sys.stdin.readline):
        job = json.loads(line)
        accepted = await engine.submit(Submission(job["graph"], job_id=job["key"]))
        _say(accepted.job_id)
    await engine.stop()


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
