"""One rate and whole frames for a cut, and media that covers what is shown of it.

For writers that take one rate only and cut off fractions of frames: edges are rounded where they
lie in the track, so that no error adds up along it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from typing import Any

from castline.adapters.carrier.document import Node, children_of, clips_of, schema_of
from castline.adapters.carrier.mend import Mends, range_node, time_node

Span = tuple[int, int]
"""Start and end in frames of the cut's rate."""

_NTSC = tuple(n * 1000 / 1001 for n in (24, 30, 48, 60, 120))
_SAME_RATE = 0.005  # hertz; 23.98 and 23.976 are one rate
_NOISE = 1e-3  # frames; what rounding leaves of a whole number


def even_out(timeline: Node, mends: Mends) -> float:
    """Bring every item of the timeline to its commonest rate and to whole frames; return it."""
    rate = _commonest_rate(timeline)
    for item in children_of(timeline["tracks"]):
        _even_item(item, round(_length(item, rate)), rate, mends)
    return rate


def visible_spans(timeline: Node) -> Iterator[tuple[Node, Span]]:
    """Yield each clip with the frames it shows, those under its transitions too.

    Wants a timeline that was evened out.
    """
    waiting = list(reversed(children_of(timeline["tracks"])))
    while waiting:
        item = waiting.pop()
        children = children_of(item)
        waiting.extend(reversed([child for child in children if schema_of(child) != "Clip"]))
        for n, clip in enumerate(children):
            if schema_of(clip) == "Clip" and (own := clip.get("source_range")):
                start, length = int(own["start_time"]["value"]), int(own["duration"]["value"])
                before = children[n - 1] if n else {}
                after = children[n + 1] if n + 1 < len(children) else {}
                yield (
                    clip,
                    (
                        start - _offset(before, "in_offset"),
                        start + length + _offset(after, "out_offset"),
                    ),
                )


def available_span(reference: Node, rate: float) -> Span | None:
    """Return the whole frames of the rate in which the media's range lies, or None."""
    available = reference.get("available_range")
    if not available:
        return None
    start = _frames(available["start_time"], rate)
    end = start + _frames(available["duration"], rate)
    return math.floor(start + _NOISE), math.ceil(end - _NOISE)


def same_range(one: Any, other: Node) -> bool:
    """Say whether two ranges have the same numbers and rates."""
    return bool(one) and all(
        one[part][key] == other[part][key]
        for part in ("start_time", "duration")
        for key in ("value", "rate")
    )


def _commonest_rate(timeline: Node) -> float:
    rates = Counter(
        _snapped(float(clip["source_range"]["duration"]["rate"]))
        for _, clip in clips_of(timeline)
        if clip.get("source_range")
    )
    start = timeline.get("global_start_time") or {}
    return rates.most_common(1)[0][0] if rates else _snapped(float(start.get("rate", 24.0)))


def _even_item(item: Node, length: int, rate: float, mends: Mends) -> None:
    kind, own = schema_of(item), item.get("source_range")
    if own:
        even = range_node(round(_frames(own["start_time"], rate)), length, rate)
        if kind == "Clip" and not same_range(own, even):
            mends.set_range(item, even)
        elif kind != "Clip":
            item["source_range"] = even
    if kind == "Track":
        _even_track(item, rate, mends)
    elif kind == "Stack":
        for child in children_of(item):
            _even_item(child, round(_length(child, rate)), rate, mends)


def _even_track(track: Node, rate: float, mends: Mends) -> None:
    cursor, edge = 0.0, 0
    for child in children_of(track):
        if schema_of(child) == "Transition":
            for key in ("in_offset", "out_offset"):
                child[key] = time_node(round(_frames(child[key], rate)), rate)
            continue
        length = _length(child, rate)
        cursor += length
        frames = max(round(cursor) - edge, 1 if length > 0 else 0)
        edge += frames
        _even_item(child, frames, rate, mends)


def _length(item: Node, rate: float) -> float:
    if own := item.get("source_range"):
        return _frames(own["duration"], rate)
    if schema_of(item) == "Transition":
        return 0.0
    lengths = [_length(child, rate) for child in children_of(item)]
    return sum(lengths) if schema_of(item) == "Track" else max(lengths, default=0.0)


def _frames(time: Node, rate: float) -> float:
    value, own = float(time["value"]), float(time["rate"])
    return value if abs(own - rate) < _SAME_RATE or own <= 0 else value * rate / _snapped(own)


def _snapped(rate: float) -> float:
    return next((exact for exact in _NTSC if abs(rate - exact) < _SAME_RATE), rate)


def _offset(transition: Node, key: str) -> int:
    return int(transition[key]["value"]) if schema_of(transition) == "Transition" else 0
