"""OTIO's JSON of one object, as it stands in a file that others may have written."""

from __future__ import annotations

import json
import math
from typing import Any

from castline.schemas.errors import UnreadableFileError

_SURE_LENGTH = 15  # characters of a float that any reader gets right


def parse(text: str, place: str) -> tuple[dict[str, Any], list[float]]:
    """Return the object in JSON text, and which of its floats have many digits.

    The text must be known not to nest deeply. Raises `UnreadableFileError` for what is no OTIO
    object and for a repeated key, which OTIO's own reader does not survive.
    """
    long: list[float] = []

    def read_float(literal: str) -> float:
        value = float(literal)
        if (len(literal) > _SURE_LENGTH or "e" in literal.lower()) and math.isfinite(value):
            long.append(value)
        return value

    try:
        document = json.loads(text, object_pairs_hook=_unique, parse_float=read_float)
    except (ValueError, RecursionError) as error:
        raise UnreadableFileError(f"{place}: found no sound JSON: {error}") from None
    if not isinstance(document, dict) or not isinstance(document.get("OTIO_SCHEMA"), str):
        raise UnreadableFileError(f"{place}: found no OTIO object")
    return document, long


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return found
