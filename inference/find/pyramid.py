"""dlib's tiled pyramid: a picture at many sizes on one canvas, so that one pass sees them all.

Sizes and places are those of dlib (`compute_tiled_image_pyramid_details` in
dlib/image_transforms/image_pyramid.h), since what a strided network sees depends on where on its
grid a face lies. Pixels; y before x.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

RATIO = 5 / 6
"""How much smaller each level is than the one before."""
MARGIN = 11
"""Around the canvas."""
GUTTER = 10
"""Between the levels."""
SMALLEST = 5
"""Rows of the smallest level, at least."""
_SHIFT = 0.3  # by which dlib moves a point on its way up one level


@dataclass(frozen=True)
class Level:
    """One size of the picture, and where on the canvas it lies."""

    height: int
    width: int
    top: int
    left: int

    def distance(self, y: float, x: float) -> float:
        """Return how far a point of the canvas lies outside, squared."""
        below = max(self.top - y, 0.0, y - (self.top + self.height - 1))
        beside = max(self.left - x, 0.0, x - (self.left + self.width - 1))
        return below * below + beside * beside


@dataclass(frozen=True)
class Pyramid:
    """The levels of pictures of one size, largest first."""

    levels: tuple[Level, ...]
    height: int
    width: int

    def to_picture(self, y: float, x: float, half: float) -> tuple[float, float, float, float]:
        """Return left, top, right and bottom in the picture of a square around a canvas point."""
        number, level = min(enumerate(self.levels), key=lambda pair: pair[1].distance(y, x))
        x, y = x - level.left, y - level.top
        return (
            _up(x - half, number),
            _up(y - half, number),
            _up(x + half, number),
            _up(y + half, number),
        )


def _up(edge: float, levels: int) -> float:
    for _ in range(levels):
        edge = edge / RATIO + _SHIFT
    return edge


@lru_cache(maxsize=64)
def pyramid_of(height: int, width: int) -> Pyramid:
    """Return the pyramid of pictures of this size."""
    sizes = _sizes(height, width)
    tall = _column(sizes)
    levels: list[Level] = []
    y = MARGIN
    for number, (rows, columns) in enumerate(sizes):
        if y < tall + MARGIN:
            levels.append(Level(rows, columns, y, MARGIN))
            y += rows + GUTTER
            bottom = y - GUTTER
            continue
        # Back up along the right side, until it would lie over the picture itself.
        top, left = bottom - rows, MARGIN + width - columns
        if top < MARGIN + height and left < MARGIN + width:
            sizes = sizes[:number]
            break
        levels.append(Level(rows, columns, top, left))
        bottom = top - GUTTER
    return Pyramid(tuple(levels), tall + 2 * MARGIN, width + 2 * MARGIN)


def _sizes(height: int, width: int) -> list[tuple[int, int]]:
    sizes = [(height, width)]
    while True:
        height, width = int(RATIO * height), int(RATIO * width)
        if width == 0 or height < SMALLEST:
            return sizes
        sizes.append((height, width))


def _column(sizes: list[tuple[int, int]]) -> int:
    """Return how tall the left column is: until the next level fits beside the one before."""
    height, width = sizes[0]
    total = sum(rows + GUTTER for rows, _ in sizes) - 2 * GUTTER
    tall = before = 0
    for rows, columns in sizes:
        if columns <= width - before - GUTTER and (tall - height) * 2 >= total - height:
            break
        tall += rows + GUTTER
        before = columns
    return tall - GUTTER
