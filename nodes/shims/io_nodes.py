"""`comfy_api.latest.io`: nodes that declare themselves by a schema, and how they are read in the class protocol."""

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar

from nodes.shims.io_types import Input, Output
from nodes.spec import Blocker


class Hidden(StrEnum):
    """Inputs that the engine fills."""

    unique_id = "UNIQUE_ID"
    prompt = "PROMPT"
    extra_pnginfo = "EXTRA_PNGINFO"
    dynprompt = "DYNPROMPT"
    auth_token_comfy_org = "AUTH_TOKEN_COMFY_ORG"
    api_key_comfy_org = "API_KEY_COMFY_ORG"


@dataclass
class HiddenHolder:
    """The hidden inputs of one call, None where they were not asked for."""

    unique_id: str | None = None
    prompt: Any = None
    extra_pnginfo: Any = None
    dynprompt: Any = None
    auth_token_comfy_org: str | None = None
    api_key_comfy_org: str | None = None


@dataclass
class Schema:
    """What a node says of itself."""

    node_id: str
    display_name: str | None = None
    category: str = ""
    inputs: Sequence[Input] = ()
    outputs: Sequence[Output] = ()
    hidden: Sequence[Hidden] = ()
    description: str = ""
    search_aliases: Sequence[str] = ()
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

    def as_answer(self) -> Any:
        """The same in the class protocol."""
        if self.block_execution is not None:
            return Blocker(self.block_execution)
        shown = self.ui.as_dict() if hasattr(self.ui, "as_dict") else self.ui
        return {"result": self.args, "ui": shown, "expand": self.expand}


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
        """What the node says of itself now."""
        return cls.define_schema()

    @classmethod
    def as_class(cls) -> type:
        """The node in the class protocol."""
        schema = cls.define_schema()
        run = _run_async if inspect.iscoroutinefunction(cls.execute) else _run
        attributes: dict[str, Any] = {
            "schema_node": cls,
            "INPUT_TYPES": classmethod(lambda of: input_types(cls.define_schema())),
            "RETURN_TYPES": tuple(output.get_io_type() for output in schema.outputs),
            "RETURN_NAMES": tuple(output.display_name or output.get_io_type() for output in schema.outputs),
            "OUTPUT_IS_LIST": tuple(output.is_output_list for output in schema.outputs),
            "OUTPUT_TOOLTIPS": tuple(output.tooltip for output in schema.outputs),
            "FUNCTION": run.__name__,
            run.__name__: run,
            "CATEGORY": schema.category,
            "DESCRIPTION": schema.description,
            "DISPLAY_NAME": schema.display_name,
            "OUTPUT_NODE": schema.is_output_node,
            "INPUT_IS_LIST": schema.is_input_list,
            "NOT_IDEMPOTENT": schema.not_idempotent,
            "DEPRECATED": schema.is_deprecated,
            "EXPERIMENTAL": schema.is_experimental,
        }
        for theirs, ours in HOOKS.items():
            if hasattr(cls, theirs):
                attributes[ours] = staticmethod(getattr(cls, theirs))
        return type(cls.__name__, (), attributes)


HOOKS = {
    "fingerprint_inputs": "IS_CHANGED",
    "validate_inputs": "VALIDATE_INPUTS",
    "check_lazy_status": "check_lazy_status",
}
"""Methods that a node may have, by their names in the class protocol."""


def input_types(schema: Schema) -> dict[str, Any]:
    """The inputs as INPUT_TYPES writes them."""
    groups: dict[str, Any] = {"required": {}, "optional": AnyNames() if schema.accept_all_inputs else {}}
    for one in schema.inputs:
        groups["optional" if one.optional else "required"][one.id] = one.spelled
    return groups | {"hidden": {Hidden(kind).name: Hidden(kind).value for kind in schema.hidden}}


def _run(self: Any, **inputs: Any) -> Any:
    return _bound(self.schema_node, inputs).execute(**inputs)


async def _run_async(self: Any, **inputs: Any) -> Any:
    return await _bound(self.schema_node, inputs).execute(**inputs)


def _bound(node: type[ComfyNode], inputs: dict[str, Any]) -> type[ComfyNode]:
    """The node with the hidden inputs of one call, which are taken out of the others."""
    wanted = {Hidden(kind).name for kind in node.define_schema().hidden}
    found = {name: _single(inputs.pop(name)) for name in list(inputs) if name in wanted}
    return type(node.__name__, (node,), {"hidden": HiddenHolder(**found)})


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


OFFERED = {one.__name__: one for one in (Hidden, HiddenHolder, Schema, NodeOutput, ComfyNode)}
"""What `io` offers beside types."""
