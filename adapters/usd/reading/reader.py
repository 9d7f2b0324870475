"""Reading a cut out of a stage."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import opentimelineio as otio
import orjson

from castline.adapters.paths import require_file
from castline.adapters.usd import guard, library
from castline.adapters.usd.garbage import collected_later
from castline.adapters.usd.layout import suffix_of
from castline.adapters.usd.reading import stored
from castline.adapters.usd.reading.edits import apply_edits
from castline.adapters.usd.reading.floats import restore_floats
from castline.adapters.usd.reading.stored import Stored
from castline.adapters.usd.sandbox import MEMORY, Sandbox
from castline.schemas.errors import InvalidValueError, UnreadableFileError
from castline.schemas.revive import revive

SECONDS = 10.0
SECONDS_PER_MEGABYTE = 4.0
"""CPU time that a file's size allows: some ten times what a sound one of that size takes."""

_MISFITS = (ArithmeticError, AttributeError, LookupError, StopIteration, TypeError, ValueError)
"""What values that nobody expects raise."""

_EXTRACT = "castline.adapters.usd.reading.extract:extract"


def read(path: str | Path) -> otio.core.SerializableObject:
    """Read the OTIO object that a usd, usda, usdc or usdz file holds, of the kind it was.

    The file's own layer is read, nothing that it references, and in another process: see
    `sandbox`. Raises `UnreadableFileError` with one line (file, place, found, expected) for what
    is no such file, `NewerVersionError` for one of a later castline and `MissingDependencyError`
    where USD is not installed.
    """
    with Sandbox() as sandbox:
        return read_in(sandbox, path)


def read_in(sandbox: Sandbox, path: str | Path) -> otio.core.SerializableObject:
    """Read as `read` does, in a child process that may have read others before."""
    library.look_for()
    with collected_later():
        return _read_whole(sandbox, Path(path))


def _read_whole(sandbox: Sandbox, path: Path) -> otio.core.SerializableObject:
    root = _stored_in(sandbox, path)
    _apply_edits(root, path)
    return restore_floats(_revive(root, path), root)


def _stored_in(sandbox: Sandbox, path: Path) -> Stored:
    """Return the objects that the file holds."""
    size = require_file(path).stat().st_size
    if suffix_of(path) == "usdz":  # media are in it too; its layer alone is read
        size = min(size, guard.MAX_BYTES)
    if size > guard.MAX_BYTES:
        raise UnreadableFileError(f"{path}: found more than {guard.MAX_BYTES >> 20} MB")
    found = sandbox.run(
        _EXTRACT,
        [str(path)],
        seconds=SECONDS + SECONDS_PER_MEGABYTE * size / 2**20,
        place=str(path),
        memory=MEMORY + 64 * size,
    )
    if isinstance(found, dict) and "document" in found:
        return stored.single(found["document"], str(path))
    return stored.gather(found.get("objects") if isinstance(found, dict) else None, str(path))


def _apply_edits(root: Stored, path: Path) -> None:
    """Let the stage's edits into the documents, which nobody has looked at yet."""
    try:
        apply_edits(root, str(path))
    except _MISFITS as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        raise UnreadableFileError(f"{path}: found values that no cut has: {reason}") from None


def _revive(root: Stored, path: Path) -> otio.core.SerializableObject:
    document = stored.join(root, str(path))
    is_plain = all(item.is_plain for item in stored.walk(root))
    try:
        live = revive(document, text=_text_of(document, is_plain))
    except InvalidValueError as error:
        raise UnreadableFileError(f"{path}: {error}") from None
    if not isinstance(live, otio.core.SerializableObject):
        found = type(live).__name__
        raise UnreadableFileError(f"{path}: found a {found}, expected an OTIO object")
    return live


def _text_of(document: dict[str, Any], is_plain: bool) -> str:
    if is_plain:
        try:
            return orjson.dumps(document).decode()
        except orjson.JSONEncodeError:  # nested deeper than it goes
            pass
    return json.dumps(document, separators=(",", ":"))
