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

from castline.adapters.carrier.document import Node, children_of, schema_of, walk
from castline.adapters.carrier.mend import Mends, range_node, time_node

_WRITTEN_RATES = {24: 23.98, 30: 29.97, 60: 59.94}
"""What the stock writer's table calls n * 1000 / 1001."""
_GAP_START = 3600  # seconds; every gap that the stock writer makes starts there
_NEAR = 1e-6  # frames; what is left of a whole number by division


def label_rate(timeline: Node, rate: float, mends: Mends) -> None:
    """Write an NTSC rate the one way in which the stock writer makes exact times of it.

    Seconds stay what they are. A cut whose connected clips would be off by half a frame or more
    is left as it is, for the stock adapter to refuse.
    """
    whole = round(rate * 1.001)
    label = _WRITTEN_RATES.get(whole)
    if label is None or abs(rate - whole * 1000 / 1001) > _NEAR or not _lanes_hold(timeline, rate):
        return
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


def whole_rate(rate: float) -> int:
    """Return the number that the stock reader takes for a rate."""
    return int(rate + _NEAR) if abs(rate - round(rate)) < _NEAR else int(rate)


def retime(timeline: Node, as_read: dict[int, Node]) -> None:
    """Take out of the tracks what the stock reader's rounding put in.

    `as_read` holds, by `id`, the ranges of those clips that have their own again.
    """
    for _, track in walk(timeline):
        if schema_of(track) == "Track":
            _retime_track(track, as_read)


def _retime_track(track: Node, as_read: dict[int, Node]) -> None:
    items = children_of(track)
    ranges = [as_read.get(id(item)) or item.get("source_range") for item in items]
    rates = {float(r["duration"]["rate"]) for r in ranges if r}
    if len(rates) != 1 or not all(ranges) or not (rate := rates.pop()).is_integer():
        return
    fps, true = int(rate), _true_rate(int(rate))
    if fps == true and not any(id(item) in as_read for item in items):
        return
    slack = 2 if fps != true and track.get("name") not in ("0", "") else 0
    places = _places(items, ranges)
    fresh: list[Node] = []
    end = 0
    for n, (item, read, place) in enumerate(places):
        start = _start(place, end, true, slack)
        if start > end:
            fresh.append(_gap(start - end, true))
        if id(item) not in as_read and fps != true:
            after = places[n + 1][2] if n + 1 < len(places) else None
            _retime_item(item, read, start, after, fps, true)
        own = item["source_range"]["duration"]
        end = start + max(1, round(float(own["value"]) * true / float(own["rate"])))
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


def _lanes_hold(timeline: Node, rate: float) -> bool:
    """Say whether each connected clip's place would be written within half a frame.

    The stock writer counts these places in whole numbers of the rate cut down, 23 for 24000/1001.
    """
    fps = whole_rate(rate)
    for _, stack in walk(timeline):
        if schema_of(stack) == "Stack":
            video = [t for t in children_of(stack) if t.get("kind") == "Video"]
            others = [t for t in children_of(stack) if t.get("kind") != "Video"]
            spine = list(_spine(video[0], rate)) if video else []
            for track in [*video[1:], *others]:
                if not _lane_holds(track, spine, rate, fps):
                    return False
    return True


def _spine(track: Node, rate: float) -> Iterator[tuple[int, int, float]]:
    """Yield place, length (both in frames) and start (in seconds) of each item of the track."""
    place = 0
    for item in children_of(track):
        if own := item.get("source_range"):
            start = float(own["start_time"]["value"]) / rate
            length = int(own["duration"]["value"])
            yield place, length, _GAP_START if schema_of(item) == "Gap" else start
            place += length


def _lane_holds(track: Node, spine: list[tuple[int, int, float]], rate: float, fps: int) -> bool:
    parents = iter(spine)
    parent = next(parents, None)
    place = 0
    for item in children_of(track):
        own = item.get("source_range")
        if not own:
            continue
        if schema_of(item) != "Gap":
            while parent and _whole(parent, rate, fps) <= place / rate:
                parent = next(parents, None)
            if parent is None:
                return False
            at, _, start = parent
            written = (
                _truncate(place, rate, fps)
                - _truncate(at, rate, fps)
                + int(float(Fraction(start).limit_denominator()) * fps)
            ) / fps
            if abs(written - ((place - at) / rate + start)) * rate >= 0.5:
                return False
        place += int(own["duration"]["value"])
    return True


def _whole(item: tuple[int, int, float], rate: float, fps: int) -> float:
    return (_truncate(item[0], rate, fps) + _truncate(item[1], rate, fps)) / fps


def _truncate(frames: int, rate: float, fps: float) -> int:
    """Return the stock reader's count of frames in a time, with its rounding errors."""
    time = Fraction(frames / rate).limit_denominator()
    return int(float(time.numerator) / float(time.denominator) * fps)


def _read(time: Node, fps: int) -> int:
    if int(float(time["value"])) == 0:
        return 0
    return _truncate(float(time["value"]), float(time["rate"]), fps)  # type: ignore[arg-type]


def _seconds(span: Node) -> tuple[float, float]:
    start, length = span["start_time"], span["duration"]
    return (
        round(float(start["value"]) / float(start["rate"]), 6),
        round(float(length["value"]) / float(length["rate"]), 6),
    )
