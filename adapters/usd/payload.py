"""castline's data in the documents of a cut."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from opentimelineio.opentime import RationalTime, TimeRange

from castline.schemas import names
from castline.schemas.errors import CastlineError
from castline.schemas.values.record import Record

AnyRecord = TypeVar("AnyRecord", bound=Record)


def references_of(document: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the documents of a clip's media references by key."""
    references = document.get("media_references")
    if not isinstance(references, dict):
        return {}
    return {key: found for key, found in references.items() if isinstance(found, dict)}


def data_of(document: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return castline's data on an object, if it has any."""
    metadata = document.get("metadata")
    data = metadata.get(names.METADATA_KEY) if isinstance(metadata, dict) else None
    return data if isinstance(data, dict) else None


def record(kind: type[AnyRecord], data: Any) -> AnyRecord | None:
    """Return data as the record that it should be, or None where it is not of that shape."""
    if not isinstance(data, dict):
        return None
    try:
        return kind.from_data({k: _with_times(v) for k, v in data.items() if k != "version"})
    except CastlineError:
        return None


def _with_times(value: Any) -> Any:
    """Return data with its times as OTIO's values, which is what records hold."""
    if isinstance(value, list):
        return [_with_times(item) for item in value]
    if not isinstance(value, dict):
        return value
    kind = value.get("OTIO_SCHEMA")
    if kind == "RationalTime.1":
        return RationalTime(value["value"], value["rate"])
    found = {key: _with_times(item) for key, item in value.items()}
    if kind == "TimeRange.1":
        return TimeRange(found["start_time"], found["duration"])
    return found
