"""What Weft's command line may say: a command and its flags, named as ComfyUI's where they mean the same."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from execution.engines.crew import MOST_WORKERS
from execution.graph import GraphLimits
from execution.headless.assign import Assignment
from execution.headless.errors import HeadlessError
from execution.settings import HISTORY_LIMIT, INTERRUPT_GRACE, PACK_TIMEOUT, QUEUE_LIMIT
from web.server.version import VERSION

ROOT = Path(__file__).resolve().parent
EVERY_ADDRESS = "0.0.0.0,::"
ON_FILES = {
    "run": "run a workflow, and print the files that it saves",
    "graph": "print the graph that a workflow stands for, in API format",
    "check": "print what keeps a workflow from running",
}
UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


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
                        help="a workflow or a graph as JSON, or a PNG or WEBP made with one")  # fmt: skip
    parser.add_argument("--set", type=_assignment, action="append", default=[], dest="assignments",
                        metavar="NODE.INPUT=VALUE",
                        help="a value in place of the file's, of a node by id or title (may be repeated)")  # fmt: skip
    _add_directory_flags(parser.add_argument_group("directories"))
    _add_engine_flags(parser.add_argument_group("computing"))
    parser.set_defaults(preview_method="none", workers=1, spare_worker=False)
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
    group.add_argument("--queue-limit", type=_count, default=QUEUE_LIMIT, metavar="N",
                       help="refuse jobs while N wait (default %(default)s)")  # fmt: skip
    group.add_argument("--graph-limit", type=_count, default=GraphLimits().nodes, metavar="N",
                       help="refuse graphs of more than N nodes (default %(default)s)")  # fmt: skip
    group.add_argument("--history-limit", type=_count, default=HISTORY_LIMIT, metavar="N",
                       help="remember the last N jobs (default %(default)s); files stay")  # fmt: skip
    group.add_argument("--no-spare-worker", dest="spare_worker", action="store_false",
                       help="keep no process ready for when a worker ends: saves 200 MB, costs seconds")  # fmt: skip
    group.add_argument("--auto-launch", action="store_true", help="open the editor in the browser")


def _add_directory_flags(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--base-directory", type=Path, default=ROOT / "data", metavar="DIRECTORY",
                       help="holds models, input, output, temp, user and custom_nodes, as ComfyUI's does")  # fmt: skip
    group.add_argument("--output-directory", "--output", type=Path, metavar="DIRECTORY")
    group.add_argument("--input-directory", type=Path, metavar="DIRECTORY")
    group.add_argument("--user-directory", type=Path, metavar="DIRECTORY")
    group.add_argument("--temp-directory", type=Path, metavar="DIRECTORY",
                       help="gets a folder for what is kept while the program runs")  # fmt: skip
    group.add_argument("--extra-model-paths-config", type=Path, nargs="+", action="extend", default=[], metavar="FILE",
                       help="YAML files that name more folders with models")  # fmt: skip


def _add_engine_flags(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--engine", choices=("process", "inline"), default="process",
                       help="run nodes in a process of their own, or in the server's")  # fmt: skip
    group.add_argument("--workers", type=_workers, default=None, metavar="N",
                       help="jobs that run side by side, each in a process of its own; auto: one per GPU")  # fmt: skip
    group.add_argument("--cuda-device", type=_numbers, metavar="N[,N]", help="use only these GPUs, counted from 0")
    group.add_argument("--node-timeout", type=_seconds, default=0.0, metavar="SECONDS",
                       help="end a job whose node gives no sign of life for so long (default 0: never)")  # fmt: skip
    group.add_argument("--interrupt-grace", type=_seconds, default=INTERRUPT_GRACE, metavar="SECONDS",
                       help="how long an interrupted node may go on before its worker is ended "
                       "(default %(default)g)")  # fmt: skip
    _add_memory_flags(group)
    precision = group.add_mutually_exclusive_group()
    precision.add_argument("--force-fp32", action="store_true", help="compute in single precision")
    precision.add_argument("--force-fp16", action="store_true", help="compute in half precision")
    group.add_argument("--preview-method", choices=("none", "auto", "latent2rgb", "taesd"), default="auto",
                       help="how latents are shown while they are sampled; "
                       "taesd needs taesd_decoder or taesdxl_decoder in models/vae_approx")  # fmt: skip
    group.add_argument("--disable-all-custom-nodes", action="store_true", help="load no packs of custom nodes")
    group.add_argument("--whitelist-custom-nodes", nargs="+", default=[], metavar="NAME",
                       help="but these, by the names of their folders or files")  # fmt: skip
    group.add_argument("--disable-metadata", action="store_true", help="save pictures without their workflow")
    group.add_argument("--pack-timeout", type=_seconds, default=PACK_TIMEOUT, metavar="SECONDS",
                       help="leave out packs that take longer to load (default %(default)g, 0: none)")  # fmt: skip
    cache = group.add_mutually_exclusive_group()
    cache.add_argument("--cache-lru", type=_count, metavar="N", help="keep the results of at most N nodes")
    cache.add_argument("--cache-none", action="store_true", help="keep no results between jobs")
    cache.add_argument("--cache-bytes", type=_bytes, metavar="SIZE", help="keep results up to this size: 512M, 4G")


def _add_memory_flags(group: argparse._ArgumentGroup) -> None:
    where = group.add_mutually_exclusive_group()
    where.add_argument("--cpu", action="store_true", help="do not use a GPU")
    where.add_argument("--gpu-only", "--highvram", dest="vram", action="store_const", const="high",
                       help="never keep models in the machine's memory: read them again from their files")  # fmt: skip
    where.add_argument("--normalvram", dest="vram", action="store_const", const="normal",
                       help="keep models on the GPU until others need the room (the default)")  # fmt: skip
    where.add_argument("--lowvram", dest="vram", action="store_const", const="low",
                       help="bring models of 1 GiB and more to the GPU layer by layer")  # fmt: skip
    where.add_argument("--novram", dest="vram", action="store_const", const="none",
                       help="bring all models to the GPU layer by layer")  # fmt: skip
    group.add_argument("--reserve-vram", type=_positive, default=0.0, metavar="GB",
                       help="memory of the GPU to leave to other programs")  # fmt: skip
    group.set_defaults(vram="normal")


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


def _workers(text: str) -> int | None:
    if text == "auto":
        return None
    count = _count(text)
    if not 0 < count <= MOST_WORKERS:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of workers; use auto, or 1 to {MOST_WORKERS}")
    return count


def _numbers(text: str) -> frozenset[int]:
    return frozenset(_count(part.strip()) for part in text.split(","))


def _seconds(text: str) -> float:
    return 0.0 if text.strip("0.") == "" and text else _positive(text)


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
