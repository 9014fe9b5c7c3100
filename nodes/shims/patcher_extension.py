"""`comfy.patcher_extension`: wrappers that packs write into the options of a model."""

from typing import Any, NoReturn

from nodes.v1 import wrapper_options
from nodes.v1.runtime import NotOfferedError

EXPORTED = {
    "WrapperExecutor": wrapper_options.WrapperExecutor,
    "WrappersMP": wrapper_options.WrappersMP,
    "add_wrapper": wrapper_options.add_wrapper,
    "add_wrapper_with_key": wrapper_options.add_wrapper_with_key,
    "get_all_wrappers": wrapper_options.get_all_wrappers,
    "get_wrappers_with_key": wrapper_options.get_wrappers_with_key,
}
"""What packs take from the module beside what is defined here."""


class CallbacksMP:
    """The moments of a model's life that ComfyUI calls packs at. Weft has none of them."""

    ON_CLONE = "on_clone"
    ON_LOAD = "on_load"
    ON_DETACH = "on_detach"
    ON_CLEANUP = "on_cleanup"
    ON_PRE_RUN = "on_pre_run"
    ON_PREPARE_STATE = "on_prepare_state"
    ON_APPLY_HOOKS = "on_apply_hooks"
    ON_INJECT_MODEL = "on_inject_model"
    ON_EJECT_MODEL = "on_eject_model"


def add_callback(call_type: str, *arguments: Any, **named: Any) -> NoReturn:
    """Refused: nothing would call it."""
    raise NotOfferedError(f"a callback of the type {call_type!r}")


add_callback_with_key = add_callback
