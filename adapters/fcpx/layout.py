"""The shape of a cut that OTIO's stock FCPXML writer can write, made on a copy.

The writer puts the first video track into the spine and connects everything else to it, writes
nested stacks as compound clips that it finds again by their name, and counts on whole frames.
None of this needs undoing: the stock reader hands tracks and stacks back in its own way.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from castline.adapters.carrier import even, mend
from castline.adapters.carrier.document import (
    Node,
    active_reference_of,
    children_of,
    clips_of,
    data_of,
    schema_of,
    walk,
)
from castline.adapters.carrier.match import describe
from castline.adapters.carrier.mend import Mends, range_node


def shape(timeline: Node, mends: Mends) -> float:
    """Bring the timeline into the shape that the writer wants; return its rate."""
    _wrap(timeline["tracks"])
    _drop_apostrophes(timeline, mends)
    mend.drop_track_ranges(timeline)
    mend.give_source_ranges(timeline, mends)
    rate = even.even_out(timeline, mends)
    _drop_idle_ranges(timeline)
    _drop_empty_gaps(timeline, mends)
    _give_compounds_ranges(timeline["tracks"], rate)
    _name_compounds(timeline)
    for _, stack in walk(timeline["tracks"]):
        if schema_of(stack) == "Stack":
            _order_tracks(stack)
            _fill_spine(stack, rate)
    return rate


def written_clips(timeline: Node) -> Iterator[tuple[Node, bool, str]]:
    """Yield each clip with whether it is nested and its track's kind, in the writer's order.

    Clips in tracks that are neither video nor audio are not written.
    """
    waiting = [(timeline["tracks"], False)]
    while waiting:
        stack, nested = waiting.pop()
        below: list[tuple[Node, bool]] = []
        for track in children_of(stack):
            if track.get("kind") in ("Video", "Audio"):
                for item in children_of(track):
                    if schema_of(item) == "Clip":
                        yield item, nested, track["kind"]
                    elif schema_of(item) == "Stack":
                        below.append((item, True))
        waiting.extend(reversed(below))


def show_as_files(document: Node, mends: Mends) -> None:
    """Show every reference as a file with a range: the writer knows nothing else."""
    used: dict[str, tuple[float, float]] = {}
    bare: list[tuple[Node, Node]] = []
    for _, clip in clips_of(document):
        reference = active_reference_of(clip) or {}
        available = reference.get("available_range")
        url = _url(clip, reference)
        if schema_of(reference) != "ExternalReference" or url != reference.get("target_url"):
            reference = mend.external_reference(url, available, reference.get("name") or "")
            mends.set_reference(clip, reference)
        if available is None and (own := clip.get("source_range")):
            bare.append((clip, reference))
            start = float(mend.length_of(own["start_time"]))
            end = start + float(mend.length_of(own["duration"]))
            first, last = used.get(url, (start, end))
            used[url] = min(first, start), max(last, end)
    for clip, reference in bare:
        rate = float(clip["source_range"]["duration"]["rate"])
        start, end = used[reference["target_url"]]
        whole = range_node(round(start * rate), round((end - start) * rate), rate)
        mends.set_reference(clip, {**reference, "available_range": whole})


def _drop_apostrophes(timeline: Node, mends: Mends) -> None:
    """Write them typographically: the writer looks names up by an expression that they end."""
    for _, item in walk(timeline["tracks"]):
        name = item.get("name")
        if isinstance(name, str) and "'" in name:
            written = name.replace("'", "\u2019")
            if schema_of(item) == "Clip":
                mends.set_name(item, written)
            elif schema_of(item) == "Stack":
                item["name"] = written


def _url(clip: Node, reference: Node) -> str:
    kind = schema_of(reference)
    url = reference.get("target_url") if kind == "ExternalReference" else None
    if kind == "ImageSequenceReference":
        url = mend.sequence_url(clip, reference)
    # Assets too are looked up by such an expression.
    return str(url or mend.placeholder_url(clip, reference)).replace("'", "%27")


def _wrap(stack: Node) -> None:
    """Put what lies in a stack without a track into one, and a track in a track into a stack."""
    waiting = [(stack, "Video")]
    while waiting:
        node, kind = waiting.pop()
        children = children_of(node)
        for n, child in enumerate(children):
            if schema_of(node) == "Stack" and schema_of(child) != "Track":
                children[n] = _track(kind, [child])
            elif schema_of(node) == "Track" and schema_of(child) == "Track":
                children[n] = _stack(child)
        waiting.extend(
            (child, str(child.get("kind", kind)))
            for child in children
            if schema_of(child) in ("Stack", "Track")
        )


def _track(kind: str, children: list[Node]) -> Node:
    return {
        "OTIO_SCHEMA": "Track.1",
        "metadata": {},
        "name": "",
        "kind": kind,
        "source_range": None,
        "children": children,
    }


def _stack(track: Node) -> Node:
    """Return a stack that shows of its only track what the track showed."""
    stack: Node = {
        "OTIO_SCHEMA": "Stack.1",
        "metadata": {},
        "name": track.get("name") or "",
        "source_range": track.get("source_range"),
        "children": [track],
    }
    track["source_range"] = None
    return stack


def _drop_idle_ranges(timeline: Node) -> None:
    """Take away source ranges of tracks that show all there is."""
    for _, track in walk(timeline["tracks"]):
        own = track.get("source_range")
        if schema_of(track) != "Track" or not own or own["start_time"]["value"] != 0:
            continue
        if own["duration"]["value"] >= _length(track):
            track["source_range"] = None


def _drop_empty_gaps(timeline: Node, mends: Mends) -> None:
    for address, track in walk(timeline):
        if schema_of(track) != "Track":
            continue
        kept = []
        for n, item in enumerate(children_of(track)):
            if schema_of(item) == "Gap" and _length(item) == 0:
                if data_of(item) is not None:
                    mends.removed.append((f"{address}/{n}", item))
            else:
                kept.append(item)
        track["children"] = kept


def _give_compounds_ranges(stack: Node, rate: float) -> None:
    for _, item in walk(stack):
        if schema_of(item) == "Stack" and item is not stack and not item.get("source_range"):
            item["source_range"] = range_node(0, _length(item), rate)


def _name_compounds(timeline: Node) -> None:
    """Give compound clips of one name but other contents a name of their own."""
    contents: dict[str, Any] = {}
    for _, item in walk(timeline["tracks"]):
        if schema_of(item) != "Stack" or item is timeline["tracks"] or not item.get("name"):
            continue
        held = [describe(clip) for _, clip in clips_of(item)]
        name, number = item["name"], 2
        while contents.setdefault(item["name"], held) != held:
            item["name"], number = f"{name} ({number})", number + 1


def _order_tracks(stack: Node) -> None:
    """Put video first, as it is written, so that the payloads lie in the order of the clips."""
    children_of(stack).sort(key=lambda track: track.get("kind") != "Video")


def _fill_spine(stack: Node, rate: float) -> None:
    """Make the first video track as long as the longest: clips are connected to what is in it."""
    tracks = children_of(stack)
    longest = max((_length(track) for track in tracks), default=0)
    if not tracks or tracks[0].get("kind") != "Video":
        tracks.insert(0, _track("Video", []))
    missing = longest - _length(tracks[0])
    if missing > 0:
        tracks[0]["children"].append(
            {
                "OTIO_SCHEMA": "Gap.1",
                "metadata": {},
                "name": "",
                "source_range": range_node(0, missing, rate),
            }
        )


def _length(item: Node) -> int:
    """Return the frames that an item of an evened-out timeline takes, all of a track."""
    if (own := item.get("source_range")) and schema_of(item) != "Track":
        return int(own["duration"]["value"])
    lengths = [_length(child) for child in children_of(item)]
    return sum(lengths) if schema_of(item) == "Track" else max(lengths, default=0)
