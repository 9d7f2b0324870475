"""Is it the same person? What the faces of a take say of those who are expected in it.

Numbers in, verdicts out; no weights, no pictures. A likeness is the cosine to the nearest of a
character's reference vectors. Of one frame's faces each is given to one character, so that the
likeness is the most in all. A face from the side, or a small one, says nothing for or against.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from castline.inference.assignment import assign
from castline.inference.calibration import Calibration
from castline.inference.faces import Face
from castline.inference.vectors import cosines
from castline.schemas.values.appearance import State

NOBODY = "unknown"
"""Character id of who is nobody of the cast."""
MAX_TURN = 0.35
"""Beyond this a nose lies beside the eyes as from the side (`Chip.turn`)."""
MIN_EYES = 0.25
"""Eyes closer together than this share of the box are seen from the side (`Chip.eyes`)."""
MIN_SIDE = 40
"""Pixels of a face, at least."""


@dataclass(frozen=True)
class Sight:
    """What was seen in one frame of a take."""

    number: int
    time: Fraction
    """In seconds of the media, from its first frame."""
    faces: tuple[Face, ...]


@dataclass(frozen=True)
class Known:
    """A character's reference vectors."""

    vectors: Any
    """Array, one row a picture."""
    looks: tuple[str | None, ...] = ()
    """The look that each picture shows; None for any. Without: any."""

    def of_look(self, look: str | None) -> Any:
        """Return the vectors for a look: its own and those of any; all, where that is none."""
        rows = [n for n, own in enumerate(self.looks) if look is None or own in (look, None)]
        return self.vectors[rows] if rows else self.vectors


@dataclass(frozen=True)
class Verdict:
    """What a take says of one character."""

    character: str
    look: str | None
    state: State
    value: float | None = None
    """Median over frames of the likeness; None where no frame could be scored."""
    worst: float | None = None
    spread: float | None = None
    """Interquartile range over frames."""
    frames: int = 0
    """How many frames were scored."""
    worst_sight: Sight | None = None
    worst_face: Face | None = None


def is_scorable(face: Face) -> bool:
    """Say whether a face is seen well enough to be told from another."""
    side = min(face.box.right - face.box.left, face.box.bottom - face.box.top) + 1
    return abs(face.turn) <= MAX_TURN and face.eyes >= MIN_EYES and side >= MIN_SIDE


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


@dataclass(frozen=True)
class _Match:
    sight: Sight
    face: Face
    likeness: float


def _give(
    sights: Sequence[Sight],
    expected: Mapping[str, str | None],
    cast: Mapping[str, Known],
    calibration: Calibration | None,
) -> tuple[dict[str, list[_Match]], list[tuple[Sight, Face]]]:
    """Give the faces of each frame to the characters; return them, and the faces that are left."""
    import numpy as np

    names = [name for name in expected if name in cast]
    rows = [cast[name].of_look(expected[name]) for name in names]
    given: dict[str, list[_Match]] = {name: [] for name in names}
    others: list[tuple[Sight, Face]] = []
    for sight in sights:
        left = list(sight.faces)
        if names and sight.faces:
            vectors = np.stack([face.vector for face in sight.faces])
            likeness = np.stack([cosines(each, vectors).max(axis=0) for each in rows])
            for name, row, column in zip(names, likeness, assign(likeness), strict=True):
                if column is None:
                    continue
                face = sight.faces[column]
                if calibration is None or row[column] > calibration.stranger:
                    given[name].append(_Match(sight, face, float(row[column])))
                    left.remove(face)
        others += [(sight, face) for face in left]
    return given, others


def _verdict(
    name: str,
    look: str | None,
    matches: list[_Match],
    sights: Sequence[Sight],
    calibration: Calibration | None,
) -> Verdict:
    scored = [match for match in matches if is_scorable(match.face)]
    if scored:
        state: State = "expected"
        if calibration is not None:
            state = "ok" if _median(scored) >= calibration.threshold else "drift"
        return _measured(name, look, state, scored)
    faces = [face for sight in sights for face in sight.faces]
    if not faces:
        return Verdict(name, look, "not_visible")
    if matches or not all(map(is_scorable, faces)) or calibration is None:
        return Verdict(name, look, "not_scorable")
    return Verdict(name, look, "missing")


def _unexpected(
    others: list[tuple[Sight, Face]],
    expected: Mapping[str, str | None],
    cast: Mapping[str, Known],
    calibration: Calibration,
) -> list[Verdict]:
    """Return a verdict for each of the cast who is not expected, and one for all strangers."""
    found: dict[str, list[_Match]] = {}
    for sight, face in others:
        if not is_scorable(face):
            continue
        likeness = {
            name: float(cosines(known.vectors, face.vector).max()) for name, known in cast.items()
        }
        nearest = max(likeness, key=lambda name: likeness[name], default=NOBODY)
        value = likeness.get(nearest, 0.0)
        if value >= calibration.threshold and nearest not in expected:
            found.setdefault(nearest, []).append(_Match(sight, face, value))
        elif value <= calibration.stranger:
            found.setdefault(NOBODY, []).append(_Match(sight, face, value))
    return [_measured(name, None, "unexpected", found[name]) for name in sorted(found)]


def _measured(name: str, look: str | None, state: State, matches: list[_Match]) -> Verdict:
    import numpy as np

    values = [match.likeness for match in matches]
    worst = min(matches, key=lambda match: (match.likeness, match.sight.number))
    high, low = np.percentile(values, [75, 25])
    frames = len({match.sight.number for match in matches})
    return Verdict(
        name,
        look,
        state,
        _median(matches),
        worst.likeness,
        float(high - low),
        frames,
        worst.sight,
        worst.face,
    )


def _median(matches: list[_Match]) -> float:
    import numpy as np

    return float(np.median([match.likeness for match in matches]))
