"""Verdicts on takes, put into the cut, and counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from opentimelineio import schema
from opentimelineio.opentime import RationalTime, TimeRange

from castline.footage import Shown
from castline.inference.calibration import Calibration
from castline.inference.score import Verdict
from castline.schemas.places import get_take, set_take
from castline.schemas.slots import slug
from castline.schemas.values import WARNING_STATES, Appearance, Score, Take


@dataclass(frozen=True)
class Along:
    """How a character in one shot is like themselves in others."""

    neighbours: float | None = None
    """Likeness to the shots before and after."""
    anchor: float | None = None
    """Likeness to the first approved shots."""


def write(
    shown: Shown,
    verdicts: Sequence[Verdict],
    model: str,
    calibration: Calibration | None,
    *,
    along: Mapping[str, Along],
    figures: Mapping[str, Score],
) -> None:
    """Put the verdicts on the take, in the place of those of the same characters."""
    reference = shown.clip.media_reference
    take = get_take(reference) or Take(
        take_id=f"{slug(shown.footage.path.stem) or 'media'}-{shown.footage.sha256[:8]}",
        role="temp",
    )
    measured = {verdict.character for verdict in verdicts}
    is_same = take.sha256 == shown.footage.sha256
    kept = [
        each
        for each in take.appearances
        if each.character_id not in measured and _stays(each, model, is_same_file=is_same)
    ]
    made = [
        _appearance(
            each,
            shown,
            _score(each, shown, model, calibration, along.get(each.character, Along())),
            figures.get(each.character),
        )
        for each in verdicts
    ]
    set_take(reference, take.replace(sha256=shown.footage.sha256, appearances=(*kept, *made)))


def _stays(appearance: Appearance, model: str, *, is_same_file: bool) -> bool:
    """Say whether what was known of somebody else still holds after this run.

    What people said does. What was measured does where it is of these very bytes, and by another
    model: by this one, somebody who is not found any more is not there any more.
    """
    if appearance.state == "unexpected":
        return False
    return appearance.score is None or (is_same_file and appearance.score.model != model)


def _appearance(
    verdict: Verdict, shown: Shown, score: Score | None, figure: Score | None
) -> Appearance:
    first, last = (shown.time_of(n) for n in (shown.numbers[0], shown.numbers[-1] + 1))
    return Appearance(
        character_id=verdict.character,
        look_id=verdict.look,
        state=verdict.state,
        media_range=TimeRange(first, RationalTime(last.value - first.value, first.rate)),
        score=score,
        figure=figure,
        note=_note(score, shown) if verdict.state in WARNING_STATES else None,
    )


def _note(score: Score | None, shown: Shown) -> str | None:
    """Return why somebody should look: what was measured, and where the worst of it is."""
    if score is None:
        return None
    words = f"likeness {score.value:.3f}"
    if score.threshold is not None and score.value < score.threshold:
        words += f" below {score.threshold:.3f}"
    if score.worst is not None and score.worst_time is not None:
        frame = round((score.worst_time - shown.start).value)
        words += f", worst {score.worst:.3f} in frame {frame}"
    return words


def _score(
    verdict: Verdict, shown: Shown, model: str, calibration: Calibration | None, along: Along
) -> Score | None:
    made = score_of(verdict, shown, model)
    if made is None:
        return None
    return made.replace(
        threshold=calibration.threshold if calibration else None,
        neighbours=along.neighbours,
        anchor=along.anchor,
    )


def score_of(verdict: Verdict, shown: Shown, model: str) -> Score | None:
    """Return the measurement of a verdict, None where nothing could be scored."""
    if verdict.value is None:
        return None
    worst = verdict.worst
    return Score(
        value=verdict.value,
        worst=worst.likeness if worst else None,
        worst_time=shown.time_of(worst.sight.number) if worst else None,
        spread=verdict.spread,
        frames=verdict.frames,
        model=model,
    )


def count_states(cut: schema.Timeline) -> dict[str, int]:
    """Return how many appearances on the shown takes are in which state."""
    states: dict[str, int] = {}
    for clip in cut.find_clips():
        take = get_take(clip.media_reference) if clip.media_reference else None
        for appearance in take.appearances if take else ():
            states[appearance.state] = states.get(appearance.state, 0) + 1
    return dict(sorted(states.items()))
