"""The time of a cut in that of a stage: frames of the one are frames of the other, if they can."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from opentimelineio.opentime import RationalTime

from castline.adapters.usd.scene.clock import SceneClock
from castline.schemas.exact import exact_frames, exact_rate, exact_seconds

_KIN = Fraction(15, 10_000)
"""How far apart two rates may be, as a part, whose frames stand for each other."""


def is_kin(one: float, other: float) -> bool:
    """Say whether frames of two rates stand for each other: the same, or a film rate and NTSC."""
    return abs(exact_rate(one) / exact_rate(other) - 1) <= _KIN


@dataclass(frozen=True)
class StageTime:
    """How the cut's time becomes the stage's."""

    clock: SceneClock
    cut_rate: float
    first_code: float
    """The stage's first time code."""

    @property
    def frame_rate(self) -> float:
        """Frames of the stage for a second of the cut."""
        return self.cut_rate if is_kin(self.cut_rate, self.clock.rate) else self.clock.rate

    @property
    def codes_per_second(self) -> Fraction:
        """Time codes of the stage for a second of the cut."""
        return exact_rate(self.frame_rate) * self.clock.step

    def last_frame(self, start: Fraction, end: Fraction) -> Fraction:
        """Return the time code of the stage's last frame before `end`, one begins at `start`."""
        frames = math.ceil((end - start) / self.clock.step)
        return start + max(frames - 1, 0) * self.clock.step

    def clock_code(self, own: RationalTime) -> Fraction:
        """Return the time code of a media time of the stage itself, frames for frames."""
        if is_kin(own.rate, self.clock.rate):
            return exact_frames(own.value) * self.clock.step
        return exact_seconds(own) * exact_rate(self.clock.codes_per_second)

    def time(self, codes: Fraction) -> RationalTime:
        """Return so many time codes of the stage as a time of the cut."""
        return RationalTime(float(codes), float(self.codes_per_second))
