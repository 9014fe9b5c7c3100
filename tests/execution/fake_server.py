"""A server without HTTP, for tests that kill it: reads jobs as lines of JSON and prints the ids it has accepted.

Run as a script with a base directory, a number of workers, and the seconds of quiet until there is a spare one, if any.
Prints "ready", then an id per job, {"graph", "key"};
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


async def main(base: Path, workers: int, spare_after: float | None) -> None:
    paths = Paths.below(base, base / "bundled")
    settings = EngineSettings(base, paths.user / "jobs.sqlite3", FakeFiles())
    engine = process_engine(settings, *[WorkerSetup(paths, host=HOST)] * workers, spare_after=spare_after)
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
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]) if sys.argv[3:] else None))
