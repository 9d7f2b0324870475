"""The cast's pictures, as vectors that takes are compared with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from castline.adapters.material.media import hash_file
from castline.inference.cache import Cache
from castline.inference.frames import Footage
from castline.inference.measure import Asked, Engine, look_at
from castline.inference.score import Known
from castline.inference.subject import Model, Sight, Subject
from castline.schemas.errors import InvalidValueError, UnreadableFileError
from castline.schemas.values import Cast, Problem, Reference
from castline.schemas.values.finding import Severity

_BESIDE = 0.5
"""Of the first one's side: with a second one so large, a picture does not say who is meant."""


@dataclass(frozen=True)
class Picture:
    """One picture of a character."""

    character: str
    reference: Reference
    footage: Footage

    @property
    def asked(self) -> Asked:
        """Return it as a frame to look at."""
        return Asked(self.footage, (0,))


def pictures_of(cast: Cast, folder: Path, model: Model) -> tuple[list[Picture], list[Problem]]:
    """Return the pictures that a model can use, and those that are not there."""
    problems: list[Problem] = []
    return list(_pictures(cast, folder, model, problems)), problems


def known_subjects(
    pictures: Sequence[Picture],
    cast: Cast,
    model: Model,
    store: Cache,
    engine: Engine | None = None,
) -> tuple[dict[str, Known], list[Problem]]:
    """Return the reference vectors of the cast, and what is wrong with its pictures.

    Raises `InvalidValueError` where no picture can be used.
    """
    import numpy as np

    problems: list[Problem] = []
    for each in pictures:
        store.note(each.footage.sha256, [each.character])
    sights, count = look_at([p.asked for p in pictures], model, store, engine=engine)
    found: dict[str, list[tuple[Subject, str | None]]] = {}
    for each in pictures:
        media = each.footage.sha256
        subject = _only(sights[media].get(0))
        if isinstance(subject, str):
            problems.append(problem(each.reference.path, count.failed.get(media, subject)))
        else:
            found.setdefault(each.character, []).append((subject, each.reference.look_id))
    kinds = " or ".join(sorted(model.kinds))
    for character in cast.characters:
        if character.character_id not in found:
            why = f"has no reference picture of a {kinds} that can be used"
            problems.append(problem(character.character_id, why))
    if not found:
        why = "; ".join(f"{each.where}: {each.message}" for each in problems[:1])
        if "face" not in model.kinds:
            why += f"; cast.toml says of a picture that it is of kind {kinds}"
        raise InvalidValueError(f"cast: found no reference picture with a {kinds} ({why})")
    return {
        name: Known(np.stack([s.vector for s, _ in each]), tuple(look for _, look in each))
        for name, each in found.items()
    }, problems


def vectors_of(
    paths: Sequence[Path], model: Model, store: Cache
) -> tuple[dict[Path, Any], list[Problem]]:
    """Return the vector of whom each picture shows, and why others show nobody to compare.

    Raises `UnreadableFileError` for a file that is not there.
    """
    footage = {path: Footage(hash_file(path), path, Fraction(1), 1, (path,)) for path in paths}
    sights, count = look_at([Asked(each, (0,)) for each in footage.values()], model, store)
    vectors, problems = {}, []
    for path, each in footage.items():
        subject = _only(sights[each.sha256].get(0))
        if isinstance(subject, str):
            problems.append(problem(path.name, count.failed.get(each.sha256, subject)))
        else:
            vectors[path] = subject.vector
    return vectors, problems


def _pictures(
    cast: Cast, folder: Path, model: Model, problems: list[Problem]
) -> Iterator[Picture]:
    for character in cast.characters:
        for reference in character.references:
            if reference.kind not in model.kinds:
                continue
            path = folder / reference.path
            try:
                media = reference.sha256 or hash_file(path)
            except UnreadableFileError as error:
                problems.append(problem(reference.path, str(error)))
                continue
            yield Picture(
                character.character_id, reference, Footage(media, path, Fraction(1), 1, (path,))
            )


def _only(sight: Sight | None) -> Subject | str:
    """Return the one whom a picture shows, or why that is nobody."""
    subjects = sorted(sight.subjects if sight else (), key=lambda each: -each.box.side)
    if not subjects:
        return "found nobody in this picture"
    if len(subjects) > 1 and subjects[1].box.side > _BESIDE * subjects[0].box.side:
        return f"found {len(subjects)} in this picture, expected one; cut the picture to one"
    if not subjects[0].is_scorable:
        return "found nobody clearly: turned away, too small or too dim to be compared with"
    return subjects[0]


def problem(where: str, message: str, severity: Severity = "warning") -> Problem:
    """Return a problem of measuring."""
    return Problem(rule="score", where=where, message=message, severity=severity)
