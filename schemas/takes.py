"""The takes of a slot: attaching them, choosing one, and switching to it with its placement."""

from __future__ import annotations

import json

import opentimelineio as otio
from opentimelineio import schema

from castline.schemas.decisions import approved_take_ids
from castline.schemas.errors import UsageError
from castline.schemas.places import get_slot, get_take, set_take
from castline.schemas.revive import revive_effects
from castline.schemas.values import Placement, Take


def takes_of(clip: schema.Clip) -> dict[str, Take]:
    """Return the takes, temp included, of a clip by the key of their media reference."""
    found = {key: get_take(reference) for key, reference in clip.media_references().items()}
    return {key: take for key, take in found.items() if take is not None}


def active_take(clip: schema.Clip) -> Take | None:
    """Return the take that the clip shows now."""
    reference = clip.media_reference
    return None if reference is None else get_take(reference)


def placement_of(clip: schema.Clip) -> Placement:
    """Return how the active reference sits in the clip at this moment."""
    effects = tuple(json.loads(effect.to_json_string(indent=-1)) for effect in clip.effects)
    return Placement(source_range=clip.source_range, effects=effects)


def add_take(clip: schema.Clip, key: str, reference: otio.core.MediaReference, take: Take) -> None:
    """Add a reference to the clip as an alternate; the clip goes on showing what it shows.

    Raises `UsageError` where the key is taken.
    """
    references = dict(clip.media_references().items())
    if key in references:
        raise UsageError(f"clip {clip.name!r}: found a media reference {key!r} already")
    set_take(reference, take)
    references[key] = reference
    clip.set_media_references(references, clip.active_media_reference_key)


def switch_take(clip: schema.Clip, key: str) -> None:
    """Show another reference of the clip, with the range and effects that belong to it.

    What the clip held for the reference shown before is noted as that one's placement. A
    reference without a noted placement takes the clip's own range and effects.

    Raises `UsageError` where the clip has no such reference and `InvalidValueError` where its
    effects are none; the clip is as it was then.
    """
    references = clip.media_references()
    if key not in references:
        known = ", ".join(sorted(references))
        raise UsageError(f"clip {clip.name!r}: found no media reference {key!r}, only {known}")
    if key == clip.active_media_reference_key:
        return
    placement = _placement_in(references[key])
    before = clip.media_reference
    shown = get_take(before)
    if shown is not None:
        set_take(before, shown.replace(placement=placement_of(clip)))
    clip.active_media_reference_key = key
    if placement is not None:
        clip.source_range, clip.effects[:] = placement


def choose_take(clip: schema.Clip, wanted: str) -> str | None:
    """Return the key of the `latest`, `approved` or `temp` take, or of the one with this id.

    None where the clip has no such take. Latest is the highest number, approved the latest of
    those whose last decision is an approval that still holds.
    """
    takes = takes_of(clip)
    if wanted == "temp":
        fitting = [key for key, take in takes.items() if take.role == "temp"]
    elif wanted == "latest":
        fitting = [key for key, take in takes.items() if take.role == "take"]
    elif wanted == "approved":
        slot = get_slot(clip)
        approved = approved_take_ids(clip, slot.decisions if slot else ())
        fitting = [key for key, take in takes.items() if take.take_id in approved]
    else:
        fitting = [key for key, take in takes.items() if wanted in (take.take_id, key)]
    return max(fitting, key=lambda key: (takes[key].number or 0, takes[key].take_id), default=None)


def _placement_in(
    reference: otio.core.MediaReference,
) -> tuple[otio.opentime.TimeRange | None, list[schema.Effect]] | None:
    take = get_take(reference)
    if take is None or take.placement is None:
        return None
    return take.placement.source_range, revive_effects(take.placement.effects)
