"""A text encoder in foreign hands."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from torch import Tensor

from models.text.encode import chunks, encode_prompt, row
from models.types import Clip
from nodes.v1.conditioning import ForeignConditioning, conditioning_to_foreign
from nodes.v1.facade import Facade
from nodes.v1.runtime import NotOfferedError


class Tokens(dict[str, list[list[tuple[int, float]]]]):
    """The tokens of a prompt with their weights, in rows of 77, by encoder; and the prompt that they are of."""

    def __init__(self, text: str, rows: Mapping[str, list[list[tuple[int, float]]]]) -> None:
        super().__init__(rows)
        self.text = text
        self.original = {name: [list(one) for one in found] for name, found in rows.items()}

    @property
    def is_changed(self) -> bool:
        """Whether somebody has put other tokens or weights in place of the prompt's."""
        return dict(self) != self.original


class ForeignClip(Facade):
    """A CLIP with the methods that packs call."""

    what = "CLIP"
    ours: Clip

    def clone(self) -> "ForeignClip":
        """Another handle; nothing that is done to it is done to this one."""
        return ForeignClip(self.ours)

    def clip_layer(self, layer_idx: int) -> None:
        """Takes the text features from an earlier layer, counted from the end."""
        self.ours = replace(self.ours, layer=layer_idx)

    def tokenize(self, text: str, return_word_ids: bool = False, **options: Any) -> Tokens:
        """The prompt as tokens, to be handed to one of the methods that encode."""
        rows = []
        for chunk in chunks(self.ours.tokenizer, text):
            weights = [1.0, *(token.weight for token in chunk)]
            tokens = row([token.token for token in chunk])
            weights += [1.0] * (len(tokens) - len(weights))
            rows.append(list(zip(tokens, weights, strict=True)))
        return Tokens(text, {"l": rows})

    def encode_from_tokens(self, tokens: Any, return_pooled: Any = False, return_dict: bool = False) -> Any:
        """The features, or (features, pooled), or a dictionary of both."""
        features, noted = self._encoded(tokens)[0]
        if return_dict:
            return {"cond": features, **noted}
        return (features, noted.get("pooled_output")) if return_pooled else features

    def encode_from_tokens_scheduled(
        self, tokens: Any, unprojected: bool = False, add_dict: Mapping[str, Any] | None = None, show_pbar: bool = True
    ) -> ForeignConditioning:
        """A conditioning, each entry with what `add_dict` holds."""
        return [[features, {**noted, **(add_dict or {})}] for features, noted in self._encoded(tokens)]

    def encode(self, text: str) -> Tensor:
        """The features of a prompt."""
        return self.encode_from_tokens(self.tokenize(text))

    def _encoded(self, tokens: Any) -> ForeignConditioning:
        if not isinstance(tokens, Tokens) or tokens.is_changed:
            raise NotOfferedError("tokens of its own making", "hand on what clip.tokenize(text) returns")
        return conditioning_to_foreign(encode_prompt(self.ours, tokens.text))
