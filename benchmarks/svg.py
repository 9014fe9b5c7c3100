"""Small multiples of lines on two logarithmic axes, as SVG."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

COLORS = ("#1b6ca8", "#d1495b", "#2e8b57", "#8e5ea2", "#d98e04", "#4a4a4a")
DASHES = ("", "7 3", "2 3", "9 3 2 3", "4 2", "1 2")
COLUMNS = 2
WIDTH, HEIGHT = 470, 390
LEFT, RIGHT, TOP = 58, 14, 34
LEGEND_LINE = 15
MARGIN = 1.15
"""By what factor an axis goes beyond its values."""


@dataclass(frozen=True)
class Line:
    """A named line of points (x, y), both above zero."""

    name: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Panel:
    """Lines that are drawn on the same axes."""

    title: str
    lines: Sequence[Line]


@dataclass(frozen=True)
class Axis:
    """A logarithmic axis between two values, drawn between two pixels."""

    low: float
    high: float
    start: float
    end: float

    @classmethod
    def around(cls, values: Sequence[float], start: float, end: float) -> "Axis":
        """An axis a little longer than the range of the values."""
        return cls(min(values) / MARGIN, max(values) * MARGIN, start, end)

    def at(self, value: float) -> float:
        """The pixel of a value."""
        share = math.log(value / self.low) / math.log(self.high / self.low)
        return self.start + share * (self.end - self.start)

    def ticks(self, digits: Sequence[int]) -> Iterator[tuple[int, int]]:
        """(digit, power): every digit · 10^power on it."""
        for power in range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high))):
            yield from ((digit, power) for digit in digits if self.low <= digit * 10.0**power <= self.high)


def document(panels: Sequence[Panel], x_label: str, y_label: str) -> str:
    """The panels side by side on the same axes."""
    legend = max(len(panel.lines) for panel in panels) * LEGEND_LINE
    bottom = HEIGHT - 40 - legend
    points = [point for panel in panels for line in panel.lines for point in line.points]
    x = Axis.around([point[0] for point in points], LEFT, WIDTH - RIGHT)
    y = Axis.around([point[1] for point in points], bottom, TOP)
    rows = math.ceil(len(panels) / COLUMNS)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {COLUMNS * WIDTH} {rows * HEIGHT}" '
        'font-family="sans-serif" font-size="11">',
        '<rect width="100%" height="100%" fill="white"/>',
    ]
    for place, panel in enumerate(panels):
        row, column = divmod(place, COLUMNS)
        parts.append(f'<g transform="translate({column * WIDTH} {row * HEIGHT})">')
        parts += [*_frame(panel.title, x, y, x_label, y_label), *_lines(panel.lines, x, y, bottom + 44)]
        parts.append("</g>")
    return "\n".join([*parts, "</svg>"]) + "\n"


def _frame(title: str, x: Axis, y: Axis, x_label: str, y_label: str) -> Iterator[str]:
    yield f'<text x="{LEFT}" y="20" font-size="14" font-weight="bold">{escape(title)}</text>'
    for _, power in y.ticks((1,)):
        at = y.at(10.0**power)
        yield f'<path d="M{x.start} {at:.1f}H{x.end}" stroke="#e4e4e4"/>'
        yield f'<text x="{x.start - 6}" y="{at + 4:.1f}" text-anchor="end">{_power(power)}</text>'
    for digit, power in x.ticks(range(1, 10)):
        at = x.at(digit * 10.0**power)
        yield f'<path d="M{at:.1f} {y.start}V{y.end}" stroke="{"#d4d4d4" if digit == 1 else "#f0f0f0"}"/>'
        if digit in (1, 3):
            yield f'<text x="{at:.1f}" y="{y.start + 14}" text-anchor="middle">{digit * 10**power}</text>'
    yield f'<text x="{(x.start + x.end) / 2}" y="{y.start + 27}" text-anchor="middle" fill="#555">{x_label}</text>'
    turned = f'transform="translate(14 {(y.start + y.end) / 2}) rotate(-90)"'
    yield f'<text {turned} text-anchor="middle" fill="#555">{escape(y_label)}</text>'


def _power(power: int) -> str:
    return "1" if power == 0 else f'10<tspan dy="-4" font-size="8">{power}</tspan>'


def _lines(lines: Sequence[Line], x: Axis, y: Axis, legend_top: float) -> Iterator[str]:
    for number, line in enumerate(lines):
        style = f'stroke="{COLORS[number % len(COLORS)]}" stroke-dasharray="{DASHES[number % len(DASHES)]}"'
        path = "L".join(f"{x.at(at):.1f} {y.at(value):.1f}" for at, value in line.points)
        yield f'<path d="M{path}" fill="none" stroke-width="1.8" {style}/>'
        row = legend_top + number * LEGEND_LINE
        yield f'<path d="M{LEFT} {row}h26" stroke-width="1.8" {style}/>'
        yield f'<text x="{LEFT + 32}" y="{row + 4}">{escape(line.name)}</text>'
