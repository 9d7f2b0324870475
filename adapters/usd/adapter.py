"""The two functions that OTIO calls."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import opentimelineio as otio

from castline.adapters.usd.reader import read
from castline.adapters.usd.writer import write
from castline.schemas.errors import UsageError


def read_from_file(filepath: str, **arguments: Any) -> otio.core.SerializableObject:
    """Return the cut that the stage holds."""
    _refuse(arguments)
    return read(Path(filepath))


def write_to_file(
    input_otio: otio.core.SerializableObject, filepath: str, **arguments: Any
) -> str:
    """Write the cut as a stage, whole or not at all."""
    _refuse(arguments)
    write(input_otio, Path(filepath))
    return filepath


def _refuse(arguments: dict[str, Any]) -> None:
    if arguments:
        raise UsageError(f"usd: found argument {', '.join(sorted(arguments))}, expected none")
