"""Graphs in API format for the tests."""

from typing import Any


def graph(**nodes: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    """Nodes by id, each as its type and inputs; ids may begin with an underscore, which is cut off."""
    return {id.lstrip("_"): {"class_type": type, "inputs": inputs} for id, (type, inputs) in nodes.items()}


def shown(value: int) -> dict[str, Any]:
    """A number and a node that shows it."""
    return graph(_1=("Make", {"value": value}), _2=("Show", {"x": ["1", 0]}))


def chain(length: int, value: int = 1) -> dict[str, Any]:
    """A number handed on so many times, then shown by the node `out`."""
    nodes = {"0": {"class_type": "Make", "inputs": {"value": value}}}
    for number in range(1, length):
        nodes[str(number)] = {"class_type": "Pass", "inputs": {"x": [str(number - 1), 0]}}
    return nodes | {"out": {"class_type": "Show", "inputs": {"x": [str(length - 1), 0]}}}


def diamond(value: int) -> dict[str, Any]:
    """A number that reaches a sum by two ways, one of which has a constant added."""
    return graph(
        start=("Make", {"value": value}),
        constant=("Make", {"value": 100}),
        left=("Add", {"a": ["start", 0], "b": ["constant", 0]}),
        right=("Pass", {"x": ["start", 0]}),
        sum=("Add", {"a": ["left", 0], "b": ["right", 0]}),
        out=("Show", {"x": ["sum", 0]}),
    )


def fan(width: int) -> dict[str, Any]:
    """So many numbers, all of which are linked to one node: one to its input, the others beside it."""
    makes = {f"m{n}": {"class_type": "Make", "inputs": {"value": n % 1000}} for n in range(width)}
    also = {f"also {n}": [f"m{n}", 0] for n in range(1, width)}
    return makes | {"out": {"class_type": "Show", "inputs": {"x": ["m0", 0], **also}}}


def diamonds(count: int) -> dict[str, Any]:
    """Diamonds on top of each other: two to the power of `count` ways from the bottom to the top."""
    nodes = {"0": {"class_type": "Make", "inputs": {"value": 1}}}
    for n in range(count):
        nodes[f"{n}a"] = {"class_type": "Pass", "inputs": {"x": [str(n), 0]}}
        nodes[f"{n}b"] = {"class_type": "Add", "inputs": {"a": [str(n), 0], "b": [str(n), 0]}}
        nodes[str(n + 1)] = {"class_type": "Add", "inputs": {"a": [f"{n}a", 0], "b": [f"{n}b", 0]}}
    return nodes | {"out": {"class_type": "Show", "inputs": {"x": [str(count), 0]}}}
