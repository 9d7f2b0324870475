"""A character along the story: shot against shot, and how far from how it began.

A shot is the matrix of a character's vectors in it, one row a frame that could be scored; likeness
is as in `score`: of each frame the cosine to the nearest vector of the other shot, the median over
frames. Without such a frame it is None.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from castline.inference.vectors import unit

ANCHORS = 3
"""How many of the first approved shots later ones are held against."""
SMOOTHING = 0.3
"""Weight of the newest shot in the smoothed drift (EWMA; Roberts, Technometrics 1959)."""


def likeness(shot: Any | None, others: Sequence[Any | None]) -> float | None:
    """Return how much a shot is like what others show; None without vectors on either side."""
    import numpy as np

    rows = [each for each in others if each is not None and len(each)]
    if shot is None or not len(shot) or not rows:
        return None
    return float(np.median((unit(shot) @ unit(np.concatenate(rows)).T).max(axis=1)))


def neighbours(shots: Sequence[Any | None]) -> list[float | None]:
    """Return how much each shot is like the nearest before and after that show the character."""
    seen = [place for place, shot in enumerate(shots) if shot is not None and len(shot)]
    found: list[float | None] = [None] * len(shots)
    for at, place in enumerate(seen):
        beside = [*seen[max(at - 1, 0) : at], *seen[at + 1 : at + 2]]
        found[place] = likeness(shots[place], [shots[other] for other in beside])
    return found


def anchors(shots: Sequence[Any | None], approved: Sequence[bool]) -> list[int]:
    """Return the shots that later ones are held against: the first approved, else the first."""
    seen = [place for place, shot in enumerate(shots) if shot is not None and len(shot)]
    return ([place for place in seen if approved[place]] or seen)[:ANCHORS]


def drift(shots: Sequence[Any | None], held: Sequence[int]) -> list[float | None]:
    """Return how much each shot is like the anchors, itself left out."""
    return [
        likeness(shot, [shots[other] for other in held if other != place])
        for place, shot in enumerate(shots)
    ]


def smoothed(values: Sequence[float | None]) -> list[float | None]:
    """Return the values with chance taken out, in story order: their moving average (EWMA)."""
    found: list[float | None] = []
    last: float | None = None
    for value in values:
        if value is not None:
            last = value if last is None else SMOOTHING * value + (1 - SMOOTHING) * last
        found.append(None if value is None else last)
    return found


def matrix(shots: Sequence[Any | None]) -> Any:
    """Return the likeness of every shot to every other, a square array; NaN where there is none.

    Both ways of each pair are averaged; a shot is 1 to itself.
    """
    import numpy as np

    table = np.full((len(shots), len(shots)), np.nan)
    rows = {n: unit(shot) for n, shot in enumerate(shots) if shot is not None and len(shot)}
    for a, one in rows.items():
        table[a, a] = 1.0
        for b, other in rows.items():
            if a < b:
                cosine = one @ other.T
                both = np.median(cosine.max(axis=1)), np.median(cosine.max(axis=0))
                table[a, b] = table[b, a] = (both[0] + both[1]) / 2
    return table
