"""Moving an item's edges on its track while everything else stays where it is.

As an editor overwrites: what is uncovered becomes a gap, what is covered gives way. Lengths are in
frames of the stage.
"""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any

import opentimelineio as otio

from castline.adapters.usd.edit import make_range, range_of
from castline.adapters.usd.layout import kind_of
from castline.adapters.usd.stored import Stored
from castline.schemas.errors import CastlineError, UnreadableFileError
from castline.schemas.retime_effect import read_warp

_Edges = tuple[float | None, float | None]


def move(
    track: Stored,
    item: Stored,
    old: tuple[float, float],
    new: _Edges,
    rate: float,
    place: str,
) -> None:
    """Give an item of a track new edges; `new` holds None for one that stays.

    With one edge the item is trimmed; with both it is moved, and its tail trimmed to fit. Raises
    `UnreadableFileError` where there is no room.
    """
    start = old[0] if new[0] is None else new[0]
    end = old[1] if new[1] is None else new[1]
    if kind_of(item.document) == "Transition":
        _move_transition(item, old, (start, end), rate, place)
        return
    if end <= start:
        raise UnreadableFileError(f"{place}: found the range {start:g} to {end:g}, expected more")
    if kind_of(track.document) != "Track":
        if start != old[0]:
            raise UnreadableFileError(
                f"{place}: found another start on a stack, expected that of the stack"
            )
        _lengthen(item, end - old[1], rate, place)
        return
    if new[0] is not None and start != old[0]:
        _make_room(track, item, start - old[0], rate, place, before=True)
    if new[1] is not None and end != old[1]:
        _make_room(track, item, old[1] - end, rate, place, before=False)
    if new[1] is None:
        _trim_head(item, start - old[0], rate, place)
    else:
        _lengthen(item, (end - start) - (old[1] - old[0]), rate, place)


def _move_transition(
    item: Stored, old: tuple[float, float], new: tuple[float, float], rate: float, place: str
) -> None:
    """Change how far a transition reaches to either side of its cut."""
    for key, longer in (("in_offset", old[0] - new[0]), ("out_offset", new[1] - old[1])):
        offset = item.document[key]
        offset["value"] += _in_own(longer, offset["rate"], rate)
        if offset["value"] < 0:
            raise UnreadableFileError(
                f"{place}: found a transition beside its cut, expected one around it"
            )


def _make_room(
    track: Stored, item: Stored, gap: float, rate: float, place: str, *, before: bool
) -> None:
    """Open a gap of so many frames beside an item, or close one where it is below 0."""
    items = [child for child in track.children if not track.is_marker(child)]
    at = next(index for index, child in enumerate(items) if child is item)
    beside = reversed(items[:at]) if before else iter(items[at + 1 :])
    neighbour = next((n for n in beside if kind_of(n.document) != "Transition"), None)
    if neighbour is None and not before:
        return  # nothing follows that could move
    if neighbour is not None and kind_of(neighbour.document) == "Gap":
        if _length(neighbour, rate) + gap > 0:
            _lengthen(neighbour, gap, rate, place)
            return
        gap += _length(neighbour, rate)
        track.children.remove(neighbour)
        if gap:
            _make_room(track, item, gap, rate, place, before=before)
        return
    if gap > 0:
        where = track.children.index(item) + (0 if before else 1)
        track.children.insert(where, _gap(gap, rate))
        return
    if neighbour is None or _length(neighbour, rate) + gap <= 0:
        raise UnreadableFileError(f"{place}: found no room for it on its track, expected some")
    if before:
        _lengthen(neighbour, gap, rate, place)
    else:
        _trim_head(neighbour, -gap, rate, place)


def _length(item: Stored, rate: float) -> float:
    own = range_of(item.document)
    if own is None:
        return 0.0
    return float(own["duration"]["value"] * rate / own["duration"]["rate"])


def _lengthen(item: Stored, frames: float, rate: float, place: str) -> None:
    """Change where an item ends, its start as it is."""
    if not frames:
        return
    own = _range(item, place)
    own["duration"]["value"] += _in_own(frames, own["duration"]["rate"], rate)
    if own["duration"]["value"] <= 0:
        raise UnreadableFileError(f"{place}: found nothing left of it, expected some of it")


def _trim_head(item: Stored, frames: float, rate: float, place: str) -> None:
    """Change where an item begins, its end as it is; below 0 frames it begins earlier."""
    if not frames:
        return
    own = _range(item, place)
    speed = _speed(item, place)
    if speed > 0:  # backwards, the start is what is seen last
        start = own["start_time"]
        start["value"] += _in_own(frames, start["rate"], rate) * float(speed)
    _lengthen(item, -frames, rate, place)


def _range(item: Stored, place: str) -> dict[str, Any]:
    own = range_of(item.document)
    if own is None:
        raise UnreadableFileError(f"{place}: found no range to trim, expected a source range")
    return own


def _speed(item: Stored, place: str) -> Fraction:
    effects = item.document.get("effects") or []
    try:
        live = [otio.core.deserialize_json_from_string(json.dumps(e)) for e in effects]
        warp = read_warp(live, place)
    except (CastlineError, ValueError) as error:
        raise UnreadableFileError(
            f"{place}: found a retime that cannot be trimmed: {error}"
        ) from None
    if warp.tables:
        raise UnreadableFileError(f"{place}: found a warp curve, expected one speed to trim at")
    return warp.speed


def _in_own(frames: float, own_rate: float, rate: float) -> float:
    return frames if own_rate == rate else frames * own_rate / rate


def _gap(frames: float, rate: float) -> Stored:
    text = otio.schema.Gap(duration=otio.opentime.RationalTime(frames, rate)).to_json_string()
    document = json.loads(text)
    document["source_range"] = make_range(0, frames, rate)
    return Stored(document, [])
