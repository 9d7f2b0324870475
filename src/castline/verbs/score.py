"""Measure the characters of a cut: is each there, and the same person as in the references?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from opentimelineio import schema
from opentimelineio.opentime import RationalTime, TimeRange

from castline.adapters.material.media import hash_file
from castline.footage import Hidden, Shown, shown_in
from castline.inference.cache import Cache
from castline.inference.calibration import Calibration
from castline.inference.faces import Face, FaceModel
from castline.inference.frames import Footage, spread
from castline.inference.measure import Asked, Count, Model, look_at
from castline.inference.score import Known, Sight, Verdict, score_take
from castline.schemas.errors import InvalidValueError
from castline.schemas.places import get_slot, get_take, set_take
from castline.schemas.slots import give_slot_ids, slug
from castline.schemas.values import Appearance, Cast, Problem, Score, Take

FRAMES = 5
"""Frames of a shot that are looked at."""


@dataclass(frozen=True)
class Scored:
    """A cut with its characters measured."""

    cut: schema.Timeline
    problems: tuple[Problem, ...]
    """What could not be looked at, and why."""
    shots: int
    count: Count
    is_calibrated: bool
    """Whether states are flagged: there is a calibration, and it is this model's."""


def score(
    cut: schema.Timeline,
    cast: Cast,
    references: str | Path,
    *,
    cache: str | Path,
    folder: str | Path = ".",
    frames: int = FRAMES,
    light: bool = False,
    calibration: Calibration | None = None,
    model: Model | None = None,
    progress: Callable[[int, int, str], None] | None = None,
) -> Scored:
    """Return the cut with an appearance on the shown take of each clip for each character.

    The cast's pictures lie in the folder `references`, the media in `folder`. A character that a
    slot expects gets a state; where a slot expects nobody, those of the cast who are there are
    noted. Without a calibration of this very model nothing is flagged. What people decided stays.
    Raises `MissingDependencyError` without the packages for it, `InvalidValueError` for a cast
    without a face.
    """
    result = cut.deepcopy()
    give_slot_ids(result)
    model = model or FaceModel(light=light)
    if calibration is not None and calibration.model != model.specification.hash:
        calibration = None
    with Cache(Path(cache)) as store:
        known, problems = known_faces(cast, Path(references), model, store)
        shown, hidden = _shown(result, Path(folder))
        asked = [Asked(each.footage, tuple(spread(each.numbers, frames))) for each in shown]
        _note(shown, known, store)
        sights, count = look_at(asked, model, store, tell=_teller(asked, progress))
        for each, wanted in zip(shown, asked, strict=True):
            seen = sights[each.footage.sha256]
            if why := count.failed.get(each.footage.sha256):
                hidden.append(_problem(each.clip.name, why))
            found = [seen[number] for number in wanted.numbers if number in seen]
            _write(each, _verdicts(each.clip, found, known, calibration), model, calibration)
    return Scored(result, (*problems, *hidden), len(shown), count, calibration is not None)


def look_ahead(
    cut: schema.Timeline,
    cast: Cast,
    references: str | Path,
    *,
    shard: tuple[int, int],
    cache: str | Path,
    folder: str | Path = ".",
    frames: int = FRAMES,
    light: bool = False,
    model: Model | None = None,
    progress: Callable[[int, int, str], None] | None = None,
) -> Count:
    """Look at one share of a cut's media, the first of so many: `shard` is (1, so many).

    Nothing but the cache is written. Caches of all shares, merged, are what `score` then needs.
    Raises as `score` does.
    """
    which, of = shard
    model = model or FaceModel(light=light)
    with Cache(Path(cache)) as store:
        known, _ = known_faces(cast, Path(references), model, store)
        shown, _ = _shown(cut, Path(folder))
        media = sorted({each.footage.sha256 for each in shown})
        mine = set(media[which - 1 :: of])
        shown = [each for each in shown if each.footage.sha256 in mine]
        asked = [Asked(each.footage, tuple(spread(each.numbers, frames))) for each in shown]
        _note(shown, known, store)
        _, count = look_at(asked, model, store, tell=_teller(asked, progress))
        return count


def _shown(cut: schema.Timeline, folder: Path) -> tuple[list[Shown], list[Problem]]:
    shown: list[Shown] = []
    problems: list[Problem] = []
    for found in shown_in(cut, folder):
        if isinstance(found, Hidden):
            problems.append(_problem(found.clip.name, found.reason))
        else:
            shown.append(found)
    return shown, problems


def _note(shown: list[Shown], known: Mapping[str, Known], store: Cache) -> None:
    """Note who may be seen in media before anybody looks, so that no purge misses them."""
    for each in shown:
        store.note(each.footage.sha256, _expected(each.clip) or known)


def _teller(
    asked: list[Asked], progress: Callable[[int, int, str], None] | None
) -> Callable[[int], None]:
    total = len({(each.footage.sha256, number) for each in asked for number in each.numbers})
    done = 0

    def tell(more: int) -> None:
        nonlocal done
        done += more
        if progress:
            progress(done, total, "frames")

    return tell


def known_faces(
    cast: Cast, folder: Path, model: Model, store: Cache
) -> tuple[dict[str, Known], list[Problem]]:
    """Return the reference vectors of the cast, and what is wrong with its pictures."""
    import numpy as np

    problems: list[Problem] = []
    known: dict[str, Known] = {}
    for character in cast.characters:
        vectors, looks = [], []
        for reference in character.references:
            if reference.kind != "face":
                continue
            path = folder / reference.path
            media = reference.sha256 or hash_file(path)
            picture = Footage(media, path, Fraction(1), 1, (path,))
            sights, count = look_at([Asked(picture, (0,))], model, store)
            face = _largest(sights[media].get(0))
            if face is None:
                why = count.failed.get(media, "found no face in this reference")
                problems.append(_problem(reference.path, why))
                continue
            store.note(media, [character.character_id])
            vectors.append(face.vector)
            looks.append(reference.look_id)
        if vectors:
            known[character.character_id] = Known(np.stack(vectors), tuple(looks))
        else:
            problems.append(_problem(character.character_id, "has no reference with a face"))
    if not known:
        raise InvalidValueError("cast: found no reference picture with a face, expected one")
    return known, problems


def _largest(sight: Sight | None) -> Face | None:
    return max(sight.faces if sight else (), key=lambda face: face.box.area, default=None)


def _verdicts(
    clip: schema.Clip,
    sights: list[Sight],
    known: Mapping[str, Known],
    calibration: Calibration | None,
) -> list[Verdict]:
    expected = _expected(clip)
    if expected:
        return score_take(sights, expected, known, calibration)
    everybody: dict[str, str | None] = dict.fromkeys(known)
    found = score_take(sights, everybody, known, calibration)
    return [verdict for verdict in found if verdict.state == "ok"] if calibration else []


def _expected(clip: schema.Clip) -> dict[str, str | None]:
    """Return whom the slot expects, with the look of each."""
    slot = get_slot(clip)
    return {each.character_id: each.look_id for each in slot.expected} if slot else {}


def _write(
    shown: Shown, verdicts: list[Verdict], model: Model, calibration: Calibration | None
) -> None:
    """Put the verdicts on the take, in the place of those of the same characters."""
    reference = shown.clip.media_reference
    take = get_take(reference) or Take(
        take_id=f"{slug(shown.footage.path.stem) or 'media'}-{shown.footage.sha256[:8]}",
        role="temp",
    )
    measured = {verdict.character for verdict in verdicts}
    kept = [a for a in take.appearances if a.character_id not in measured and not _is_ours(a)]
    made = [_appearance(each, shown, model, calibration) for each in verdicts]
    set_take(reference, take.replace(sha256=shown.footage.sha256, appearances=(*kept, *made)))


def _is_ours(appearance: Appearance) -> bool:
    """Say whether an earlier run found somebody who was not expected."""
    return appearance.state == "unexpected"


def _appearance(
    verdict: Verdict, shown: Shown, model: Model, calibration: Calibration | None
) -> Appearance:
    first, last = (shown.time_of(n) for n in (shown.numbers[0], shown.numbers[-1] + 1))
    made = None
    if verdict.value is not None:
        worst = verdict.worst_sight
        made = Score(
            value=verdict.value,
            worst=verdict.worst,
            worst_time=shown.time_of(worst.number) if worst else None,
            spread=verdict.spread,
            frames=verdict.frames,
            model=model.specification.hash,
            threshold=calibration.threshold if calibration else None,
        )
    return Appearance(
        character_id=verdict.character,
        look_id=verdict.look,
        state=verdict.state,
        media_range=TimeRange(first, RationalTime(last.value - first.value, first.rate)),
        score=made,
    )


def _problem(where: str, message: str) -> Problem:
    return Problem(rule="score", where=where, message=message, severity="warning")


def summary(scored: Scored) -> dict[str, Any]:
    """Return how many appearances are in which state."""
    states: dict[str, int] = {}
    for clip in scored.cut.find_clips():
        take = get_take(clip.media_reference) if clip.media_reference else None
        for appearance in take.appearances if take else ():
            states[appearance.state] = states.get(appearance.state, 0) + 1
    return dict(sorted(states.items()))
