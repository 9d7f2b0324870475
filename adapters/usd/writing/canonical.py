"""Canonical JSON: sorted keys, no blanks; the same object gives the same text."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import orjson

Encode = Callable[[Any], str]

_encode_any: Encode = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode


def parse(text: str) -> tuple[Any, Encode]:
    """Return what OTIO's JSON text holds, and the encoder that keeps all of it.

    The fast codec knows no NaN, no infinity and no half of a surrogate pair; text with any of
    these is left to the standard library's. Raises `ValueError` or `RecursionError`.
    """
    try:
        return orjson.loads(text), _encode_plain
    except (orjson.JSONDecodeError, UnicodeEncodeError):
        return json.loads(text), _encode_any


def _encode_plain(document: Any) -> str:
    try:
        return orjson.dumps(document, option=orjson.OPT_SORT_KEYS).decode()
    except orjson.JSONEncodeError:  # nested deeper than it goes
        return _encode_any(document)
