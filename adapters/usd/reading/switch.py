"""Showing another take of a clip, in its document: as `castline.schemas.takes` does it."""

from __future__ import annotations

import copy
import logging
from typing import Any

from castline.adapters.usd import layout
from castline.adapters.usd.payload import data_of, record, references_of
from castline.adapters.usd.reading.stored import Stored
from castline.schemas.values import Take

_ACTIVE = "active_media_reference_key"
_LOG = logging.getLogger("castline")

Document = dict[str, Any]


def wanted_take(item: Stored, file: str) -> str | None:
    """Return the key of the media reference that a prim selects, if it is not shown already.

    A variant that is none of the clip's takes is warned of.
    """
    chosen = item.selections.get(layout.TAKE_SET)
    references = references_of(item.document)
    if not chosen or not references:
        return None
    keys = {name: key for key, name in layout.variant_names(references).items()}
    if chosen not in keys:
        known = ", ".join(keys)
        place = f"{file}: {item.path}: variant set {layout.TAKE_SET}"
        _LOG.warning("castline: %s: found %r, expected one of %s", place, chosen, known)
        return None
    key = keys[chosen]
    return None if key == item.document.get(_ACTIVE) else key


def switch_take(document: Document, key: str) -> None:
    """Show another media reference, with the range and effects that belong to it."""
    references = references_of(document)
    before = _take_data(references.get(str(document.get(_ACTIVE))))
    if before is not None:
        before["placement"] = {
            name: copy.deepcopy(document[name])
            for name in ("source_range", "effects")
            if document.get(name)
        }
    document[_ACTIVE] = key
    after = _take_data(references[key])
    if after is not None and isinstance(placement := after.get("placement"), dict):
        document["source_range"] = copy.deepcopy(placement.get("source_range"))
        document["effects"] = copy.deepcopy(placement.get("effects") or [])


def _take_data(reference: Document | None) -> Document | None:
    data = data_of(reference) if reference else None
    return data if record(Take, data) is not None else None
