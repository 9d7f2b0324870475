"""The threshold that flags need: how low one person's likeness may fall before it is named.

A flag is false where the same person is taken for a drift. Its chance in one comparison is what
the labelled pairs show, with an exact upper bound: few pairs cannot promise few false flags, and
what was promised is stored beside the threshold. People differ more than pictures of one person
do: some are less like themselves than others. So each person's pairs are looked at on their own,
and the one who is least alike sets the threshold.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from castline.inference.jsonfile import read_object
from castline.inference.statistics import per_comparison, roc, upper_bound
from castline.schemas.errors import InvalidValueError

VERSION = 2
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
    people: int
    """Who are in pairs of one person."""
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
    """Chance of a false flag in one comparison of the one among these people who is flagged most
    often, at most, at 95 %."""
    elsewhere: float
    """Chance of one in a comparison of somebody who had no part in this, at most: one more person
    is the least alike of all with a chance of 1 in people + 1 (Dunn, Wasserman and Ramdas, JASA
    2023, on groups that are exchangeable)."""
    version: int = VERSION

    @property
    def is_promised(self) -> bool:
        """Say whether the pairs are enough for the rate that was asked for, of these people."""
        return self.bound <= per_comparison(self.rate, self.comparisons)

    def to_data(self) -> dict[str, Any]:
        """Return the calibration as plain data."""
        return asdict(self)


def calibrate(
    people: Sequence[Any],
    other: Any,
    *,
    model: str,
    rate: float = 0.05,
    comparisons: int = 100,
) -> Calibration:
    """Choose the threshold for a wanted chance of any false flag in a cut of so many comparisons.

    `people` holds the likeness of each one's pairs, `other` that of pairs of two. The threshold is
    the highest below which no more of anybody's pairs lie than the rate allows, by the exact
    bound; where somebody has too few pairs for that, their lowest, and the bounds say what that
    promises. Raises `InvalidValueError` for too few pairs, and where pairs of two people are
    mostly as alike as those of one.
    """
    import numpy as np

    groups = [np.sort(np.asarray(each, float)) for each in people if len(each)]
    same = np.sort(np.concatenate(groups or [np.zeros(0)]))
    other = np.sort(np.asarray(other, float))
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
    threshold = min(_lowest(each, allowed) for each in groups)
    below = [int(np.searchsorted(each, threshold)) for each in groups]
    missed = sum(count / len(each) for count, each in zip(below, groups, strict=True))
    return Calibration(
        model=model,
        threshold=threshold,
        stranger=min(float(other[-1]), threshold),
        people=len(groups),
        same=len(same),
        other=len(other),
        area=curve.area,
        equal_error=curve.equal_error,
        rate=rate,
        comparisons=comparisons,
        bound=max(upper_bound(n, len(each)) for n, each in zip(below, groups, strict=True)),
        elsewhere=min(1.0, 1 / (len(groups) + 1) + missed),
    )


def _lowest(likeness: Any, allowed: float) -> float:
    """Return how low one person's likeness may fall, by what is allowed in one comparison."""
    count = len(likeness)
    # The bound grows with how many lie below; what is still allowed is found by halving.
    below = bisect_right(range(1, count), allowed, key=lambda few: upper_bound(few, count))
    return float(likeness[below])


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
    found = Calibration(**values)
    if not (-1 <= found.stranger <= found.threshold <= 1):  # NaN is none of these
        raise InvalidValueError(
            f"{where}: found stranger {found.stranger} and threshold {found.threshold}, "
            "expected cosines, the threshold no lower"
        )
    shares = (found.area, found.equal_error, found.rate, found.bound, found.elsewhere)
    counts = (found.people, found.same, found.other, found.comparisons)
    if not all(0 <= share <= 1 for share in shares) or min(counts) < 0:
        raise InvalidValueError(f"{where}: found shares beyond 0 to 1, or counts below 0")
    return found


def read(path: Path) -> Calibration:
    """Return the calibration of a JSON file.

    Raises `UnreadableFileError` for what is no JSON and `InvalidValueError` for other data.
    """
    found = read_object(path, VERSION, "what `castline calibrate` writes")
    return from_data(found, str(path))
