"""Make the threshold that flags need, from the cast's own pictures."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from castline.adapters.material.media import hash_file
from castline.inference.cache import Cache
from castline.inference.calibration import Calibration
from castline.inference.calibration import calibrate as choose
from castline.inference.score import Known
from castline.inference.subject import Model
from castline.inference.vectors import cosines
from castline.models import Choice, make
from castline.references import known_subjects, pictures_of, vectors_of
from castline.schemas.errors import InvalidValueError, UnreadableFileError
from castline.schemas.values import Cast, Problem


def calibrate(
    cast: Cast,
    references: str | Path,
    *,
    cache: str | Path,
    false_flags: float = 0.05,
    comparisons: int = 100,
    model: Model | None = None,
    problems: list[Problem] | None = None,
) -> Calibration:
    """Return the calibration that the pictures of a cast give; looks are compared as one.

    `false_flags` is the wanted chance of any in a cut of so many `comparisons`. Pictures that
    could not be used are added to `problems`. Raises `InvalidValueError` for too few pictures.
    """
    model = model or make(Choice())
    with Cache(Path(cache)) as store:
        pictures, missing = pictures_of(cast, Path(references), model)
        different = {each.footage.sha256: each for each in pictures}  # a copy proves nothing
        known, unfit = known_subjects(list(different.values()), cast, model, store)
    if problems is not None:
        problems += [*missing, *unfit]
    same, other = pairs(known)
    return choose(
        same, other, model=model.specification.hash, rate=false_flags, comparisons=comparisons
    )


def calibrate_pairs(
    path: str | Path,
    *,
    false_flags: float = 0.05,
    comparisons: int = 100,
    model: Model | None = None,
    problems: list[Problem] | None = None,
) -> Calibration:
    """Return the calibration that labelled pairs of pictures give.

    A CSV file with the columns `one`, `other` (paths beside it) and `same` (yes or no). Nothing of
    these pictures is kept: nobody could ask for it to be forgotten. Pictures that could not be
    used are added to `problems`, and their pairs left out. Raises `InvalidValueError` for another
    file, and for too few pairs with somebody in both pictures.
    """
    model = model or make(Choice())
    rows = read_pairs(Path(path))
    pictures = sorted({picture for row in rows for picture in (row.one, row.other)})
    with Cache.in_memory() as store:
        vectors, unfit = vectors_of(pictures, model, store)
    if problems is not None:
        problems += unfit
    rows = [row for row in _once(rows) if row.one in vectors and row.other in vectors]
    people: dict[Path, list[float]] = {}
    other: list[float] = []
    who = _people(rows)
    for row in rows:
        likeness = float(cosines(vectors[row.one], vectors[row.other])[0, 0])
        (people.setdefault(who[row.one], []) if row.is_same else other).append(likeness)
    return choose(
        list(people.values()),
        other,
        model=model.specification.hash,
        rate=false_flags,
        comparisons=comparisons,
    )


def _once(rows: Sequence[Pair]) -> list[Pair]:
    """Return the pairs, none twice, and none of a picture with its copy."""
    hashes = {path: hash_file(path) for row in rows for path in (row.one, row.other)}
    kept: dict[frozenset[str], Pair] = {}
    for row in rows:
        both = frozenset((hashes[row.one], hashes[row.other]))
        if len(both) == 2:
            kept.setdefault(both, row)
    return list(kept.values())


def _people(rows: Sequence[Pair]) -> dict[Path, Path]:
    """Return for each picture one that stands for its person: pairs of one person join them."""
    leads: dict[Path, Path] = {}

    def lead(picture: Path) -> Path:
        while (ahead := leads.setdefault(picture, picture)) != picture:
            leads[picture] = leads[ahead]  # halves the way for whoever comes next
            picture = ahead
        return picture

    for row in rows:
        if row.is_same:
            leads[lead(row.other)] = lead(row.one)
    return {picture: lead(picture) for row in rows for picture in (row.one, row.other)}


@dataclass(frozen=True)
class Pair:
    """Two pictures, and whether they show one person."""

    one: Path
    other: Path
    is_same: bool


_SAME = {"yes": True, "1": True, "true": True, "no": False, "0": False, "false": False}
MAX_PAIRS = 1_000_000


def read_pairs(path: Path) -> list[Pair]:
    """Return the pairs of a CSV file; paths begin at its folder.

    Raises `UnreadableFileError` for what cannot be read, and `InvalidValueError` for a line that
    names no two pictures or leaves the folder.
    """
    rows = []
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            for number, row in enumerate(csv.DictReader(file), 2):
                if number > MAX_PAIRS:
                    raise InvalidValueError(f"{path}: found more than {MAX_PAIRS} pairs")
                is_same = _SAME.get((row.get("same") or "").strip().lower())
                names = [row.get("one"), row.get("other")]
                if is_same is None or not all(names):
                    expected = "columns one, other, same (yes or no)"
                    raise InvalidValueError(f"{path}: line {number}: expected {expected}")
                one, two = (_inside(path, str(name), number) for name in names)
                rows.append(Pair(one, two, is_same))
    except OSError as error:
        raise UnreadableFileError(f"{path}: {error.strerror}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise UnreadableFileError(f"{path}: found no CSV: {error}") from None
    return rows


def _inside(path: Path, name: str, line: int) -> Path:
    folder = path.parent.resolve()
    found = (folder / name).resolve()
    if not found.is_relative_to(folder):
        raise InvalidValueError(f"{path}: line {line}: found {name[:80]}, outside its folder")
    return found


def pairs(known: Mapping[str, Known]) -> tuple[list[list[float]], list[float]]:
    """Return the likeness of every two pictures of each character, and of every two of two."""
    same: list[list[float]] = []
    other: list[float] = []
    for one in known.values():
        table = cosines(one.vectors, one.vectors)
        same.append([float(table[a, b]) for a, b in combinations(range(len(table)), 2)])
    for one, two in combinations(known.values(), 2):
        other += [float(value) for value in cosines(one.vectors, two.vectors).ravel()]
    return same, other
