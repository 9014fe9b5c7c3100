"""A node is read off a typed function."""

import pickle
from collections.abc import Sequence
from typing import Annotated, Any, Literal, NamedTuple

import pytest

from nodes.context import Context
from nodes.registry import DuplicateNodeError, Registry
from nodes.spec import REQUIRED, FileChoice, Help, NodeDeclarationError, NodeSpec, Number, Socket, node, spec_of

LATENT = Annotated[object, Socket("LATENT")]
MASK = Annotated[object, Socket("MASK")]


class Split(NamedTuple):
    first: LATENT
    mask: MASK


@node("Split", name="Split Latent", category="latent", cached=False)
def split(
    *,
    context: Context,
    latent: LATENT,
    at: Annotated[int, Number(1, 8), Help("where to cut", advanced=True)] = 2,
    mode: Literal["hard", "soft"],
    file: Annotated[str, FileChoice("loras")],
    mask: MASK | None = None,
) -> Split:
    """Cuts a batch in two."""
    return Split(latent, mask)


@pytest.fixture
def spec() -> NodeSpec:
    found = spec_of(split)
    assert found is not None
    return found


def test_names_types_and_defaults_come_from_the_signature(spec: NodeSpec) -> None:
    assert [(one.name, one.type) for one in spec.inputs] == [
        ("latent", "LATENT"),
        ("at", "INT"),
        ("mode", "COMBO"),
        ("file", "COMBO"),
        ("mask", "MASK"),
    ]
    assert [one.default for one in spec.inputs] == [REQUIRED, 2, REQUIRED, REQUIRED, None]
    assert [one.name for one in spec.inputs if one.optional] == ["mask"]


def test_the_context_draws_no_socket(spec: NodeSpec) -> None:
    assert spec.input("context") is None
    assert spec.context_parameter == "context"


def test_the_docstring_is_the_help_and_details_ride_on_the_type(spec: NodeSpec) -> None:
    at = spec.input("at")
    assert spec.description == "Cuts a batch in two."
    assert at is not None
    assert (at.tooltip, at.advanced) == ("where to cut", True)


def test_a_named_tuple_gives_several_outputs_named_by_wire_type(spec: NodeSpec) -> None:
    assert [(one.name, one.type) for one in spec.outputs] == [("LATENT", "LATENT"), ("MASK", "MASK")]


def test_the_declared_function_stays_callable() -> None:
    assert split(context=None, latent=1, mode="hard", file="x").first == 1  # pyright: ignore[reportArgumentType]


def test_a_spec_without_code_survives_another_process(spec: NodeSpec) -> None:
    there_and_back = pickle.loads(pickle.dumps(spec.without_code()))
    assert there_and_back == spec.without_code()
    assert there_and_back.inputs[0].default == REQUIRED


def untyped(x) -> None: ...  # pyright: ignore[reportMissingParameterType]
def unlimited(x: int) -> None: ...
def unknown(x: dict[str, Any]) -> None: ...
def unfinished(x: bool): ...


@pytest.mark.parametrize(
    ("function", "complaint"),
    [
        (untyped, "no type hint for 'x'"),
        (unlimited, r"needs limits. Write Annotated\[int, Number"),
        (unknown, "has no wire type"),
        (unfinished, "no return type"),
    ],
)
def test_a_signature_that_says_too_little_is_refused_with_the_remedy(function: Any, complaint: str) -> None:
    with pytest.raises(NodeDeclarationError, match=complaint):
        node("X", category="x")(function)


def test_two_nodes_of_one_id_are_refused(spec: NodeSpec) -> None:
    registry = Registry()
    registry.add(spec)
    with pytest.raises(DuplicateNodeError, match="Split"):
        registry.add(spec)


def test_a_node_that_takes_lists_is_described_by_their_items() -> None:
    @node("Rebatch", category="latent", takes_lists=True)
    def rebatch(latents: Sequence[LATENT], size: Sequence[Annotated[int, Number(1, 64)]] = (4,)) -> Sequence[LATENT]:
        """Cuts batches anew."""
        return [*latents, *size]

    spec = spec_of(rebatch)
    assert spec is not None
    assert spec.takes_lists
    assert [(one.name, one.type, one.default) for one in spec.inputs] == [
        ("latents", "LATENT", REQUIRED),
        ("size", "INT", 4),
    ]
    assert [(one.name, one.is_list) for one in spec.outputs] == [("LATENT", True)]


def test_a_node_that_takes_lists_says_so_of_every_input() -> None:
    with pytest.raises(NodeDeclarationError, match=r"broken.latents: .* Sequence"):

        @node("Broken", category="latent", takes_lists=True)
        def broken(latents: LATENT) -> None:
            """Says nothing of lists."""
