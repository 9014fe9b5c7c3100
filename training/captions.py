"""Says a scene in words: many wordings and orders, with parts left out, and what the words state."""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from training.scene import COLORS, Group, Landscape, Scene

NOUNS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "circle": (("circle", "circles"), ("circle", "circles"), ("disc", "discs"), ("ball", "balls")),
    "square": (("square", "squares"), ("square", "squares"), ("box", "boxes")),
    "triangle": (("triangle", "triangles"),),
    "star": (("star", "stars"),),
    "heart": (("heart", "hearts"),),
    "cat": (("cat", "cats"), ("cat", "cats"), ("kitten", "kittens"), ("kitty", "kitties")),
    "fish": (("fish", "fish"),),
    "tree": (("tree", "trees"),),
    "house": (("house", "houses"), ("house", "houses"), ("cottage", "cottages"), ("home", "homes")),
    "boat": (("boat", "boats"), ("boat", "boats"), ("sailboat", "sailboats"), ("ship", "ships")),
    "car": (("car", "cars"),),
    "flower": (("flower", "flowers"), ("flower", "flowers"), ("blossom", "blossoms")),
    "balloon": (("balloon", "balloons"),),
    "mushroom": (("mushroom", "mushrooms"), ("mushroom", "mushrooms"), ("toadstool", "toadstools")),
}
NUMBERS = {1: ("a", "a", "a", "one", "the"), 2: ("two", "two", "2", "a pair of"), 3: ("three", "three", "3")}
SIZE_WORDS = {"small": ("small", "small", "tiny", "little"), "large": ("large", "large", "big", "big", "huge", "giant")}
PREFIXES = {
    "flat": (
        *("",) * 8,
        "a picture of ",
        "picture of ",
        "an image of ",
        "a drawing of ",
        "drawing of ",
        "a painting of ",
        "a photo of ",
        "an illustration of ",
        "there is ",
    ),
    "line": (
        "a line drawing of ",
        "line drawing of ",
        "a line art of ",
        "a sketch of ",
        "an outline of ",
        "line art, ",
    ),
    "pixel": ("pixel art of ", "a pixel art of ", "pixel art, ", "pixelated ", "8-bit "),
}
SUFFIXES = {
    "line": (", line drawing", ", line art", ", sketch", ", outline"),
    "pixel": (", pixel art", " in pixel art style", ", 8-bit", ", pixelated"),
}
PRAISE = ("beautiful", "cute", "nice", "high quality", "best quality", "masterpiece", "detailed", "simple", "colorful")
PLACE_WORDS = {
    "left": (" on the left", " on the left side", " at the left", " to the left"),
    "center": (" in the middle", " in the center"),
    "right": (" on the right", " on the right side", " at the right", " to the right"),
}
PLAIN_WORDS = (
    "on a {} background",
    "on a {} background",
    "against a {} background",
    "with a {} background",
    "in front of a {} background",
    "on {}",
    "background is {}",
    "over a plain {} background",
)
SKY_WORDS = {
    "day": ("under a blue sky", "during the day", "in daylight", "by day", "in the daytime"),
    "sunset": ("at sunset", "at sunset", "at dusk", "in the evening", "under a sunset sky"),
    "night": ("at night", "at night", "in the night", "under a night sky", "in the dark"),
}
GROUND_WORDS = {
    "grass": ("on the grass", "on grass", "in a meadow", "on a green field", "in a field", "on a lawn"),
    "sand": ("on the sand", "on sand", "on the beach", "on a beach", "in the desert"),
    "snow": ("in the snow", "on snow", "on the snow", "in winter", "in a snowy field"),
    "sea": ("on the sea", "on the water", "in the sea", "in the ocean", "on the ocean", "over the sea"),
}
EXTRA_WORDS = {
    "sun": ("with the sun", "with a yellow sun", "and the sun", "under the sun", "with a sun in the sky"),
    "moon": ("with the moon", "and the moon", "under the moon", "with a moon in the sky", "in moonlight"),
    "clouds": ("with clouds", "and clouds", "with a cloud", "with white clouds", "with a cloudy sky"),
    "mountains": ("with mountains", "in front of mountains", "and mountains", "with mountains in the background"),
}
TAGS = {
    "day": ("blue sky", "day"),
    "sunset": ("sunset", "evening"),
    "night": ("night", "night sky"),
    "grass": ("grass", "meadow"),
    "sand": ("beach", "sand", "desert"),
    "snow": ("snow", "winter"),
    "sea": ("sea", "ocean", "water"),
    "sun": ("sun",),
    "moon": ("moon",),
    "clouds": ("clouds", "cloud"),
    "mountains": ("mountains",),
}


@dataclass(frozen=True)
class Caption:
    """A text and the value of every attribute that it states."""

    text: str
    stated: Mapping[str, str]


def caption(scene: Scene, rng: Random) -> Caption:
    """Say the scene, leaving parts out by lot; counts and unusual styles are always said."""
    stated: dict[str, str] = {}
    tags = rng.random() < 0.18
    subject = _subject(scene, rng, stated, tags)
    surroundings = _surroundings(scene, rng, stated, tags)
    rng.shuffle(surroundings)
    if tags:
        text = ", ".join([subject, *surroundings])
    elif surroundings and rng.random() < 0.15:
        first = surroundings[0].removeprefix("and ").removeprefix("with ")
        text = f"{first}, {' '.join([subject, *surroundings[1:]])}"
    else:
        text = subject
        for words in surroundings:
            text += (", " if rng.random() < 0.25 else " ") + words
    return Caption(_in_style(text, scene.style, rng, stated), stated)


def _subject(scene: Scene, rng: Random, stated: dict[str, str], tags: bool) -> str:
    phrases = [_noun_phrase(group, rng, stated, tags) for group in scene.groups]
    if len(phrases) == 1:
        return phrases[0] + _place_phrase(scene.groups[0], rng, stated)
    left, right = scene.groups
    if rng.random() < 0.5:
        order = rng.random() < 0.5
        joint = rng.choice((" and ", " and ", " next to ", " beside ", " with ")) if not tags else ", "
        return phrases[0 if order else 1] + joint + phrases[1 if order else 0]
    stated[f"{left.kind}.place"] = "left"
    stated[f"{right.kind}.place"] = "right"
    return rng.choice(
        (
            f"{phrases[0]} to the left of {phrases[1]}",
            f"{phrases[0]} left of {phrases[1]}",
            f"{phrases[1]} to the right of {phrases[0]}",
            f"{phrases[1]} right of {phrases[0]}",
            f"{phrases[0]} on the left and {phrases[1]} on the right",
            f"{phrases[1]} on the right and {phrases[0]} on the left",
        )
    )


def _noun_phrase(group: Group, rng: Random, stated: dict[str, str], tags: bool) -> str:
    words: list[str] = []
    stated[f"{group.kind}.count"] = str(group.count)
    if not (group.count == 1 and (tags or rng.random() < 0.1)):
        words.append(rng.choice(NUMBERS[group.count]))
    if group.size in SIZE_WORDS and rng.random() < 0.6:
        words.append(rng.choice(SIZE_WORDS[group.size]))
        stated[f"{group.kind}.size"] = group.size
    if rng.random() < (0.7 if group.kind == "tree" and group.color == "green" else 0.85):
        words.append(group.color)
        stated[f"{group.kind}.color"] = group.color
    singular, plural = rng.choice(NOUNS[group.kind])
    words.append(singular if group.count == 1 else plural)
    if words[0] == "a" and words[1][0] in "aeiou":
        words[0] = "an"
    return " ".join(words)


def _place_phrase(group: Group, rng: Random, stated: dict[str, str]) -> str:
    chance = 0.12 if group.place == "center" else 0.8
    if group.count > 1 or rng.random() > chance:
        return ""
    stated[f"{group.kind}.place"] = group.place
    return rng.choice(PLACE_WORDS[group.place])


def _surroundings(scene: Scene, rng: Random, stated: dict[str, str], tags: bool) -> list[str]:
    if scene.style == "line":
        if rng.random() < 0.2:
            stated["background"] = "white"
            return [rng.choice(("on white paper", "on a white background"))]
        return []
    if not isinstance(scene.backdrop, Landscape):
        if rng.random() < 0.22:
            return []
        stated["background"] = scene.backdrop
        words = "{} background" if tags or rng.random() < 0.1 else rng.choice(PLAIN_WORDS)
        phrase = words.format(scene.backdrop)
        return [phrase.replace(" a orange", " an orange")]
    return _landscape_phrases(scene.backdrop, rng, stated, tags)


def _landscape_phrases(landscape: Landscape, rng: Random, stated: dict[str, str], tags: bool) -> list[str]:
    phrases: list[str] = []
    for slot, value, table in (("sky", landscape.sky, SKY_WORDS), ("ground", landscape.ground, GROUND_WORDS)):
        if rng.random() < 0.8:
            stated[slot] = value
            phrases.append(rng.choice(TAGS[value] if tags else table[value]))
    for extra in sorted(landscape.extras):
        if rng.random() < 0.85:
            stated[extra] = "shown"
            phrases.append(rng.choice(TAGS[extra] if tags else EXTRA_WORDS[extra]))
    return phrases


def _in_style(text: str, style: str, rng: Random, stated: dict[str, str]) -> str:
    if style in SUFFIXES:
        stated["style"] = style
    if style in SUFFIXES and rng.random() < 0.4:
        text += rng.choice(SUFFIXES[style])
    else:
        text = rng.choice(PREFIXES[style]) + text
    if rng.random() < 0.1:
        praise = rng.choice(PRAISE)
        text = f"{text}, {praise}" if rng.random() < 0.6 else f"{praise} {text}"
    return text + ("." if rng.random() < 0.08 else "")


def vocabulary() -> list[str]:
    """List every wording that a caption may contain, for collecting the tokens in use."""
    texts = [word for forms in NOUNS.values() for form in forms for word in form]
    for table in (NUMBERS, SIZE_WORDS, PREFIXES, SUFFIXES, PLACE_WORDS, SKY_WORDS, GROUND_WORDS, EXTRA_WORDS, TAGS):
        texts += [words for choices in table.values() for words in choices]
    texts += [*PRAISE, *COLORS, *PLAIN_WORDS, "an", "on white paper", "and", "next to", "beside", "with", "in", "style"]
    return [*texts, "to the left of", "right of", "on the left and", "on the right", "background", ",", ".", "a an the"]
