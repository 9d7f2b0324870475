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
from castline.adapters.usd.reading.published import join_scene
from castline.adapters.usd.reading.stored import Stored
from castline.adapters.usd.sandbox import MEMORY, Sandbox
from castline.adapters.usd.scene.cut import cut_from
from castline.schemas.errors import InvalidValueError, UnreadableFileError
from castline.schemas.revive import revive

SECONDS = 10.0
SECONDS_PER_MEGABYTE = 4.0
"""CPU time that a file's size allows: some ten times what a sound one of that size takes."""

SCENE_SECONDS = 120.0
"""CPU time for a scene with all that it brings in."""

_MISFITS = (ArithmeticError, AttributeError, LookupError, StopIteration, TypeError, ValueError)
"""What values that nobody expects raise."""

_EXTRACT = "castline.adapters.usd.reading.extract:extract"
_SURVEY = "castline.adapters.usd.scene.survey:survey"


def read(path: str | Path, *, payloads: bool = False) -> otio.core.SerializableObject:
    """Read the OTIO object that a usd, usda, usdc or usdz file holds, of the kind it was.

    A cut is read from the file's own layer, nothing that it references. A stage that holds none
    is read as a scene (`castline.adapters.usd.scene`): composed, and its payloads loaded only if
    asked for. Both happen in another process: see `sandbox`. Raises `UnreadableFileError` with one
    line (file, place, found, expected) for what is no such file, `NewerVersionError` for one of a
    later castline and `MissingDependencyError` where USD is not installed.
    """
    with Sandbox() as sandbox:
        return read_in(sandbox, path, payloads=payloads)


def read_in(
    sandbox: Sandbox, path: str | Path, *, payloads: bool = False
) -> otio.core.SerializableObject:
    """Read as `read` does, in a child process that may have read others before."""
    library.look_for()
    with collected_later():
        return _read_whole(sandbox, Path(path), payloads)


def _read_whole(sandbox: Sandbox, path: Path, payloads: bool) -> otio.core.SerializableObject:
    found = _extract(sandbox, path)
    if "scene" in found:
        return _read_scene(sandbox, path, payloads)
    return _read_cut(found, path)


def _read_cut(found: dict[str, Any], path: Path) -> otio.core.SerializableObject:
    if "document" in found:
        root = stored.single(found["document"], str(path))
    else:
        root = stored.gather(found.get("objects"), str(path))
    _apply_edits(root, path)
    return restore_floats(_revive(root, path), root)


def _extract(sandbox: Sandbox, path: Path) -> dict[str, Any]:
    """Return what the file's own layer holds."""
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
    return found if isinstance(found, dict) else {}


def _read_scene(sandbox: Sandbox, path: Path, payloads: bool) -> otio.schema.Timeline:
    arguments = [str(path), payloads]
    facts = sandbox.run(_SURVEY, arguments, seconds=SCENE_SECONDS, place=str(path))
    try:
        if not facts["overlay"]:
            return cut_from(facts, path)
        published = _read_overlay(sandbox, Path(facts["overlay"]))
        return join_scene(published, facts, path)
    except _MISFITS as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        raise UnreadableFileError(f"{path}: found values that no scene has: {reason}") from None


def _read_overlay(sandbox: Sandbox, path: Path) -> otio.schema.Timeline:
    found = _read_cut(_extract(sandbox, path), path)
    if not isinstance(found, otio.schema.Timeline):
        raise UnreadableFileError(f"{path}: found no timeline, expected what publish wrote")
    return found


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
