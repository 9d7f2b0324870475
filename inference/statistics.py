"""How well likeness tells one person from others, and how sure that is.

Likeness is higher for the same person. Bounds are one-sided and exact (Clopper and Pearson).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

_STEPS = 60  # halvings of an interval of probabilities


@dataclass(frozen=True)
class Roc:
    """Hits and false alarms over all thresholds, the highest threshold first."""

    thresholds: Any
    hits: Any
    """Share of pairs of one person at or above the threshold."""
    alarms: Any
    """Share of pairs of two people at or above the threshold."""

    @property
    def area(self) -> float:
        """Return the area under the curve: 1 for a perfect order, 0.5 for none."""
        import numpy as np

        middles = (self.hits[1:] + self.hits[:-1]) / 2
        return float((np.diff(self.alarms) * middles).sum())

    @property
    def equal_error(self) -> float:
        """Return the rate at which misses and false alarms are as many."""
        import numpy as np

        misses = 1 - self.hits
        gap = misses - self.alarms  # falls from 1 to -1
        at = int(np.argmax(gap <= 0))
        if at == 0 or gap[at] == gap[at - 1]:
            return float((misses[at] + self.alarms[at]) / 2)
        share = gap[at - 1] / (gap[at - 1] - gap[at])
        return float(self.alarms[at - 1] + share * (self.alarms[at] - self.alarms[at - 1]))

    def hits_at(self, alarms: float) -> float:
        """Return the most hits that go with no more than this share of false alarms."""
        import numpy as np

        return float(self.hits[np.flatnonzero(self.alarms <= alarms)[-1]])


def roc(same: Any, other: Any) -> Roc:
    """Return the curve of labelled likeness: of pairs of one person, and of two."""
    import numpy as np

    same, other = np.sort(np.asarray(same, float)), np.sort(np.asarray(other, float))
    if not len(same) or not len(other):
        raise ValueError("a curve needs pairs of one person and pairs of two")
    thresholds = np.unique(np.concatenate([same, other]))[::-1]
    hits = 1 - np.searchsorted(same, thresholds, "left") / len(same)
    alarms = 1 - np.searchsorted(other, thresholds, "left") / len(other)
    start = [np.inf], [0.0], [0.0]
    return Roc(
        *(np.concatenate([a, b]) for a, b in zip(start, (thresholds, hits, alarms), strict=True))
    )


def upper_bound(count: int, trials: int, confidence: float = 0.95) -> float:
    """Return the highest chance that still gives so few of so many, at this confidence.

    None in 59 is at most 0.05 at 95 %: the rule of three.
    """
    if trials == 0 or count >= trials:
        return 1.0
    low, high = count / trials, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if _at_most(count, trials, middle) > 1 - confidence:
            low = middle
        else:
            high = middle
    return high


def per_comparison(rate: float, comparisons: int) -> float:
    """Return the chance in one comparison that gives a chance of `rate` of any in so many."""
    return -math.expm1(math.log1p(-rate) / max(comparisons, 1))


def _at_most(count: int, trials: int, chance: float) -> float:
    """Return the chance of no more than `count` in `trials`."""
    if chance <= 0:
        return 1.0
    if chance >= 1:
        return float(count >= trials)
    total = 0.0
    for number in range(count + 1):
        ways = math.lgamma(trials + 1) - math.lgamma(number + 1) - math.lgamma(trials - number + 1)
        total += math.exp(
            ways + number * math.log(chance) + (trials - number) * math.log1p(-chance)
        )
    return min(total, 1.0)
