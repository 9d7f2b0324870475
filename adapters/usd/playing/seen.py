"""What of a cut is seen when: the topmost picture that is there, at every time."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from castline.schemas.timemap import TimeMap


@dataclass(frozen=True, slots=True)
class Window:
    """A half-open stretch of cut time, in seconds, in which one picture is seen."""

    start: Fraction
    end: Fraction
    picture: int
    """Which of the pictures."""


def windows(pictures: Sequence[TimeMap]) -> list[Window]:
    """Return what is seen when, in the order of time, of pictures given from the lowest up.

    A picture covers those below it wherever its map has a piece. Takes n log n steps.
    """
    edges = sorted(
        (piece.start, piece.end, picture)
        for picture, time_map in enumerate(pictures)
        for piece in time_map.pieces
    )
    times = sorted({time for start, end, _ in edges for time in (start, end)})
    found: list[Window] = []
    open_now: list[tuple[int, Fraction]] = []
    place = 0
    for start, end in pairwise(times):
        while place < len(edges) and edges[place][0] <= start:
            heapq.heappush(open_now, (-edges[place][2], edges[place][1]))
            place += 1
        while open_now and open_now[0][1] <= start:
            heapq.heappop(open_now)
        if open_now:
            _add(found, Window(start, end, -open_now[0][0]))
    return found


def _add(found: list[Window], window: Window) -> None:
    """Add a window, joined to the one before where the same picture runs on."""
    last = found[-1] if found else None
    if last and last.picture == window.picture and last.end == window.start:
        found[-1] = Window(last.start, window.end, window.picture)
    else:
        found.append(window)
