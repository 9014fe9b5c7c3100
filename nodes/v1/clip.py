"""A text encoder in foreign hands."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from torch import Tensor

from models.text.encode import Chunk, WeightedToken, chunks, encode_chunks, row
from models.text.encoders import ROLE_FACTS, Role
from models.text.tokenizer import END_TOKEN
from models.types import Clip
from nodes.v1.conditioning import ForeignConditioning, conditioning_to_foreign
from nodes.v1.facade import Facade
from nodes.v1.runtime import NotOfferedError
from nodes.v1.weights import weight_patches

Rows = Sequence[Sequence[Sequence[Any]]]
"""Rows of 77 (token or vector, weight) for one encoder, the marks of start and end among them."""

Tokens = dict[str, Rows]
"""The rows by encoder: l, g, h."""

KEYS: Mapping[Role, str] = {"clip_l": "l", "clip_g": "g", "clip_h": "h"}


class TextEncoderInside(Facade):
    """What packs reach as `clip.cond_stage_model`: the names of its weights, and its encoders one by one."""

    what = "clip.cond_stage_model"
    ours: Clip

    @property
    def clip_l(self) -> "OneTextEncoder":
        """The encoder of this role."""
        return self._encoder("clip_l")

    @property
    def clip_g(self) -> "OneTextEncoder":
        """The encoder of this role."""
        return self._encoder("clip_g")

    @property
    def clip_h(self) -> "OneTextEncoder":
        """The encoder of this role."""
        return self._encoder("clip_h")

    def clip_layer(self, layer_idx: int) -> None:
        """Takes the text features from an earlier layer, counted from the end."""
        self.ours = replace(self.ours, layer=layer_idx)

    def _encoder(self, role: Role) -> "OneTextEncoder":
        use = next((one for one in self.ours.uses if one.role == role), None)
        if use is None:
            raise NotOfferedError(f"{role!r} of a CLIP that has no such encoder")
        return OneTextEncoder(replace(self.ours, uses=(use,)))


class OneTextEncoder(Facade):
    """One of the encoders of a CLIP."""

    what = "text encoder"
    ours: Clip

    def encode_token_weights(self, token_weight_pairs: Rows) -> tuple[Tensor, Tensor | None]:
        """The features (1, 77 · rows, width) of rows of tokens, and the pooled output of the first."""
        role = self.ours.uses[0].role
        return ForeignClip(self.ours).encode_from_tokens({KEYS[role]: list(token_weight_pairs)}, return_pooled=True)


class ForeignClip(Facade):
    """A CLIP with the methods that packs call."""

    what = "CLIP"
    ours: Clip

    def clone(self) -> "ForeignClip":
        """Another handle; nothing that is done to it is done to this one."""
        return ForeignClip(self.ours)

    @property
    def cond_stage_model(self) -> TextEncoderInside:
        """The networks, as far as packs ask for the names of their weights."""
        return TextEncoderInside(self.ours)

    def add_patches(
        self, patches: Mapping[str, Any], strength_patch: float = 1.0, strength_model: float = 1.0
    ) -> list[str]:
        """Changes weights, by their names; returns the names that there are in these encoders."""
        found = weight_patches(patches, self.ours.encoder.shapes, "", strength_patch, strength_model)
        if found.patch is not None:
            self.ours = replace(self.ours, weights=(*self.ours.weights, found.patch))
        return found.names

    @property
    def patcher(self) -> "ForeignClip":
        """What holds the changes to its weights: the handle itself."""
        return self

    @property
    def layer_idx(self) -> int | None:
        """The layer whose features are taken, counted from the end; None for the family's."""
        return self.ours.layer

    def clip_layer(self, layer_idx: int) -> None:
        """Takes the text features from an earlier layer, counted from the end."""
        self.ours = replace(self.ours, layer=layer_idx)

    def tokenize(self, text: str, return_word_ids: bool = False, **options: Any) -> Tokens:
        """The prompt as tokens, to be handed to one of the methods that encode; with the number of its word at each."""
        rows: Tokens = {}
        for use in self.ours.uses:
            found = chunks(self.ours, text, use.role)
            plain = [_row(chunk, use.role) for chunk in found]
            numbers = _word_numbers(found)
            rows[KEYS[use.role]] = list(map(_numbered, plain, numbers)) if return_word_ids else plain
        return rows

    def encode_from_tokens(self, tokens: Tokens, return_pooled: Any = False, return_dict: bool = False) -> Any:
        """The features, or (features, pooled), or a dictionary of both."""
        features, noted = self._encoded(tokens)[0]
        if return_dict:
            return {"cond": features, **noted}
        return (features, noted.get("pooled_output")) if return_pooled else features

    def encode_from_tokens_scheduled(
        self,
        tokens: Tokens,
        unprojected: bool = False,
        add_dict: Mapping[str, Any] | None = None,
        show_pbar: bool = True,
    ) -> ForeignConditioning:
        """A conditioning, each entry with what `add_dict` holds."""
        return [[features, {**noted, **(add_dict or {})}] for features, noted in self._encoded(tokens)]

    def encode(self, text: str) -> Tensor:
        """The features of a prompt."""
        return self.encode_from_tokens(self.tokenize(text))

    def _encoded(self, tokens: Tokens) -> ForeignConditioning:
        chunked: dict[Role, Sequence[Chunk]] = {}
        for use in self.ours.uses:
            rows = tokens.get(KEYS[use.role]) if isinstance(tokens, Mapping) else None
            if not rows:
                raise NotOfferedError(f"tokens without {KEYS[use.role]!r}", "hand on what clip.tokenize(text) returns")
            chunked[use.role] = [_chunk(one) for one in rows]
        longest = max(len(found) for found in chunked.values())
        filled: dict[Role, list[Chunk]] = {
            role: [*found, *[()] * (longest - len(found))] for role, found in chunked.items()
        }
        return conditioning_to_foreign(encode_chunks(self.ours, filled))


def _row(chunk: Chunk, role: Role) -> list[tuple[Any, ...]]:
    """A chunk between its marks, filled up to 77."""
    marked = row([token.token if isinstance(token.token, int) else 0 for token in chunk], ROLE_FACTS[role].padding)
    pairs: list[tuple[Any, ...]] = [(token, 1.0) for token in marked]
    pairs[1 : 1 + len(chunk)] = [(token.token, token.weight) for token in chunk]
    return pairs


def _numbered(pairs: Sequence[tuple[Any, ...]], numbers: Sequence[int]) -> list[tuple[Any, ...]]:
    """A row with the numbers of words; its marks and what fills it up belong to word 0."""
    filled = [0, *numbers, *[0] * (len(pairs) - 1 - len(numbers))]
    return [(*pair, number) for pair, number in zip(pairs, filled, strict=True)]


def _word_numbers(found: Sequence[Chunk]) -> Iterator[list[int]]:
    """For each chunk, to which word its tokens belong, counted from 1 through all chunks.

    A word is what a prompt weighs as one: tokens side by side of the same weight, or vectors of an embedding.
    """
    number, before = 0, None
    for chunk in found:
        numbers: list[int] = []
        for token in chunk:
            kind = (token.weight, isinstance(token.token, int))
            if kind != before:
                number, before = number + 1, kind
            numbers.append(number)
        yield numbers


def _chunk(found: Sequence[Sequence[Any]]) -> Chunk:
    """What lies between the marks of a row."""
    tokens: list[WeightedToken] = []
    for token, weight, *_ in found[1:]:
        if not isinstance(token, Tensor) and token == END_TOKEN:
            break
        tokens.append(WeightedToken(token, float(weight)))
    return tuple(tokens)
