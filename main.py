"""Weft's command line: flags → paths → engine → server or command. The only place where these are wired together."""

import argparse
import asyncio
import errno
import gc
import ipaddress
import logging
import signal
import socket
import sys
import tempfile
import webbrowser
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from aiohttp import web

from execution.cache import CacheSettings
from execution.devices import cuda_devices
from execution.engine import DirectoryInUseError, Engine, StoreError, WorkerFailedError
from execution.engines.crew import crew
from execution.engines.inline import inline_engine
from execution.engines.process import process_engine
from execution.engines.spare import QUIET
from execution.files import FilesOnDisk
from execution.graph import GraphLimits
from execution.headless import commands
from execution.headless.console import Console, printable
from execution.headless.errors import HeadlessError
from execution.headless.source import read_source
from execution.messages import WorkerSetup
from execution.settings import LOG_FORMAT, EngineSettings
from flags import EVERY_ADDRESS, parse
from nodes.context import WorkerSettings
from nodes.extra_paths import ExtraPathsError, read_extra_paths
from nodes.paths import Paths
from web.server.app import create_app
from web.server.settings import MEBIBYTE, ServerSettings

ROOT = Path(__file__).resolve().parent
ENDED_BY_SIGNAL = 128  # The shell's exit code, before the signal's number is added.
SECONDS_TO_FINISH = 3.0  # that a request gets to end when the server stops

log = logging.getLogger("weft")

OBJECTS_BETWEEN_COLLECTIONS = 100_000


class StartError(Exception):
    """The server cannot start; the message tells a person why and what to do."""


def paths_of(flags: argparse.Namespace) -> Paths:
    """The directories of a base directory, with those that the flags put elsewhere."""
    extra = [folder for file in flags.extra_model_paths_config for folder in read_extra_paths(file.absolute())]
    return Paths.below(
        flags.base_directory.absolute(),
        ROOT / "bundled",
        input_directory=_absolute(flags.input_directory),
        output_directory=_absolute(flags.output_directory),
        temp_directory=None if flags.temp_directory is None else flags.temp_directory.absolute() / "temp",
        user_directory=_absolute(flags.user_directory),
        extra=extra,
    )


def prepared(paths: Paths) -> Paths:
    """The same directories, once they are there. Raises StartError."""
    try:
        paths.prepare()
    except OSError as error:
        raise StartError(f"Cannot use the directory {error.filename}: {error.strerror}.") from error
    return paths


def _absolute(path: Path | None) -> Path | None:
    return None if path is None else path.absolute()


def engine_of(
    flags: argparse.Namespace,
    settings: EngineSettings,
    paths: Paths,
    served_at: tuple[str, int] = WorkerSettings.served_at,
) -> Engine:
    """The engine, not started yet; packs are told at what address and port it is served."""
    worker = WorkerSettings(
        cpu=flags.cpu,
        force_fp32=flags.force_fp32,
        force_fp16=flags.force_fp16,
        vram=flags.vram,
        reserve_vram=flags.reserve_vram,
        preview_method=flags.preview_method,
        disable_metadata=flags.disable_metadata,
        custom_nodes=not flags.disable_all_custom_nodes,
        custom_nodes_wanted=tuple(flags.whitelist_custom_nodes),
        served_at=served_at,
    )
    setup = WorkerSetup(paths, worker, cache_of(flags), log_level=flags.verbose)
    if flags.engine == "inline":
        if (flags.workers or 1) > 1:
            raise StartError("The inline engine has one worker. Leave --workers out, or take --engine process.")
        return inline_engine(settings, setup)
    devices = [] if flags.cpu else cuda_devices(flags.cuda_device)
    if flags.cuda_device is not None and not devices and not flags.cpu:
        raise StartError(f"--cuda-device names no GPU of this machine: {sorted(flags.cuda_device)}.")
    spare_after = QUIET if flags.spare_worker else None
    return process_engine(settings, *crew(setup, flags.workers, devices), spare_after=spare_after)


def cache_of(flags: argparse.Namespace) -> CacheSettings:
    """How much of the results of nodes is kept."""
    if flags.cache_bytes is not None:
        return CacheSettings(max_bytes=flags.cache_bytes)
    return CacheSettings(max_entries=0 if flags.cache_none else flags.cache_lru)


def server_settings_of(flags: argparse.Namespace) -> ServerSettings:
    """What the flags decide about the server; who listens beyond this machine answers to its names too."""
    addresses = addresses_of(flags)
    names = {_in_url(address).lower() for address in addresses} | {name.lower() for name in flags.allow_host}
    if not all(_is_loopback(address) for address in addresses):
        own = socket.gethostname().lower()
        names |= {own, f"{own}.local"}
    return ServerSettings(
        client_directory=ROOT / "web" / "static",
        allowed_hosts=frozenset(names),
        any_address=any(address in EVERY_ADDRESS.split(",") for address in addresses),
        cors_origin=flags.enable_cors_header,
        max_upload_bytes=int(flags.max_upload_size * MEBIBYTE),
    )


def addresses_of(flags: argparse.Namespace) -> list[str]:
    return [address.strip().strip("[]") for address in flags.listen.split(",") if address.strip()]


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"


def _in_url(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def listen(addresses: Sequence[str], port: int) -> list[socket.socket]:
    """Take the port on all addresses, so that nothing starts if it is not free. Raises StartError."""
    taken: list[socket.socket] = []
    address = ""
    try:
        for address in addresses:
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            taken.append(socket.create_server((address, port), family=family, backlog=128))
            port = taken[0].getsockname()[1]
    except OSError as error:
        for one in taken:
            one.close()
        if error.errno == errno.EADDRINUSE:
            raise StartError(
                f"Port {port} is in use. Stop the program that uses it, or choose another with --port."
            ) from error
        raise StartError(f"Cannot listen on {address}, port {port}: {error.strerror}.") from error
    if not taken:
        raise StartError("--listen names no address.")
    return taken


async def serve(flags: argparse.Namespace) -> None:
    """Run the server until it is told to stop. Raises StartError, and what its parts raise if they cannot start."""
    paths = prepared(paths_of(flags))
    settings = EngineSettings(
        paths.base,
        paths.base / "weft.db",
        FilesOnDisk(paths),
        queue_limit=flags.queue_limit,
        history_limit=flags.history_limit,
        graph_limits=GraphLimits.of(flags.graph_limit),
        interrupt_grace=flags.interrupt_grace,
        node_timeout=flags.node_timeout,
        pack_timeout=flags.pack_timeout,
        when_alone=paths.empty_temp,
    )
    sockets = listen(addresses_of(flags), flags.port)
    address, port = sockets[0].getsockname()[:2]
    engine = engine_of(flags, settings, paths, (address, port))
    app = create_app(engine, paths, server_settings_of(flags))
    # What modules have made at import stays for good, and a large graph is a hundred thousand objects that all live
    # until it is answered: the collector need not look for garbage among them.
    gc.freeze()
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS, 20, 20)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=SECONDS_TO_FINISH)
    try:
        await runner.setup()
        for one in sockets:
            await web.SockSite(runner, one).start()
        announce(flags, port)
        await told_to_stop()
        # The queue first, while there still is a server to say so to whoever wants to add to it.
        await engine.stop()
    finally:
        await runner.cleanup()
        for one in sockets:
            one.close()


def announce(flags: argparse.Namespace, port: int) -> None:
    """Print where the editor is, and open it if that is wanted."""
    addresses = addresses_of(flags)
    shown = "127.0.0.1" if addresses[0] in EVERY_ADDRESS.split(",") else addresses[0]
    url = f"http://{_in_url(shown)}:{port}"
    print(f"Weft is at {url}", flush=True)
    if not all(_is_loopback(address) for address in addresses):
        print("It is open to everyone who can reach this machine: there is no login.", flush=True)
    if flags.auto_launch:
        webbrowser.open(url)


async def told_to_stop() -> None:
    """Wait for Ctrl-C, or for the signal with which services are stopped."""
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for one in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(one, told.set)
    await told.wait()
    log.info("stopping")


async def work_on_file(flags: argparse.Namespace, scratch: Path) -> int:
    """Do a command on a file; returns the exit code. Raises HeadlessError, and what its parts raise.

    The engine keeps its queue, its lock and what is temporary in `scratch`, so that a server may use the base
    directory meanwhile.
    """
    end_when_told()
    out = Console.of_results()
    task = commands.Task(read_source(flags.file), flags.assignments, out, Console(sys.stderr))
    paths = prepared(replace(paths_of(flags), temp=scratch / "temp"))
    if flags.command == "run":
        refuse_if_not_writable(paths.output)
    settings = EngineSettings(
        scratch,
        scratch / "weft.db",
        FilesOnDisk(paths),
        interrupt_grace=flags.interrupt_grace,
        node_timeout=flags.node_timeout,
        pack_timeout=flags.pack_timeout,
    )
    engine = engine_of(flags, settings, paths)
    await engine.start()
    try:
        match flags.command:
            case "graph":
                code = await commands.show_graph(engine, task)
            case "check":
                code = await commands.check(engine, task)
            case _:
                code = await commands.run(engine, task, paths.output)
    finally:
        await engine.stop()
    if out.failure is not None:
        raise HeadlessError(f"Standard output cannot be written: {out.failure.strerror}.")
    return code


def scratch_of(flags: argparse.Namespace) -> tempfile.TemporaryDirectory[str]:
    """A folder for what a command keeps while it runs. Raises StartError."""
    try:
        if flags.temp_directory is not None:
            flags.temp_directory.mkdir(parents=True, exist_ok=True)
        # A worker that is just being ended may still write there.
        return tempfile.TemporaryDirectory(prefix="weft-", dir=flags.temp_directory, ignore_cleanup_errors=True)
    except OSError as error:
        raise StartError(f"Cannot make a folder for temporary files: {error.strerror}.") from error


def refuse_if_not_writable(directory: Path) -> None:
    """Find out before the work, not after it, whether its files can be saved. Raises StartError."""
    try:
        tempfile.TemporaryFile(dir=directory).close()
    except OSError as error:
        raise StartError(f"Cannot write to the directory {directory}: {error.strerror}.") from error


def end_when_told() -> None:
    """Have this task cancelled by the signals that end services and closed terminals, unless they are ignored."""
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    for one in (signal.SIGTERM, signal.SIGHUP):
        if task is not None and signal.getsignal(one) is not signal.SIG_IGN:
            loop.add_signal_handler(one, task.cancel, one)


def main(arguments: Sequence[str] | None = None) -> int:
    """Start Weft; returns the exit code."""
    flags = parse(arguments)
    logging.basicConfig(level=flags.verbose, format=LOG_FORMAT)
    told = Console(sys.stderr)
    try:
        if flags.command != "serve":
            with scratch_of(flags) as scratch:
                return asyncio.run(work_on_file(flags, Path(scratch)))
        asyncio.run(serve(flags))
    except (StartError, ExtraPathsError, DirectoryInUseError, StoreError) as error:
        told.write(f"Weft cannot start: {error}\n")
        return 1
    except (HeadlessError, WorkerFailedError) as error:
        told.write(printable(str(error)) + "\n")
        return 1
    except KeyboardInterrupt:
        told.write("Interrupted.\n")
        return commands.INTERRUPTED
    except asyncio.CancelledError as error:
        told.write("Ended by a signal.\n")
        return ENDED_BY_SIGNAL + error.args[0]
    return 0


if __name__ == "__main__":
    sys.exit(main())
