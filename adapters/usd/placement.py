"""Where each object of a cut lies in the stage's time."""

from __future__ import annotations

import math
from typing import Any

from castline.adapters.usd.node import Node, walk

DEFAULT_RATE = 24.0


def rate_of(root: Node) -> float:
    """Return the rate the stage is to play at, in frames a second.

    That of the timeline's start, else of the first picture, else of the first time anywhere.
    """
    found = _rate(root.document.get("global_start_time"))
    if found:
        return found
    for node in walk(root):
        if node.kind == "Track" and node.document.get("kind") == "Video":
            for child in node.children:
                if found := own_rate(child.document):
                    return found
    rates = (own_rate(node.document) for node in walk(root))
    return next((rate for rate in rates if rate), DEFAULT_RATE)


def own_rate(document: dict[str, Any]) -> float | None:
    """Return the rate of an object's own times, where it has any that says a usable one."""
    own = _own_range(document)
    return _rate(own.get("duration")) if own else _rate(document.get("in_offset"))


def place(root: Node, rate: float) -> None:
    """Set the times of every node: those of its own, and its place in frames of `rate`.

    As OTIO counts: a source range trims, transitions take no room, effects change nothing. What
    cannot be told (a clip without any range, and what follows it on its track) stays None.
    """
    nodes = list(walk(root))
    for node in reversed(nodes):
        measure(node, rate)
        for marker in node.markers:
            _measure_range(marker, marker.document.get("marked_range"))
    root.start = frames_of(root.document.get("global_start_time"), rate) or 0.0
    for node in nodes:
        if node.start is not None and node.duration is not None:
            node.end = node.start + node.duration
        if node.children:
            _place_children(node, rate)


def frames_of(time: Any, rate: float) -> float | None:
    """Return a time of a document in frames of `rate`, or None where it is no usable time."""
    own = _rate(time)
    if not own:
        return None
    value = float(time["value"])
    frames = value if own == rate else value * rate / own
    return frames if math.isfinite(frames) else None


def measure(node: Node, rate: float) -> None:
    """Set the times of a node of its own, and its length in frames of `rate`."""
    document = node.document
    own = document.get("source_range")
    if isinstance(own, dict):
        _measure_range(node, own)
        node.duration = frames_of(own.get("duration"), rate)
        return
    if media := _media_range(document):
        node.rate = _rate(media.get("duration"))
        node.duration = frames_of(media.get("duration"), rate)
        return
    node.duration = _length(node, rate)


def _measure_range(node: Node, own: Any) -> None:
    if not isinstance(own, dict):
        return
    node.rate = own_rate = _rate(own.get("duration"))
    if own_rate:
        start = frames_of(own.get("start_time"), own_rate)
        duration = frames_of(own["duration"], own_rate)
        if start is not None and duration is not None:
            node.source = (start, start + duration)


def _length(node: Node, rate: float) -> float | None:
    kind = node.kind
    if kind == "Transition":
        node.rate = _rate(node.document.get("in_offset"))
        return _total([frames_of(node.document.get(k), rate) for k in ("in_offset", "out_offset")])
    if kind == "Track":
        return _total([c.duration for c in node.children if c.kind != "Transition"])
    if kind in ("Stack", "Timeline", "SerializableCollection"):
        known = [child.duration for child in node.children if child.duration is not None]
        return max(known, default=0.0)
    return None


def _place_children(node: Node, rate: float) -> None:
    if node.start is None:
        return
    kind = node.kind
    if kind == "SerializableCollection":
        for child in node.children:
            child.start = frames_of(child.document.get("global_start_time"), rate) or 0.0
        return
    own = node.document.get("source_range")
    skipped = frames_of(own.get("start_time"), rate) if isinstance(own, dict) else 0.0
    if skipped is None:
        return
    cursor: float | None = node.start - skipped
    for child in node.children:
        if cursor is None:
            return
        child.start = cursor
        if child.kind == "Transition":
            back = frames_of(child.document.get("in_offset"), rate)
            child.start = None if back is None else cursor - back
        elif kind == "Track":
            cursor = None if child.duration is None else cursor + child.duration


def _own_range(document: dict[str, Any]) -> dict[str, Any] | None:
    """Return the source range, or what the active media offers."""
    own = document.get("source_range")
    return own if isinstance(own, dict) else _media_range(document)


def _media_range(document: dict[str, Any]) -> dict[str, Any] | None:
    references = document.get("media_references")
    if not isinstance(references, dict):
        return None
    active = references.get(document.get("active_media_reference_key"))
    available = active.get("available_range") if isinstance(active, dict) else None
    return available if isinstance(available, dict) else None


def _rate(time: Any) -> float | None:
    rate = time.get("rate") if isinstance(time, dict) else None
    if isinstance(rate, (int, float)) and math.isfinite(rate) and rate > 0:
        return float(rate)
    return None


def _total(parts: list[float | None]) -> float | None:
    total = 0.0
    for part in parts:
        if part is None:
            return None
        total += part
    return total if math.isfinite(total) else None
