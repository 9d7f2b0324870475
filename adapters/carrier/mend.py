"""Mends: what is changed on a copy so that a stock writer accepts it, and how it is undone.

Every mend of a clip is noted in its envelope and undone on reading, unless the editor changed
that very thing meanwhile.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Any

from castline.adapters.carrier.document import (
    DEFAULT_MEDIA_KEY,
    Node,
    active_reference_of,
    children_of,
    each_clip,
    metadata_of,
    references_of,
    schema_of,
    url_of,
    walk,
)

PLACEHOLDER_URL = "file:///castline-empty-slot/"
"""What an empty slot points at in a format that must have a file."""

_NTSC = {round(n * 1000 / 1001, 2): n * 1000 / 1001 for n in (24, 30, 48, 60, 120)}


_TIMES = (
    "source_range",
    "available_range",
    "marked_range",
    "global_start_time",
    "in_offset",
    "out_offset",
)
"""OTIO's own fields that hold times; a rate in somebody's metadata is theirs."""
_BREAKS = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")


class Mends:
    """What was changed on one copy."""

    def __init__(self) -> None:
        self._undo: dict[int, Node] = {}
        self.removed: list[tuple[str, Node]] = []
        """Objects taken out of the tree, with the addresses they had."""

    def undo_of(self, clip: Node) -> Node | None:
        """Return how this clip's mends are undone, or None where it has none."""
        return self._undo.get(id(clip))

    def set_name(self, clip: Node, name: Any) -> None:
        """Give the clip this name for the writer's sake."""
        undo = self._undo.setdefault(id(clip), {})
        undo.setdefault("name", clip.get("name"))
        undo["written_name"] = name
        clip["name"] = name

    def set_range(self, clip: Node, source_range: Node) -> None:
        """Give the clip this source range for the writer's sake."""
        undo = self._undo.setdefault(id(clip), {})
        undo.setdefault("range", clip.get("source_range"))
        undo["written_range"] = source_range
        clip["source_range"] = source_range

    def set_reference(self, clip: Node, reference: Node) -> None:
        """Let the clip show this reference for the writer's sake."""
        key = clip.get("active_media_reference_key", DEFAULT_MEDIA_KEY)
        undo = self._undo.setdefault(id(clip), {})
        undo.setdefault("reference", references_of(clip).get(key))
        undo["written_url"] = url_of(reference)
        # The envelope takes the name and our data from here, the rest from the undo.
        reference["metadata"] = dict((undo["reference"] or {}).get("metadata") or {})
        references_of(clip)[key] = reference

    def keep_reference(self, clip: Node) -> None:
        """Let the whole active reference ride along, for a format that may drop it."""
        key = clip.get("active_media_reference_key", DEFAULT_MEDIA_KEY)
        reference = references_of(clip).get(key)
        if reference is not None and "reference" not in self._undo.get(id(clip), {}):
            self._undo.setdefault(id(clip), {})["reference"] = dict(reference)

    def watch_media_range(self, clip: Node) -> None:
        """Note the media's range as written, so that one that the editor changed stands."""
        reference = active_reference_of(clip) or {}
        undo = self._undo.setdefault(id(clip), {})
        undo["written_available"] = reference.get("available_range")


def time_node(value: float, rate: float) -> Node:
    """Return a RationalTime as JSON."""
    return {"OTIO_SCHEMA": "RationalTime.1", "rate": float(rate), "value": float(value)}


def range_node(start: float, duration: float, rate: float) -> Node:
    """Return a TimeRange as JSON."""
    return {
        "OTIO_SCHEMA": "TimeRange.1",
        "start_time": time_node(start, rate),
        "duration": time_node(duration, rate),
    }


def external_reference(url: str, available_range: Node | None, name: str = "") -> Node:
    """Return an ExternalReference as JSON."""
    return {
        "OTIO_SCHEMA": "ExternalReference.1",
        "metadata": {},
        "name": name,
        "available_range": available_range,
        "available_image_bounds": None,
        "target_url": url,
    }


def flatten_names(document: Node, mends: Mends) -> None:
    """Put blanks for line breaks, tabs and control characters in names and URLs of clips."""
    for clip in each_clip(document):
        name = clip.get("name")
        if isinstance(name, str) and name != (flat := flat_text(name)):
            mends.set_name(clip, flat)
        reference = active_reference_of(clip)
        url = (reference or {}).get("target_url")
        if reference is not None and isinstance(url, str) and url != (flat := flat_text(url)):
            mends.set_reference(clip, {**reference, "target_url": flat})


def flat_text(text: str) -> str:
    """Return the text on one line, without what ends a cell, a line or an XML file."""
    return " ".join(_BREAKS.sub(" ", text).split()) if _BREAKS.search(text) else text


def give_source_ranges(document: Node, mends: Mends) -> None:
    """Give every clip without a source range its media's whole range."""
    for clip in each_clip(document):
        if clip.get("source_range") is None:
            available = (active_reference_of(clip) or {}).get("available_range")
            if available is not None:
                mends.set_range(clip, dict(available))


def reference_files(
    document: Node, mends: Mends, kinds: Iterable[str], url: Callable[[Node, Node], str]
) -> None:
    """Show these kinds of references as plain files, under the URL that the format can hold."""
    wanted = set(kinds)
    for clip in each_clip(document):
        reference = active_reference_of(clip)
        if reference is not None and schema_of(reference) in wanted:
            available = reference.get("available_range")
            written = external_reference(
                url(clip, reference), available, reference.get("name") or ""
            )
            mends.set_reference(clip, written)


def sequence_url(_clip: Node, reference: Node) -> str:
    """Return an image sequence's URL as `folder/name.[1001-1099].ext`."""
    return url_of(reference) or PLACEHOLDER_URL


def placeholder_url(clip: Node, _reference: Node) -> str:
    """Return the URL that stands for an empty slot."""
    word = re.sub(r"[^A-Za-z0-9._-]+", "_", str(clip.get("name") or "slot")).strip("_")
    return PLACEHOLDER_URL + (word or "slot")


def snap_rates(document: Node) -> None:
    """Write NTSC rates exactly: 23.976024627685547 becomes 24000/1001."""
    waiting = [document]
    while waiting:
        node = waiting.pop()
        waiting.extend(children_of(node))
        for holder in (node, *(node.get("markers") or ()), *references_of(node).values()):
            for name in _TIMES:
                if holder.get(name):
                    _snap(holder[name])


def drop_track_ranges(document: Node) -> None:
    """Take away source ranges of top tracks that trim nothing.

    The EDL reader sets one whose start is minus the first record time; stock writers refuse it
    as a negative time.
    """
    for _, stack in walk(document):
        if schema_of(stack) not in ("Stack", "Timeline"):
            continue
        for track in children_of(stack):
            source_range = track.get("source_range")
            if source_range and float(source_range["start_time"]["value"]) < 0:
                track["source_range"] = None


def _snap(time: Node) -> None:
    for part in (time, time.get("start_time"), time.get("duration")):
        rate = part.get("rate") if part else None
        if part and isinstance(rate, float) and rate != int(rate):
            part["rate"] = _NTSC.get(round(rate, 2), rate)


def set_reels(document: Node, key: str, make: Callable[[str], str]) -> None:
    """Rewrite the reel names under a metadata key with `make`."""
    for clip in each_clip(document):
        reel = (metadata_of(clip).get(key) or {}).get("reel")
        if isinstance(reel, str) and make(reel) != reel:
            clip["metadata"][key]["reel"] = make(reel)


def length_of(time: Node) -> Fraction:
    """Return a RationalTime's seconds, exactly as its floats say."""
    return Fraction(float(time["value"])) / Fraction(float(time["rate"]))
