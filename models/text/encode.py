"""Encodes prompts of any length: weighted tokens in chunks of 77, each chunk on its own, joined on the token axis."""

from collections.abc import Iterable
from dataclasses import dataclass

import torch

from models.conditioning import Cond, Conditioning
from models.memory import explained_out_of_memory
from models.text.clip import ClipText, Encoded
from models.text.prompt import weighted_spans
from models.text.tokenizer import END_TOKEN, START_TOKEN, Tokenizer
from models.types import Clip

CHUNK = 77
ROOM = CHUNK - 2
"""Tokens of a chunk between the one that marks its start and the one that marks its end."""

CUTTABLE = 8
"""A span of at least so many tokens may be cut at the end of a chunk; a shorter one moves to the next as a whole."""

ROWS_AT_ONCE = 32


@dataclass(frozen=True)
class WeightedToken:
    """A token and how strongly it is to be heard."""

    token: int
    weight: float = 1.0


Chunk = tuple[WeightedToken, ...]
"""What lies between the marks of one row: at most 75 tokens."""


def chunks(tokenizer: Tokenizer, prompt: str) -> list[Chunk]:
    """Returns the prompt's tokens in chunks; an empty prompt is one empty chunk."""
    spans = [
        [WeightedToken(token, span.weight) for token in tokenizer.tokens(span.text)] for span in weighted_spans(prompt)
    ]
    return pack(spans)


def pack(spans: Iterable[list[WeightedToken]]) -> list[Chunk]:
    """Fills chunks with spans, in order."""
    done: list[Chunk] = []
    current: list[WeightedToken] = []
    for span in spans:
        cuttable = len(span) >= CUTTABLE
        while len(current) + len(span) > ROOM:
            taken = ROOM - len(current) if cuttable else 0
            done.append((*current, *span[:taken]))
            current, span = [], span[taken:]
        current += span
    return [*done, tuple(current)]


def encode_prompt(clip: Clip, text: str) -> Conditioning:
    """Encodes a prompt to features (1, 77·chunks, width) and the pooled output of the first chunk, float32 on the CPU.

    Where a weight w is not 1 the features move away from or toward those of an empty prompt at the same position:
    z' = (z − z_empty)·w + z_empty.
    """
    found = chunks(clip.tokenizer, text)
    weights = torch.tensor([[1.0, *(t.weight for t in chunk), *[1.0] * (CHUNK - 1 - len(chunk))] for chunk in found])
    weighted = bool((weights != 1).any())
    rows = [row([t.token for t in chunk]) for chunk in found]
    encoded = _encode_rows(clip, [*rows, row([])] if weighted else rows)
    hidden = encoded.hidden[: len(rows)]
    if weighted:
        empty, w = encoded.hidden[-1], weights[..., None]
        hidden = torch.where(w == 1, hidden, (hidden - empty) * w + empty)
    return (Cond(hidden.reshape(1, -1, hidden.shape[-1]), encoded.pooled[:1]),)


def row(tokens: list[int]) -> list[int]:
    """Returns the tokens between their marks, filled up with end marks to 77."""
    return [START_TOKEN, *tokens, *[END_TOKEN] * (CHUNK - 1 - len(tokens))]


def _encode_rows(clip: Clip, rows: list[list[int]]) -> Encoded:
    with explained_out_of_memory("encoding the prompt"), clip.encoder.on_device(clip.weights) as encoder:
        starts = range(0, len(rows), ROWS_AT_ONCE)
        parts = [_encode_some(clip, encoder, rows[start : start + ROWS_AT_ONCE]) for start in starts]
    return Encoded(torch.cat([part.hidden for part in parts]), torch.cat([part.pooled for part in parts]))


def _encode_some(clip: Clip, encoder: ClipText, rows: list[list[int]]) -> Encoded:
    tokens = torch.tensor(rows, device=clip.encoder.device)
    encoded = encoder(tokens, layer=clip.layer)
    return Encoded(encoded.hidden.float().cpu(), encoded.pooled.float().cpu())
