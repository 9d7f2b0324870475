"""Floats exactly as they were: OTIO's JSON reader misses one in ten of 16 digits by a hair.

Its writer is exact. So what the reader misses is found by asking it, and set again through the
objects, which take any float as it is.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import opentimelineio as otio
from opentimelineio import opentime

from castline.adapters.usd.layout import kind_of
from castline.adapters.usd.reading.stored import Stored, walk

_NOT_AS_EXPECTED = (
    AttributeError,
    IndexError,
    KeyError,
    TypeError,
    ValueError,
    otio.exceptions.OTIOError,
)
_Path = tuple[Any, ...]


def restore_floats(root: otio.core.SerializableObject, stored: Stored) -> Any:
    """Give the objects the floats of their documents; return the root.

    It is another object than was given only where that is of a schema unknown here. An object
    that a newer OTIO brought up to date may have no place for a float any more; it is left alone.
    """
    missed = _missed(value for node in walk(stored) for value in node.floats)
    if not missed:
        return root
    for live, node in _pairs(root, stored):
        if missed.isdisjoint(node.floats):
            continue
        if live is root and _is_unknown(live):
            return _build(node.document)
        for path in _paths_to(missed, node.document):
            try:
                _set(live, node.document, path)
            except _NOT_AS_EXPECTED:
                continue
    return root


def _pairs(root: Any, stored: Stored) -> Iterator[tuple[Any, Stored]]:
    """Yield OTIO's objects with what each was made of."""
    waiting = [(root, stored)]
    while waiting:
        live, node = waiting.pop()
        yield live, node
        if items := node.items:
            inside = [live.tracks] if isinstance(live, otio.schema.Timeline) else list(live)
            waiting.extend(zip(inside, items, strict=True))
        if markers := node.markers:
            waiting.extend(zip(live.markers, markers, strict=True))


def _missed(floats: Iterable[float]) -> set[float]:
    """Return the floats that OTIO does not read as they are."""
    asked = list(dict.fromkeys(floats))
    if not asked:
        return set()
    question = {"OTIO_SCHEMA": "SerializableObjectWithMetadata.1", "metadata": {"floats": asked}}
    heard = otio.core.deserialize_json_from_string(json.dumps(question))
    answer = json.loads(otio.core.serialize_json_to_string(heard, indent=-1))
    return {a for a, b in zip(asked, answer["metadata"]["floats"], strict=True) if a != b}


def _paths_to(wanted: set[float], document: dict[str, Any]) -> Iterator[_Path]:
    """Yield the keys and indices that lead to each wanted float."""
    waiting: list[tuple[Any, Any]] = [(document, None)]
    while waiting:
        value, place = waiting.pop()
        if isinstance(value, dict):
            waiting.extend((item, (place, key)) for key, item in value.items())
        elif isinstance(value, list):
            waiting.extend((item, (place, index)) for index, item in enumerate(value))
        elif isinstance(value, float) and value in wanted:
            keys = []
            while place:
                place, key = place
                keys.append(key)
            yield tuple(reversed(keys))


def _set(live: Any, document: Any, path: _Path) -> None:
    """Set the float at the path, as part of the smallest thing that can be set."""
    for key in path:
        inner = document[key]
        is_open = isinstance(inner, list) or (isinstance(inner, dict) and not _is_value(inner))
        found = _get(live, key) if is_open else None
        if not is_open or _is_unknown(found):
            _put(live, key, _build(inner))
            return
        live, document = found, inner


def _get(live: Any, key: Any) -> Any:
    if not isinstance(live, otio.core.SerializableObject):
        return live[key]
    if key in live._dynamic_fields:
        return live._dynamic_fields[key]
    if key == "media_references":
        return live.media_references()
    return live if key == "children" else getattr(live, key)


def _put(live: Any, key: Any, value: Any) -> None:
    if not isinstance(live, otio.core.SerializableObject):
        live[key] = value
    elif key in live._dynamic_fields:
        live._dynamic_fields[key] = value
    else:
        setattr(live, key, value)


def _is_unknown(live: Any) -> bool:
    return isinstance(live, otio.core.SerializableObject) and live.is_unknown_schema


def _is_value(document: dict[str, Any]) -> bool:
    """Say whether OTIO holds this as a value that is set whole."""
    return kind_of(document) in _VALUES


def _build(document: Any) -> Any:
    """Return what a document says without OTIO's JSON reader."""
    if isinstance(document, list):
        return [_build(item) for item in document]
    if not isinstance(document, dict):
        return document
    fields = {key: _build(item) for key, item in document.items()}
    schema = fields.pop("OTIO_SCHEMA", None)
    if schema is None:
        return fields
    kind, _, version = schema.rpartition(".")
    if kind in _VALUES:
        return _VALUES[kind](fields)
    return otio.core.instance_from_schema(kind, int(version), fields)


_VALUES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "RationalTime": lambda f: opentime.RationalTime(f["value"], f["rate"]),
    "TimeRange": lambda f: opentime.TimeRange(f["start_time"], f["duration"]),
    "TimeTransform": lambda f: opentime.TimeTransform(f["offset"], f["scale"], f["rate"]),
    "V2d": lambda f: otio.schema.V2d(f["x"], f["y"]),
    "Box2d": lambda f: otio.schema.Box2d(f["min"], f["max"]),
    "Color": lambda f: otio.core.Color(f["r"], f["g"], f["b"], f["a"], f["name"]),
}
