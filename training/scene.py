"""What a training picture shows: kinds, colors, counts, sizes, places, backdrops and styles, drawn by lot."""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

Rgb = tuple[int, int, int]

PALETTE: Mapping[str, Rgb] = {
    "red": (218, 32, 38),
    "orange": (248, 140, 20),
    "yellow": (250, 218, 40),
    "green": (34, 150, 62),
    "blue": (32, 84, 214),
    "purple": (128, 44, 168),
    "pink": (250, 150, 190),
    "brown": (122, 74, 36),
    "black": (22, 22, 26),
    "white": (246, 246, 242),
}
COLORS = tuple(PALETTE)
SHAPES = ("circle", "square", "triangle", "star", "heart")
THINGS = ("cat", "fish", "tree", "house", "boat", "car", "flower", "balloon", "mushroom")
KINDS = SHAPES + THINGS
SIZES = ("small", "medium", "large")
PLACES = ("left", "center", "right")
SKIES = ("day", "sunset", "night")
GROUNDS = ("grass", "sand", "snow", "sea")
EXTRAS = ("sun", "moon", "clouds", "mountains")
STYLES = ("flat", "line", "pixel")
FLOATING = frozenset({"balloon", *SHAPES})
SWIMMING = frozenset({"boat", "fish"})


@dataclass(frozen=True)
class Group:
    """One to three like objects."""

    kind: str
    color: str
    count: int
    size: str
    place: str


@dataclass(frozen=True)
class Landscape:
    """A sky over a ground, with what may be seen in the distance."""

    sky: str
    ground: str
    extras: frozenset[str]


@dataclass(frozen=True)
class Scene:
    """Everything a caption may say of a picture; `backdrop` is the name of a color or a landscape."""

    groups: tuple[Group, ...]
    backdrop: str | Landscape
    style: str


def slots() -> dict[str, tuple[str, ...]]:
    """Name every attribute and its values; index 0 of each means absent, or not stated."""
    table: dict[str, tuple[str, ...]] = {}
    for kind in KINDS:
        table[f"{kind}.count"] = ("none", "1", "2", "3")
        table[f"{kind}.color"] = ("none", *COLORS)
        table[f"{kind}.size"] = ("none", *SIZES)
        table[f"{kind}.place"] = ("none", *PLACES)
    table["background"] = ("none", *COLORS)
    table["sky"] = ("none", *SKIES)
    table["ground"] = ("none", *GROUNDS)
    for extra in EXTRAS:
        table[extra] = ("none", "shown")
    table["style"] = ("none", *STYLES)
    return table


def attributes(scene: Scene) -> dict[str, str]:
    """Tell the value of every slot that the scene fills."""
    values = {"style": scene.style}
    for group in scene.groups:
        values[f"{group.kind}.count"] = str(group.count)
        values[f"{group.kind}.color"] = group.color
        values[f"{group.kind}.size"] = group.size
        values[f"{group.kind}.place"] = group.place
    if isinstance(scene.backdrop, Landscape):
        values["sky"] = scene.backdrop.sky
        values["ground"] = scene.backdrop.ground
        values.update(dict.fromkeys(scene.backdrop.extras, "shown"))
    else:
        values["background"] = scene.backdrop
    return values


def sample_scene(rng: Random) -> Scene:
    """Draw a scene by lot; styles that lose detail show one thing on plain paper."""
    style = rng.choices(STYLES, (0.76, 0.13, 0.11))[0]
    if style == "line":
        size = rng.choice(("medium", "large"))
        color = _other_color(rng, {"white", "yellow"})
        return Scene((Group(_kind(rng, KINDS), color, rng.choice((1, 1, 2)), size, "center"),), "white", style)
    if style == "pixel":
        backdrop = rng.choice(COLORS)
        group = Group(_kind(rng, KINDS), _other_color(rng, {backdrop}), 1, "large", "center")
        return Scene((group,), backdrop, style)
    if rng.random() < 0.55:
        backdrop = rng.choice(COLORS)
        return Scene(_groups(rng, {backdrop}, KINDS), backdrop, style)
    landscape = _landscape(rng)
    forbidden = {"snow": {"white"}, "sea": {"blue"}, "grass": {"green"}, "sand": {"yellow"}}[landscape.ground]
    forbidden = forbidden | ({"black"} if landscape.sky == "night" else set())
    kinds = SHAPES + tuple(k for k in THINGS if k == "balloon" or (k in SWIMMING) == (landscape.ground == "sea"))
    return Scene(_groups(rng, forbidden, kinds, stacks=False), landscape, style)


def _landscape(rng: Random) -> Landscape:
    sky = rng.choices(SKIES, (0.5, 0.25, 0.25))[0]
    extras: set[str] = set()
    if rng.random() < 0.45:
        extras.add("moon" if sky == "night" else "sun")
    if sky == "day" and rng.random() < 0.3:
        extras.add("clouds")
    if rng.random() < 0.2:
        extras.add("mountains")
    return Landscape(sky, rng.choice(GROUNDS), frozenset(extras))


def _groups(rng: Random, forbidden: set[str], kinds: tuple[str, ...], stacks: bool = True) -> tuple[Group, ...]:
    if rng.random() < 0.68:
        return _one_group(rng, forbidden, kinds)
    left_kind = _kind(rng, kinds)
    right_kind = _kind(rng, tuple(kind for kind in kinds if kind != left_kind))
    left_count, right_count = rng.choices(((1, 1), (2, 1), (1, 2)), (0.7, 0.15, 0.15))[0] if stacks else (1, 1)
    left_size, right_size = ("medium", "medium")
    if left_count == right_count == 1 and rng.random() < 0.4:
        left_size, right_size = rng.choice((("small", "large"), ("large", "small")))
    return (
        Group(left_kind, _natural_color(rng, left_kind, forbidden), left_count, left_size, "left"),
        Group(right_kind, _natural_color(rng, right_kind, forbidden), right_count, right_size, "right"),
    )


def _one_group(rng: Random, forbidden: set[str], kinds: tuple[str, ...]) -> tuple[Group, ...]:
    kind = _kind(rng, kinds)
    count = rng.choices((1, 2, 3), (0.6, 0.2, 0.2))[0]
    size = "medium" if count == 3 else rng.choices(SIZES, (0.25, 0.4, 0.35))[0]
    place = "center"
    if count == 1 and size != "large":
        place = rng.choices(PLACES, (0.22, 0.56, 0.22))[0]
    return (Group(kind, _natural_color(rng, kind, forbidden), count, size, place),)


def _kind(rng: Random, kinds: tuple[str, ...]) -> str:
    return rng.choice(kinds)


def _natural_color(rng: Random, kind: str, forbidden: set[str]) -> str:
    """Color a tree green more often than not, so that a tree of no stated color is green."""
    if kind == "tree" and "green" not in forbidden and rng.random() < 0.5:
        return "green"
    return _other_color(rng, forbidden)


def _other_color(rng: Random, forbidden: set[str]) -> str:
    return rng.choice([color for color in COLORS if color not in forbidden])
