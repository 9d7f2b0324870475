"""Looking at a cut's file from outside before anything parses it.

Every limit is far above what a feature film needs. OTIO's own JSON reader ends the process on
deep nesting, on a repeated key and on fields of the wrong type, so all are looked for first.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from castline.adapters.paths import decode_text, read_bytes, require_file
from castline.schemas.errors import InvalidValueError, UnreadableFileError
from castline.schemas.revive import require_sound

MAX_BYTES = 1 << 30
MAX_TEXT_BYTES = 512 << 20

# OTIO writes and reads `Inf`; JSON for people and Python has `Infinity`.
_OTIO_INFINITY = re.compile(r"[:,\[\s-]Inf\b")
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|\bInf\b')
_ENTITY = re.compile(rb"<!ENTITY", re.IGNORECASE)


def check_file(path: Path) -> None:
    """Raise `UnreadableFileError` for what is not a regular, non-empty file of bearable size."""
    size = require_file(path).stat().st_size
    if size > MAX_BYTES:
        raise UnreadableFileError(
            f"{path}: found {size >> 20} MB, expected at most {MAX_BYTES >> 20} MB"
        )


def read_text(path: Path) -> str:
    """Return a cut's text, in whatever encoding its program wrote it."""
    return decode_text(read_bytes(path, MAX_TEXT_BYTES))


def check_json(text: str, name: str) -> Any:
    """Return the parsed JSON; raise `UnreadableFileError` where OTIO would not survive it."""
    if _OTIO_INFINITY.search(text):
        text = _TOKEN.sub(_spell_out, text)
    try:
        found = json.loads(text, object_pairs_hook=_unique)
    except RecursionError:
        raise UnreadableFileError(f"{name}: found JSON nested too deep") from None
    except json.JSONDecodeError as error:
        raise UnreadableFileError(
            f"{name}: line {error.lineno}: found no JSON ({error.msg})"
        ) from None
    except ValueError as error:
        raise UnreadableFileError(f"{name}: found {error}") from None
    return found


def check_otio(text: str, name: str) -> None:
    """Raise `UnreadableFileError` for JSON that is no object that OTIO reads."""
    found = check_json(text, name)
    if not isinstance(found, dict) or "OTIO_SCHEMA" not in found:
        raise UnreadableFileError(f"{name}: found JSON, expected an OTIO object")
    try:
        require_sound(found)
    except InvalidValueError as error:
        raise UnreadableFileError(f"{name}: {error}") from None


def check_xml(path: Path) -> None:
    """Raise `UnreadableFileError` for XML that declares entities."""
    raw = read_bytes(path, MAX_TEXT_BYTES)
    if b"\x00" in raw[:4]:
        raw = decode_text(raw).encode()
    if _ENTITY.search(raw):
        raise UnreadableFileError(f"{path}: found an entity declaration, expected plain XML")


def _spell_out(match: re.Match[str]) -> str:
    return "Infinity" if match[0] == "Inf" else match[0]


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) != len(pairs):
        repeated = next(key for key in data if sum(key == k for k, _ in pairs) > 1)
        raise ValueError(f"the key {repeated[:60]!r} twice in one object")
    return data
