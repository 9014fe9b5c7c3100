"""The names that the programs which train adapters give to the modules of a network."""

from collections.abc import Iterable, Mapping

from models.weights.diffusers_names import diffusers_modules

UNDERSCORED = ("lora_unet_", "lycoris_")
"""What comes before a module of the UNet whose dots have become underscores."""

DOTTED = ("", "unet.", "diffusion_model.")
"""What comes before a module of the UNet with its dots."""

TEXT_ROLES: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "clip_l": (("lora_te_", "lora_te1_"), ("text_encoder.", "text_encoders.clip_l.transformer.", "clip_l.")),
    "clip_h": (("lora_te_", "lora_te1_"), ("text_encoder.", "text_encoders.clip_h.transformer.", "clip_h.")),
    "clip_g": (("lora_te2_",), ("text_encoder_2.", "text_encoders.clip_g.transformer.", "clip_g.")),
}
"""What comes before a module of each text encoder: with underscores, and with dots."""

OLD_ATTENTION = {"to_q": "q_proj", "to_k": "k_proj", "to_v": "v_proj", "to_out": "out_proj"}
"""What early versions of diffusers called the projections of a text encoder."""

TEXT_MARKS = ("lora_te", "text_encoder", "text_model.", "clip_", "lora_prior_te")
"""How the names of text encoders' modules begin."""


def unet_modules(parameters: Iterable[str]) -> dict[str, str]:
    """Maps every name under which an adapter may speak of a module of the UNet to the module."""
    parameters = list(parameters)
    modules = dict.fromkeys(name.rpartition(".")[0] for name in parameters)
    spellings = [(module, module) for module in modules]
    for module, theirs in diffusers_modules(parameters).items():
        spellings += [(spelling, module) for spelling in _spellings(theirs)]
    found: dict[str, str] = {}
    for spelling, module in spellings:
        found |= {prefix + spelling: module for prefix in DOTTED}
        found |= {prefix + spelling.replace(".", "_"): module for prefix in UNDERSCORED}
    return found


def _spellings(theirs: str) -> list[str]:
    """A name of diffusers, and the one that its attention processors had: `attn1.processor.to_out`."""
    parent, _, leaf = theirs.removesuffix(".0").rpartition(".")
    return [theirs, f"{parent}.processor.{leaf}"] if leaf in OLD_ATTENTION else [theirs]


def text_modules(parameters: Iterable[str]) -> dict[str, str]:
    """Maps every name under which an adapter may speak of a module of the text encoders to the module.

    The parameters begin with the role of their encoder: `clip_l.text_model.…`.
    """
    modules = dict.fromkeys(name.rpartition(".")[0] for name in parameters)
    first_role = next((module.partition(".")[0] for module in modules), None)
    found: dict[str, str] = {}
    for module in modules:
        role, _, path = module.partition(".")
        underscored, dotted = TEXT_ROLES[role]
        bare = ("",) if role == first_role else ()
        for spelling in _text_spellings(path):
            found |= {prefix + spelling: module for prefix in (*dotted, *bare)}
            found |= {prefix + spelling.replace(".", "_"): module for prefix in underscored}
    return found


def _text_spellings(path: str) -> list[str]:
    parent, _, leaf = path.rpartition(".")
    return [path, *(f"{parent}.{old}" for old, new in OLD_ATTENTION.items() if new == leaf)]


def is_of_text(name: str) -> bool:
    """Whether a name looks like that of a text encoder's module."""
    return name.startswith(TEXT_MARKS)
