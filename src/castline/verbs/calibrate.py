"""Make the threshold that flags need, from the cast's own pictures."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from pathlib import Path

from castline.inference.cache import Cache
from castline.inference.calibration import Calibration
from castline.inference.calibration import calibrate as choose
from castline.inference.faces import FaceModel
from castline.inference.measure import Model
from castline.inference.score import Known
from castline.inference.vectors import cosines
from castline.schemas.values import Cast
from castline.verbs.score import known_faces


def calibrate(
    cast: Cast,
    references: str | Path,
    *,
    cache: str | Path,
    light: bool = False,
    false_flags: float = 0.05,
    comparisons: int = 100,
    model: Model | None = None,
) -> Calibration:
    """Return the calibration that the pictures of a cast give; looks are compared as one.

    `false_flags` is the wanted chance of any in a cut of so many `comparisons`. Raises
    `InvalidValueError` for too few pictures.
    """
    model = model or FaceModel(light=light)
    with Cache(Path(cache)) as store:
        known, _ = known_faces(cast, Path(references), model, store)
    same, other = pairs(known)
    return choose(
        same, other, model=model.specification.hash, rate=false_flags, comparisons=comparisons
    )


def pairs(known: Mapping[str, Known]) -> tuple[list[float], list[float]]:
    """Return the likeness of every two pictures of one character, and of every two of two."""
    same: list[float] = []
    other: list[float] = []
    for one in known.values():
        table = cosines(one.vectors, one.vectors)
        same += [float(table[a, b]) for a, b in combinations(range(len(table)), 2)]
    for one, two in combinations(known.values(), 2):
        other += [float(value) for value in cosines(one.vectors, two.vectors).ravel()]
    return same, other
