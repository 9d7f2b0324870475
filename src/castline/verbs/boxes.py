"""Say where a scene's characters are in its picture: boxes for `score`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from castline.adapters.material import media
from castline.adapters.usd.inview import boxes_in_view
from castline.inference.given import VERSION
from castline.schemas.errors import InvalidValueError


def boxes(scene: str | Path, picture: str | Path, *, camera: str | None = None) -> dict[str, Any]:
    """Return the boxes of a scene's characters in a file that was rendered from it, as JSON data.

    Frame 0 of the file is the scene's first. Raises as `boxes_in_view`, and `InvalidValueError`
    for a file without pictures.
    """
    found = media.probe(Path(picture))
    if not found.width or not found.height:
        raise InvalidValueError(f"{picture}: found no pictures")
    seen = boxes_in_view(Path(scene), camera, (found.width, found.height))
    name = Path(found.path).name
    return {"version": VERSION, "media": {name: seen["frames"]}}
