"""The worker process: loads the nodes, runs jobs one at a time, and dies with its server."""

import gc
import importlib
import json
import logging
import os
import queue
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Protocol

from execution.cache import Cache
from execution.devices import environment_of
from execution.engine import Catalog
from execution.events import ClientMessage, JobFailed
from execution.executor import Executor
from execution.expendable import FIRST_TO_GO, be_ended_first, be_expendable, end_all
from execution.frames import Frames
from execution.graph import adopt
from execution.hooks import hook_problems, settled
from execution.kinds import Kinds
from execution.messages import (
    AskChanges,
    AskChecks,
    AskStats,
    Begin,
    BootFailed,
    Changes,
    Checks,
    Command,
    Events,
    Free,
    Interrupt,
    Loading,
    Ready,
    Report,
    Stats,
    Stop,
    WorkerSetup,
)
from execution.outbox import Outbox
from execution.run import Run
from execution.settings import LOG_FORMAT
from nodes.context import BegunJob, Context, Home, Services
from nodes.spec import NodeSpec

LOG = logging.getLogger(__name__)


class NodeHost(Protocol):
    """What the engine needs of the nodes, and of the devices that they compute on."""

    @property
    def specs(self) -> Mapping[str, NodeSpec]: ...

    @property
    def failures(self) -> Mapping[str, str]:
        """The packs that could not be loaded, with their tracebacks."""
        ...

    @property
    def web_directories(self) -> Mapping[str, Path]:
        """The folders of packs with files for the browser, by the pack's name."""
        ...

    @property
    def pack_socket(self) -> Path | None:
        """Where requests to addresses of packs are answered, None if there are no such addresses."""
        ...

    def refresh(self) -> Mapping[str, NodeSpec]:
        """Ask nodes whose inputs list files for them again; returns those that have changed. May take long."""
        ...

    def device_stats(self) -> Mapping[str, Any]: ...

    def release(self) -> None:
        """Give back what the devices hold for nobody."""
        ...


def load_host(name: str, home: Home) -> NodeHost:
    """Load the nodes by the name of the function that does it, "module:function"."""
    module, _, function = name.partition(":")
    return getattr(importlib.import_module(module), function)(home)


class WorkerLoop:
    """Runs commands in the order in which they come, in the thread that calls `serve`; interrupts pass them by.

    `loaded` is called once the nodes are there.
    """

    def __init__(
        self, setup: WorkerSetup, send: Callable[[Report], None], loaded: Callable[[], None] = lambda: None
    ) -> None:
        self._setup = setup
        self._send = send
        self._loaded = loaded
        self._commands: queue.SimpleQueue[Begin | Free | Stop] = queue.SimpleQueue()
        self._asked: queue.SimpleQueue[AskChanges | None] = queue.SimpleQueue()
        self._stopped: set[str] = set()
        self._last_job: BegunJob | None = None
        self._running: str | None = None
        self._host: NodeHost | None = None
        self._services = Services()
        self._context = Context("", setup.paths, setup.settings, self._services)

    def take(self, command: Command) -> None:
        """Accept a command, from whichever thread."""
        match command:
            case Interrupt(job_id):
                self._stopped.add(job_id)
            case AskStats(number):
                self._send(Stats(number, self._device_stats()))
            case AskChanges():
                self._asked.put(command)
            case AskChecks():
                threading.Thread(target=self._tell_checks, args=(command,), daemon=True, name="checks").start()
            case _:
                self._commands.put(command)

    def _device_stats(self) -> Mapping[str, Any]:
        """How the devices are; a driver that fails must not keep commands from coming through."""
        try:
            return self._host.device_stats() if self._host is not None else {}
        except Exception:
            LOG.exception("The devices could not be asked.")
            return {}

    def _tell_checks(self, asked: AskChecks) -> None:
        specs = self._host.specs if self._host is not None else {}
        document = asked.graph.read()

        def context_of(node_id: str) -> Context:
            return replace(self._context, node_id=node_id, graph=document)

        found = hook_problems(adopt(document), asked.nodes, Kinds(specs), context_of, settled)
        self._send(Checks(asked.number, {node_id: tuple(problems) for node_id, problems in found.items()}))

    def _tell_changes(self, host: NodeHost) -> None:
        """Answer whoever asks for changes, in a thread of its own: packs may take their time over their files, and
        interrupts must not wait for them."""
        while (asked := self._asked.get()) is not None:
            try:
                found = host.refresh()
                self._send(Changes(asked.number, {id: spec.without_code() for id, spec in found.items()}))
            except Exception:
                LOG.exception("The nodes could not be asked for their inputs.")

    def _tell_loading(self, pack: str) -> None:
        self._send(Loading(pack))

    def _interrupt(self) -> None:
        """Stop the job that runs, if one does, as foreign code asks for it."""
        running = self._running
        if running is not None:
            self._stopped.add(running)

    def serve(self) -> None:
        """Load the nodes, then work until told to stop."""
        services = self._services
        outbox = Outbox(lambda events: self._send(Events(events)))
        setup = self._setup
        home = Home(
            setup.paths, setup.settings, services, partial(_tell, outbox), setup.left_out, self._tell_loading,
            lambda: self._last_job, self._interrupt,
        )  # fmt: skip
        try:
            host = self._host = load_host(setup.host, home)
        except BaseException:  # noqa: BLE001 - whatever keeps the nodes from loading has to be told
            self._send(BootFailed(traceback.format_exc()))
            return
        cache = Cache(setup.cache)
        executor = Executor(host.specs, cache, self._context, outbox.emit, self._stopped.__contains__)
        self._loaded()
        self._send(Ready(catalog_of(host)))
        threading.Thread(target=self._tell_changes, args=(host,), daemon=True, name="changes").start()
        while not isinstance(command := self._commands.get(), Stop):
            if isinstance(command, Begin):
                self._last_job, self._running = BegunJob(command.job_id, command.client_id), command.job_id
                outcome = executor.run(run_of(command))
                self._running = None
                self._stopped.discard(command.job_id)
                if isinstance(outcome, JobFailed) and outcome.exception_type.endswith("MemoryError"):
                    _free(host, cache, services)
                outbox.emit(outcome)
            elif command.unload_models:
                _free(host, cache, services)
            elif command.free_memory:
                _free(host, cache)
        self._asked.put(None)


def _tell(outbox: Outbox, type: str, data: Any, client_id: str | None) -> None:
    """Send a node's own message. Raises ValueError for what JSON cannot carry."""
    outbox.emit(ClientMessage(type, json.loads(json.dumps(data, allow_nan=False, default=str)), client_id))


def run_of(command: Begin) -> Run:
    """The job as the executor takes it."""
    return Run(
        command.job_id, command.client_id, command.graph, command.targets, command.extra_data, command.secrets
    )  # fmt: skip


def _free(host: NodeHost, cache: Cache, services: Services | None = None) -> None:
    """Let go of results, and of models too if their services are given."""
    cache.clear()
    if services is not None:
        services.forget()
    gc.collect()
    host.release()


def catalog_of(host: NodeHost) -> Catalog:
    """The nodes as another process may know them."""
    specs = {id: spec.without_code() for id, spec in host.specs.items()}
    return Catalog(specs, dict(host.failures), dict(host.web_directories), host.pack_socket)


def main(descriptor: int, lifeline: int, host: str) -> None:
    """Import what the nodes need, then wait at the pipe for word of what to serve. A spare waits for long."""
    be_expendable(lifeline)
    failure = _import_ahead(host)
    connection: Connection[bytes, bytes] = Connection(descriptor)
    frames = Frames()
    try:
        setup: WorkerSetup = frames.read(connection.recv_bytes())
    except EOFError:
        return
    be_ended_first(FIRST_TO_GO)
    # Libraries look for devices when they first need one, not when they are imported.
    os.environ.update(environment_of(setup.device, setup.threads))
    # Before packs are loaded: what they log by logging.info would otherwise set up a log that leaves it out.
    logging.basicConfig(level=setup.log_level, format=LOG_FORMAT)
    lock = threading.Lock()

    def send(report: Report) -> None:
        with lock:
            connection.send_bytes(frames.write(report))

    if failure:
        send(BootFailed(failure))
        return
    loop = WorkerLoop(setup, send, _keep_for_good)
    threading.Thread(target=_listen, args=(connection, frames, loop), daemon=True, name="commands").start()
    loop.serve()


def _import_ahead(host: str) -> str:
    """Import the module that loads the nodes, and with it torch: most of a start. Returns what keeps it from that."""
    try:
        importlib.import_module(host.partition(":")[0])
    except BaseException:  # noqa: BLE001 - whatever it is has to be told, once there is somebody to tell
        return traceback.format_exc()
    return ""


def _listen(connection: "Connection[bytes, bytes]", frames: Frames, loop: WorkerLoop) -> None:
    while True:
        try:
            command: Command = frames.read(connection.recv_bytes())
        except (EOFError, OSError):
            end_all()  # The server is gone. Nobody waits for what runs here, nor for what it has started.
            return
        loop.take(command)


def _keep_for_good() -> None:
    """Spare the collector what libraries have made at import: looking at it takes longer than a large graph."""
    gc.collect()
    gc.freeze()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
