"""Textual inversion: files of every kind, where their vectors stand in a prompt, and what of them is left out."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from models.loading.families import SD1
from models.loading.header import ModelFileError
from models.text.embeddings import Embeddings
from models.text.encode import chunks, encode_prompt
from models.types import Clip
from tests.models.tiny_families import text_encoders

VECTORS = torch.arange(128.0).reshape(2, 64)
OTHER = torch.ones(1, 64)

SAFETENSORS: dict[str, dict[str, Tensor]] = {
    "automatic1111": {"emb_params": VECTORS},
    "diffusers": {"<my-cat>": VECTORS},
    "two encoders": {"clip_g": OTHER, "clip_l": VECTORS},
    "half precision": {"emb_params": VECTORS.half()},
}
PICKLED: dict[str, Any] = {
    "automatic1111": {"string_to_token": {"*": 265}, "string_to_param": {"*": VECTORS}, "name": "cat", "step": 7},
    "a parameter": {"string_to_param": {"*": torch.nn.Parameter(VECTORS)}},
    "diffusers": {"<my-cat>": VECTORS},
    "one vector": {"<my-cat>": VECTORS[0]},
    "a list": [{"x": VECTORS[:1]}, {"x": VECTORS[1:]}],
    "a bundle": {"unet": OTHER, "bundle_emb.cat.string_to_param.*": VECTORS},
}


def from_file(path: Path) -> Embeddings:
    return Embeddings(lambda name: path if name == "cat" else None)


@pytest.mark.parametrize("content", SAFETENSORS.values(), ids=SAFETENSORS)
def test_the_vectors_of_a_safetensors_file_are_found(content: dict[str, Tensor], tmp_path: Path) -> None:
    save_file(content, tmp_path / "cat.safetensors")
    found = from_file(tmp_path / "cat.safetensors").vectors("cat", "clip_l")
    assert found is not None
    assert torch.equal(found, VECTORS)


@pytest.mark.parametrize("content", PICKLED.values(), ids=PICKLED)
def test_the_vectors_of_a_file_of_torch_are_found(content: Any, tmp_path: Path) -> None:
    torch.save(content, tmp_path / "cat.pt")
    found = from_file(tmp_path / "cat.pt").vectors("cat", "clip_l")
    assert found is not None
    assert torch.equal(found, VECTORS[: len(found)])


class Evil:
    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return print, ("run",)


BAD: dict[str, tuple[Any, str]] = {
    "code": ({"string_to_param": {"*": VECTORS}, "x": Evil()}, "more than tensors"),
    "no vectors": ({"name": "cat"}, "does not hold vectors"),
    "nothing": ({}, "does not hold vectors"),
    "a picture": ({"x": torch.ones(3, 4, 5)}, r"the shape \[3, 4, 5\]"),
    "no number": ({"x": VECTORS / 0}, "infinite or not a number"),
}


@pytest.mark.parametrize(("content", "why"), BAD.values(), ids=BAD)
def test_a_file_that_holds_something_else_is_refused(
    content: Any, why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.save(content, tmp_path / "cat.pt")
    with pytest.raises(ModelFileError, match=f"the embedding 'cat' cannot be used: .*{why}"):
        from_file(tmp_path / "cat.pt").vectors("cat", "clip_l")
    assert "run" not in capsys.readouterr().out


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    """A text encoder, 64 wide, with embeddings `cat` that fits and `wide` that does not."""
    folder = tmp_path_factory.mktemp("embeddings")
    save_file({"x": VECTORS * 0.01}, folder / "cat.safetensors")
    save_file({"x": torch.ones(3, 128)}, folder / "wide.safetensors")
    paths = {name: folder / f"{name}.safetensors" for name in ("cat", "wide")}
    return replace(text_encoders(SD1), embeddings=Embeddings(paths.get))


def tokens(clip: Clip, prompt: str, warnings: list[str] | None = None) -> list[tuple[str, float]]:
    """What stands in the first chunk: V for a vector."""
    warn = (lambda text: None) if warnings is None else warnings.append
    [chunk] = chunks(clip, prompt, "clip_l", warn)
    return [("V" if isinstance(t.token, Tensor) else str(t.token), t.weight) for t in chunk]


def test_vectors_stand_among_the_tokens_with_the_weight_of_their_span(clip: Clip) -> None:
    assert tokens(clip, "a (embedding:cat:1.5) a") == [("320", 1.0), ("V", 1.5), ("V", 1.5), ("320", 1.0)]


def test_a_comma_behind_the_name_is_text(clip: Clip) -> None:
    assert [token for token, _ in tokens(clip, "embedding:cat, a")] == ["V", "V", "267", "320"]


def test_the_vectors_of_an_embedding_stay_together(clip: Clip) -> None:
    first, second = chunks(clip, "cat " * 74 + "embedding:cat", "clip_l")
    assert (len(first), len(second)) == (74, 2)


def test_an_embedding_that_is_not_there_is_left_out_and_told(clip: Clip) -> None:
    warnings: list[str] = []
    assert [token for token, _ in tokens(clip, "a embedding:dog, a", warnings)] == ["320", "267", "320"]
    assert warnings == ["There is no embedding named 'dog': it was left out of the prompt."]


def test_the_encoder_hears_the_vectors_in_place_of_tokens(clip: Clip) -> None:
    with clip.encoder.on_device() as encoders:
        words = encoders.of("clip_l").text_model.embeddings.token_embedding.weight
    embeddings = Embeddings(lambda name: None)
    as_words = replace(clip, embeddings=embeddings)
    stand_in = words[[320, 2368]].clone()
    object.__setattr__(embeddings, "vectors", lambda name, role: stand_in)
    [cond] = encode_prompt(as_words, "embedding:x photo")
    [expected] = encode_prompt(clip, "a cat photo")
    torch.testing.assert_close(cond.context, expected.context)
    torch.testing.assert_close(cond.pooled, expected.pooled)


def test_vectors_of_another_width_are_left_out_and_told_and_the_weights_stay_in_their_places(clip: Clip) -> None:
    warnings: list[str] = []
    [cond] = encode_prompt(clip, "embedding:wide (photo:1.5) cat", warnings.append)
    [plain] = encode_prompt(clip, "photo cat")
    [empty] = encode_prompt(clip, "")
    assert len(warnings) == 1
    assert "128 numbers wide, and CLIP-L takes 64" in warnings[0]
    # three vectors are gone, so that the weight of the fourth token falls on padding
    weighted = (plain.context[:, 4] - empty.context[:, 4]) * 1.5 + empty.context[:, 4]
    torch.testing.assert_close(cond.context[:, :4], plain.context[:, :4])
    torch.testing.assert_close(cond.context[:, 4], weighted)
