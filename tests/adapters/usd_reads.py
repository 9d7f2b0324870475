"""Reading many stages with one child process, which takes longer to start than to read."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import opentimelineio as otio
import pytest

from castline.adapters.usd.reading import reader
from castline.adapters.usd.sandbox import Sandbox
from castline.schemas.errors import UnreadableFileError


def read(path: str | Path, *, payloads: bool = False) -> Any:
    """Read as `usd.read` does."""
    return reader.read_in(_sandbox(), path, payloads=payloads)


def refused(path: Path) -> str:
    """Return the one line, with the file's name, in which a file is refused."""
    with pytest.raises(UnreadableFileError) as caught:
        read(path)
    text = str(caught.value)
    assert "\n" not in text
    assert str(path) in text
    assert "pxrInternal" not in text
    return text


def otio_text(root: Any) -> str:
    """Return OTIO's JSON of an object."""
    return otio.core.serialize_json_to_string(root, indent=-1)


@cache
def _sandbox() -> Sandbox:
    return Sandbox()
