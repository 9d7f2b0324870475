"""The whole figure of each character: wardrobe and look, beside the face."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from castline.footage import Shown
from castline.inference.cache import Cache
from castline.inference.figures import around
from castline.inference.find.box import Box
from castline.inference.frames import Footage
from castline.inference.given import Boxes
from castline.inference.measure import Asked, look_at
from castline.inference.score import Known, Verdict, score_take
from castline.inference.subject import Model, Sight
from castline.references import known_subjects, pictures_of, problem
from castline.schemas.errors import InvalidValueError
from castline.schemas.values import Cast, Problem, Score
from castline.verdicts import score_of


def figure_scores(
    model: Model | None,
    cast: Cast,
    references: Path,
    shown: Sequence[Shown],
    found: Sequence[Sequence[Verdict]],
    store: Cache,
) -> tuple[list[dict[str, Score]], list[Problem]]:
    """Return for each shot how much each character's whole figure is like that of their look.

    The figure is looked for around the faces that were given to the character. Without a model
    nobody is measured.
    """
    scores: list[dict[str, Score]] = [{} for _ in shown]
    if model is None:
        return scores, []
    pictures, missing = pictures_of(cast, references, model)
    try:
        known, problems = known_subjects(pictures, cast, model, store)
    except InvalidValueError as error:  # the faces are measured all the same
        return scores, [*missing, problem("figure", str(error))]
    for name, references_of in known.items():
        mine = {
            place: verdict
            for place, verdicts in enumerate(found)
            for verdict in verdicts
            if verdict.character == name and verdict.matches
        }
        sights, count = look_at(_asked(mine, shown), model, store)
        problems += [problem(f"figure of {name}", why) for why in count.failed.values()]
        for place, verdict in mine.items():
            seen = sights[shown[place].footage.sha256]
            made = score_of(
                _verdict(verdict, seen, references_of), shown[place], model.specification.hash
            )
            if made is not None:
                scores[place][name] = made
    return scores, [*missing, *problems]


def _asked(mine: Mapping[int, Verdict], shown: Sequence[Shown]) -> list[Asked]:
    """Return the frames of each file in which one character's face was seen, with their figure."""
    media: dict[str, tuple[Footage, dict[int, Box]]] = {}
    for place, verdict in mine.items():
        footage = shown[place].footage
        _, boxes = media.setdefault(footage.sha256, (footage, {}))
        boxes.update({m.sight.number: around(m.subject.box) for m in verdict.matches})
    asked = []
    for footage, boxes in media.values():
        numbers = tuple(sorted(boxes))
        given = Boxes(numbers, tuple((boxes[number],) for number in numbers))
        asked.append(Asked(footage, numbers, given))
    return asked


def _verdict(verdict: Verdict, seen: Mapping[int, Sight], known: Known) -> Verdict:
    """Return what the figure says, by the references of the look, without a flag."""
    sights = [seen[m.sight.number] for m in verdict.matches if m.sight.number in seen]
    expected = {verdict.character: verdict.look}
    return score_take(sights, expected, {verdict.character: known}, None)[0]
