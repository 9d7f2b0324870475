"""Trimming items at their ends, so that what stays of them shows what it showed.

Lengths are in frames of the stage.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from castline.adapters.usd import layout, placement
from castline.adapters.usd.node import Node
from castline.adapters.usd.reading.edit import make_range, range_of
from castline.adapters.usd.reading.stored import Stored
from castline.schemas.errors import CastlineError, UnreadableFileError
from castline.schemas.retime_effect import read_warp
from castline.schemas.revive import revive_effects

NOISE = 1e-6
"""Frames; what sums of floats differ by at most."""


@dataclass(frozen=True)
class Trim:
    """How the items of one stage are trimmed."""

    file: str
    rate: float
    """Of the stage, in frames a second."""

    def length(self, item: Stored) -> float | None:
        """Return how long an item is by now; None where that is not known."""
        node = Node(item.document, "", layout.kind_of(item.document))
        placement.measure(node, self.rate)
        if isinstance(item.document.get("source_range"), dict) or not item.children:
            return node.duration
        lengths = [
            self.length(child)
            for child in item.items
            if layout.kind_of(child.document) != "Transition"
        ]
        known = [length for length in lengths if length is not None]
        if layout.kind_of(item.document) == "Track":
            return sum(known) if len(known) == len(lengths) else None
        return max(known, default=0.0)

    def tail(self, item: Stored, frames: float) -> None:
        """Change where an item ends, its beginning as it is; below 0 frames it ends earlier."""
        if abs(frames) <= NOISE:
            return
        if layout.kind_of(item.document) == "Gap":
            self.lengthen(item, frames)
            return
        start = self._range(item)["start_time"]
        speed = self._speed(item)
        if speed < 0:  # what is seen last is the start
            start["value"] += self.in_own(frames, start["rate"]) * float(speed)
        self.lengthen(item, frames)

    def head(self, item: Stored, frames: float) -> None:
        """Change where an item begins, its end as it is; below 0 frames it begins earlier."""
        if abs(frames) <= NOISE:
            return
        if layout.kind_of(item.document) == "Gap":
            self.lengthen(item, -frames)
            return
        start = self._range(item)["start_time"]
        speed = self._speed(item)
        if speed > 0:  # backwards, the start is what is seen last
            start["value"] += self.in_own(frames, start["rate"]) * float(speed)
        self.lengthen(item, -frames)

    def lengthen(self, item: Stored, frames: float) -> None:
        """Change how long an item is."""
        if abs(frames) <= NOISE:
            return
        duration = self._range(item)["duration"]
        duration["value"] += self.in_own(frames, duration["rate"])
        if duration["value"] <= 0:
            raise self.refuse(item, "nothing left of it", "some of it")

    def in_own(self, frames: float, own_rate: float) -> float:
        """Return frames of the stage as frames of another rate."""
        return frames if own_rate == self.rate else frames * own_rate / self.rate

    def refuse(self, item: Stored, found: str, expected: str) -> UnreadableFileError:
        """Return the error for edges that no cut can follow."""
        place = f"{self.file}: {item.path}: {layout.RANGE}"
        return UnreadableFileError(f"{place}: found {found}, expected {expected}")

    def _range(self, item: Stored) -> dict[str, Any]:
        """Return an item's source range; one without gets its media's, or all of itself."""
        own = range_of(item.document)
        if isinstance(own, dict):
            return own
        length = self.length(item)
        if length is None:
            raise self.refuse(item, "an item without a length", "a source range to trim")
        made = item.document["source_range"] = make_range(0, length, self.rate)
        return made

    def _speed(self, item: Stored) -> Fraction:
        try:
            warp = read_warp(revive_effects(item.document.get("effects") or []), item.path)
        except (CastlineError, ValueError) as error:
            found = f"a retime that cannot be trimmed ({error})"
            raise self.refuse(item, found, "a speed") from None
        if warp.tables:
            raise self.refuse(item, "a warp curve", "one speed to trim at")
        return warp.speed
