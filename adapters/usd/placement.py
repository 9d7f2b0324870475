"""Where each object of a cut lies in the stage's time."""

from __future__ import annotations

import math
from typing import Any

from castline.adapters.usd.layout import kind_of
from castline.adapters.usd.node import Node, walk

DEFAULT_RATE = 24.0


def rate_of(root: Node) -> float:
    """Return the rate the stage is to play at, in frames a second.

    That of the timeline's start, else of the first picture, else of the first time anywhere.
    """
    start = root.document.get("global_start_time")
    found = [_rate(start)] if start else []
    for node in walk(root):
        if kind_of(node.document) == "Track" and node.document.get("kind") == "Video":
            found += [own_rate(child.document) for child in node.children]
        if any(found):
            break
    if not any(found):
        found += [own_rate(node.document) for node in walk(root)]
    return next((rate for rate in found if rate), DEFAULT_RATE)


def own_rate(document: dict[str, Any]) -> float | None:
    """Return the rate of an item's own times, where it has any that says a usable one."""
    own = _own_range(document)
    return _rate(own.get("duration")) if own else _rate(document.get("in_offset"))


def source_range(document: dict[str, Any]) -> tuple[float, float] | None:
    """Return start and end of the source range, end excluded, in frames at its own rate."""
    own = document.get("source_range")
    rate = own_rate(document)
    if not isinstance(own, dict) or not rate:
        return None
    start = _frames(own.get("start_time"), rate)
    duration = _frames(own.get("duration"), rate)
    return None if start is None or duration is None else (start, start + duration)


def place(root: Node, rate: float) -> None:
    """Set start, end and duration of every node, in frames of `rate`.

    As OTIO counts: a source range trims, transitions take no room, effects change nothing. What
    cannot be told (a clip without any range, and what follows it on its track) stays None.
    """
    nodes = list(walk(root))
    for node in reversed(nodes):
        node.duration = _duration(node, rate)
    root.start = _frames(root.document.get("global_start_time"), rate) or 0.0
    for node in nodes:
        if node.start is not None and node.duration is not None:
            node.end = node.start + node.duration
        _place_children(node, rate)


def _duration(node: Node, rate: float) -> float | None:
    own = _own_range(node.document)
    if own:
        return _frames(own.get("duration"), rate)
    kind = kind_of(node.document)
    if kind == "Transition":
        offsets = [_frames(node.document.get(key), rate) for key in ("in_offset", "out_offset")]
        return _total(offsets)
    if kind == "Track":
        return _total([c.duration for c in node.children if kind_of(c.document) != "Transition"])
    if kind in ("Stack", "Timeline", "SerializableCollection"):
        known = [child.duration for child in node.children if child.duration is not None]
        return max(known, default=0.0)
    return None


def _place_children(node: Node, rate: float) -> None:
    if node.start is None:
        return
    kind = kind_of(node.document)
    if kind == "SerializableCollection":
        for child in node.children:
            child.start = _frames(child.document.get("global_start_time"), rate) or 0.0
        return
    own = node.document.get("source_range")
    skipped = _frames(own.get("start_time"), rate) if isinstance(own, dict) else 0.0
    if skipped is None:
        return
    cursor: float | None = node.start - skipped
    for child in node.children:
        if cursor is None:
            return
        child.start = cursor
        if kind_of(child.document) == "Transition":
            back = _frames(child.document.get("in_offset"), rate)
            child.start = None if back is None else cursor - back
        elif kind == "Track":
            cursor = _total([cursor, child.duration])


def _own_range(document: dict[str, Any]) -> dict[str, Any] | None:
    """Return the source range, or what the active media offers."""
    own = document.get("source_range")
    if isinstance(own, dict):
        return own
    references = document.get("media_references")
    if not isinstance(references, dict):
        return None
    active = references.get(document.get("active_media_reference_key"))
    available = active.get("available_range") if isinstance(active, dict) else None
    return available if isinstance(available, dict) else None


def _frames(time: Any, rate: float) -> float | None:
    own = _rate(time)
    if not own:
        return None
    value = float(time["value"])
    frames = value if own == rate else value * rate / own
    return frames if math.isfinite(frames) else None


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
