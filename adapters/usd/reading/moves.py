"""Moving an item's edges on its track while everything else stays where it is.

As an editor overwrites: what is uncovered becomes a gap, what is covered gives way. Lengths are in
frames of the stage.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from castline.adapters.usd.layout import kind_of
from castline.adapters.usd.reading.edit import make_gap, make_range, range_of
from castline.adapters.usd.reading.stored import Stored
from castline.schemas.errors import CastlineError, UnreadableFileError
from castline.schemas.retime_effect import read_warp
from castline.schemas.revive import revive_effects

Edges = tuple[float, float]
"""Where an item starts and ends on the timeline."""

Wanted = tuple[float | None, float | None]
"""The same as somebody wants it; None for an edge that stays."""


@dataclass(frozen=True)
class Bench:
    """A track, or a stack, on which an item is moved."""

    track: Stored
    lengths: Mapping[int, float]
    """How long each object was when it was written, by its identity."""
    rate: float
    """Of the stage, in frames a second."""
    edges: MutableMapping[int, Edges]
    """Where each object lies by now, by its identity."""
    place: str
    """Of the item, for errors."""

    def move(self, item: Stored, new: Wanted) -> None:
        """Give an item new edges.

        With one edge the item is trimmed; with both it is moved, and its tail trimmed to fit.
        Raises `UnreadableFileError` where there is no room.
        """
        old = self.edges[id(item)]
        start = old[0] if new[0] is None else new[0]
        end = old[1] if new[1] is None else new[1]
        if kind_of(item.document) == "Transition":
            self._move_transition(item, new)
            return
        if end <= start:
            raise self._refused(f"the range {start:g} to {end:g}", "an end after the start")
        if kind_of(self.track.document) != "Track":
            if start != old[0]:
                raise self._refused(f"the start {start:g}", f"{old[0]:g}, where its stack starts")
            self._trim_tail(item, end - old[1])
            return
        if new[0] is not None:
            self._make_room(item, start - old[0], before=True)
        if new[1] is not None:
            self._make_room(item, old[1] - end, before=False)
        if new[1] is None:
            self._trim_head(item, start - old[0])
        else:
            self._trim_tail(item, (end - start) - (old[1] - old[0]))
        self.edges[id(item)] = (start, end)

    def _move_transition(self, item: Stored, new: Wanted) -> None:
        """Change how far a transition reaches to either side of its cut, wherever that is now."""
        items = self.track.items
        at = next(index for index, child in enumerate(items) if child is item)
        if at and id(items[at - 1]) in self.edges:
            cut = self.edges[id(items[at - 1])][1]
        elif at + 1 < len(items) and id(items[at + 1]) in self.edges:
            cut = self.edges[id(items[at + 1])][0]
        else:
            raise self._refused("a transition between nothing", "items beside it")
        for key, edge, sign in (("in_offset", new[0], -1), ("out_offset", new[1], 1)):
            if edge is None:
                continue
            offset = item.document[key]
            offset["value"] = self._in_own((edge - cut) * sign, offset["rate"])
            if offset["value"] < 0:
                raise self._refused("a transition beside its cut", "one around it")

    def _make_room(self, item: Stored, gap: float, *, before: bool) -> None:
        """Open a gap of so many frames beside an item, or close one where it is below 0."""
        if not gap:
            return
        neighbour = self._neighbour(item, before=before)
        if neighbour is None and not before:
            return  # nothing follows that could move
        if neighbour is not None and kind_of(neighbour.document) == "Gap":
            left = self._length(neighbour) + gap
            if left > 0:
                self._lengthen(neighbour, gap)
            else:
                self.track.children.remove(neighbour)
                self._make_room(item, left, before=before)
        elif gap > 0:
            where = self.track.children.index(item) + (0 if before else 1)
            self.track.children.insert(where, make_gap(gap, self.rate))
        elif neighbour is None or self._length(neighbour) + gap <= 0:
            raise self._refused("no room for it on its track", "some")
        else:
            start, end = self.edges.get(id(neighbour), (0.0, 0.0))
            if before:
                self._trim_tail(neighbour, gap)
                self.edges[id(neighbour)] = (start, end + gap)
            else:
                self._trim_head(neighbour, -gap)
                self.edges[id(neighbour)] = (start - gap, end)

    def _neighbour(self, item: Stored, *, before: bool) -> Stored | None:
        """Return what lies before or after an item, transitions passed over."""
        items = [child for child in self.track.items if kind_of(child.document) != "Transition"]
        at = next(index for index, child in enumerate(items) if child is item)
        at += -1 if before else 1
        return items[at] if 0 <= at < len(items) else None

    def _length(self, item: Stored) -> float:
        own = self._range(item)["duration"]
        return float(own["value"] * self.rate / own["rate"])

    def _lengthen(self, item: Stored, frames: float) -> None:
        """Change how long an item is."""
        if not frames:
            return
        duration = self._range(item, to_change=True)["duration"]
        duration["value"] += self._in_own(frames, duration["rate"])
        if duration["value"] <= 0:
            raise self._refused("nothing left of it", "some of it")

    def _trim_tail(self, item: Stored, frames: float) -> None:
        """Change where an item ends, its beginning as it is; below 0 frames it ends earlier."""
        if not frames:
            return
        start = self._range(item, to_change=True)["start_time"]
        speed = self._speed(item)
        if speed < 0:  # what is seen last is the start
            start["value"] += self._in_own(frames, start["rate"]) * float(speed)
        self._lengthen(item, frames)

    def _trim_head(self, item: Stored, frames: float) -> None:
        """Change where an item begins, its end as it is; below 0 frames it begins earlier."""
        if not frames:
            return
        start = self._range(item, to_change=True)["start_time"]
        speed = self._speed(item)
        if speed > 0:  # backwards, the start is what is seen last
            start["value"] += self._in_own(frames, start["rate"]) * float(speed)
        self._lengthen(item, -frames)

    def _range(self, item: Stored, *, to_change: bool = False) -> dict[str, Any]:
        """Return an item's source range; where it has none, that of its media, or all of it."""
        own = item.document.get("source_range") if not to_change else range_of(item.document)
        if isinstance(own, dict):
            return own
        length = self.lengths.get(id(item))
        if length is None:
            raise self._refused("an item without a length", "a source range to trim")
        made = make_range(0, length, self.rate)
        if to_change:
            item.document["source_range"] = made
        return made

    def _speed(self, item: Stored) -> Fraction:
        effects = item.document.get("effects") or []
        try:
            warp = read_warp(revive_effects(effects), self.place)
        except (CastlineError, ValueError) as error:
            raise self._refused(f"a retime that cannot be trimmed ({error})", "a speed") from None
        if warp.tables:
            raise self._refused("a warp curve", "one speed to trim at")
        return warp.speed

    def _in_own(self, frames: float, own_rate: float) -> float:
        return frames if own_rate == self.rate else frames * own_rate / self.rate

    def _refused(self, found: str, expected: str) -> UnreadableFileError:
        return UnreadableFileError(f"{self.place}: found {found}, expected {expected}")
