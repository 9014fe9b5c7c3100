"""Weft's command line: flags → paths → engine → server or command. The only place where these are wired together."""

import argparse
import asyncio
import errno
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
from execution.dispatcher import EngineSettings
from execution.engine import DirectoryInUseError, Engine, StoreError, WorkerFailedError
from execution.engines.inline import inline_engine
from execution.engines.process import process_engine
from execution.files import FilesOnDisk
from execution.headless import commands
from execution.headless.assign import Assignment
from execution.headless.errors import HeadlessError
from execution.headless.report import printable
from execution.headless.source import read_source
from execution.messages import WorkerSetup
from nodes.context import WorkerSettings
from nodes.extra_paths import ExtraPathsError, read_extra_paths
from nodes.paths import Paths
from web.server.app import create_app
from web.server.settings import MEBIBYTE, ServerSettings
from web.server.version import VERSION

ROOT = Path(__file__).resolve().parent
EVERY_ADDRESS = "0.0.0.0,::"
ON_FILES = {
    "run": "run a workflow, and print the files that it saves",
    "graph": "print the graph that a workflow stands for, in API format",
    "check": "print what keeps a workflow from running",
}
UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
SECONDS_TO_FINISH = 3.0  # that a request gets to end when the server stops

log = logging.getLogger("weft")


class StartError(Exception):
    """The server cannot start; the message tells a person why and what to do."""


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line: a command (without one: `serve`), then its flags, named as ComfyUI's where they mean the
    same."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    command = words.pop(0) if words and words[0] in ("serve", *ON_FILES) else "serve"
    parser = _parser_of_serve() if command == "serve" else _parser_on_file(command)
    return parser.parse_args(words, argparse.Namespace(command=command))


def _parser_of_serve() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="main.py", description="Weft: a node editor for Stable Diffusion.",
        epilog="Without a browser: " + "; ".join(f"main.py {name} FILE: {what}" for name, what in ON_FILES.items())
        + ". Each has a --help of its own.",
    )  # fmt: skip
    _add_common_flags(parser, log_level="INFO")
    _add_server_flags(parser.add_argument_group("server"))
    _add_directory_flags(parser.add_argument_group("directories"))
    _add_engine_flags(parser.add_argument_group("computing"))
    return parser


def _parser_on_file(command: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"main.py {command}", description=f"Weft: {ON_FILES[command]}.")
    _add_common_flags(parser, log_level="WARNING")
    parser.add_argument("file", type=Path, metavar="FILE",
                        help="a workflow or a graph as JSON, or a PNG made with one")  # fmt: skip
    parser.add_argument("--set", type=_assignment, action="append", default=[], dest="assignments",
                        metavar="NODE.INPUT=VALUE",
                        help="a value in place of the file's, of a node by id or title (may be repeated)")  # fmt: skip
    _add_directory_flags(parser.add_argument_group("directories"))
    _add_engine_flags(parser.add_argument_group("computing"))
    parser.set_defaults(preview_method="none")
    return parser


def _add_common_flags(parser: argparse.ArgumentParser, log_level: str) -> None:
    parser.add_argument("--version", action="version", version=f"Weft {VERSION}")
    parser.add_argument("--verbose", nargs="?", default=log_level, const="DEBUG", metavar="LEVEL",
                        choices=("DEBUG", "INFO", "WARNING", "ERROR"), help="how much is logged")  # fmt: skip


def _add_server_flags(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--listen", nargs="?", default="127.0.0.1", const=EVERY_ADDRESS, metavar="ADDRESS",
                       help="addresses to listen on, separated by commas; all without one")  # fmt: skip
    group.add_argument("--port", type=_port, default=8188, help="0 chooses a free one")
    group.add_argument("--allow-host", action="append", default=[], metavar="NAME",
                       help="answer to this host name as well (may be repeated)")  # fmt: skip
    group.add_argument("--enable-cors-header", nargs="?", default=None, const="*", metavar="ORIGIN",
                       help="let pages of this origin use the server; without one: of any origin")  # fmt: skip
    group.add_argument("--max-upload-size", type=_positive, default=100.0, metavar="MB", help="of one file")
    group.add_argument("--auto-launch", action="store_true", help="open the editor in the browser")


def _add_directory_flags(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--base-directory", type=Path, default=ROOT / "data", metavar="DIRECTORY",
                       help="holds models, input, output, temp, user and custom_nodes, as ComfyUI's does")  # fmt: skip
    group.add_argument("--output-directory", "--output", type=Path, metavar="DIRECTORY")
    group.add_argument("--input-directory", type=Path, metavar="DIRECTORY")
    group.add_argument("--user-directory", type=Path, metavar="DIRECTORY")
    group.add_argument("--temp-directory", type=Path, metavar="DIRECTORY", help='gets a folder "temp"')
    group.add_argument("--extra-model-paths-config", type=Path, nargs="+", action="extend", default=[], metavar="FILE",
                       help="YAML files that name more folders with models")  # fmt: skip


def _add_engine_flags(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--engine", choices=("process", "inline"), default="process",
                       help="run nodes in a process of their own, or in the server's")  # fmt: skip
    group.add_argument("--cpu", action="store_true", help="do not use a GPU")
    precision = group.add_mutually_exclusive_group()
    precision.add_argument("--force-fp32", action="store_true", help="compute in single precision")
    precision.add_argument("--force-fp16", action="store_true", help="compute in half precision")
    group.add_argument("--preview-method", choices=("none", "auto", "latent2rgb"), default="auto",
                       help="how latents are shown while they are sampled")  # fmt: skip
    group.add_argument("--disable-metadata", action="store_true", help="save pictures without their workflow")
    cache = group.add_mutually_exclusive_group()
    cache.add_argument("--cache-lru", type=_count, metavar="N", help="keep the results of at most N nodes")
    cache.add_argument("--cache-none", action="store_true", help="keep no results between jobs")
    cache.add_argument("--cache-bytes", type=_bytes, metavar="SIZE", help="keep results up to this size: 512M, 4G")


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text[:6]) < 65536):
        raise argparse.ArgumentTypeError(f"{text!r} is no port; use a number from 0 to 65535")
    return int(text)


def _positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1e6:
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive number")
    return value


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0")
    return int(text)


def _bytes(text: str) -> int:
    number, unit = (text[:-1], text[-1].upper()) if text[-1:].isalpha() else (text, "")
    if unit not in UNITS:
        raise argparse.ArgumentTypeError(f"{text!r} is no size; write bytes, or 512K, 512M, 4G")
    return int(_positive(number) * UNITS[unit]) if unit else _count(number)


def _assignment(text: str) -> Assignment:
    try:
        return Assignment.parse(text)
    except HeadlessError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


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


def engine_of(flags: argparse.Namespace, settings: EngineSettings, paths: Paths) -> Engine:
    """The engine, not started yet."""
    worker = WorkerSettings(
        cpu=flags.cpu,
        force_fp32=flags.force_fp32,
        force_fp16=flags.force_fp16,
        preview_method=flags.preview_method,
        disable_metadata=flags.disable_metadata,
    )
    cache = CacheSettings(max_entries=0 if flags.cache_none else flags.cache_lru)
    if flags.cache_bytes is not None:
        cache = CacheSettings(max_bytes=flags.cache_bytes)
    make = {"process": process_engine, "inline": inline_engine}[flags.engine]
    return make(settings, WorkerSetup(paths, worker, cache))


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
    settings = EngineSettings(paths.base, paths.base / "weft.db", FilesOnDisk(paths), when_alone=paths.empty_temp)
    app = create_app(engine_of(flags, settings, paths), paths, server_settings_of(flags))
    sockets = listen(addresses_of(flags), flags.port)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=SECONDS_TO_FINISH)
    try:
        await runner.setup()
        for one in sockets:
            await web.SockSite(runner, one).start()
        announce(flags, sockets[0].getsockname()[1])
        await told_to_stop()
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

    The engine keeps its queue and its lock in `scratch`, so that a server may use the base directory meanwhile.
    """
    task = commands.Task(read_source(flags.file), flags.assignments, sys.stdout, sys.stderr)
    paths = paths_of(flags)
    if flags.temp_directory is None:
        paths = replace(paths, temp=scratch / "temp")
    settings = EngineSettings(scratch, scratch / "weft.db", FilesOnDisk(prepared(paths)))
    engine = engine_of(flags, settings, paths)
    await engine.start()
    try:
        match flags.command:
            case "graph":
                return await commands.show_graph(engine, task)
            case "check":
                return await commands.check(engine, task)
            case _:
                return await commands.run(engine, task, paths.output)
    finally:
        await engine.stop()


def main(arguments: Sequence[str] | None = None) -> int:
    """Start Weft; returns the exit code."""
    flags = parse(arguments)
    logging.basicConfig(level=flags.verbose, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        if flags.command != "serve":
            with tempfile.TemporaryDirectory(prefix="weft-") as scratch:
                return asyncio.run(work_on_file(flags, Path(scratch)))
        asyncio.run(serve(flags))
    except (StartError, ExtraPathsError, DirectoryInUseError, StoreError) as error:
        print(f"Weft cannot start: {error}", file=sys.stderr)
        return 1
    except (HeadlessError, WorkerFailedError) as error:
        print(printable(str(error)), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return commands.INTERRUPTED
    return 0


if __name__ == "__main__":
    sys.exit(main())
