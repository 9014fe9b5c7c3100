"""How each kind of thing is drawn: simple, large, flat figures in a unit box around the origin, y pointing down."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import cos, pi, sin

from PIL import ImageDraw

from training.scene import Rgb

Point = tuple[float, float]
WHITE: Rgb = (250, 250, 248)
INK: Rgb = (24, 24, 28)
CREAM: Rgb = (250, 236, 200)
WOOD: Rgb = (110, 66, 32)
LEAF: Rgb = (40, 140, 60)
GLASS: Rgb = (190, 225, 245)


@dataclass(frozen=True)
class Brush:
    """Draws in the unit box of one object; with `outline` set it draws lines of that color on paper."""

    draw: ImageDraw.ImageDraw
    x: float
    y: float
    scale: float
    outline: Rgb | None
    paper: Rgb
    line_width: int

    def _points(self, points: Sequence[Point]) -> list[Point]:
        return [(self.x + px * self.scale, self.y + py * self.scale) for px, py in points]

    def polygon(self, points: Sequence[Point], color: Rgb) -> None:
        """Fill a closed polygon."""
        placed = self._points(points)
        if self.outline is None:
            self.draw.polygon(placed, fill=color)
        else:
            self.draw.polygon(placed, fill=self.paper)
            self.draw.line([*placed, placed[0], placed[1]], fill=self.outline, width=self.line_width, joint="curve")

    def ellipse(self, x: float, y: float, rx: float, ry: float, color: Rgb) -> None:
        """Fill an ellipse around (x, y)."""
        box = self._points([(x - rx, y - ry), (x + rx, y + ry)])
        if self.outline is None:
            self.draw.ellipse(box, fill=color)
        else:
            self.draw.ellipse(box, fill=self.paper, outline=self.outline, width=self.line_width)

    def dot(self, x: float, y: float, radius: float, color: Rgb) -> None:
        """Fill a small disc, such as an eye, in every style."""
        box = self._points([(x - radius, y - radius), (x + radius, y + radius)])
        self.draw.ellipse(box, fill=color if self.outline is None else self.outline)

    def stroke(self, points: Sequence[Point], width: float, color: Rgb) -> None:
        """Draw an open line of a width in units of the box."""
        pixels = max(1, round(width * self.scale)) if self.outline is None else self.line_width
        self.draw.line(
            self._points(points), fill=color if self.outline is None else self.outline, width=pixels, joint="curve"
        )


def shade(color: Rgb, factor: float = 0.68) -> Rgb:
    """Darken a color; a near-black one is lightened, so that the part stays visible."""
    if sum(color) < 120:
        return (88, 88, 96)
    return (int(color[0] * factor), int(color[1] * factor), int(color[2] * factor))


def circle(brush: Brush, color: Rgb) -> None:
    """A disc."""
    brush.ellipse(0, 0, 0.5, 0.5, color)


def square(brush: Brush, color: Rgb) -> None:
    """A square standing on its side."""
    brush.polygon([(-0.45, -0.45), (0.45, -0.45), (0.45, 0.45), (-0.45, 0.45)], color)


def triangle(brush: Brush, color: Rgb) -> None:
    """A triangle pointing up."""
    brush.polygon([(0, -0.5), (0.54, 0.45), (-0.54, 0.45)], color)


def star(brush: Brush, color: Rgb) -> None:
    """A five-pointed star."""
    tips = [(0.56 if i % 2 == 0 else 0.25, -pi / 2 + i * pi / 5) for i in range(10)]
    brush.polygon([(r * cos(a), r * sin(a) + 0.03) for r, a in tips], color)


def heart(brush: Brush, color: Rgb) -> None:
    """A heart, by the usual parametric curve."""
    turns = [2 * pi * i / 60 for i in range(60)]
    curve = [
        (16 * sin(t) ** 3 / 32, -(13 * cos(t) - 5 * cos(2 * t) - 2 * cos(3 * t) - cos(4 * t) + 2.5) / 32) for t in turns
    ]
    brush.polygon(curve, color)


def cat(brush: Brush, color: Rgb) -> None:
    """A sitting cat, seen from the front."""
    eye = (150, 210, 60) if sum(color) < 400 else INK
    brush.stroke([(0.16, 0.44), (0.34, 0.42), (0.41, 0.28), (0.38, 0.1)], 0.1, color)
    brush.ellipse(0, 0.24, 0.25, 0.27, color)
    brush.polygon([(-0.34, -0.54), (-0.05, -0.36), (-0.32, -0.1)], color)
    brush.polygon([(0.34, -0.54), (0.05, -0.36), (0.32, -0.1)], color)
    brush.ellipse(0, -0.16, 0.34, 0.27, color)
    brush.dot(-0.14, -0.19, 0.065, eye)
    brush.dot(0.14, -0.19, 0.065, eye)
    brush.dot(0, -0.05, 0.045, (240, 130, 150) if sum(color) < 560 else INK)


def fish(brush: Brush, color: Rgb) -> None:
    """A fish swimming to the left."""
    brush.polygon([(0.18, 0.0), (0.55, -0.28), (0.55, 0.28)], shade(color))
    brush.polygon([(-0.12, -0.2), (0.16, -0.38), (0.2, -0.14)], shade(color))
    brush.ellipse(-0.1, 0.0, 0.42, 0.27, color)
    brush.dot(-0.31, -0.06, 0.085, WHITE)
    brush.dot(-0.32, -0.06, 0.045, INK if brush.outline is None else brush.paper)


def tree(brush: Brush, color: Rgb) -> None:
    """A round-headed tree."""
    brush.polygon([(-0.08, 0.0), (0.08, 0.0), (0.1, 0.5), (-0.1, 0.5)], WOOD if sum(color) > 250 else (150, 110, 70))
    if brush.outline is not None:
        brush.ellipse(0, -0.19, 0.36, 0.31, color)
        return
    brush.ellipse(-0.2, -0.06, 0.23, 0.21, color)
    brush.ellipse(0.2, -0.06, 0.23, 0.21, color)
    brush.ellipse(0, -0.2, 0.32, 0.3, color)


def house(brush: Brush, color: Rgb) -> None:
    """A house with a roof, a door and a window."""
    brush.polygon([(-0.38, -0.08), (0.38, -0.08), (0.38, 0.5), (-0.38, 0.5)], color)
    brush.polygon([(0, -0.5), (0.52, -0.06), (-0.52, -0.06)], shade(color, 0.55))
    brush.polygon([(-0.24, 0.14), (-0.04, 0.14), (-0.04, 0.5), (-0.24, 0.5)], shade(color, 0.4))
    brush.polygon([(0.08, 0.08), (0.28, 0.08), (0.28, 0.28), (0.08, 0.28)], GLASS)


def boat(brush: Brush, color: Rgb) -> None:
    """A sailing boat: hull of the color, pale sail."""
    brush.polygon([(-0.5, 0.2), (0.5, 0.2), (0.34, 0.48), (-0.34, 0.48)], color)
    brush.stroke([(0, 0.2), (0, -0.52)], 0.07, WOOD)
    brush.polygon([(0.06, -0.48), (0.44, 0.1), (0.06, 0.1)], CREAM)
    brush.polygon([(-0.06, -0.34), (-0.34, 0.1), (-0.06, 0.1)], CREAM)


def car(brush: Brush, color: Rgb) -> None:
    """A car seen from the side."""
    brush.polygon([(-0.3, 0.02), (-0.18, -0.26), (0.2, -0.26), (0.34, 0.02)], color)
    brush.polygon([(-0.55, 0.0), (0.55, 0.0), (0.55, 0.24), (-0.55, 0.24)], color)
    brush.polygon([(-0.2, 0.0), (-0.12, -0.19), (-0.02, -0.19), (-0.02, 0.0)], GLASS)
    brush.polygon([(0.05, 0.0), (0.05, -0.19), (0.15, -0.19), (0.23, 0.0)], GLASS)
    for x in (-0.3, 0.3):
        brush.ellipse(x, 0.24, 0.15, 0.15, INK if sum(color) > 120 else (90, 90, 96))
        brush.dot(x, 0.24, 0.06, (200, 200, 200))


def flower(brush: Brush, color: Rgb) -> None:
    """A flower with six petals, a stem and a leaf."""
    brush.stroke([(0, -0.1), (0, 0.52)], 0.07, LEAF)
    brush.polygon([(0.0, 0.42), (0.14, 0.2), (0.3, 0.18), (0.2, 0.36)], LEAF)
    for i in range(6):
        angle = i * pi / 3 + pi / 6
        brush.ellipse(0.2 * cos(angle), -0.18 + 0.2 * sin(angle), 0.14, 0.14, color)
    center = (250, 210, 40) if color[2] > 120 or color[1] < 130 else (120, 70, 30)
    brush.ellipse(0, -0.18, 0.13, 0.13, center)


def balloon(brush: Brush, color: Rgb) -> None:
    """A balloon on a string."""
    brush.stroke([(0, 0.2), (0.04, 0.3), (-0.03, 0.42), (0.02, 0.54)], 0.035, (120, 120, 120))
    brush.polygon([(0, 0.14), (0.08, 0.27), (-0.08, 0.27)], color)
    brush.ellipse(0, -0.15, 0.31, 0.36, color)
    if brush.outline is None:
        brush.ellipse(-0.12, -0.28, 0.06, 0.09, tuple(int(c + (255 - c) * 0.6) for c in color))  # type: ignore[arg-type]


def mushroom(brush: Brush, color: Rgb) -> None:
    """A mushroom with a spotted cap."""
    brush.polygon([(-0.13, 0.0), (0.13, 0.0), (0.18, 0.48), (-0.18, 0.48)], CREAM)
    arc = [(0.5 * cos(pi + i * pi / 24), 0.06 + 0.54 * sin(pi + i * pi / 24)) for i in range(25)]
    brush.polygon(arc, color)
    spot = WHITE if color[0] < 235 or color[1] < 235 else (200, 60, 60)
    for x, y, radius in ((-0.24, -0.12, 0.085), (0.02, -0.3, 0.085), (0.25, -0.1, 0.085)):
        brush.dot(x, y, radius, spot)


def painters() -> Mapping[str, Callable[[Brush, Rgb], None]]:
    """Map each kind to the function that draws it."""
    functions = (circle, square, triangle, star, heart, cat, fish, tree, house, boat, car, flower, balloon, mushroom)
    return {function.__name__: function for function in functions}
