"""Where the embeddings lie that prompts name."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from models.text.embeddings import Embeddings
from models.text.prompt import PromptError, embeddings_named
from models.types import Clip
from nodes.context import Context
from nodes.files import fingerprint_of
from nodes.paths import Paths

SUFFIXES = ("", ".safetensors", ".pt", ".bin")
"""What may be left out at the end of an embedding's name, in the order in which it is tried."""


@dataclass(frozen=True)
class EmbeddingFiles:
    """Finds files in the embedding folders, by their path there or by their name in any subfolder."""

    paths: Paths

    def __call__(self, name: str) -> Path | None:
        """Returns the file of an embedding, or None."""
        wanted = [name.replace("\\", "/") + suffix for suffix in SUFFIXES]
        present = self.paths.model_files("embeddings")
        direct = next((one for one in wanted if one in present), None)
        found = direct or next((file for one in wanted for file in present if file.endswith(f"/{one}")), None)
        return self.paths.model_file("embeddings", found) if found else None


def with_embeddings(clip: Clip | None, context: Context) -> Clip | None:
    """Returns the text encoder with the embeddings of this worker's folders."""
    return clip and replace(clip, embeddings=Embeddings(EmbeddingFiles(context.paths)))


def fingerprint_of_embeddings(texts: Iterable[str | None], context: Context) -> str:
    """Tells the identity of the files that prompts name, so that a changed one is read again."""
    find = EmbeddingFiles(context.paths)
    names: set[str] = set()
    for text in texts:
        try:
            names |= embeddings_named(text or "")
        except PromptError:  # which the node itself will tell
            continue
    found = {path for name in sorted(names) if (path := find(name))}
    return " ".join(fingerprint_of(path) for path in sorted(found))
