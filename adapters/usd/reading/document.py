"""OTIO's JSON of one object, as it stands in a file that others may have written."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from castline.schemas.errors import UnreadableFileError

_SURE_LENGTH = 15  # characters of a float that any reader gets right
# Where a long float's fraction or exponent starts in canonical text. Begun with a letter each,
# since Python's search for one is ten times faster than for a class of them.
_FRACTION = re.compile(r"\.(?:(?=[\deE+-]{3})|(?<=\d{12}\.))[\deE+-]+")
_EXPONENT = re.compile(r"e(?<=\de)[+-]?\d+")


def parse(text: str, place: str) -> tuple[dict[str, Any], list[float], bool]:
    """Return the object in JSON text, which of its floats have many digits, and if it is plain.

    Plain is what the fast codec keeps all of. The text must be known not to nest deeply. Raises
    `UnreadableFileError` for what is no OTIO object and for a repeated key, which OTIO's own
    reader does not survive.
    """
    document, floats = _parse_canonical(text)
    is_plain = document is not None
    if not is_plain:
        document, floats = _parse_any(text, place)
    if not isinstance(document, dict) or not isinstance(document.get("OTIO_SCHEMA"), str):
        raise UnreadableFileError(f"{place}: found no OTIO object")
    return document, floats, is_plain


def long_floats(document: dict[str, Any]) -> list[float]:
    """Return the floats of many digits in an object."""
    return _finite(_long_literals(json.dumps(document, separators=(",", ":"))))


def _parse_canonical(text: str) -> tuple[Any, list[float]]:
    """Parse what is as castline writes it: the same when written again, so no key stands twice."""
    try:
        document = orjson.loads(text)
        if orjson.dumps(document, option=orjson.OPT_SORT_KEYS).decode() != text:
            return None, []
    except (ValueError, TypeError):  # no JSON, or more than the fast codec knows
        return None, []
    return document, _finite(_long_literals(text))


def _long_literals(text: str) -> Iterator[str]:
    """Yield the floats that a reader may miss; also what looks like one inside a string."""
    for pattern in (_FRACTION, _EXPONENT):
        for match in pattern.finditer(text):
            start = match.start()
            while text[start - 1] in "0123456789.-":  # a quote comes first, or a bracket
                start -= 1
            yield text[start : match.end()]


def _parse_any(text: str, place: str) -> tuple[Any, list[float]]:
    literals: list[str] = []

    def read_float(literal: str) -> float:
        if len(literal) > _SURE_LENGTH or "e" in literal.lower():
            literals.append(literal)
        return float(literal)

    try:
        document = json.loads(text, object_pairs_hook=_unique, parse_float=read_float)
    except (ValueError, RecursionError) as error:
        raise UnreadableFileError(f"{place}: found no sound JSON: {error}") from None
    return document, _finite(literals)


def _finite(literals: Iterable[str]) -> list[float]:
    floats = []
    for literal in literals:
        try:
            value = float(literal)
        except ValueError:  # in a string
            continue
        if math.isfinite(value):
            floats.append(value)
    return floats


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return found
