"""One worker process as its server holds it: the pipe, and the news of its end."""

import asyncio
import logging
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from functools import partial
from multiprocessing import Pipe
from pathlib import Path

from execution.devices import environment_of
from execution.frames import LARGEST, FrameError, Frames
from execution.messages import Command, Report, WorkerSetup

LOG = logging.getLogger(__name__)

LONGEST_FAREWELL = 2.0
"""Seconds between the end of the pipe and that of the process."""

ROOT = Path(__file__).parents[2]
STANDARD_ERROR = 2


class Child:
    """A worker process, started at once. Reports and the end are told on the event loop that made it.

    A process of its own session: a Ctrl-C in the terminal does not reach it, and what it starts ends with it.
    """

    def __init__(
        self,
        setup: WorkerSetup,
        on_report: Callable[["Child", Report], None],
        on_end: Callable[["Child", str], None],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._on_report = on_report
        self._on_end = on_end
        self._over = asyncio.Event()
        self._outgoing: queue.SimpleQueue[Command | WorkerSetup | None] = queue.SimpleQueue()
        self._frames = Frames()
        self._connection, theirs = Pipe()
        paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "execution.worker", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            # What nodes print belongs to the log; standard output is for what a command was asked for.
            stdout=STANDARD_ERROR,
            env={**os.environ, **environment_of(setup.device, setup.threads), "PYTHONPATH": os.pathsep.join(paths)},
            start_new_session=True,
        )
        theirs.close()
        self.process_id = self._process.pid
        self._killed_because = ""
        self._outgoing.put(setup)
        threading.Thread(target=self._write, name="to worker", daemon=True).start()
        threading.Thread(target=self._read, name="from worker", daemon=True).start()

    def send(self, command: Command) -> None:
        """Queue a command; a worker that does not read holds nobody up."""
        self._outgoing.put(command)

    def kill(self, because: str = "") -> None:
        """End the process and what it has started; `on_end` follows, and gives the reason if there is one."""
        self._killed_because = self._killed_because or because
        try:
            os.killpg(self.process_id, signal.SIGKILL)
        except ProcessLookupError:
            LOG.debug("Worker %d had ended already.", self.process_id)

    async def end(self) -> None:
        """Kill, and wait until it is gone."""
        self.kill()
        await self._over.wait()

    def _write(self) -> None:
        while (message := self._outgoing.get()) is not None:
            try:
                self._connection.send_bytes(self._frames.write(message))
            except OSError:
                return

    def _read(self) -> None:
        try:
            while True:
                report: Report = self._frames.read(self._connection.recv_bytes(LARGEST))
                self._call(partial(self._on_report, self, report))
        except (EOFError, OSError) as error:
            LOG.debug("Worker %d has closed its pipe.", self.process_id)
            if isinstance(error, OSError) and error.errno is None:
                self.kill("it sent more than a message may hold")
        except FrameError:
            LOG.exception("Worker %d sent something that cannot be read.", self.process_id)
            self.kill("it sent something that cannot be read")
        how = self._wait()
        self._outgoing.put(None)
        self._connection.close()
        self._call(partial(self._on_end, self, how))
        self._call(self._over.set)

    def _wait(self) -> str:
        """Wait for the process, end what it leaves behind, and say how it went."""
        impatience = threading.Timer(LONGEST_FAREWELL, self.kill)
        impatience.start()
        # Not yet reaped, so that its number still belongs to its group.
        os.waitid(os.P_PID, self.process_id, os.WEXITED | os.WNOWAIT)
        impatience.cancel()
        self.kill()
        how = describe(self._process.wait())
        return self._killed_because or how

    def _call(self, what: Callable[[], None]) -> None:
        """Run something on the event loop; after it has closed nobody wants it."""
        try:
            self._loop.call_soon_threadsafe(what)
        except RuntimeError:
            LOG.debug("Worker %d outlived the event loop.", self.process_id)


def describe(code: int) -> str:
    """Says how a process ended, by its exit status as subprocess gives it."""
    if code >= 0:
        return f"exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = "unknown"
    hint = ", perhaps for lack of memory" if -code == signal.SIGKILL else ""
    return f"signal {-code} ({name}){hint}"
