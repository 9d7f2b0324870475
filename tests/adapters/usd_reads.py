"""Reading many stages with one child process, which takes longer to start than to read."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from castline.adapters.usd.reading import reader
from castline.adapters.usd.sandbox import Sandbox


def read(path: str | Path, *, payloads: bool = False) -> Any:
    """Read as `usd.read` does."""
    return reader.read_in(_sandbox(), path, payloads=payloads)


@cache
def _sandbox() -> Sandbox:
    return Sandbox()
