"""A box in a picture, and whether two boxes are one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Box:
    """Pixels from left to right and from top to bottom, the last ones included."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def area(self) -> int:
        """Return how many pixels it holds."""
        return (self.right - self.left + 1) * (self.bottom - self.top + 1)

    @property
    def side(self) -> int:
        """Return the shorter side, in pixels."""
        return min(self.right - self.left, self.bottom - self.top) + 1

    def scaled(self, factor: float) -> Box:
        """Return the box in a picture that is larger by this factor."""
        if factor == 1.0:
            return self
        edges = (self.left, self.top, self.right, self.bottom)
        return Box(*(round(edge * factor) for edge in edges))

    def overlap(self, other: Box) -> float:
        """Return what both hold over what either holds, 0 to 1."""
        wide = min(self.right, other.right) - max(self.left, other.left) + 1
        tall = min(self.bottom, other.bottom) - max(self.top, other.top) + 1
        if wide <= 0 or tall <= 0:
            return 0.0
        shared = wide * tall
        return shared / (self.area + other.area - shared)


@dataclass(frozen=True)
class Found:
    """Something that was found in a picture, and how sure the finder is."""

    box: Box
    confidence: float
    """On the finder's own scale; higher is surer."""


def surest(found: Iterable[Found], overlap: float) -> list[Found]:
    """Return them the surest first; of those that overlap more than this the surest is kept."""
    kept: list[Found] = []
    for each in sorted(found, key=lambda each: (-each.confidence, each.box)):
        if not any(each.box.overlap(other.box) > overlap for other in kept):
            kept.append(each)
    return kept
