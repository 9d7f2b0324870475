"""The two functions that OTIO calls."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import opentimelineio as otio

from castline.adapters.usd.reading.reader import read
from castline.adapters.usd.writing.writer import write
from castline.schemas.errors import UsageError

_LOG = logging.getLogger("castline")


def read_from_file(filepath: str, **arguments: Any) -> otio.core.SerializableObject:
    """Return the cut that the stage holds, or that the scene is.

    `payloads` (`-a payloads=1`) has a scene's payloads loaded.
    """
    payloads = str(arguments.pop("payloads", "")).lower() in ("1", "true", "yes")
    _refuse(arguments, "payloads")
    return read(Path(filepath), payloads=payloads)


def write_to_file(
    input_otio: otio.core.SerializableObject, filepath: str, **arguments: Any
) -> str:
    """Write the cut as a stage, whole or not at all.

    `plates` (`-A plates=FOLDER`) is a folder for the frames of movies, so that they are seen.
    """
    plates = arguments.pop("plates", None)
    _refuse(arguments, "plates")
    for loss in write(input_otio, Path(filepath), plates=plates):
        _LOG.info("castline: %s: %s: %s", loss.where, loss.field, loss.reason)
    return filepath


def _refuse(arguments: dict[str, Any], expected: str) -> None:
    if arguments:
        found = ", ".join(sorted(arguments))
        raise UsageError(f"usd: found argument {found}, expected {expected}")
