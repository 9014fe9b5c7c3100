"""Encodes prompts of any length: weighted tokens in chunks of 77, each chunk on its own, joined on the token axis."""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from models.conditioning import Cond, Conditioning
from models.memory import explained_out_of_memory
from models.text.clip import ClipText, Encoded, Given
from models.text.encoders import ROLE_FACTS, EncoderUse, Role
from models.text.prompt import Span, pieces_of, weighted_spans
from models.text.tokenizer import END_TOKEN, START_TOKEN
from models.types import Clip

CHUNK = 77
ROOM = CHUNK - 2
"""Tokens of a chunk between the one that marks its start and the one that marks its end."""

CUTTABLE = 8
"""A span of at least so many tokens may be cut at the end of a chunk; a shorter one moves to the next as a whole."""

ROWS_AT_ONCE = 32

Warn = Callable[[str], None]
"""Is told in a sentence what of a prompt was left out."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class WeightedToken:
    """A token, or a vector (width,) in place of one, and how strongly it is to be heard."""

    token: int | Tensor
    weight: float = 1.0


Chunk = tuple[WeightedToken, ...]
"""What lies between the marks of one row: at most 75 tokens."""


def encode_prompt(clip: Clip, text: str | Mapping[Role, str], warn: Warn = log.warning) -> Conditioning:
    """Encodes a prompt to features (1, 77·chunks, width) and the pooled output of the first chunk, float32 on the CPU.

    A text may be given for each encoder; those of fewer chunks are then filled up with empty ones. The features of
    several encoders are joined on channels, and the pooled output is that of the last. `warn` is told of embeddings
    that are missing or do not fit. Raises PromptError and ModelFileError.
    """
    texts: dict[Role, str] = {use.role: text if isinstance(text, str) else text[use.role] for use in clip.uses}
    chunked: dict[Role, list[Chunk]] = {role: chunks(clip, of_role, role, warn) for role, of_role in texts.items()}
    if not isinstance(text, str):
        longest = max(map(len, chunked.values()))
        chunked = {role: [*found, *[()] * (longest - len(found))] for role, found in chunked.items()}
    return encode_chunks(clip, chunked, warn)


def encode_chunks(clip: Clip, chunked: Mapping[Role, Sequence[Chunk]], warn: Warn = log.warning) -> Conditioning:
    """Encodes tokens as `encode_prompt` does; each encoder has one chunk at least."""
    with explained_out_of_memory("encoding the prompt"), clip.encoder.on_device(clip.weights) as encoders:
        encoded = [_Encoder(encoders.of(use.role), use, clip, warn).features(chunked[use.role]) for use in clip.uses]
    length = min(one.hidden.shape[1] for one in encoded)
    context = torch.cat([one.hidden[:, :length] for one in encoded], dim=-1)
    return (Cond(context, encoded[-1].pooled),)


def chunks(clip: Clip, prompt: str, role: Role, warn: Warn = log.warning) -> list[Chunk]:
    """Returns the prompt's tokens for one encoder in chunks; an empty prompt is one empty chunk."""
    spans = [tokens for span in weighted_spans(prompt) for tokens in _tokens(clip, span, role, warn)]
    return pack(spans)


def _tokens(clip: Clip, span: Span, role: Role, warn: Warn) -> Iterator[list[WeightedToken]]:
    """The tokens of a span, which embeddings in it cut into several; the vectors of one stay together."""
    for piece in pieces_of(span.text):
        text = piece.text
        if piece.embedding is not None:
            vectors, commas = _vectors(clip, piece.embedding, role, warn)
            yield [WeightedToken(vector, span.weight) for vector in vectors]
            text = f"{commas} {text}"
        yield [WeightedToken(token, span.weight) for token in clip.tokenizer.tokens(text)]


def _vectors(clip: Clip, name: str, role: Role, warn: Warn) -> tuple[Sequence[Tensor], str]:
    """The vectors of an embedding, and commas that stood behind its name without being part of it."""
    stripped = name.rstrip(",")
    for candidate in dict.fromkeys((name, stripped)):
        if (found := clip.embeddings.vectors(candidate, role)) is not None:
            return list(found), name[len(candidate) :]
    warn(f"There is no embedding named {stripped[:80]!r}: it was left out of the prompt.")
    return (), name[len(stripped) :]


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


def row(tokens: Sequence[int], padding: int = END_TOKEN) -> list[int]:
    """Returns the tokens between their marks, filled up to 77."""
    return [START_TOKEN, *tokens, END_TOKEN, *[padding] * (ROOM - len(tokens))]


@dataclass(frozen=True)
class _Encoder:
    """One text encoder of a bundle at work."""

    network: ClipText
    use: EncoderUse
    clip: Clip
    warn: Warn

    def features(self, found: Sequence[Chunk]) -> Encoded:
        """The features of all chunks (1, 77·chunks, width) and the pooled output of the first.

        Where a weight w is not 1 the features move away from or toward those of an empty prompt at the same position:
        z' = (z − z_empty)·w + z_empty.
        """
        weights = torch.tensor(
            [[1.0, *(t.weight for t in chunk), *[1.0] * (CHUNK - 1 - len(chunk))] for chunk in found]
        )
        weighted = bool((weights != 1).any())
        encoded = self._encoded([*found, ()] if weighted else found)
        hidden = encoded.hidden[: len(found)]
        if weighted:
            empty, w = encoded.hidden[-1], weights[..., None]
            hidden = torch.where(w == 1, hidden, (hidden - empty) * w + empty)
        return Encoded(hidden.reshape(1, -1, hidden.shape[-1]), encoded.pooled[:1])

    def _encoded(self, found: Sequence[Chunk]) -> Encoded:
        starts = range(0, len(found), ROWS_AT_ONCE)
        parts = [self._encoded_at_once(found[start : start + ROWS_AT_ONCE]) for start in starts]
        return Encoded(torch.cat([part.hidden for part in parts]), torch.cat([part.pooled for part in parts]))

    def _encoded_at_once(self, found: Sequence[Chunk]) -> Encoded:
        rows: list[list[int]] = []
        given: list[Given] = []
        for number, chunk in enumerate(found):
            tokens = self._fitting(chunk)
            given += [
                Given(number, position, token)
                for position, token in enumerate(tokens, start=1)
                if isinstance(token, Tensor)
            ]
            ids = [0 if isinstance(token, Tensor) else token for token in tokens]
            rows.append(row(ids, ROLE_FACTS[self.use.role].padding))
        layer = self.use.layer if self.clip.layer is None else self.clip.layer
        device = self.clip.encoder.device
        encoded = self.network(torch.tensor(rows, device=device), layer, self.use.final_norm, given)
        return Encoded(encoded.hidden.float().cpu(), encoded.pooled.float().cpu())

    def _fitting(self, chunk: Chunk) -> list[int | Tensor]:
        """The tokens of a chunk without vectors of another width; as in ComfyUI, the weights stay in their places."""
        width = self.network.config.width
        others = {len(t.token) for t in chunk if isinstance(t.token, Tensor) and len(t.token) != width}
        for other in others:
            self.warn(
                f"An embedding is {other} numbers wide, and {ROLE_FACTS[self.use.role].title} takes {width}: "
                "it was made for another family of models and left out there."
            )
        return [t.token for t in chunk if not isinstance(t.token, Tensor) or len(t.token) == width]
