"""The time of a scene: its frames, and what to do where it does not say them properly.

| what the stage says | what is taken |
|---|---|
| no rates | 24 (USD's fallback for both) |
| `framesPerSecond` alone | it is the time codes' rate too (UsdStage::GetTimeCodesPerSecond) |
| a rate of 0, below, or no number | as if it said none |
| a start alone, an end alone | 0 for the other; one frame where the end would come first |
| no range | that of shots and sequences, else of the samples, else 0 to 0 |
| an end before the start | the other way round |
| a fraction | the frame that it lies in |

Each but the first two is a problem in the scene's list.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from castline.schemas.exact import MIN_RATE, exact_rate
from castline.schemas.values import Problem

DEFAULT_RATE = 24.0
MAX_RATE = 100_000.0
MAX_CODE = 1e12


@dataclass(frozen=True)
class SceneClock:
    """Frames of a scene: `step` time codes each, `rate` a second, from `start` up to `end`."""

    rate: float
    codes_per_second: float
    start: int
    end: int
    """The first frame that is no more of the scene."""

    @property
    def step(self) -> Fraction:
        """Time codes a frame."""
        return exact_rate(self.codes_per_second) / exact_rate(self.rate)

    def frame(self, code: float) -> int:
        """Return the frame that a time code lies in."""
        return math.floor(Fraction(code) / self.step)

    def frames(self, start: float, end: float) -> tuple[int, int]:
        """Return the half-open frames of a range whose last time code counts."""
        return self.frame(start), self.frame(end) + 1

    def position(self, code: float) -> float:
        """Return a time code in frames, fractions kept."""
        return float(Fraction(code) / self.step)

    def shown(self, code: float, per_second: float) -> float:
        """Return a time code of another file, which has so many a second, in frames."""
        return float(Fraction(code) / exact_rate(per_second) * exact_rate(self.rate))

    def code(self, frame: float) -> float:
        """Return the time code at which a frame begins."""
        return float(Fraction(frame) * self.step)


def clock_of(
    facts: Mapping[str, Any], windows: list[list[float]], problems: list[Problem]
) -> SceneClock:
    """Return the clock of a scene from its facts; `windows` are of what it plays.

    What is odd is added to `problems`.
    """
    frames = _rate(facts.get("frames"), "framesPerSecond", problems)
    codes = _rate(facts.get("codes"), "timeCodesPerSecond", problems)
    rate = frames or DEFAULT_RATE
    per_second = codes or rate
    unplaced = SceneClock(rate, per_second, 0, 0)
    start, end = _range(facts, windows, problems)
    if any(unplaced.position(code) % 1 for code in (start, end)):
        found = f"found {start:g} to {end:g}, no whole frames; taken as those they lie in"
        _add(problems, "range", found, "note")
    first, last = unplaced.frames(start, end)
    return SceneClock(rate, per_second, first, last)


def _rate(value: Any, name: str, problems: list[Problem]) -> float | None:
    if value is None:
        return None
    if isinstance(value, (int, float)) and MIN_RATE <= value <= MAX_RATE:
        return float(value)
    _add(problems, "rate", f"found {name} {value}, expected more than 0; taken as not said")
    return None


def _range(
    facts: Mapping[str, Any], windows: list[list[float]], problems: list[Problem]
) -> tuple[float, float]:
    start = _code(facts.get("start"), "startTimeCode", problems)
    end = _code(facts.get("end"), "endTimeCode", problems)
    if start is None and end is None:
        return _unsaid(facts, windows, problems)
    if start is None:
        start = min(0.0, end or 0.0)
        _add(problems, "range", f"found no startTimeCode, expected one; taken as {start:g}")
    elif end is None:
        end = max(0.0, start)
        _add(problems, "range", f"found no endTimeCode, expected one; taken as {end:g}")
    assert end is not None  # noqa: S101
    if end < start:
        found = f"found startTimeCode {start:g} after endTimeCode {end:g}"
        _add(problems, "range", f"{found}; taken the other way round")
        start, end = end, start
    return start, end


def _unsaid(
    facts: Mapping[str, Any], windows: list[list[float]], problems: list[Problem]
) -> tuple[float, float]:
    sampled = facts.get("sampled")
    if windows:
        found = min(w[0] for w in windows), max(w[1] for w in windows)
        how = f"taken from its shots: {found[0]:g} to {found[1]:g}"
    elif sampled:
        found = (float(sampled[0]), float(sampled[1]))
        how = f"taken from its animation: {found[0]:g} to {found[1]:g}"
    else:
        found, how = (0.0, 0.0), "nothing moves: taken as one frame, 0"
    _add(problems, "range", f"found no range, expected startTimeCode and endTimeCode; {how}")
    return found


def _code(value: Any, name: str, problems: list[Problem]) -> float | None:
    if value is None:
        return None
    if isinstance(value, (int, float)) and abs(value) <= MAX_CODE:
        return float(value)
    _add(problems, "range", f"found {name} {value}, expected a time code; taken as not said")
    return None


def _add(problems: list[Problem], rule: str, message: str, severity: Any = "warning") -> None:
    problems.append(Problem(rule=f"scene-{rule}", where="/", message=message, severity=severity))
