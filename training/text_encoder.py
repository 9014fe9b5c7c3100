"""Trains the text encoder before any picture is seen: from a caption, tell every attribute that the caption states."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import CLIPTokenizer

from models.text.clip import END_TOKEN, ClipText, ClipTextConfig
from training.captions import Caption, caption, vocabulary
from training.loop import Recipe, Team, Trainer, averaged_weights
from training.scene import Scene, sample_scene, slots
from training.supply import supply

TOKENIZER = Path(__file__).resolve().parent.parent / "bundled" / "clip_tokenizer"
CLIP_VOCABULARY = 49408
POSITIONS = 77
START_TOKEN = 49406
HELD_OUT_SEED = 2_000_000_000


@dataclass(frozen=True)
class TextPlan:
    """What is trained and how; the vocabulary of `config` is the whole of CLIP's."""

    config: ClipTextConfig
    recipe: Recipe
    unknown_words: float = 0.15
    absent_weight: float = 0.3


class Tokens:
    """CLIP's tokens of captions, and the few that our captions use, numbered from 1; 0 is any other token."""

    def __init__(self) -> None:
        self.tokenizer: Any = CLIPTokenizer.from_pretrained(TOKENIZER)
        listed = self.tokenizer(vocabulary(), add_special_tokens=False)["input_ids"]
        self.used = sorted({token for tokens in listed for token in tokens} | {START_TOKEN, END_TOKEN})
        self.compact = torch.zeros(CLIP_VOCABULARY, dtype=torch.long)
        self.compact[self.used] = torch.arange(1, len(self.used) + 1)

    def encode(self, texts: Sequence[str]) -> Tensor:
        """Return CLIP's tokens (b, 77), padded with the end token."""
        return torch.tensor(
            self.tokenizer(list(texts), padding="max_length", truncation=True, max_length=POSITIONS)["input_ids"]
        )


class AttributeReader(nn.Module):
    """The text encoder over the tokens in use, with a linear head that reads all attributes at one position."""

    def __init__(self, config: ClipTextConfig, used: int) -> None:
        super().__init__()
        small = ClipTextConfig(used + 1, config.positions, config.width, config.layers, config.mlp_width)
        self.encoder = ClipText(small)
        self.sizes = [len(values) for values in slots().values()]
        self.heads = nn.Linear(config.width, sum(self.sizes))
        embeddings = self.encoder.text_model.embeddings
        nn.init.normal_(embeddings.token_embedding.weight, std=0.3)
        nn.init.normal_(embeddings.position_embedding.weight, std=0.05)
        with torch.no_grad():
            embeddings.token_embedding.weight[0] = 0

    def features(self, compact: Tensor) -> Tensor:
        """Return the normalized output of the last block, (b, n, width)."""
        model = self.encoder.text_model
        weight = model.embeddings.token_embedding.weight
        known = (compact > 0).unsqueeze(-1)
        x = weight[compact] * known + model.embeddings.position_embedding.weight[: compact.shape[1]]
        return model.final_layer_norm(model.encoder(x)[-1])

    def forward(self, compact: Tensor, positions: Tensor) -> list[Tensor]:
        """Return one tensor of class scores per slot, read at a position of each caption (b,)."""
        read = self.features(compact)[torch.arange(len(compact), device=compact.device), positions]
        return list(self.heads(read).split(self.sizes, dim=1))


def stated_classes(captions: Sequence[Caption]) -> Tensor:
    """Number what each caption states: (b, slots), 0 for what it does not."""
    table = slots()
    return torch.tensor([[table[slot].index(c.stated.get(slot, "none")) for slot in table] for c in captions])


def insert_unknown(tokens: Tensor, rng: Random) -> Tensor:
    """Return one caption's tokens (77,) with one to three words that mean nothing put in somewhere."""
    ids = tokens.tolist()
    for _ in range(rng.randint(1, 3)):
        ids.insert(rng.randint(1, ids.index(END_TOKEN)), rng.randint(1000, 40000))
    return torch.tensor(ids[:POSITIONS])


def caption_batch(plan: TextPlan, team: Team, tokens: Tokens, index: int) -> tuple[Tensor, Tensor]:
    """Draw captions by lot: tokens (b, 77) and the classes they state (b, slots)."""
    rng = Random(f"captions {team.rank} {index}")
    return draw_captions(rng, tokens, team.share(plan.recipe.batch), plan.unknown_words)


def draw_captions(rng: Random, tokens: Tokens, count: int, unknown_words: float) -> tuple[Tensor, Tensor]:
    """Draw so many captions by lot, a share of them with unknown words put in."""
    captions = [caption(_scene(rng), rng) for _ in range(count)]
    encoded = tokens.encode([c.text for c in captions])
    for i in range(count):
        if rng.random() < unknown_words:
            encoded[i] = insert_unknown(encoded[i], rng)
    return encoded, stated_classes(captions)


def _scene(rng: Random) -> Scene:
    """Draw a scene by lot, more often of two groups than pictures are: which word goes with which is the hard part."""
    scene = sample_scene(rng)
    return sample_scene(rng) if len(scene.groups) == 1 and rng.random() < 0.6 else scene


def train_text_encoder(team: Team, plan: TextPlan, path: Path) -> None:
    """Train (or go on training) and save at `path`."""
    torch.manual_seed(1)
    tokens = Tokens()
    network = AttributeReader(plan.config, len(tokens.used)).to(team.device)
    trainer = Trainer(network, plan.recipe, team, path, "text encoder")
    rng = Random(f"positions {team.rank} {trainer.step}")
    batches = supply(partial(caption_batch, plan, team, tokens), trainer.step, team.workers)
    saved = time.monotonic()
    while not trainer.done:
        encoded, classes = next(batches)
        ends = (encoded == END_TOKEN).int().argmax(dim=1)
        length = POSITIONS if trainer.step % 6 == 0 else int(ends.max()) + 3
        beyond = torch.tensor([rng.randint(int(end), length - 1) if rng.random() < 0.5 else int(end) for end in ends])
        compact = tokens.compact[encoded[:, :length]].to(team.device)
        with team.autocast():
            scores = network(compact, beyond.to(team.device))
        loss = stated_loss(scores, classes.to(team.device), plan.absent_weight)
        trainer.update(loss)
        if trainer.step % 50 == 0:
            trainer.report(loss=float(loss.detach()))
        if time.monotonic() - saved > 60:
            trainer.save()
            saved = time.monotonic()
    trainer.save()
    if team.rank == 0:
        exact, single = measure_reading(load_reader(plan, path), tokens, 1000)
        print(f"held-out captions: all attributes right {exact:.1%}, stated attributes right {single:.2%}")


def stated_loss(scores: list[Tensor], classes: Tensor, absent_weight: float) -> Tensor:
    """Sum the cross-entropy over the slots, with less weight on what a caption does not state."""
    total = torch.zeros((), device=classes.device)
    for i, score in enumerate(scores):
        weight = torch.where(classes[:, i] > 0, 1.0, absent_weight)
        total = total + (F.cross_entropy(score.float(), classes[:, i], reduction="none") * weight).mean()
    return total


@torch.no_grad()
def measure_reading(network: AttributeReader, tokens: Tokens, count: int) -> tuple[float, float]:
    """Return, over held-out captions, the share read without error and the share of stated attributes read right."""
    encoded, classes = draw_captions(Random(HELD_OUT_SEED), tokens, count, 0.0)
    ends = (encoded == END_TOKEN).int().argmax(dim=1)
    scores = network(tokens.compact[encoded], ends)
    read = torch.stack([score.argmax(dim=1) for score in scores], dim=1)
    stated = classes > 0
    return float((read == classes).all(dim=1).float().mean()), float((read == classes)[stated].float().mean())


def load_reader(plan: TextPlan, path: Path) -> AttributeReader:
    """Build the trained reader from its save file."""
    network = AttributeReader(plan.config, len(Tokens().used))
    network.load_state_dict(averaged_weights(path))
    return network.eval().requires_grad_(False)


def full_encoder(plan: TextPlan, path: Path) -> ClipText:
    """Return the encoder over all of CLIP's tokens; those never trained on have zero embeddings."""
    reader = load_reader(plan, path)
    encoder = ClipText(plan.config)
    state = reader.encoder.state_dict()
    name = "text_model.embeddings.token_embedding.weight"
    table = torch.zeros(plan.config.vocabulary, plan.config.width)
    used = Tokens().used
    table[used] = state[name][1:]
    encoder.load_state_dict({**state, name: table})
    return encoder.eval().requires_grad_(False)
