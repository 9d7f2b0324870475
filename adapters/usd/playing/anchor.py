"""Paths as a stage writes them: relative to its own folder, anchored, with forward slashes."""

from __future__ import annotations

import os
from pathlib import Path


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
