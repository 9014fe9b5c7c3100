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
