"""ViStoryBench's measures of characters, from features.

CIDS, OCCM and the copy-paste rate, as its `cids_evaluator.py` (commit 514cc31) computes
them: means over references where it takes means, no threshold for a match, a shot without its
character at 0. Features are rows; they are brought to unit length here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from castline.inference.assignment import assign
from castline.inference.vectors import cosines

TEMPERATURE = 0.01
"""Of the copy-paste rate's softmax."""
_PLACES = 4  # decimals to which a shot's likeness is rounded


@dataclass(frozen=True)
class Shot:
    """What was found in one shot."""

    expected: tuple[str, ...]
    """Whom the story puts there."""
    features: Any
    """One row for each candidate that was detected."""


@dataclass(frozen=True)
class Cids:
    """Character identity similarity of a story."""

    shots: tuple[Mapping[str, float], ...]
    """Of each shot, how much each expected character is like their references; 0 where missing."""
    cross: Mapping[str, float]
    """Of each character, how much their crops are like their references."""
    within: Mapping[str, float]
    """Of each character, how much their crops are like one another; 1 for a single one."""
    crops: Mapping[str, Any]
    """The features that were taken for each character, one row a shot."""

    @property
    def cross_mean(self) -> float:
        """The story's value against references: the mean over all characters."""
        return _mean(self.cross.values())

    @property
    def within_mean(self) -> float:
        """The story's value among its own shots: the mean over all characters."""
        return _mean(self.within.values())


def cids(shots: Sequence[Shot], references: Mapping[str, Any]) -> Cids:
    """Match characters to candidates shot by shot, and compare.

    `references` holds a matrix of features for each character, one row a picture.
    """
    import numpy as np

    taken: dict[str, list[Any]] = {name: [] for name in references}
    found = []
    for shot in shots:
        names = [name for name in shot.expected if name in references]
        likeness = [cosines(references[name], shot.features) for name in names]
        columns = (
            assign(np.stack([each.max(axis=0) for each in likeness]))
            if names and len(shot.features)
            else [None] * len(names)
        )
        values = {}
        for name, each, column in zip(names, likeness, columns, strict=True):
            values[name] = 0.0 if column is None else round(float(each[:, column].mean()), _PLACES)
            if column is not None:
                taken[name].append(np.asarray(shot.features)[column])
        found.append(values)
    crops = {name: np.array(rows) for name, rows in taken.items()}
    return Cids(
        tuple(found),
        {name: _cross(rows, references[name]) for name, rows in crops.items()},
        {name: _within(rows) for name, rows in crops.items()},
        crops,
    )


def occm(detected: int, expected: int) -> float:
    """Return the match of counts on one shot, 0 to 100: `100 exp(-|D - E| / (1e-6 + E))`."""
    return 100 * math.exp(-abs(detected - expected) / (1e-6 + expected))


def copy_paste(crops: Any, reference: Any, mirrored: Any) -> float:
    """Return how much crops copy a reference picture rather than show the same person.

    The mean over crops of the softmax of their likeness to the reference and to its mirror image:
    0.5 for who is merely alike, 1 for a copy. 0 without crops.
    """
    import numpy as np

    if not len(crops):
        return 0.0
    straight = cosines(crops, reference)[:, 0]
    turned = cosines(crops, mirrored)[:, 0]
    return float((1 / (1 + np.exp((turned - straight) / TEMPERATURE))).mean())


def _cross(crops: Any, references: Any) -> float:
    return float(cosines(crops, references).mean()) if len(crops) else 0.0


def _within(crops: Any) -> float:
    import numpy as np

    if len(crops) < 2:
        return float(len(crops))
    return float(cosines(crops, crops)[np.triu_indices(len(crops), 1)].mean())


def _mean(values: Any) -> float:
    found = list(values)
    return sum(found) / len(found) if found else 0.0
