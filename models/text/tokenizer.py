"""CLIP's byte-pair tokens, from the vocabulary shipped with the program."""

from pathlib import Path

from transformers import CLIPTokenizer

START_TOKEN = 49406
END_TOKEN = 49407

VOCABULARY = Path(__file__).parents[2] / "bundled" / "clip_tokenizer"


class Tokenizer:
    """Splits text into CLIP's tokens. Never asks the network."""

    def __init__(self, folder: Path = VOCABULARY) -> None:
        if not (folder / "vocab.json").is_file():
            raise FileNotFoundError(f"CLIP's vocabulary is missing: there is no vocab.json in {folder}")
        self._clip = CLIPTokenizer.from_pretrained(folder, local_files_only=True, model_max_length=1_000_000_000)

    def tokens(self, text: str) -> list[int]:
        """Returns the tokens of a text of any length, without those that mark its start and end."""
        return self._clip(text)["input_ids"][1:-1]
