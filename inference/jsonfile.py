"""JSON files that people hand in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from castline.schemas.errors import InvalidValueError, UnreadableFileError


def read_json(path: Path, limit: int) -> Any:
    """Return what a JSON file of at most `limit` bytes holds.

    Raises `UnreadableFileError` for what is no JSON, or none of that size.
    """
    try:
        if not path.is_file() or path.stat().st_size > limit:
            raise UnreadableFileError(f"{path}: found no file of bearable size")
        return json.loads(path.read_bytes())
    except OSError as error:
        raise UnreadableFileError(f"{path}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise UnreadableFileError(f"{path}: found no JSON: {error}") from None


def read_object(path: Path, version: int, expected: str, limit: int = 1 << 20) -> dict[str, Any]:
    """Return the object of a JSON file that says this version.

    Raises `UnreadableFileError` for what is no JSON and `InvalidValueError` for other data.
    """
    found = read_json(path, limit)
    if not isinstance(found, dict):
        raise InvalidValueError(f"{path}: expected {expected}")
    if found.get("version") != version:
        raise InvalidValueError(
            f"{path}: found version {found.get('version')!r}, expected {version}"
        )
    return found
