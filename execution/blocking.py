"""Values that keep what reads them from running."""

from collections.abc import Mapping
from typing import Any

from execution.lists import Answer, all_outputs
from nodes.spec import Blocker, NodeSpec


def blocker_in(inputs: Mapping[str, Any], takes_lists: bool) -> Blocker | None:
    """The first blocker that a call would be given, itself or in one of its lists."""
    for value in inputs.values():
        if type(value) is Blocker:
            return value
        if takes_lists and isinstance(value, list):
            found = next((one for one in value if type(one) is Blocker), None)
            if found is not None:
                return found
    return None


def skipped(spec: NodeSpec) -> Answer:
    """What a node gives whose call was blocked. Its readers are skipped too, in silence: the message has been told."""
    return Answer(all_outputs(spec, Blocker()))
