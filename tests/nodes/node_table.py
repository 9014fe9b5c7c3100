"""What saved workflows and clients rely on of a node, out of its entry in an answer of /object_info.

`python -m tests.nodes.node_table ANSWER.json [ID …]` prints the table of a server's nodes as nodes.json keeps it.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent / "data"
DETAILS = (
    "default", "min", "max", "step", "round", "multiline", "dynamicPrompts", "forceInput", "lazy",
    "control_after_generate", "image_upload", "template", "options",
)  # fmt: skip
MARKS = ("output_node", "is_input_list", "deprecated", "experimental")


def facts(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Inputs as [group, name, type, details], outputs as [name, type, is a list], and the marks that are set."""
    known = {
        "in": [
            [group, name, *_input(entry["input"][group][name])]
            for group in ("required", "optional")
            for name in entry["input_order"].get(group, ())
        ],
        "out": [
            [name, type if isinstance(type, str) else "COMBO", is_list]
            for name, type, is_list in zip(entry["output_name"], entry["output"], entry["output_is_list"], strict=True)
        ],
    }
    marks = [mark for mark in MARKS if entry.get(mark)]
    return known | ({"marks": marks} if marks else {})


def _input(declared: list[Any]) -> tuple[str, dict[str, Any]]:
    """The type and details; choices are told alike however old the node's spelling is, and files are left out."""
    type, options = declared[0], dict(declared[1]) if len(declared) > 1 else {}
    if isinstance(type, list):
        type, options = "COMBO", {**options, "options": type}
    if options.get("image_upload"):
        options.pop("options", None)
    found = {name: options[name] for name in DETAILS if name in options and not _says_nothing(name, options[name])}
    if type == "INT" and found.get("step") == 1:
        del found["step"]
    return type, found


def _says_nothing(name: str, value: Any) -> bool:
    return value is None or value in ("", []) or (value is False and name != "default")


def as_text(table: Mapping[str, Any]) -> str:
    """JSON with one line for each node."""
    lines = [f"{json.dumps(id)}: {json.dumps(known, ensure_ascii=False)}" for id, known in table.items()]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def listed(name: str) -> dict[str, str]:
    """A file of lines `key: reason`; lines that begin with # are headings."""
    lines = (DATA / name).read_text(encoding="utf-8").splitlines()
    pairs = (line.partition(": ") for line in lines if line and not line.startswith("#"))
    return {key.strip(): reason.strip() for key, _, reason in pairs}


def main(path: str, *ids: str) -> None:
    entries = json.loads(Path(path).read_text(encoding="utf-8"))
    sys.stdout.write(as_text({id: facts(entries[id]) for id in ids or sorted(entries)}))


if __name__ == "__main__":
    main(*sys.argv[1:])
