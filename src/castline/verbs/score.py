"""Measure the characters of a cut: is each there, and the same person as in the references?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from opentimelineio import schema

from castline import verdicts
from castline.figures import figure_scores
from castline.flags import without_flags
from castline.footage import Hidden, Shown, shown_in
from castline.inference.cache import Cache
from castline.inference.calibration import Calibration
from castline.inference.features import Recorded
from castline.inference.frames import Footage, spread
from castline.inference.given import Given
from castline.inference.measure import Count, Engine
from castline.inference.packages import require_numpy
from castline.inference.score import Known
from castline.inference.subject import Model
from castline.judging import Desk, Judge, Progress, expected_in, measure
from castline.models import Choice, make
from castline.recorded import record as recorded
from castline.references import known_subjects, pictures_of, problem
from castline.schemas.decisions import approved_take_ids
from castline.schemas.errors import CastlineError
from castline.schemas.places import get_slot, get_take
from castline.schemas.slots import give_slot_ids
from castline.schemas.values import Cast, Problem
from castline.schemas.values.finding import Severity
from castline.storyline import Storyline, storylines

FRAMES = 4
"""Frames of a shot that are looked at."""
Locate = Callable[[Path], Footage | str]


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
    stories: Mapping[str, Storyline] = field(default_factory=dict)
    """Each character from shot to shot, by their id."""
    features: Recorded | None = None
    """What was seen, where it was asked for."""


def score(
    cut: schema.Timeline,
    cast: Cast,
    references: str | Path,
    *,
    cache: str | Path | Cache,
    folder: str | Path = ".",
    frames: int = FRAMES,
    calibration: Calibration | None = None,
    model: Model | None = None,
    figure: Model | None = None,
    given: Given | None = None,
    engine: Engine | None = None,
    locate: Locate | None = None,
    record: bool = False,
    progress: Progress | None = None,
) -> Scored:
    """Return the cut with an appearance on the shown take of each clip for each character.

    The cast's pictures lie in the folder `references`, the media in `folder`. A character that a
    slot expects gets a state; where a slot expects nobody, those of the cast who are there are
    noted, once there is a calibration. Without one of this very model nothing is flagged. What
    people decided stays. `model` looks for faces unless another is given; with `figure` the whole
    figure around each face is measured too. `record` keeps the features that were used, vectors
    included. Raises `MissingDependencyError` without the packages for it, `InvalidValueError` for
    a cast without a picture that can be used.
    """
    require_numpy()
    result = without_flags(cut)
    give_slot_ids(result)
    model = model or make(Choice())
    if calibration is not None and calibration.model != model.specification.hash:
        calibration = None
    with _opened(cache) as (store, damage):
        desk = Desk(model, store, engine, given or Given(), progress)
        pictures, problems = pictures_of(cast, Path(references), model)
        known, more = known_subjects(pictures, cast, model, store, engine)
        shown, hidden = _shown(result, Path(folder), locate)
        _note(shown, known, store)
        found, count = measure(desk, shown, frames, Judge(known, calibration))
        judged = [verdict or [] for verdict in found]
        stories = storylines([each.clip for each in shown], judged, _approved(shown))
        figures, unseen = figure_scores(figure, cast, Path(references), shown, judged, store)
        hidden += _unknown(shown, known)
        for place, (each, verdict) in enumerate(zip(shown, found, strict=True)):
            if why := count.failed.get(each.footage.sha256):
                hidden.append(problem(each.clip.name, why))
            if verdict is None:  # nothing was seen: what was known stays as it is
                continue
            along = {name: line.along(place) for name, line in stories.items()}
            verdicts.write(
                each,
                verdict,
                model.specification.hash,
                calibration,
                along=along,
                figures=figures[place],
            )
        if store.unkept:
            hidden.append(problem("cache", f"{store.unkept}; what was measured is not kept"))
        used = [each.asked for each in pictures] + [desk.asked(each, ()) for each in shown]
        features = recorded(used, model, store) if record else None
    return Scored(
        result,
        (*damage, *problems, *more, *hidden, *unseen),
        len(shown),
        count,
        calibration is not None,
        stories,
        features,
    )


def look_ahead(
    cut: schema.Timeline,
    cast: Cast,
    references: str | Path,
    *,
    shard: tuple[int, int],
    cache: str | Path,
    folder: str | Path = ".",
    frames: int = FRAMES,
    model: Model | None = None,
    given: Given | None = None,
    engine: Engine | None = None,
    progress: Progress | None = None,
) -> tuple[Count, list[Problem]]:
    """Look at one share of a cut's media, the first of so many: `shard` is (1, so many).

    Return what was done, and what of this share could not be looked at.

    Nothing but the cache is written. Caches of all shares, merged, are what `score` then needs;
    frames that it asks for on second thoughts are left to it. Raises as `score` does.
    """
    require_numpy()
    which, of = shard
    model = model or make(Choice())
    with Cache(Path(cache)) as store:
        desk = Desk(model, store, engine, given or Given(), progress)
        pictures, problems = pictures_of(cast, Path(references), model)
        known, more = known_subjects(pictures, cast, model, store, engine)
        shown, hidden = _shown(cut, Path(folder))
        media = sorted({each.footage.sha256 for each in shown})
        mine = set(media[which - 1 :: of])
        shown = [each for each in shown if each.footage.sha256 in mine]
        _note(shown, known, store)
        _, count = desk.look([desk.asked(e, spread(e.numbers, frames)) for e in shown])
        failed = [
            problem(each.clip.name, why)
            for each in shown
            if (why := count.failed.get(each.footage.sha256))
        ]
        return count, [*problems, *more, *hidden, *failed]


def _unknown(shown: Sequence[Shown], known: Mapping[str, Known]) -> Iterator[Problem]:
    """Yield whom slots expect although nobody knows them, and looks without a picture."""
    for each in shown:
        for name, look in expected_in(each.clip).items():
            if name not in known:
                yield problem(each.clip.name, f"expects {name}, of whom there is no picture")
            elif look is not None and not known[name].has_look(look):
                words = f"no picture of {name} shows the look {look}; those of others are used"
                yield problem(each.clip.name, words, "note")


def _approved(shown: Sequence[Shown]) -> list[bool]:
    """Say of each clip whether people approved the take that it shows."""
    found = []
    for each in shown:
        slot, take = get_slot(each.clip), get_take(each.clip.media_reference)
        ids = approved_take_ids(each.clip, slot.decisions) if slot and take else set()
        found.append(take is not None and take.take_id in ids)
    return found


def _shown(
    cut: schema.Timeline, folder: Path, locate: Locate | None = None
) -> tuple[list[Shown], list[Problem]]:
    shown: list[Shown] = []
    problems: list[Problem] = []
    for found in shown_in(cut, folder, locate):
        if isinstance(found, Hidden):
            severity: Severity = "note" if found.is_open else "warning"
            problems.append(problem(found.clip.name, found.reason, severity))
        else:
            shown.append(found)
    return shown, problems


def _note(shown: Sequence[Shown], known: Mapping[str, Known], store: Cache) -> None:
    """Note who may be seen in media before anybody looks, so that no purge misses them.

    That is everybody whom one could find there, expected or not.
    """
    for each in shown:
        store.note(each.footage.sha256, {*expected_in(each.clip), *known})


@contextmanager
def _opened(cache: str | Path | Cache) -> Iterator[tuple[Cache, list[Problem]]]:
    """Open the cache; where it cannot be used, say so and go on with one in memory."""
    damage: list[Problem] = []
    if isinstance(cache, Cache):
        store = cache
    else:
        try:
            store = Cache(Path(cache))
        except CastlineError as error:
            damage.append(problem("cache", f"{error}; what is measured now is not kept"))
            store = Cache.in_memory()
    with store:
        yield store, damage
