"""Is it the same person? What the subjects of a take say of those who are expected in it.

Numbers in, verdicts out; no weights, no pictures. A likeness is the cosine to the nearest of a
character's reference vectors. Of one frame's subjects each is given to one character, so that the
likeness is the most in all. One that is not clearly seen says nothing for or against.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from castline.inference.assignment import assign
from castline.inference.calibration import Calibration
from castline.inference.subject import Clarity, Sight, Subject
from castline.inference.vectors import cosines
from castline.schemas.values.appearance import State

NOBODY = "unknown"
"""Character id of who is nobody of the cast."""
WIDE = 0.05
"""Interquartile range of likeness over frames that asks for more of them."""


@dataclass(frozen=True)
class Known:
    """A character's reference vectors."""

    vectors: Any
    """Array, one row a picture."""
    looks: tuple[str | None, ...] = ()
    """The look that each picture shows; None for any. Without: any."""

    def has_look(self, look: str) -> bool:
        """Say whether a picture shows this look, or any."""
        return not self.looks or any(own in (look, None) for own in self.looks)

    def of_look(self, look: str | None) -> Any:
        """Return the vectors for a look: its own and those of any; all, where that is none."""
        rows = [n for n, own in enumerate(self.looks) if look is None or own in (look, None)]
        return self.vectors[rows] if rows else self.vectors


@dataclass(frozen=True)
class Match:
    """A subject that was given to a character, clearly enough seen to be scored."""

    sight: Sight
    subject: Subject
    likeness: float


@dataclass(frozen=True)
class Verdict:
    """What a take says of one character."""

    character: str
    look: str | None
    state: State
    matches: tuple[Match, ...] = ()
    """Those that were scored, evenly over the shot."""
    beside: tuple[Match, ...] = ()
    """Those that were looked at besides, to find the worst frame."""

    @property
    def value(self) -> float | None:
        """The median likeness over frames; None where no frame could be scored."""
        import numpy as np

        return float(np.median(self.values)) if self.matches else None

    @property
    def spread(self) -> float | None:
        """The interquartile range over frames."""
        import numpy as np

        if not self.matches:
            return None
        high, low = np.percentile(self.values, [75, 25])
        return float(high - low)

    @property
    def worst(self) -> Match | None:
        """The one that is least like the references; the earliest of several."""
        matches = (*self.matches, *self.beside)
        return min(matches, key=lambda match: (match.likeness, match.sight.number), default=None)

    @property
    def frames(self) -> int:
        """How many frames were scored."""
        return len({match.sight.number for match in self.matches})

    @property
    def values(self) -> list[float]:
        """The likeness of each."""
        return [match.likeness for match in self.matches]

    @property
    def vectors(self) -> Any:
        """An array, one row for each; None without any."""
        import numpy as np

        return np.stack([match.subject.vector for match in self.matches]) if self.matches else None


def score_take(
    sights: Sequence[Sight],
    expected: Mapping[str, str | None],
    cast: Mapping[str, Known],
    calibration: Calibration | None,
) -> list[Verdict]:
    """Return a verdict for each expected character, and for who is there and is not expected.

    `expected` gives each character's look, or None for any; `cast` holds the references of all
    whom one may meet. Without a calibration there are scores and nothing is flagged.
    """
    given, others = _give(sights, expected, cast, calibration)
    verdicts = [
        _verdict(name, look, given[name], sights, calibration)
        for name, look in expected.items()
        if name in cast
    ]
    if calibration is not None:
        verdicts += _unexpected(others, expected, cast, calibration)
    return verdicts


def is_unsure(verdict: Verdict, calibration: Calibration | None) -> bool:
    """Say whether more frames may change what a verdict says.

    So it is where frames disagree about the threshold, or lie as near to it as they lie to one
    another; without a calibration, where they differ by more than `WIDE`.
    """
    if verdict.value is None or verdict.spread is None or verdict.state == "unexpected":
        return False
    if calibration is None:
        return verdict.spread > WIDE
    threshold = calibration.threshold
    is_split = min(verdict.values) < threshold <= max(verdict.values)
    return is_split or abs(verdict.value - threshold) <= verdict.spread


def beside_worst(
    verdict: Verdict, looked: Collection[int], numbers: Sequence[int]
) -> Iterator[int]:
    """Yield the frames in the middle between the worst one and those looked at on either side.

    `numbers` are the frames of the shot, ascending. None are left where its neighbours are known:
    asked for again and again, the lowest frame near the worst one is found by halving.
    """
    if verdict.worst is None:
        return
    at = bisect_left(numbers, verdict.worst.sight.number)
    for step in (-1, 1):
        far = at + step
        while 0 <= far < len(numbers) and numbers[far] not in looked:
            far += step
        middle = (at + far) // 2 if step < 0 else (at + far + 1) // 2
        if middle not in (at, far):
            yield numbers[middle]


def _give(
    sights: Sequence[Sight],
    expected: Mapping[str, str | None],
    cast: Mapping[str, Known],
    calibration: Calibration | None,
) -> tuple[dict[str, list[Match]], list[tuple[Sight, Subject]]]:
    """Give the subjects of each frame to the characters; return those, and the ones left over."""
    import numpy as np

    names = [name for name in expected if name in cast]
    rows = [cast[name].of_look(expected[name]) for name in names]
    given: dict[str, list[Match]] = {name: [] for name in names}
    others: list[tuple[Sight, Subject]] = []
    for sight in sights:
        left = list(sight.subjects)
        if names and sight.subjects:
            vectors = np.stack([each.vector for each in sight.subjects])
            likeness = np.stack([cosines(each, vectors).max(axis=0) for each in rows])
            for name, row, column in zip(names, likeness, assign(likeness), strict=True):
                if column is None:
                    continue
                subject = sight.subjects[column]
                if calibration is None or row[column] > calibration.stranger:
                    given[name].append(Match(sight, subject, float(row[column])))
                    left.remove(subject)
        others += [(sight, each) for each in left]
    return given, others


def _verdict(
    name: str,
    look: str | None,
    matches: list[Match],
    sights: Sequence[Sight],
    calibration: Calibration | None,
) -> Verdict:
    scored = [match for match in matches if match.subject.is_scorable]
    if scored:
        verdict = Verdict(name, look, "expected", tuple(scored))
        if calibration is None:
            return verdict
        is_same = (verdict.value or 0.0) >= calibration.threshold
        return replace(verdict, state="ok" if is_same else "drift")
    perhaps = {match.sight.number for match in matches}
    others = [
        sight
        for sight in sights
        if sight.subjects
        and sight.number not in perhaps
        and all(each.is_scorable for each in sight.subjects)
    ]
    if calibration is not None and 2 * len(others) > len(sights):
        return Verdict(name, look, "missing")
    is_open = any(sight.subjects for sight in sights if sight not in others)
    if is_open or (others and calibration is None):
        return Verdict(name, look, "not_scorable")
    return Verdict(name, look, "not_visible")


def _beyond(subject: Subject, calibration: Calibration) -> float:
    """Return the likeness from which down a subject is surely nobody of the cast.

    One that is not clearly seen is less like anybody, itself included: as far below the highest
    likeness of two people as the threshold is above it.
    """
    if subject.is_scorable:
        return calibration.stranger
    return 2 * calibration.stranger - calibration.threshold


def _unexpected(
    others: list[tuple[Sight, Subject]],
    expected: Mapping[str, str | None],
    cast: Mapping[str, Known],
    calibration: Calibration,
) -> list[Verdict]:
    """Return a verdict for each of the cast who is not expected, and one for all strangers."""
    found: dict[str, list[Match]] = {}
    for sight, subject in others:
        if subject.clarity < Clarity.FAIR:
            continue
        likeness = {
            name: float(cosines(each.vectors, subject.vector).max()) for name, each in cast.items()
        }
        nearest = max(likeness, key=lambda name: likeness[name], default=NOBODY)
        value = likeness.get(nearest, 0.0)
        if subject.is_scorable and value >= calibration.threshold and nearest not in expected:
            found.setdefault(nearest, []).append(Match(sight, subject, value))
        elif value <= _beyond(subject, calibration):
            found.setdefault(NOBODY, []).append(Match(sight, subject, value))
    return [Verdict(name, None, "unexpected", tuple(found[name])) for name in sorted(found)]
