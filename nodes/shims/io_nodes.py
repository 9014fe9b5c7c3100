"""`comfy_api.latest.io`: nodes that declare themselves by a schema, and how they are read in the class protocol."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from typing import Any, ClassVar

from nodes.shims.io_types import Input, Output, grouped
from nodes.spec import Blocker


class Hidden(StrEnum):
    """Inputs that the engine fills."""

    unique_id = "UNIQUE_ID"
    prompt = "PROMPT"
    extra_pnginfo = "EXTRA_PNGINFO"
    dynprompt = "DYNPROMPT"
    auth_token_comfy_org = "AUTH_TOKEN_COMFY_ORG"
    api_key_comfy_org = "API_KEY_COMFY_ORG"
    comfy_usage_source = "COMFY_USAGE_SOURCE"


@dataclass
class HiddenHolder:
    """The hidden inputs of one call, None where they were not asked for."""

    unique_id: str | None = None
    prompt: Any = None
    extra_pnginfo: Any = None
    dynprompt: Any = None
    auth_token_comfy_org: str | None = None
    api_key_comfy_org: str | None = None
    comfy_usage_source: str | None = None


SAVED = (Hidden.prompt, Hidden.extra_pnginfo)
"""What nodes that save are told without asking."""

ACCOUNT = (Hidden.auth_token_comfy_org, Hidden.api_key_comfy_org)
"""What nodes that call services are told without asking."""


class SchemaError(ValueError):
    """A schema that contradicts itself."""


@dataclass
class Schema:
    """What a node says of itself."""

    node_id: str
    display_name: str | None = None
    category: str = ""
    inputs: list[Input] = field(default_factory=list)
    outputs: list[Output] = field(default_factory=list)
    hidden: list[Hidden] = field(default_factory=list)
    description: str = ""
    search_aliases: list[str] = field(default_factory=list)
    is_input_list: bool = False
    is_output_node: bool = False
    has_intermediate_output: bool = False
    is_deprecated: bool = False
    is_experimental: bool = False
    is_dev_only: bool = False
    is_api_node: bool = False
    price_badge: Any = None
    essentials_category: str | None = None
    not_idempotent: bool = False
    enable_expand: bool = False
    accept_all_inputs: bool = False

    def validate(self) -> None:
        """Raises SchemaError where two inputs or outputs have one id."""
        _refuse_twins(self.node_id, "inputs", [one.id for one in self.inputs])
        _refuse_twins(self.node_id, "outputs", [one.id for one in self.outputs if one.id is not None])

    @property
    def hidden_names(self) -> dict[str, Hidden]:
        """The hidden inputs that are asked for, and those that such nodes get without asking, each by a name that no
        input has."""
        implied = [*(SAVED if self.is_output_node else ()), *(ACCOUNT if self.is_api_node else ())]
        kinds = [*(Hidden(kind) for kind in self.hidden or ()), *implied]
        taken = {one.id for one in self.inputs}
        return {f"hidden_{kind.name}" if kind.name in taken else kind.name: kind for kind in kinds}


def _refuse_twins(node_id: str, what: str, ids: Sequence[str]) -> None:
    twins = {one for one in ids if ids.count(one) > 1}
    if twins:
        raise SchemaError(f"{node_id} has several {what} of the id {min(twins)!r}: each needs an id of its own")


class NodeOutput:
    """What a node returns: its outputs, and what is shown, run in its place, or kept from running."""

    def __init__(
        self, *args: Any, ui: Any = None, expand: Mapping[str, Any] | None = None, block_execution: str | None = None
    ) -> None:
        self.args = args
        self.ui = ui
        self.expand = expand
        self.block_execution = block_execution

    @property
    def result(self) -> tuple[Any, ...] | None:
        """The outputs, None where there are none."""
        return self.args or None

    def __getitem__(self, index: int) -> Any:
        return self.args[index]

    @classmethod
    def from_dict(cls, answer: Mapping[str, Any]) -> "NodeOutput":
        """What a dictionary of the class protocol says: {"result", "ui", "expand"}."""
        result = answer.get("result") or ()
        if isinstance(result, Blocker):
            return cls(ui=answer.get("ui"), expand=answer.get("expand"), block_execution=result.message)
        return cls(*result, ui=answer.get("ui"), expand=answer.get("expand"))

    def as_answer(self) -> Any:
        """The same in the class protocol."""
        shown = self.ui.as_dict() if hasattr(self.ui, "as_dict") else self.ui
        result = self.args if self.block_execution is None else Blocker(self.block_execution)
        return {"result": result, "ui": shown, "expand": self.expand}


class AnyNames(dict[str, Any]):
    """Optional inputs that may have any name."""

    def __contains__(self, name: object) -> bool:
        return True


class ComfyNode:
    """A node by its schema; its methods are called on the class. `hidden` are the hidden inputs of the call."""

    hidden: ClassVar[HiddenHolder] = HiddenHolder()

    @classmethod
    def define_schema(cls) -> Schema:
        """What the node says of itself."""
        raise NotImplementedError(f"{cls.__name__} has no define_schema")

    @classmethod
    def execute(cls, **kwargs: Any) -> Any:
        """What the node does."""
        raise NotImplementedError(f"{cls.__name__} has no execute")

    @classmethod
    def GET_SCHEMA(cls) -> Schema:
        """What the node says of itself now. Raises SchemaError."""
        schema = cls.define_schema()
        schema.validate()
        return schema

    @classmethod
    def as_class(cls) -> type:
        """The node in the class protocol, which is still a node by schema to other packs."""
        schema = cls.GET_SCHEMA()
        hidden = schema.hidden_names
        run = partial(_call, cls, "execute", hidden)
        attributes: dict[str, Any] = {
            "schema_node": cls,
            "INPUT_TYPES": classmethod(lambda of: input_types(cls.GET_SCHEMA())),
            "RETURN_TYPES": tuple(output.get_io_type() for output in schema.outputs),
            "RETURN_NAMES": tuple(output.display_name or output.get_io_type() for output in schema.outputs),
            "OUTPUT_IS_LIST": tuple(output.is_output_list for output in schema.outputs),
            "OUTPUT_TOOLTIPS": tuple(output.tooltip for output in schema.outputs),
            "FUNCTION": "EXECUTE_NORMALIZED",
            "EXECUTE_NORMALIZED": staticmethod(_awaited(run) if inspect.iscoroutinefunction(cls.execute) else run),
            "CATEGORY": schema.category,
            "DESCRIPTION": schema.description,
            "DISPLAY_NAME": schema.display_name,
            "OUTPUT_NODE": schema.is_output_node,
            "INPUT_IS_LIST": schema.is_input_list,
            "NOT_IDEMPOTENT": schema.not_idempotent,
            "DEPRECATED": schema.is_deprecated,
            "EXPERIMENTAL": schema.is_experimental,
            "SEARCH_ALIASES": schema.search_aliases,
        }
        for theirs, ours in HOOKS.items():
            if hasattr(cls, theirs):
                attributes[ours] = staticmethod(_hook(cls, theirs, hidden))
        return type(cls.__name__, (cls,), attributes)


HOOKS = {
    "fingerprint_inputs": "IS_CHANGED",
    "validate_inputs": "VALIDATE_INPUTS",
    "check_lazy_status": "check_lazy_status",
}
"""Methods that a node may have, by their names in the class protocol."""


def input_types(schema: Schema) -> dict[str, Any]:
    """The inputs as INPUT_TYPES writes them."""
    groups: dict[str, Any] = grouped(schema.inputs)
    if schema.accept_all_inputs:
        groups["optional"] = AnyNames(groups.get("optional", {}))
    return groups | {"hidden": {name: kind.value for name, kind in schema.hidden_names.items()}}


def _call(node: type[ComfyNode], method: str, hidden: Mapping[str, Hidden], /, **inputs: Any) -> Any:
    """Calls a method of a node with the hidden inputs of this call on the class, taken out of the others."""
    found = {kind.name: _single(inputs.pop(name)) for name, kind in hidden.items() if name in inputs}
    bound = type(node.__name__, (node,), {"hidden": HiddenHolder(**found), "__module__": node.__module__})
    return getattr(bound, method)(**inputs)


def _awaited(run: Callable[..., Any]) -> Callable[..., Any]:
    async def run_async(**inputs: Any) -> Any:
        return await run(**inputs)

    return run_async


def _hook(node: type[ComfyNode], method: str, hidden: Mapping[str, Hidden]) -> Callable[..., Any]:
    """A method that says that it takes the hidden inputs as well, because callers give only what is asked for."""
    run = partial(_call, node, method, hidden)
    declared = inspect.signature(getattr(node, method))
    named = {name: one for name, one in declared.parameters.items() if one.kind is not one.VAR_KEYWORD}
    told = [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY) for name in hidden if name not in named]
    rest = [one for one in declared.parameters.values() if one.kind is one.VAR_KEYWORD]

    def asked(**inputs: Any) -> Any:
        return run(**inputs)

    asked.__dict__["__signature__"] = declared.replace(parameters=[*named.values(), *told, *rest])
    return asked


def _single(value: Any) -> Any:
    """A node that takes lists gets hidden inputs as lists of one as well."""
    return value[0] if type(value) is list and len(value) == 1 else value


class ComfyExtension:
    """A pack that lists its nodes."""

    async def on_load(self) -> None:
        """Called once, before the nodes are asked for."""

    async def get_node_list(self) -> list[type[ComfyNode]]:
        """The nodes."""
        return []


@dataclass
class PriceBadgeDepends:
    """The inputs that the price of a service depends on."""

    widgets: Sequence[str] = ()
    inputs: Sequence[str] = ()
    input_groups: Sequence[str] = ()


@dataclass
class PriceBadge:
    """What a service costs, as ComfyUI's editor shows it."""

    expr: str
    depends_on: PriceBadgeDepends | None = None
    engine: str = "jsonata"


@dataclass
class NodeReplace:
    """By which node an older one is replaced."""

    new_node_id: str
    old_node_id: str
    old_widget_ids: Sequence[str] | None = None
    input_mapping: Sequence[Mapping[str, Any]] | None = None
    output_mapping: Sequence[Mapping[str, Any]] | None = None


PARTS = (Hidden, HiddenHolder, Schema, NodeOutput, ComfyNode, PriceBadge, PriceBadgeDepends, NodeReplace)
OFFERED = {one.__name__: one for one in PARTS}
"""What `io` offers beside types."""
