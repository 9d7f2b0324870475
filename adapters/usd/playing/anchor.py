"""Paths as a stage writes them: relative to its own folder, anchored, with forward slashes."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any


def anchored(path: Path, folder: Path) -> str:
    """Return the path from a stage in `folder`: `./takes/a.usda`, `../shots/b.png`.

    A path on another drive stays as it is.
    """
    try:
        relative = os.path.relpath(path, folder)
    except ValueError:  # Windows: no way leads from one drive to another
        return path.as_posix()
    text = relative.replace(os.sep, "/")
    return text if text.startswith("../") else f"./{text}"


def with_assets(value: Any, change: Callable[[str], str]) -> Any:
    """Return a value of USD with the asset paths in it changed, also those in dictionaries."""
    from pxr import Sdf

    if isinstance(value, Sdf.AssetPath):
        return Sdf.AssetPath(change(value.path)) if value.path else value
    if isinstance(value, Sdf.AssetPathArray):
        return Sdf.AssetPathArray([with_assets(item, change) for item in value])
    if isinstance(value, dict):
        return {key: with_assets(item, change) for key, item in value.items()}
    return value
