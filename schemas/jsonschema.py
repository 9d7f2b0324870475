"""The published JSON Schema of what rides under the metadata key, made from the records."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

from opentimelineio.opentime import RationalTime, TimeRange

from castline.schemas import names
from castline.schemas.values import Note, Sequence, Slot, Take
from castline.schemas.values.record import Record, field_specs, options_of

PLACES: dict[str, type[Record]] = {
    "Timeline": Sequence,
    "Clip or Stack": Slot,
    "MediaReference": Take,
    "Marker": Note,
}
"""Which record rides on which OTIO object."""

_PLAIN = {str: "string", int: "integer", float: "number", bool: "boolean"}
_OTIO = {RationalTime: "RationalTime.1", TimeRange: "TimeRange.1"}


def make_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) for the dict under the metadata key."""
    records = {record.__name__: record for record in _reachable(PLACES.values())}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"castline-{names.PAYLOAD_VERSION}",
        "title": "metadata['castline'] on OpenTimelineIO objects",
        "description": "; ".join(f"{place}: {r.__name__}" for place, r in PLACES.items()),
        "anyOf": [{"$ref": f"#/$defs/{record.__name__}"} for record in PLACES.values()],
        "$defs": {name: _object(record) for name, record in sorted(records.items())},
    }


def schema_text() -> str:
    """Return the schema as the text that the package ships."""
    return json.dumps(make_schema(), indent=2) + "\n"


def _reachable(roots: Any) -> Iterator[type[Record]]:
    seen: set[type[Record]] = set()
    waiting = list(roots)
    while waiting:
        record = waiting.pop()
        if record in seen:
            continue
        seen.add(record)
        yield record
        for spec in field_specs(record):
            for option in options_of(spec.annotation):
                item = get_args(option)[0] if get_origin(option) is tuple else option
                if isinstance(item, type) and issubclass(item, Record):
                    waiting.append(item)


def _object(record: type[Record]) -> dict[str, Any]:
    specs = field_specs(record)
    properties = {spec.name: {"description": spec.doc, **_type(spec.annotation)} for spec in specs}
    if record in PLACES.values():
        properties = {
            "version": {"description": "version of this dict", "type": "integer", "minimum": 1},
            **properties,
        }
    return {
        "description": (record.__doc__ or "").splitlines()[0],
        "type": "object",
        "properties": properties,
        "required": [spec.name for spec in specs if spec.required],
        "additionalProperties": True,
    }


def _type(annotation: Any) -> dict[str, Any]:
    (wanted,) = options_of(annotation)
    origin = get_origin(wanted)
    if origin is tuple:
        return {"type": "array", "items": _type(get_args(wanted)[0])}
    if origin is Literal:
        return {"enum": list(get_args(wanted))}
    if origin is not None:
        return {"type": "object"}
    if wanted in _PLAIN:
        return {"type": _PLAIN[wanted]}
    if wanted in _OTIO:
        label = {"const": _OTIO[wanted]}
        return {
            "type": "object",
            "properties": {"OTIO_SCHEMA": label},
            "required": ["OTIO_SCHEMA"],
        }
    if isinstance(wanted, type) and issubclass(wanted, Record):
        return {"$ref": f"#/$defs/{wanted.__name__}"}
    return {}
