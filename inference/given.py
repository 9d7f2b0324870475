"""Boxes given by people, or by a scene: where to look instead of searching.

A JSON file names media, by the hash of their bytes or by their file name, and for some of their
frames the boxes, as left, top, right and bottom in pixels, the last ones included:

    {"version": 1, "media": {"pier.mp4": {"0": [[40, 30, 99, 120]], "48": [[60, 30, 119, 120]]}}}

Between two frames with as many boxes they move evenly, in their order; otherwise those of the
frame before hold. Before the first and after the last frame there are none.
"""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from castline.inference.find.box import Box
from castline.inference.jsonfile import read_object
from castline.schemas.errors import InvalidValueError

VERSION = 1
_MAX_BYTES = 64 << 20
_MAX_EDGE = 1 << 20


@dataclass(frozen=True)
class Boxes:
    """The boxes of one file of media."""

    frames: tuple[int, ...]
    """Those that say something, ascending."""
    boxes: tuple[tuple[Box, ...], ...]
    """For each of them."""

    @property
    def hash(self) -> str:
        """Return a short hash, by which what was measured in them is kept."""
        text = json.dumps([self.frames, [[_edges(box) for box in each] for each in self.boxes]])
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def at(self, frame: int) -> tuple[Box, ...]:
        """Return the boxes of a frame."""
        after = bisect_right(self.frames, frame)
        if not after or (after == len(self.frames) and frame != self.frames[-1]):
            return ()
        before = self.boxes[after - 1]
        if frame == self.frames[after - 1] or len(before) != len(self.boxes[after]):
            return before
        start, end = self.frames[after - 1], self.frames[after]
        share = (frame - start) / (end - start)
        return tuple(
            _between(*pair, share) for pair in zip(before, self.boxes[after], strict=True)
        )


@dataclass(frozen=True)
class Given:
    """The boxes of all media that somebody gave."""

    media: Mapping[str, Boxes] = field(default_factory=dict)
    """By hash of the bytes, or by file name."""

    def of(self, sha256: str, name: str) -> Boxes | None:
        """Return the boxes of media, None where none are given."""
        return self.media.get(sha256) or self.media.get(name)


def read(path: Path) -> Given:
    """Return the boxes of a JSON file.

    Raises `UnreadableFileError` for what is no JSON and `InvalidValueError` for other data.
    """
    media = read_object(path, VERSION, "boxes by media", _MAX_BYTES).get("media")
    if not isinstance(media, dict):
        raise InvalidValueError(f"{path}: media: found {str(media)[:40]}, expected boxes by file")
    return Given({name: _boxes(each, f"{path}: {name}") for name, each in media.items()})


def _boxes(found: Any, where: str) -> Boxes:
    if not isinstance(found, dict) or not all(key.isdecimal() for key in found):
        raise InvalidValueError(f"{where}: expected frame numbers with lists of boxes")
    numbers = sorted(found, key=int)
    if len({*map(int, numbers)}) < len(numbers):
        raise InvalidValueError(f"{where}: found a frame twice")
    each = tuple(tuple(_box(box, f"{where}: {n}") for box in _list(found[n])) for n in numbers)
    return Boxes(tuple(map(int, numbers)), each)


def _list(found: Any) -> list[Any]:
    return found if isinstance(found, list) else [found]


def _box(found: Any, where: str) -> Box:
    if (
        not isinstance(found, list)
        or len(found) != 4
        or not all(type(edge) is int and abs(edge) <= _MAX_EDGE for edge in found)
        or found[0] > found[2]
        or found[1] > found[3]
    ):
        raise InvalidValueError(
            f"{where}: found {found!r:.60}, expected [left, top, right, bottom]"
        )
    return Box(*found)


def _between(one: Box, other: Box, share: float) -> Box:
    pairs = zip(_edges(one), _edges(other), strict=True)
    return Box(*(round(a + (b - a) * share) for a, b in pairs))


def _edges(box: Box) -> tuple[int, int, int, int]:
    return box.left, box.top, box.right, box.bottom
