"""Where the values ride: get and set them on OTIO objects.

| on | value |
|---|---|
| Timeline | `Sequence` |
| Clip or Stack | `Slot` |
| MediaReference | `Take` |
| Marker | `Note` |

Getting raises `InvalidValueError` for data of another shape and `NewerVersionError` for data of
a later castline, and gives None where there is none. Setting keeps unknown keys.
"""

from __future__ import annotations

from typing import TypeVar

import opentimelineio as otio
from opentimelineio import schema

from castline.schemas import names
from castline.schemas.errors import InvalidValueError, NewerVersionError
from castline.schemas.values import Note, Sequence, Slot, Take
from castline.schemas.values.record import Data, Record, plain

AnyRecord = TypeVar("AnyRecord", bound=Record)


def get_sequence(timeline: schema.Timeline) -> Sequence:
    """Return what castline says about the whole cut; an empty value where it says nothing."""
    return _get(timeline, Sequence) or Sequence()


def set_sequence(timeline: schema.Timeline, sequence: Sequence) -> None:
    """Write what castline says about the whole cut."""
    _set(timeline, sequence)


def get_slot(item: otio.core.Item) -> Slot | None:
    """Return what castline says about a clip or stack."""
    return _get(item, Slot)


def set_slot(item: otio.core.Item, slot: Slot) -> None:
    """Write what castline says about a clip or stack."""
    _set(item, slot)


def get_take(reference: otio.core.MediaReference) -> Take | None:
    """Return the take that a media reference is."""
    return _get(reference, Take)


def set_take(reference: otio.core.MediaReference, take: Take) -> None:
    """Write the take that a media reference is."""
    _set(reference, take)


def get_note(marker: schema.Marker) -> Note | None:
    """Return what one of our markers points at."""
    return _get(marker, Note)


def set_note(marker: schema.Marker, note: Note) -> None:
    """Write what a marker points at."""
    _set(marker, note)


def _get(
    holder: otio.core.SerializableObjectWithMetadata, kind: type[AnyRecord]
) -> AnyRecord | None:
    if names.METADATA_KEY not in holder.metadata:
        return None
    data = plain(holder.metadata[names.METADATA_KEY])
    where = f"{holder.schema_name()} {holder.name!r}"
    if not isinstance(data, dict):
        raise InvalidValueError(f"{where}: found {data!r}, expected a dict")
    version = data.pop("version", names.PAYLOAD_VERSION)
    if not isinstance(version, int):
        raise InvalidValueError(f"{where}: found version {version!r}, expected a whole number")
    if version > names.PAYLOAD_VERSION:
        raise NewerVersionError(
            f"{where}: found version {version}, expected at most {names.PAYLOAD_VERSION}; "
            "a newer castline wrote this"
        )
    return kind.from_data(data, where)


def _set(holder: otio.core.SerializableObjectWithMetadata, value: Record) -> None:
    data: Data = {"version": names.PAYLOAD_VERSION, **value.to_data()}
    holder.metadata[names.METADATA_KEY] = data
