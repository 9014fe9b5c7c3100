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

NONSENSE = "it sent something that cannot be read"
LONGEST_FAREWELL = 2.0
"""Seconds between the end of the pipe and that of the process."""

OnReport = Callable[["Child", Report], None]
OnEnd = Callable[["Child", str], None]

ROOT = Path(__file__).parents[2]
STANDARD_ERROR = 2


class Child:
    """A worker process, started at once: it imports what nodes need, and waits until it is employed.

    Reports and the end are told on the event loop that made it. A process of its own session: a Ctrl-C in the terminal
    does not reach it, and what it starts ends with it.
    """

    def __init__(self, host: str, threads: int, on_end: OnEnd) -> None:
        self._loop = asyncio.get_running_loop()
        self._on_report: OnReport | None = None
        self._on_end = on_end
        self._over = asyncio.Event()
        self._outgoing: queue.SimpleQueue[Command | WorkerSetup | None] = queue.SimpleQueue()
        self._frames = Frames()
        self._connection, theirs = Pipe()
        their_lifeline, self._lifeline = os.pipe()
        paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "execution.worker", str(theirs.fileno()), str(their_lifeline), host],
            pass_fds=[theirs.fileno(), their_lifeline],
            stdin=subprocess.DEVNULL,
            # What nodes print belongs to the log; standard output is for what a command was asked for.
            stdout=STANDARD_ERROR,
            # How many threads libraries compute on is settled when they are imported.
            env={**os.environ, **environment_of(None, threads), "PYTHONPATH": os.pathsep.join(paths)},
            start_new_session=True,
        )
        theirs.close()
        os.close(their_lifeline)
        self.process_id = self._process.pid
        self._killed_because = ""
        threading.Thread(target=self._write, name="to worker", daemon=True).start()
        threading.Thread(target=self._read, name="from worker", daemon=True).start()

    def employ(self, setup: WorkerSetup, on_report: OnReport, on_end: OnEnd) -> None:
        """Have the process serve; from now on its reports and its end are told to these."""
        self._on_report, self._on_end = on_report, on_end
        self._outgoing.put(setup)

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
                self._call(partial(self._tell, report))
        except (EOFError, OSError) as error:
            LOG.debug("Worker %d has closed its pipe.", self.process_id)
            if isinstance(error, OSError) and error.errno is None:
                self.kill("it sent more than a message may hold")
        except FrameError:
            LOG.exception("Worker %d sent something that cannot be read.", self.process_id)
            self.kill(NONSENSE)
        how = self._wait()
        self._outgoing.put(None)
        self._connection.close()
        os.close(self._lifeline)
        self._call(lambda: self._on_end(self, how))
        self._call(self._over.set)

    def _tell(self, report: Report) -> None:
        """Hand on a report; what is none, or makes no sense to its receiver, ends the worker."""
        try:
            if self._on_report is None or not isinstance(report, Report):
                raise FrameError(f"{report!r:.200} is not what a worker has to say here")
            self._on_report(self, report)
        except Exception:
            LOG.exception("Worker %d sent something that makes no sense.", self.process_id)
            self.kill(NONSENSE)

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
