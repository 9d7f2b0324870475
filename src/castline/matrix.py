"""A picture of each character from shot to shot: shots against shots, as SVG."""

from __future__ import annotations

from collections.abc import Iterable
from math import isnan
from xml.sax.saxutils import escape

from castline.inference.frames import spread
from castline.storyline import Storyline

MAX_SHOTS = 120
"""In one picture; of more, the lowest half of so many and others evenly."""
_CELL, _LEFT, _TOP, _GAP = 26, 150, 64, 40
_NONE = "#e4e4e4"
_LOW, _HIGH = (178, 56, 42), (44, 122, 74)  # red and green, told apart also by lightness
_HALF = 0.6  # of the way to green, for what is just below the threshold
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
    places = _drawn(line, known_in)
    table = line.matrix(places)
    values = [value for place in places if (value := line.values[place]) is not None]
    known = [float(x) for x in table.ravel() if not isnan(x)] + values or [1.0]
    high = max(known) if threshold is None else threshold
    low = min([*known, high])
    is_whole = len(places) == len(known_in)
    title = line.character if is_whole else f"{line.character}, {len(places)} shots"
    parts = [_text(_LEFT, top + 24, title, size=17, weight="bold")]
    for row, shot in enumerate(places):
        y = top + _TOP + row * _CELL
        parts.append(_text(_LEFT - 8, y + 17, _short(line.shots[shot]), anchor="end"))
        for column in range(len(places)):
            value = float(table[row, column])
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


def _drawn(line: Storyline, places: list[int]) -> list[int]:
    """Return the shots that are drawn: all, or the lowest ones and evenly some of the rest."""
    if len(places) <= MAX_SHOTS:
        return places
    by_value = sorted(places, key=lambda place: _or_least(line.values[place]))
    lowest = by_value[: MAX_SHOTS // 2]
    rest = sorted(set(places) - set(lowest))
    others = spread(rest, MAX_SHOTS - len(lowest))
    return sorted([*lowest, *others])


def _or_least(value: float | None) -> float:
    return 2.0 if value is None else value


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
    share = 1.0 if value >= high else (value - low) / (high - low) * _HALF
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
        f"text-anchor='{anchor}' fill='{fill}'>{escape(_plain(words))}</text>"
    )


def _short(name: str) -> str:
    return name if len(name) <= 20 else name[:19] + "…"


def _plain(words: str) -> str:
    return "".join(c if c.isprintable() else " " for c in words)
