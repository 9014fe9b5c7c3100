"""Draws a scene as a picture: uint8 RGB arrays of a square side, antialiased by drawing larger."""

from math import ceil
from random import Random

import numpy as np
from PIL import Image, ImageDraw

from training.objects import Brush, painters
from training.scene import FLOATING, PALETTE, SWIMMING, Group, Landscape, Rgb, Scene

SUPERSAMPLING = 3
CELLS = 16
WIDE = frozenset({"triangle", "star", "fish", "house", "car"})
PAPER: Rgb = (250, 250, 246)
HORIZON = 0.62
SKY_COLORS: dict[str, Rgb] = {"day": (150, 208, 246), "night": (22, 26, 74)}
SUNSET: tuple[Rgb, Rgb] = ((150, 84, 160), (255, 176, 92))
GROUND_COLORS: dict[str, Rgb] = {
    "grass": (140, 200, 84),
    "sand": (236, 212, 150),
    "snow": (238, 243, 250),
    "sea": (36, 122, 190),
}
NIGHT_DIM = (0.55, 0.6, 0.78)
SINGLE_SCALE = {"small": 0.3, "medium": 0.5, "large": 0.76}
PAIR_SCALE = {"small": 0.27, "medium": 0.36, "large": 0.43}
TRIPLE_SCALE = 0.28


def render(scene: Scene, side: int, rng: Random) -> np.ndarray:
    """Draw the scene as a (side, side, 3) uint8 array; `rng` moves and tints what the scene leaves open."""
    pixels = side * SUPERSAMPLING
    image = Image.new("RGB", (pixels, pixels))
    _draw_backdrop(image, scene, rng)
    draw = ImageDraw.Draw(image)
    table = painters()
    for group, x, y, scale in placements(scene, rng):
        color = _tint(PALETTE[group.color], rng)
        brush = Brush(
            draw,
            x * pixels,
            y * pixels,
            scale * pixels,
            outline=color if scene.style == "line" else None,
            paper=PAPER,
            line_width=ceil(pixels * 0.028),
        )
        table[group.kind](brush, color)
    if scene.style == "pixel":
        return _pixelate(image, side)
    return np.asarray(image.resize((side, side), Image.Resampling.BOX))


def placements(scene: Scene, rng: Random) -> list[tuple[Group, float, float, float]]:
    """Place every object: its group, center x and y, and scale, in units of the picture's side."""
    if len(scene.groups) == 1:
        return _place_single(scene, rng)
    placed: list[tuple[Group, float, float, float]] = []
    for group in scene.groups:
        middle = 0.27 if group.place == "left" else 0.73
        if group.count == 1:
            scale = {"small": 0.27, "medium": 0.39, "large": 0.47}[group.size] * rng.uniform(0.95, 1.05)
            x = middle + rng.uniform(-0.015, 0.015)
            placed.append((group, x, _height(scene, group, scale, rng), scale))
            continue
        scale = 0.28 * rng.uniform(0.97, 1.03)
        middle = 0.3 if group.place == "left" else 0.7
        y = _height(scene, group, scale, rng)
        for offset in (-0.17, 0.17):
            placed.append((group, middle, y + offset + 0.01, scale))
    return placed


def _place_single(scene: Scene, rng: Random) -> list[tuple[Group, float, float, float]]:
    group = scene.groups[0]
    wobble = rng.uniform(0.95, 1.05)
    if group.count == 1:
        largest = 0.7 if isinstance(scene.backdrop, Landscape) else 0.76
        scale = min(SINGLE_SCALE[group.size], largest) * wobble
        if scene.style == "pixel":
            scale = 0.82
        reach = 0.02 if group.size == "large" else 0.05
        x = {"left": 0.29, "center": 0.5, "right": 0.71}[group.place] + rng.uniform(-reach, reach) * 0.7
        return [(group, x, _height(scene, group, scale, rng), scale)]
    scale = (PAIR_SCALE[group.size] if group.count == 2 else TRIPLE_SCALE) * wobble
    scale *= 0.93 if group.kind in WIDE else 1.0
    y = _height(scene, group, scale, rng)
    spacing = {"small": 0.4, "medium": 0.45, "large": 0.49}[group.size] if group.count == 2 else 0.325
    first = 0.5 - spacing * (group.count - 1) / 2
    return [(group, first + i * spacing, y, scale) for i in range(group.count)]


def _height(scene: Scene, group: Group, scale: float, rng: Random) -> float:
    """Choose the center's y: standing on the ground, floating above it, or in the middle of a plain backdrop."""
    if not isinstance(scene.backdrop, Landscape):
        return 0.5 + rng.uniform(-0.03, 0.03)
    if group.kind in SWIMMING:
        return min(0.8, 0.94 - scale / 2) + rng.uniform(-0.02, 0.02)
    if group.kind in FLOATING:
        return 0.48 + rng.uniform(-0.03, 0.03)
    return 0.92 - scale / 2 + rng.uniform(-0.02, 0.02)


def _tint(color: Rgb, rng: Random) -> Rgb:
    shift = rng.randint(-7, 7)
    red, green, blue = (max(0, min(255, part + shift)) for part in color)
    return (red, green, blue)


def _draw_backdrop(image: Image.Image, scene: Scene, rng: Random) -> None:
    if scene.style == "line":
        image.paste(PAPER, (0, 0, *image.size))
    elif isinstance(scene.backdrop, Landscape):
        _draw_landscape(image, scene.backdrop, rng)
    else:
        image.paste(_tint(PALETTE[scene.backdrop], rng), (0, 0, *image.size))


def _draw_landscape(image: Image.Image, landscape: Landscape, rng: Random) -> None:
    pixels = image.width
    horizon = round((HORIZON + rng.uniform(-0.02, 0.02)) * pixels)
    sky_color = SKY_COLORS.get(landscape.sky, SUNSET[0])
    if landscape.sky == "sunset":
        ramp = np.linspace(0, 1, horizon)[:, None] * (np.array(SUNSET[1]) - np.array(SUNSET[0])) + np.array(SUNSET[0])
        rows = np.repeat(ramp[:, None, :], pixels, axis=1).astype(np.uint8)
        image.paste(Image.fromarray(rows), (0, 0))
    else:
        image.paste(sky_color, (0, 0, pixels, horizon))
    draw = ImageDraw.Draw(image)
    corner = rng.choice((0.15, 0.85))
    if "sun" in landscape.extras:
        _disc(draw, pixels, corner, 0.15, 0.1, (255, 226, 60) if landscape.sky == "day" else (255, 236, 130))
    if "moon" in landscape.extras:
        _disc(draw, pixels, corner, 0.15, 0.1, (246, 242, 214))
        _disc(draw, pixels, corner + 0.055, 0.125, 0.085, sky_color)
    if "clouds" in landscape.extras:
        _draw_cloud(draw, pixels, 1 - corner, 0.17)
    if "mountains" in landscape.extras:
        _draw_mountains(draw, pixels, horizon)
    ground = GROUND_COLORS[landscape.ground]
    if landscape.sky == "night":
        red, green, blue = (int(part * dim) for part, dim in zip(ground, NIGHT_DIM, strict=True))
        ground = (red, green, blue)
    draw.rectangle((0, horizon, pixels, pixels), fill=ground)


def _disc(draw: ImageDraw.ImageDraw, pixels: int, x: float, y: float, radius: float, color: Rgb) -> None:
    draw.ellipse([(x - radius) * pixels, (y - radius) * pixels, (x + radius) * pixels, (y + radius) * pixels], color)


def _draw_cloud(draw: ImageDraw.ImageDraw, pixels: int, x: float, y: float) -> None:
    for dx, dy, radius in ((-0.1, 0.02, 0.06), (0.0, -0.02, 0.085), (0.1, 0.02, 0.06)):
        _disc(draw, pixels, x + dx, y + dy, radius, (252, 252, 252))


def _draw_mountains(draw: ImageDraw.ImageDraw, pixels: int, horizon: int) -> None:
    for x, height, half, color in ((0.25, 0.34, 0.34, (112, 112, 140)), (0.74, 0.42, 0.4, (92, 94, 124))):
        top = horizon - height * pixels
        draw.polygon([(x * pixels, top), ((x + half) * pixels, horizon), ((x - half) * pixels, horizon)], fill=color)
        cap = 0.3
        draw.polygon(
            [
                (x * pixels, top),
                ((x + half * cap) * pixels, top + height * cap * pixels),
                ((x - half * cap) * pixels, top + height * cap * pixels),
            ],
            fill=(244, 246, 250),
        )


def _pixelate(image: Image.Image, side: int) -> np.ndarray:
    """Reduce a picture to CELLS square cells a side, each of the color at its middle."""
    pixels = np.asarray(image)
    middles = (np.arange(CELLS) + 0.5) * pixels.shape[0] / CELLS
    cells = pixels[np.ix_(middles.astype(int), middles.astype(int))]
    return cells.repeat(side // CELLS, axis=0).repeat(side // CELLS, axis=1)
