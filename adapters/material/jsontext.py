"""JSON that others wrote: read with their liberties, held to bounds."""

from __future__ import annotations

import json
import math
from typing import Any

from castline.adapters.paths import TEXT_LIMIT
from castline.schemas.errors import UnreadableFileError

DEPTH_LIMIT = 200
_INTEGER_LIMIT = 2**63


def parse(text: str, place: str, limit: int = TEXT_LIMIT) -> Any:
    """Return the value that JSON text describes; NaN and Infinity become None.

    Integers stay exact, whatever their size. Raises `UnreadableFileError` for what is no JSON, is
    longer than `limit` characters or nests deeper than `DEPTH_LIMIT`.
    """
    if len(text) > limit:
        raise UnreadableFileError(f"{place}: found more than {limit} characters of JSON")
    try:
        value = json.loads(text.lstrip("\ufeff"), parse_constant=lambda _: None)
    except ValueError as error:
        raise UnreadableFileError(f"{place}: found no valid JSON: {error}") from None
    except RecursionError:
        raise UnreadableFileError(f"{place}: found JSON that nests too deeply") from None
    if _is_deep(value):
        raise UnreadableFileError(f"{place}: found JSON that nests too deeply")
    return value


def clean(value: Any) -> Any:
    """Return a parsed value as something every later writer can hold.

    Lone surrogates become the replacement character, integers beyond 64 bits become text (OTIO
    holds none), numbers that are not finite become None, keys become text.
    """
    if isinstance(value, str):
        return _clean_text(value)
    if isinstance(value, dict):
        return {_clean_text(str(key)): clean(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [clean(item) for item in value]
    if isinstance(value, int) and not -_INTEGER_LIMIT <= value < _INTEGER_LIMIT:
        return str(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _clean_text(text: str) -> str:
    if text.isascii():
        return text
    return text.encode("utf-16", errors="surrogatepass").decode("utf-16", errors="replace")


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(DEPTH_LIMIT):
        level = [inner for item in level for inner in _inside(item)]
        if not level:
            return False
    return True


def _inside(value: Any) -> list[Any]:
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [item for item in items if isinstance(item, (dict, list))]
