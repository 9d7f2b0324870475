"""Flags as markers in the cut itself, for formats that keep markers as they are."""

from __future__ import annotations

import json

from opentimelineio import schema

from castline.adapters.carrier.summary import post_markers
from castline.schemas.errors import CastlineError
from castline.schemas.places import get_note, get_take
from castline.schemas.revive import revive
from castline.schemas.values import WARNING_STATES


def with_flags(cut: schema.Timeline) -> schema.Timeline:
    """Return the cut with a marker for each flag of a shown take, in the place of earlier ones."""
    result = without_flags(cut)
    for clip in result.find_clips():
        if not _is_flagged(clip):
            continue
        node = json.loads(clip.to_json_string())
        node["markers"] = []
        if post_markers(node):
            clip.markers.extend(revive(marker) for marker in node["markers"])
    return result


def without_flags(cut: schema.Timeline) -> schema.Timeline:
    """Return the cut without the markers that an earlier delivery added."""
    result = cut.deepcopy()
    for clip in result.find_clips():
        kept = [marker for marker in clip.markers if not _is_flag(marker)]
        if len(kept) < len(clip.markers):
            clip.markers[:] = [marker.deepcopy() for marker in kept]
    return result


def _is_flagged(clip: schema.Clip) -> bool:
    try:
        take = get_take(clip.media_reference) if clip.media_reference else None
    except CastlineError:  # what cannot be read rides along as it is
        return False
    return take is not None and any(a.state in WARNING_STATES for a in take.appearances)


def _is_flag(marker: schema.Marker) -> bool:
    try:
        note = get_note(marker)
    except CastlineError:
        return False
    return note is not None and note.posted
