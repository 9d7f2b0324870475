"""What OTIO calls before a write and after a read, so that plain otioconvert carries our data.

Hooks run for every OTIO user of the environment, twice for some writers, and are told neither
adapter nor always the path. So: nothing at all is done without data of ours, all work is on a
copy, a second call finds nothing left to do, and no exception ever leaves.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any

import opentimelineio as otio

from castline.adapters import formats
from castline.adapters.carrier import document as tree
from castline.adapters.carrier import envelope
from castline.adapters.carrier.restore import restore_timeline
from castline.schemas import names
from castline.schemas.roots import timeline_of

_LOG = logging.getLogger("castline")
_QUOTED_KEY = f'"{names.METADATA_KEY}"'


def before_write(
    in_timeline: otio.core.SerializableObject, argument_map: Mapping[str, Any] | None = None
) -> otio.core.SerializableObject:
    """Return a copy with our data in the fields of the format, or the object as it is."""
    try:
        told = argument_map or {}
        return embed_for(in_timeline, told.get("_filepath"), told.get("adapter_arguments"))
    except Exception as error:  # noqa: BLE001 - a hook must never break somebody's write
        _LOG.warning("castline: data not carried: %s", error)
        return in_timeline


def after_read(
    in_timeline: otio.core.SerializableObject,
    argument_map: Mapping[str, Any] | None = None,  # noqa: ARG001 - OTIO passes it by this name
) -> otio.core.SerializableObject:
    """Return the object with our data back in its place, or the object as it is."""
    if not isinstance(in_timeline, _WRITABLE):
        return in_timeline
    try:
        return restore_timeline(in_timeline, formats.CARRIERS)
    except Exception as error:  # noqa: BLE001 - a hook must never break somebody's read
        _LOG.warning("castline: data not restored: %s", error)
        return in_timeline


def embed_for(
    root: otio.core.SerializableObject,
    path: object | None,
    arguments: Mapping[str, Any] | None = None,
) -> otio.core.SerializableObject:
    """Return a copy with our data in the fields that the format of this path passes through.

    Without a known suffix it goes into the fields of all editorial formats and stays under our
    key as well, since the format may be one that keeps it.
    """
    suffix = formats.suffix_of(path) if path else ""
    if suffix in formats.KEEPING_SUFFIXES or not isinstance(root, _WRITABLE):
        return root
    text = root.to_json_string(indent=-1)
    if _QUOTED_KEY not in text or not envelope.has_data(document := json.loads(text)):
        return root
    carrier = formats.carrier_for(path, arguments) if path else None
    if carrier is None:
        for each in formats.EDITORIAL.values():
            envelope.embed(document, each, move=False, mending=False)
    else:
        if not _takes(suffix, root):
            document = tree.take_out(timeline_of(root))
        envelope.embed(document, carrier, move=suffix not in formats.METADATA_SUFFIXES)
    return tree.put_back(document)


def _takes(suffix: str, root: otio.core.SerializableObject) -> bool:
    """Say whether the format's writer takes such an object without losing parts of it."""
    if isinstance(root, otio.schema.Timeline) or suffix in formats.ANY_ROOT_SUFFIXES:
        return True
    return (
        suffix in formats.COLLECTION_SUFFIXES
        and isinstance(root, otio.schema.SerializableCollection)
        and len(root) > 1
        and all(isinstance(part, otio.schema.Timeline) for part in root)
    )


_WRITABLE = (otio.schema.SerializableCollection, otio.schema.Timeline, otio.core.Composable)
