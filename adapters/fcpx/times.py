"""Times as OTIO's stock FCPXML adapter writes and reads them.

It knows frame rates as numbers of the format's own table, which has 23.98 where 24000/1001 is
meant, and its reader cuts the rate and every time down to a whole number: 24000/1001 is read as
23, and frame 29 at 25 is read as 28. So what comes back is foretold here when a copy is written,
for the payload to undo, and a track that was read is put right again.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from castline.adapters.carrier.document import (
    Node,
    active_reference_of,
    children_of,
    schema_of,
    walk,
)
from castline.adapters.carrier.mend import Mends, range_node, time_node

Place = tuple[int, int]
"""Where a clip lies in its track and where it is read to lie, in frames."""

_WRITTEN_RATES = {24: 23.98, 30: 29.97, 60: 59.94}
"""What the stock writer's table calls n * 1000 / 1001."""
_GAP_START = 3600  # seconds; every gap that the stock writer makes starts there
_NEAR = 1e-6  # frames; what is left of a whole number by division


def label_rate(timeline: Node, rate: float, mends: Mends) -> dict[int, Place]:
    """Write an NTSC rate the one way in which the stock writer makes exact times of it.

    Seconds stay what they are. A cut whose connected clips would be off by half a frame or more
    is left as it is, for the stock adapter to refuse. Returns where each clip lies and where the
    stock reader will see it, by `id`, where that is not the same.
    """
    whole = round(rate * 1.001)
    places, moved = _foretell_places(timeline, rate)
    if abs(rate - whole * 1000 / 1001) > _NEAR or whole not in _WRITTEN_RATES or moved >= 0.5:
        return places
    label = _WRITTEN_RATES[whole]
    for _, item in walk(timeline):
        own = item.get("source_range")
        if own and schema_of(item) != "Timeline":
            start, length = (
                time_node(float(own[part]["value"]) / rate * label, label)
                for part in ("start_time", "duration")
            )
            written = {**own, "start_time": start, "duration": length}
            if schema_of(item) == "Clip":
                mends.set_range(item, written)
            else:
                item["source_range"] = written
    return places


def foretell_range(clip: Node, fps: int, mends: Mends) -> None:
    """Note in the clip's undo the source range that the stock reader makes of its own."""
    written = clip.get("source_range")
    if not written:
        return
    read = read_range(written, fps)
    undo = mends.undo_of(clip)
    if undo is None or "range" not in undo:
        if same_range(read, written):
            return
        mends.set_range(clip, written)
        undo = mends.undo_of(clip) or {}
    undo["written_range"] = read


def read_range(written: Node, fps: int) -> Node:
    """Return the range that the stock reader makes of a written one."""
    return range_node(
        _read(written["start_time"], fps), _read(written["duration"], fps), float(fps)
    )


def same_range(one: Any, other: Node) -> bool:
    """Say whether two ranges are the same time."""
    return bool(one) and _seconds(one) == _seconds(other)


def is_range(found: Any) -> bool:
    """Say whether a payload's value is a time range."""
    try:
        return bool(_seconds(found)) and float(found["duration"]["rate"]) > 0
    except (TypeError, KeyError, ValueError, ZeroDivisionError):
        return False


def place_in(found: Any) -> Place | None:
    """Return the place that a payload's value is, two whole numbers, or None."""
    if isinstance(found, list) and len(found) == 2 and all(type(n) is int for n in found):
        return found[0], found[1]
    return None


def whole_rate(rate: float) -> int:
    """Return the number that the stock reader takes for a rate."""
    return int(rate + _NEAR) if abs(rate - round(rate)) < _NEAR else int(rate)


def retime(timeline: Node, as_read: dict[int, Node], foretold: dict[int, Place]) -> None:
    """Take out of the tracks what the stock reader's rounding put in.

    `as_read` holds, by `id`, the ranges of those clips that have their own again, `foretold`
    what `label_rate` returned.
    """
    for _, track in walk(timeline):
        if schema_of(track) == "Track":
            _retime_track(track, as_read, foretold)


def _foretell_places(timeline: Node, rate: float) -> tuple[dict[int, Place], float]:
    """Return the places that will be read, and by how many frames a file would be off."""
    places: dict[int, Place] = {}
    furthest = 0.0
    exact = float(rate).is_integer()
    for _, stack in walk(timeline):
        if schema_of(stack) != "Stack":
            continue
        tracks = children_of(stack)
        spine = list(_spine(tracks[0], rate)) if tracks else []
        for n, track in enumerate(tracks):
            found: Iterator[tuple[Node, int, int | None, float]]
            if n == 0:
                found = ((i, at, _truncate(at, rate, rate), 0.0) for i, at in _placed(track))
            else:
                found = _lane_places(track, spine, rate)
            for item, place, read, moved in found:
                furthest = max(furthest, abs(moved))
                if read is not None and not (exact and read == place):
                    places[id(item)] = place, read
    return places, furthest


def _retime_track(track: Node, as_read: dict[int, Node], foretold: dict[int, Place]) -> None:
    items = children_of(track)
    ranges = [as_read.get(id(item)) or item.get("source_range") for item in items]
    rates = {float(r["duration"]["rate"]) for r in ranges if r}
    if len(rates) != 1 or not all(ranges) or not (rate := rates.pop()).is_integer():
        return
    fps, true = int(rate), _true_rate(int(rate))
    if fps == true and not any(id(item) in as_read or id(item) in foretold for item in items):
        return
    slack = 2 if fps != true and track.get("name") not in ("0", "") else 0
    places = _places(items, ranges)
    fresh: list[Node] = []
    end = 0
    for n, (item, read, place) in enumerate(places):
        told = foretold.get(id(item), (0, -1))
        start = max(end, told[0]) if told[1] == place else _start(place, end, true, slack)
        if start > end:
            fresh.append(_gap(start - end, true))
        if id(item) not in as_read and fps != true:
            after = places[n + 1][2] if n + 1 < len(places) else None
            _retime_item(item, read, start, after, fps, true)
        end = start + _frames(item, read, true)
        fresh.append(item)
    before = [_length(item) for item in items if schema_of(item) == "Gap"]
    if fps != true or before != [_length(item) for item in fresh if schema_of(item) == "Gap"]:
        track["children"] = fresh


def _places(items: list[Node], ranges: list[Any]) -> list[tuple[Node, Node, int | None]]:
    """Return what is not a gap, its range as read, and where it was read to start.

    The reader puts a gap before an item only where there is room, and then the item's place is
    certain; without a gap the item follows the one before.
    """
    found: list[tuple[Node, Node, int | None]] = []
    place, after_gap = 0, False
    for item, read in zip(items, ranges, strict=True):
        if schema_of(item) == "Gap":
            after_gap = True
        else:
            found.append((item, read, place if after_gap else None))
            after_gap = False
        place += int(read["duration"]["value"])
    return found


def _start(place: int | None, end: int, true: float, slack: int) -> int:
    if place is None:
        return end
    frames = [n for n in (place, place + 1) if _truncate(n, true, true) == place] or [place]
    if any(abs(end - n) <= slack for n in frames):
        return end
    return max(end, frames[0])


def _retime_item(
    item: Node, read: Node, start: int, after: int | None, fps: int, true: float
) -> None:
    """Give an item that the reader cut to whole numbers frames of its true rate."""
    first = math.ceil(float(read["start_time"]["value"]) * true / fps - _NEAR)
    length = float(read["duration"]["value"])
    least = math.ceil(length * true / fps - _NEAR)
    frames = [n for n in (least, least + 1) if int(n / true * fps + _NEAR) == length] or [least]
    fitting = [n for n in frames if after is not None and start + n in (after, after + 1)]
    item["source_range"] = range_node(first, (fitting or frames)[0], true)


def _frames(item: Node, read: Node, true: float) -> int:
    """Return the frames of the true rate that an item takes, which may show all of its media."""
    whole = (active_reference_of(item) or {}).get("available_range")
    length = (item.get("source_range") or whole or read)["duration"]
    return max(1, round(float(length["value"]) * true / float(length["rate"])))


def _gap(frames: int, rate: float) -> Node:
    return {
        "OTIO_SCHEMA": "Gap.1",
        "metadata": {},
        "name": "",
        "source_range": range_node(0, frames, rate),
        "effects": [],
        "markers": [],
        "enabled": True,
    }


def _length(item: Node) -> tuple[float, float]:
    own = item["source_range"]["duration"]
    return float(own["value"]), float(own["rate"])


def _true_rate(fps: int) -> float:
    return (fps + 1) * 1000 / 1001 if fps + 1 in (24, 30, 48, 60, 120) else float(fps)


def _lane_places(
    track: Node, spine: list[tuple[int, int, float]], rate: float
) -> Iterator[tuple[Node, int, int | None, float]]:
    """Yield each connected item, its place, the place that is read, and by how much it moves.

    The stock writer counts these places in whole numbers of the rate cut down, 23 for 24000/1001.
    """
    fps = whole_rate(rate)
    parents = iter(spine)
    parent = next(parents, None)
    for item, place in _placed(track):
        while parent and _end_as_found(parent, rate, fps) <= place / rate:
            parent = next(parents, None)
        if parent is None:
            yield item, place, None, math.inf
            continue
        at, _, start = parent
        count = _truncate(place, rate, fps) - _truncate(at, rate, fps) + _truncate(start, 1, fps)
        read = _truncate(count, fps, rate) - _truncate(start, 1, rate) + _truncate(at, rate, rate)
        moved = (count / fps - start) * rate - (place - at)
        yield item, place, read, moved


def _placed(track: Node) -> Iterator[tuple[Node, int]]:
    place = 0
    for item in children_of(track):
        if own := item.get("source_range"):
            if schema_of(item) != "Gap":
                yield item, place
            place += int(own["duration"]["value"])


def _spine(track: Node, rate: float) -> Iterator[tuple[int, int, float]]:
    """Yield place, length (both in frames) and start (in seconds) of each item of the track."""
    place = 0
    for item in children_of(track):
        if own := item.get("source_range"):
            start = float(own["start_time"]["value"]) / rate
            length = int(own["duration"]["value"])
            yield place, length, _GAP_START if schema_of(item) == "Gap" else start
            place += length


def _end_as_found(item: tuple[int, int, float], rate: float, fps: int) -> float:
    return (_truncate(item[0], rate, fps) + _truncate(item[1], rate, fps)) / fps


def _truncate(frames: float, rate: float, fps: float) -> int:
    """Return the stock reader's count of frames in a time, with its rounding errors."""
    if float(frames).is_integer() and float(rate).is_integer():
        time = Fraction(int(frames), int(rate))
    else:
        time = Fraction(frames / rate).limit_denominator()
    return int(time.numerator / time.denominator * fps)


def _read(time: Node, fps: int) -> int:
    if int(float(time["value"])) == 0:
        return 0
    return _truncate(float(time["value"]), float(time["rate"]), fps)


def _seconds(span: Node) -> tuple[float, float]:
    start, length = span["start_time"], span["duration"]
    return (
        round(float(start["value"]) / float(start["rate"]), 6),
        round(float(length["value"]) / float(length["rate"]), 6),
    )
