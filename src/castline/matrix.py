"""A picture of each character from shot to shot: shots against shots, as SVG."""

from __future__ import annotations

from collections.abc import Iterable
from math import isnan
from xml.sax.saxutils import escape

from castline.storyline import Storyline

MAX_SHOTS = 120
"""In one picture; of more, every so many-th is drawn."""
_CELL, _LEFT, _TOP, _GAP = 26, 150, 64, 40
_NONE = "#e4e4e4"
_LOW, _HIGH = (178, 56, 42), (44, 122, 74)  # red and green, told apart also by lightness
_FONT = "font-family='Helvetica, Arial, sans-serif'"


def to_svg(lines: Iterable[Storyline], threshold: float | None) -> str:
    """Return an SVG with a square a character: likeness of every shot to every other.

    Shots that neither expect nor show the character are left out. A cell is green at the threshold
    and above, and red the more it lies below; without one, the colours span what is there. Grey
    cells have no frame that could be scored. Numbers are thousandths. Under each square stands the
    likeness to the references.
    """
    parts: list[str] = []
    top = width = 0
    for line in lines:
        body, wide, tall = _square(line, threshold, top)
        parts += body
        top, width = top + tall + _GAP, max(width, wide)
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{width}' height='{top}' "
        f"viewBox='0 0 {width} {top}'>\n<rect width='100%' height='100%' fill='white'/>\n"
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def _square(line: Storyline, threshold: float | None, top: int) -> tuple[list[str], int, int]:
    """Return one character's square, and how wide and tall it is."""
    known_in = [place for place, state in enumerate(line.states) if state is not None]
    step = max(1, -(-len(known_in) // MAX_SHOTS))
    places = known_in[::step]
    table = line.matrix
    known = [float(x) for x in table.ravel() if not isnan(x) and x < 1] or [0.0]
    low, high = min(known), max(known) if threshold is None else threshold
    title = line.character if step == 1 else f"{line.character}, every {step}th shot"
    parts = [_text(_LEFT, top + 24, title, size=17, weight="bold")]
    for row, shot in enumerate(places):
        y = top + _TOP + row * _CELL
        parts.append(_text(_LEFT - 8, y + 17, _short(line.shots[shot]), anchor="end"))
        for column, other in enumerate(places):
            value = float(table[shot, other])
            parts.append(_cell(_LEFT + column * _CELL, y, value, low, high))
    y = top + _TOP + len(places) * _CELL + 10
    parts.append(_text(_LEFT - 8, y + 17, "references", anchor="end", weight="bold"))
    for column, shot in enumerate(places):
        found = line.values[shot]
        value = float("nan") if found is None else found
        parts.append(_cell(_LEFT + column * _CELL, y, value, low, high))
    said = "no threshold" if threshold is None else f"threshold {threshold:.3f}"
    parts.append(_text(_LEFT, top + 46, f"shot against shot; {said}; lowest {low:.3f}", size=12))
    return parts, _LEFT + max(len(places) * _CELL, 300) + 20, _TOP + len(places) * _CELL + 40


def _cell(x: int, y: int, value: float, low: float, high: float) -> str:
    fill = _NONE if isnan(value) else _colour(value, low, high)
    said = "not scored" if isnan(value) else f"{value:.3f}"
    short = "" if isnan(value) else f"{value:.3f}".removeprefix("0.").removesuffix(".000")
    number = _text(x + _CELL // 2 - 1, y + 16, short, size=10, anchor="middle", fill="white")
    size = _CELL - 2
    return (
        f"<g><title>{said}</title><rect x='{x}' y='{y}' width='{size}' height='{size}' "
        f"fill='{fill}'/>{number}</g>"
    )


def _colour(value: float, low: float, high: float) -> str:
    share = 1.0 if value >= high else max(0.0, (value - low) / (high - low) * 0.6)
    mixed = (round(a + (b - a) * share) for a, b in zip(_LOW, _HIGH, strict=True))
    return "#" + "".join(f"{part:02x}" for part in mixed)


def _text(
    x: int,
    y: int,
    words: str,
    *,
    size: int = 11,
    anchor: str = "start",
    weight: str = "normal",
    fill: str = "#222222",
) -> str:
    return (
        f"<text x='{x}' y='{y}' {_FONT} font-size='{size}' font-weight='{weight}' "
        f"text-anchor='{anchor}' fill='{fill}'>{escape(words)}</text>"
    )


def _short(name: str) -> str:
    plain = "".join(c if c.isprintable() else " " for c in name)
    return plain if len(plain) <= 20 else plain[:19] + "…"
