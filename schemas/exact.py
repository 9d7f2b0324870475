"""Exact rates, times and speeds out of the floats that timelines are written in."""

from __future__ import annotations

import math
import struct
from fractions import Fraction
from functools import lru_cache

from opentimelineio.opentime import RationalTime

from castline.schemas.errors import InvalidValueError

MIN_RATE = 1e-3
"""Frames a second below which nothing runs: a frame would last a quarter of an hour."""

_WHOLE = Fraction(1, 1_000_000)
_NTSC = Fraction(1000, 1001)
_NTSC_ROUNDING = Fraction(5, 1000)
_FRAME_NOISE = Fraction(1, 10_000_000)


@lru_cache(maxsize=256)
def exact_rate(rate: float) -> Fraction:
    """Give the rate that a written one means, in frames a second: 23.976 is 24000/1001.

    Whole rates stay whole. A rate within 0.005 of a whole rate times 1000/1001 is that one:
    23.976, 23.98 and 23.976024627685547 are all found in real files.

    Raises:
        InvalidValueError: the rate is below `MIN_RATE`, zero for all that runs, or no number.

    """
    _require(math.isfinite(rate) and rate >= MIN_RATE, "rate", rate, "frames a second above zero")
    written = Fraction(rate)
    whole, ntsc = Fraction(round(written)), round(written / _NTSC) * _NTSC
    if whole and abs(written - whole) <= _WHOLE:
        return whole
    if ntsc and abs(written - ntsc) <= _NTSC_ROUNDING:
        return ntsc
    return exact_number(rate)


@lru_cache(maxsize=1024)
def exact_number(value: float) -> Fraction:
    """Give the simplest fraction that the float can stand for: 0.7 is 7/10, 0.333... is 1/3.

    Simplest within four units in the last place, so that a quotient such as 35.1 / 24 is 117/80;
    within half a unit of single precision where the value came through a single
    (-0.699999988079071 is -7/10).

    Raises:
        InvalidValueError: the value is not finite.

    """
    _require(math.isfinite(value), "number", value, "a finite number")
    if value == int(value):
        return Fraction(int(value))
    slack = Fraction(math.ulp(value)) * 4
    if _is_single(value):
        slack = Fraction(2) ** (math.frexp(value)[1] - 25)
    return _simplest_near(Fraction(value), slack)


def exact_frames(value: float) -> Fraction:
    """Give a number of frames, freed of float noise: exact to a ten-millionth of a frame.

    Raises:
        InvalidValueError: the value is not finite.

    """
    _require(math.isfinite(value), "time", value, "a finite number of frames")
    if value == int(value):
        return Fraction(int(value))
    return _simplest_near(Fraction(value), _FRAME_NOISE)


def exact_seconds(time: RationalTime) -> Fraction:
    """Give a time in exact seconds.

    Raises:
        InvalidValueError: its value is not finite, or its rate is not above zero.

    """
    return exact_frames(time.value) / exact_rate(time.rate)


def _is_single(value: float) -> bool:
    """Say whether single precision holds the value, as programs do that store speeds so."""
    try:
        return bool(struct.unpack("f", struct.pack("f", value))[0] == value)
    except OverflowError:
        return False


def _simplest_near(value: Fraction, slack: Fraction) -> Fraction:
    if abs(value) <= slack:
        return Fraction(0)
    sign = 1 if value > 0 else -1
    return sign * _simplest_between(abs(value) - slack, abs(value) + slack)


def _simplest_between(low: Fraction, high: Fraction) -> Fraction:
    """Walk down the two continued fractions until they part; both ends are above zero."""
    whole = math.floor(low)
    if whole == low:
        return Fraction(whole)
    if whole + 1 <= high:
        return Fraction(whole + 1)
    return whole + 1 / _simplest_between(1 / (high - whole), 1 / (low - whole))


def _require(holds: bool, what: str, found: float, expected: str) -> None:
    if not holds:
        raise InvalidValueError(f"{what}: found {found}, expected {expected}")
