"""Times as the stock Final Cut Pro 7 XML writer can say them: whole frames, at rates it knows."""

from __future__ import annotations

from castline.adapters.carrier import mend
from castline.adapters.carrier.document import (
    Node,
    active_reference_of,
    children_of,
    clips_of,
    schema_of,
    url_of,
    walk,
)
from castline.adapters.carrier.mend import Mends, range_node

_NOISE = 1e-3  # frames; what rounding leaves of a whole number


def mend_times(document: Node, mends: Mends) -> None:
    """Bring times to frames that the file can say, and markers to their item's rate."""
    for _, timeline in walk(document):
        if schema_of(timeline) != "Timeline" or not timeline.get("tracks"):
            continue
        rate = _sequence_rate(timeline)
        _mend_markers(timeline["tracks"], rate)
        for track in children_of(timeline["tracks"]):
            _mend_edges(track, rate, mends)
        _foresee_lost_starts(timeline, mends)
    for _, item in walk(document):
        if schema_of(item) in ("Clip", "Stack") and (own := item.get("source_range")):
            _mend_markers(item, float(own["start_time"]["rate"]))


def rate_of(item: Node) -> float:
    """Return the rate of the item's duration, as OTIO reckons it."""
    if own := item.get("source_range"):
        return float(own["duration"]["rate"])
    children = [child for child in children_of(item) if schema_of(child) != "Transition"]
    if schema_of(item) == "Track":
        return max((rate_of(child) for child in children), default=1.0)
    return rate_of(max(children, key=seconds_of)) if children else 1.0


def seconds_of(item: Node) -> float:
    """Return the item's length in seconds, zero where it says none."""
    if own := item.get("source_range"):
        return frames_of(own["duration"], 1.0)
    lengths = [seconds_of(child) for child in children_of(item)]
    return sum(lengths) if schema_of(item) == "Track" else max(lengths, default=0.0)


def frames_of(time: Node, rate: float) -> float:
    """Return a time in frames of a rate, fractions too."""
    value, own = float(time["value"]), float(time["rate"])
    return value if own == rate or own <= 0 else value * rate / own


def is_whole(value: float) -> bool:
    """Say whether a number of frames is whole but for what rounding leaves."""
    return abs(value - round(value)) < _NOISE


def _mend_edges(track: Node, rate: float, mends: Mends) -> None:
    """Round the items' edges where they lie in the track, so that no error adds up along it."""
    cursor, edge = 0.0, 0
    for item in children_of(track):
        own = item.get("source_range")
        if schema_of(item) == "Transition":
            continue
        if own is None:
            return  # the writer says that itself
        length = frames_of(own["duration"], rate)
        cursor += length
        frames = max(round(cursor) - edge, 1 if length > 0 else 0)
        edge += frames
        written = _written_range(item, own, frames / rate)
        if written is None:
            continue
        if schema_of(item) == "Clip":
            mends.set_range(item, written)
        else:
            item["source_range"] = written


def _written_range(item: Node, own: Node, seconds: float) -> Node | None:
    """Return the range that comes back for so long an item, or None where it is its own."""
    rate = float(own["start_time"]["rate"])
    rate = rate if _is_writable_rate(rate) else float(round(rate)) or 1.0
    available = (active_reference_of(item) or {}).get("available_range") or {}
    start = frames_of(available["start_time"], rate) if available else 0.0
    begin = frames_of(own["start_time"], rate) - start
    if (
        rate == own["start_time"]["rate"]
        and is_whole(begin)
        and abs(frames_of(own["duration"], rate) - seconds * rate) < _NOISE
    ):
        return None
    return range_node(start + round(begin), seconds * rate, rate)


def _foresee_lost_starts(timeline: Node, mends: Mends) -> None:
    """Note where a clip comes back without its file, whose start its times count from.

    The reader does not look into nested stacks, so it never sees a file first mentioned there.
    """
    nested: set[str] = set()
    seen: set[str] = set()
    for address, clip in clips_of(timeline):
        reference = active_reference_of(clip) or {}
        url = url_of(reference)
        if schema_of(reference) != "ExternalReference" or not url:
            continue
        if address.count("/") > 1 and url not in seen:
            nested.add(url)
        elif address.count("/") == 1 and url in nested:
            own, available = clip.get("source_range"), reference.get("available_range")
            if not own or not available:
                continue
            rate = float(own["start_time"]["rate"])
            offset = frames_of(available["start_time"], rate)
            read = range_node(
                float(own["start_time"]["value"]) - offset, frames_of(own["duration"], rate), rate
            )
            mends.keep_reference(clip)
            mends.set_range(clip, read)
            clip["source_range"] = own
        seen.add(url)


def _mend_markers(item: Node, rate: float) -> None:
    for marker in item.get("markers") or []:
        marked = marker.get("marked_range") or {}
        for part in ("start_time", "duration"):
            if part in marked and float(marked[part]["rate"]) != rate:
                marked[part] = mend.time_node(frames_of(marked[part], rate), rate)


def _sequence_rate(timeline: Node) -> float:
    """Return the rate that the writer takes for the sequence."""
    start = timeline.get("global_start_time")
    return float(start["rate"]) if start else rate_of(timeline["tracks"])


def _is_writable_rate(rate: float) -> bool:
    return rate == int(rate) or abs(rate - -(-rate // 1) * 1000 / 1001) < 1e-6
