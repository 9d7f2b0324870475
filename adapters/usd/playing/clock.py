"""The time of the stage that is written."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from castline.schemas.exact import exact_rate
from castline.schemas.timemap import TimeMap


@dataclass(frozen=True)
class Clock:
    """The time of the stage that is written."""

    rate: float
    """Time codes a second, as the stage says them."""

    @property
    def exact(self) -> Fraction:
        """The rate that is meant."""
        return exact_rate(self.rate)

    def code(self, seconds: Fraction) -> float:
        """Return a cut time as a time code."""
        return float(seconds * self.exact)

    def stretches(self, time_map: TimeMap, rate: float) -> list[list[float]]:
        """Return the pieces of a map as stretches of time codes, of the stage and of a scene."""
        per_second = exact_rate(rate)
        return [
            [
                self.code(piece.start),
                self.code(piece.end),
                float(piece.media * per_second),
                float(piece.speed * per_second / self.exact),
            ]
            for piece in time_map.pieces
        ]
