"""Putting a clip's media references back: which is shown, and what the others were."""

from __future__ import annotations

from typing import Any

from castline.adapters.carrier.document import (
    DEFAULT_MEDIA_KEY,
    Node,
    active_reference_of,
    data_of,
    references_of,
    schema_of,
    set_data,
    url_of,
)
from castline.adapters.carrier.envelope import Envelope
from castline.adapters.carrier.match import equal_ranges, media_name


def restore_references(clip: Node, envelope: Envelope) -> None:
    """Give the clip all references that the payload holds; what the file shows stays shown."""
    kept = envelope.get("references")
    if not isinstance(kept, dict) or not kept:
        return
    returned = active_reference_of(clip)
    undo = envelope.get("undo") or {}
    active = str(envelope.get("active") or DEFAULT_MEDIA_KEY)
    url = url_of(returned)
    written = undo.get("written_url") or envelope.get("url")
    dropped = returned is None or schema_of(returned) == "MissingReference"
    if (
        returned is not None
        and not dropped
        and (not _same_media(url, written) or _other_generator(returned, undo.get("reference")))
    ):
        relinked = next(
            (k for k, r in kept.items() if k != active and _same_media(url, url_of(r))), None
        )
        if relinked is None:
            _add_new_media(clip, kept, active, returned, envelope)
            return
        _set_references(
            clip, {**_whole_references(kept, active, envelope), relinked: kept[relinked]}, relinked
        )
        return
    # What the format kept by itself beside the one it shows.
    native = {key: r for key, r in references_of(clip).items() if data_of(r) is not None}
    original = undo.get("reference") if "reference" in undo else None
    part = kept.get(active) or {}
    if original is not None:
        current = _with_media_range(original, returned, undo.get("written_available"))
    elif returned is None or (dropped and envelope.get("url")):
        current = _whole_references(kept, active, envelope)[active]
    else:
        current = returned
        for key in ("name", "available_range"):
            current[key] = current.get(key) or part.get(key)
        if part.get("data") is not None:
            set_data(current, part["data"])
    others = {key: reference for key, reference in kept.items() if key != active}
    _set_references(clip, {**others, **native, active: current}, active)


def _with_media_range(original: Node, returned: Node | None, written: Any) -> Node:
    """Return the original reference, with the range that the editor gave its media meanwhile."""
    now = (returned or {}).get("available_range")
    if written is None or now is None or equal_ranges(now, written):
        return original
    return {**original, "available_range": now}


def _add_new_media(
    clip: Node, kept: Node, active: str, returned: Node, envelope: Envelope
) -> None:
    """The editor put other media there: it stands, and what was there stays an alternate."""
    references = _whole_references(kept, active, envelope)
    key = "editorial"
    number = 2
    while key in references:
        key, number = f"editorial_{number}", number + 1
    _set_references(clip, {**references, key: returned}, key)


def _whole_references(kept: Node, active: str, envelope: Envelope) -> Node:
    undo = envelope.get("undo") or {}
    references = {key: reference for key, reference in kept.items() if key != active}
    part = kept.get(active) or {}
    original = undo.get("reference")
    if original is None:
        original = {
            "OTIO_SCHEMA": "ExternalReference.1",
            "metadata": {},
            "name": part.get("name") or "",
            "available_range": part.get("available_range"),
            "available_image_bounds": None,
            "target_url": envelope.get("url") or "",
        }
        if part.get("data") is not None:
            set_data(original, part["data"])
    return {**references, active: original}


def _set_references(clip: Node, references: Node, active: str) -> None:
    clip["media_references"] = references
    clip["active_media_reference_key"] = active


def _same_media(one: str | None, other: str | None) -> bool:
    return media_name(one) == media_name(other)


def _other_generator(returned: Node | None, original: Node | None) -> bool:
    """Say whether a generator, which has no URL, was replaced by another."""
    kinds = [(node or {}).get("generator_kind") for node in (returned, original)]
    return None not in kinds and kinds[0] != kinds[1]
