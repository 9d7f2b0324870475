"""What people see of our data in a comment or a marker: one short line each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from opentimelineio.opentime import RationalTime, TimeRange

from castline.adapters.carrier.codec import SUMMARY_PREFIX
from castline.adapters.carrier.document import Node, active_reference_of, data_of, schema_of
from castline.schemas import names
from castline.schemas.errors import InvalidValueError
from castline.schemas.values import WARNING_STATES, Appearance

_MAX_LINE = 160
_COLORS = {"drift": "YELLOW", "missing": "RED", "unexpected": "RED"}


def summarise(clip: Node) -> str:
    """Return the line for people that goes with a clip's payload."""
    slot = data_of(clip)
    parts = [str(slot["slot_id"])] if isinstance(slot, dict) and "slot_id" in slot else []
    reference = active_reference_of(clip)
    take = data_of(reference) if reference else None
    if isinstance(take, dict) and "take_id" in take:
        parts.append(f"{take.get('role', 'take')} {take['take_id']}")
    parts += [_verdict(appearance) for appearance in _appearances(take)]
    text = " | ".join(parts) or "data attached"
    return (SUMMARY_PREFIX + _one_line(text))[:_MAX_LINE].rstrip()


def post_markers(clip: Node) -> list[str]:
    """Add a marker for each character warning of the active take; return their names.

    The verdict stands in the name, since most formats lose a marker's comment.
    """
    reference = active_reference_of(clip)
    take = data_of(reference) if reference else None
    posted = []
    for appearance in _appearances(take):
        if appearance.state in WARNING_STATES:
            marker = _marker(clip, appearance)
            clip.setdefault("markers", []).append(marker)
            posted.append(marker["name"])
    return posted


def _appearances(take: Any) -> Iterator[Appearance]:
    found = take.get("appearances") if isinstance(take, dict) else None
    for data in found if isinstance(found, list) else []:
        try:
            yield Appearance.from_data(_typed(data))
        except InvalidValueError:
            continue  # a foreign shape rides along; it has no line for people


def _typed(value: Any) -> Any:
    """Return plain JSON with its times as OTIO's, which the values want."""
    if isinstance(value, list):
        return [_typed(item) for item in value]
    if not isinstance(value, dict):
        return value
    try:
        if schema_of(value) == "RationalTime":
            return RationalTime(value["value"], value["rate"])
        if schema_of(value) == "TimeRange":
            return TimeRange(_typed(value["start_time"]), _typed(value["duration"]))
    except (KeyError, TypeError):
        return value  # the values will say what is wrong
    return {key: _typed(item) for key, item in value.items()}


def _verdict(appearance: Appearance) -> str:
    words = [appearance.character_id.upper()]
    if appearance.score is not None:
        words.append(f"{appearance.score.value:.2f}")
    words.append(appearance.state.upper())
    return " ".join(words)


def _marker(clip: Node, appearance: Appearance) -> Node:
    name = _verdict(appearance) + (f" - {appearance.note}" if appearance.note else "")
    slot = data_of(clip)
    about = slot.get("slot_id") if isinstance(slot, dict) else None
    start = _start_of(clip, appearance)
    return {
        "OTIO_SCHEMA": "Marker.2",
        "metadata": {
            names.METADATA_KEY: {
                "version": names.PAYLOAD_VERSION,
                "about": about or clip.get("name") or "",
                "character_id": appearance.character_id,
            }
        },
        "name": _one_line(name),
        "color": _COLORS[appearance.state],
        "comment": appearance.note or "",
        "marked_range": {
            "OTIO_SCHEMA": "TimeRange.1",
            "start_time": start,
            "duration": {"OTIO_SCHEMA": "RationalTime.1", "rate": start["rate"], "value": 1.0},
        },
    }


def _start_of(clip: Node, appearance: Appearance) -> Node:
    worst = appearance.score.worst_time if appearance.score else None
    if worst is not None:
        return {"OTIO_SCHEMA": "RationalTime.1", "rate": worst.rate, "value": worst.value}
    source_range = clip.get("source_range") or {}
    start = source_range.get("start_time") or {"rate": 24.0, "value": 0.0}
    return {"OTIO_SCHEMA": "RationalTime.1", "rate": start["rate"], "value": start["value"]}


def _one_line(text: str) -> str:
    printable = "".join(c if c.isprintable() else " " for c in text.replace("%", "pct"))
    return " ".join(printable.split())
