"""castline's data in the documents of a cut."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

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


def record(kind: type[AnyRecord], data: Mapping[str, Any] | None) -> AnyRecord | None:
    """Return data as the record that it should be, or None where it is not of that shape."""
    if data is None:
        return None
    try:
        return kind.from_data({key: item for key, item in data.items() if key != "version"})
    except CastlineError:
        return None
