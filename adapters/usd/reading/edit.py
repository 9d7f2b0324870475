"""One edit of an object: an attribute's new value, put where the document says the same thing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import opentimelineio as otio

from castline.adapters.usd import layout
from castline.adapters.usd.appearances import (
    APPEARANCE_FIELDS,
    appearance_instances,
    appearance_views,
)
from castline.adapters.usd.characters import expected_in, label_of
from castline.adapters.usd.layout import kind_of
from castline.adapters.usd.payload import data_of, record, references_of
from castline.adapters.usd.reading.document import long_floats
from castline.adapters.usd.reading.stored import Stored
from castline.schemas import names
from castline.schemas.errors import UnreadableFileError
from castline.schemas.slots import slug
from castline.schemas.values import Cast, Take

Document = dict[str, Any]


@dataclass(frozen=True)
class Edit:
    """A value that somebody gave an attribute, and where."""

    name: str
    value: Any
    place: str

    def time(self) -> float:
        """Return the value as a number; raises `UnreadableFileError` for what is none."""
        if isinstance(self.value, bool) or not isinstance(self.value, (int, float)):
            raise self.refuse("a timecode")
        return float(self.value)

    def refuse(self, expected: str) -> UnreadableFileError:
        """Return the error for an edit that no cut can follow."""
        return UnreadableFileError(f"{self.place}: found {self.value!r}, expected {expected}")


def edit_object(
    item: Stored, edits: Iterable[Edit], cast: Cast, rate: float, slot_ids: set[str]
) -> None:
    """Change an object's document; `rate` is the stage's, in frames a second.

    A clip that becomes a slot gets an id that is not among `slot_ids`, and adds it.

    Raises `UnreadableFileError` for what the object cannot say.
    """
    document = item.document
    named = {edit.name: edit for edit in edits}
    if edit := named.pop(layout.RATE, None):  # before the edges, which count at it
        _set_rate(document, edit)
    for key, (first, last) in _RANGES.items():
        start, end = named.pop(first, None), named.pop(last, None)
        if start or end:
            _set_edges(document, key, start, end)
    for edit in named.values():
        if edit.name == layout.LABELS:
            _set_expected(document, edit, cast, slot_ids)
        elif edit.name.startswith(f"{layout.APPEARANCE}:"):
            _set_appearance(document, edit)
        elif edit.name == layout.GLOBAL_START:
            _set_global_start(document, edit, rate)
        else:
            _EDITS[edit.name](document, edit)


def range_of(document: Document) -> Document | None:
    """Return an item's source range, made from its media's where it has none."""
    own = document.get("source_range")
    if isinstance(own, dict):
        return own
    active = _active(document)
    available = active.get("available_range") if active else None
    if not isinstance(available, dict):
        return None
    made = {k: dict(v) if isinstance(v, dict) else v for k, v in available.items()}
    document["source_range"] = made
    return made


def make_range(start: float, duration: float, rate: float) -> Document:
    """Return a time range as OTIO writes it."""
    return {
        "OTIO_SCHEMA": "TimeRange.1",
        "duration": _time(duration, rate),
        "start_time": _time(start, rate),
    }


def make_gap(frames: float, rate: float) -> Stored:
    """Return a gap of so many frames."""
    length = otio.opentime.RationalTime(frames, rate)
    document = json.loads(otio.schema.Gap(duration=length).to_json_string())
    document["source_range"] = make_range(0, frames, rate)
    return Stored(document, long_floats(document))


def _time(value: float, rate: float) -> Document:
    return {"OTIO_SCHEMA": "RationalTime.1", "rate": float(rate), "value": float(value)}


def _set(key: str, kind: type) -> Callable[[Document, Edit], None]:
    def change(document: Document, edit: Edit) -> None:
        if key not in document or not isinstance(edit.value, kind):
            raise edit.refuse(f"no such attribute on a {kind_of(document)}")
        document[key] = edit.value

    return change


def _set_edges(document: Document, key: str, start: Edit | None, end: Edit | None) -> None:
    """Give a source range or a marked one a new edge, or two."""
    given = [edit for edit in (start, end) if edit]
    own = document.get(key) if key == "marked_range" else range_of(document)
    if not isinstance(own, dict):
        raise given[0].refuse(f"no range on a {kind_of(document)} that has none")
    begins, duration = own["start_time"], own["duration"]
    rate = duration["rate"]
    length = duration["value"]
    first = begins["value"] if begins["rate"] == rate else begins["value"] * rate / begins["rate"]
    last = first + length
    if start:
        first = start.time()
    if end:
        last = end.time()
    if last < first and key == "marked_range" and len(given) == 1:
        # A marker that is moved past its other edge.
        first, last = (first, first + length) if start else (last - length, last)
    if last < first:
        raise given[-1].refuse("an end that is not before the start")
    own["start_time"] = _time(first, rate)
    duration["value"] = last - first


def _set_rate(document: Document, edit: Edit) -> None:
    rate = edit.time()
    if not rate > 0:
        raise edit.refuse("frames a second, above 0")
    kind = kind_of(document)
    times: list[Any] = []
    if kind == "Transition":
        times = [document.get("in_offset"), document.get("out_offset")]
    elif kind == "Marker":
        times = _times_in(document.get("marked_range"))
    elif kind == "Timeline":
        times = [document.get("global_start_time")]
    elif isinstance(document.get("source_range"), dict):
        times = _times_in(document["source_range"])
    elif active := _active(document):
        times = _times_in(active.get("available_range"))
    found = [time for time in times if isinstance(time, dict)]
    if not found:
        raise edit.refuse(f"no rate on a {kind} that has no times of its own")
    for time in found:
        time["rate"] = rate


def _times_in(span: Any) -> list[Any]:
    return [span.get("start_time"), span.get("duration")] if isinstance(span, dict) else []


def _set_global_start(document: Document, edit: Edit, rate: float) -> None:
    if kind_of(document) != "Timeline":
        raise edit.refuse("it on a timeline")
    own = document.get("global_start_time")
    own_rate = own["rate"] if isinstance(own, dict) else rate
    value = edit.time() if own_rate == rate else edit.time() * own_rate / rate
    document["global_start_time"] = _time(value, own_rate)


def _set_url(document: Document, edit: Edit) -> None:
    active = _active(document)
    if active is None:
        raise edit.refuse("it on a clip that shows media")
    if kind_of(active) == "ImageSequenceReference":
        raise edit.refuse("no URL for an image sequence")
    if kind_of(active) != "ExternalReference":
        active["OTIO_SCHEMA"] = "ExternalReference.1"
        active.pop("generator_kind", None)
        active.pop("parameters", None)
    active["target_url"] = edit.value


def _active(document: Document) -> Document | None:
    references = references_of(document)
    return references.get(str(document.get("active_media_reference_key")))


def _set_expected(document: Document, edit: Edit, cast: Cast, slot_ids: set[str]) -> None:
    """Let the slot expect those whom somebody labelled the clip with."""
    slot = data_of(document) or {}
    before = expected_in(slot)
    labels = [label_of(character_id, cast) for character_id in before]
    wanted = [str(label) for label in edit.value]
    if labels == wanted:
        return
    known = dict(zip(labels, slot.get("expected", []), strict=False)) if before else {}
    expected = []
    for label in wanted:
        character = cast.find(label)
        expected.append(
            known.get(label) or {"character_id": character.character_id if character else label}
        )
    metadata = document.setdefault("metadata", {})
    data = metadata.setdefault(names.METADATA_KEY, {"version": names.PAYLOAD_VERSION})
    if "slot_id" not in data:
        data["slot_id"] = _free(slug(str(document.get("name") or "")) or "slot", slot_ids)
    data["expected"] = expected


def _free(wanted: str, taken: set[str]) -> str:
    """Return an id that is not taken, and take it."""
    found, number = wanted, 2
    while found in taken:
        found, number = f"{wanted}-{number}", number + 1
    taken.add(found)
    return found


def _set_appearance(document: Document, edit: Edit) -> None:
    """Put a value into the data of the shown take's appearance."""
    _, _, instance, name = edit.name.split(":", 3)
    active = _active(document)
    data = data_of(active) if active else None
    take = record(Take, data)
    if data is None or take is None or name not in APPEARANCE_FIELDS:
        return
    instances = list(appearance_instances(take.appearances))
    if instance not in instances:
        return
    place: Any = data["appearances"][instances.index(instance)]
    if appearance_views(instance, place).get(edit.name, (None, None))[1] == edit.value:
        return
    *keys, last = APPEARANCE_FIELDS[name][1]
    for key in keys:
        if not isinstance(place.get(key), dict):
            raise edit.refuse("no such value where nothing was scored")
        place = place[key]
    place[last] = edit.value


_EDITS: dict[str, Callable[[Document, Edit], None]] = {
    layout.NAME: _set("name", str),
    layout.ENABLED: _set("enabled", bool),
    layout.TRACK_KIND: _set("kind", str),
    layout.COLOR: _set("color", str),
    layout.COMMENT: _set("comment", str),
    layout.MEDIA_URL: _set_url,
}

_RANGES = {
    "source_range": (layout.SOURCE_START, layout.SOURCE_END),
    "marked_range": (layout.MARKED_START, layout.MARKED_END),
}
"""The attributes of the edges of each range."""
