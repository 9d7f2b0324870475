"""The threshold that flags need: how low one person's likeness may fall before it is named.

A flag is false where the same person is taken for a drift. Its chance in one comparison is what
the labelled pairs show, with an exact upper bound: few pairs cannot promise few false flags, and
what was promised is stored beside the threshold.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from castline.inference.statistics import per_comparison, roc, upper_bound
from castline.schemas.errors import InvalidValueError, UnreadableFileError

VERSION = 1
_MAX_BYTES = 1 << 20
MIN_PAIRS = 20
"""Pairs of one person, and of two, at least; with fewer nothing is promised."""
_TYPES: dict[str, tuple[type, ...]] = {"str": (str,), "int": (int,), "float": (int, float)}


@dataclass(frozen=True)
class Calibration:
    """What labelled pairs say of one model."""

    model: str
    """Hash of the model's specification; for another model it says nothing."""
    threshold: float
    """Below it the same person is flagged."""
    stranger: float
    """At or below it somebody is taken for somebody else; the highest likeness of two people,
    but no higher than the threshold."""
    same: int
    """Pairs of one person."""
    other: int
    """Pairs of two."""
    area: float
    """Under the curve of hits and false alarms."""
    equal_error: float
    rate: float
    """False flags that were asked for, as the chance of any in one cut."""
    comparisons: int
    """Comparisons in that cut."""
    bound: float
    """Chance of a false flag in one comparison, at most, at 95 %."""
    version: int = VERSION

    @property
    def is_promised(self) -> bool:
        """Say whether the pairs are enough for the rate that was asked for."""
        return self.bound <= per_comparison(self.rate, self.comparisons)

    def to_data(self) -> dict[str, Any]:
        """Return the calibration as plain data."""
        return asdict(self)


def calibrate(
    same: Any, other: Any, *, model: str, rate: float = 0.05, comparisons: int = 100
) -> Calibration:
    """Choose the threshold for a wanted chance of any false flag in a cut of so many comparisons.

    It is the highest below which no more pairs of one person lie than the rate allows, by the
    exact bound; where there are too few pairs for that, the lowest likeness of any, and the bound
    says what that promises. Raises `InvalidValueError` for too few pairs, and where pairs of two
    people are mostly as alike as those of one.
    """
    import numpy as np

    same, other = np.sort(np.asarray(same, float)), np.sort(np.asarray(other, float))
    if min(len(same), len(other)) < MIN_PAIRS:
        raise InvalidValueError(
            f"found {len(same)} pairs of one person and {len(other)} of two, "
            f"expected at least {MIN_PAIRS} of each; add reference pictures"
        )
    curve = roc(same, other)
    if curve.area <= 0.5:
        raise InvalidValueError(
            f"found an area under the curve of {curve.area:.2f}: "
            "this model does not tell these people apart"
        )
    allowed = per_comparison(rate, comparisons)
    below = 0
    while below + 1 < len(same) and upper_bound(below + 1, len(same)) <= allowed:
        below += 1
    threshold = float(same[below])
    return Calibration(
        model=model,
        threshold=threshold,
        stranger=min(float(other[-1]), threshold),
        same=len(same),
        other=len(other),
        area=curve.area,
        equal_error=curve.equal_error,
        rate=rate,
        comparisons=comparisons,
        bound=upper_bound(below, len(same)),
    )


def from_data(data: Mapping[str, Any], where: str) -> Calibration:
    """Return the calibration that plain data describe.

    Raises `InvalidValueError` for other data, and for that of a later castline.
    """
    known = Calibration.__dataclass_fields__
    if data.get("version") != VERSION:
        found = data.get("version")
        raise InvalidValueError(f"{where}: found version {found!r}, expected {VERSION}")
    try:
        values = {name: data[name] for name in known}
    except KeyError as error:
        raise InvalidValueError(f"{where}: found no {error.args[0]}") from None
    for name, value in values.items():
        if not isinstance(value, _TYPES[str(known[name].type)]) or isinstance(value, bool):
            raise InvalidValueError(f"{where}: {name}: found {value!r}")
    return Calibration(**values)


def read(path: Path) -> Calibration:
    """Return the calibration of a JSON file.

    Raises `UnreadableFileError` for what is no JSON and `InvalidValueError` for other data.
    """
    try:
        if not path.is_file() or path.stat().st_size > _MAX_BYTES:
            raise UnreadableFileError(f"{path}: found no file of bearable size")
        found = json.loads(path.read_bytes())
    except OSError as error:
        raise UnreadableFileError(f"{path}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise UnreadableFileError(f"{path}: found no JSON: {error}") from None
    if not isinstance(found, dict):
        raise InvalidValueError(f"{path}: expected what `castline calibrate` writes")
    return from_data(found, str(path))
