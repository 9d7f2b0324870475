"""Slots: the clips of a cut as places to be filled, each with an identifier of its own."""

from __future__ import annotations

import re
import unicodedata

from opentimelineio import schema

from castline.schemas.places import get_slot, set_slot
from castline.schemas.values import Slot


def give_slot_ids(timeline: schema.Timeline) -> list[schema.Clip]:
    """Give every clip a slot id that is unique in the cut; return the clips that got one.

    A clip without an id is named after itself. Where a tool copied or split a clip, the first
    keeps the id and each later one gets a new one that says what it is derived from.
    """
    clips = list(timeline.find_clips())
    slots = [get_slot(clip) for clip in clips]
    taken = {slot.slot_id for slot in slots if slot is not None}
    seen: set[str] = set()
    counts: dict[str, int] = {}
    changed = []
    for clip, slot in zip(clips, slots, strict=True):
        if slot is not None and slot.slot_id not in seen:
            seen.add(slot.slot_id)
            continue
        fresh = _free_id(slot.slot_id if slot else slug(clip.name) or "slot", taken, counts)
        taken.add(fresh)
        seen.add(fresh)
        if slot is None:
            set_slot(clip, Slot(slot_id=fresh))
        else:
            set_slot(clip, slot.replace(slot_id=fresh, derived_from=slot.slot_id))
        changed.append(clip)
    return changed


def slots_of(timeline: schema.Timeline) -> dict[str, schema.Clip]:
    """Return the clips by slot id; of clips that share an id, the first."""
    found: dict[str, schema.Clip] = {}
    for clip in timeline.find_clips():
        slot = get_slot(clip)
        if slot is not None:
            found.setdefault(slot.slot_id, clip)
    return found


def slug(text: str) -> str:
    """Return the text as a short word of letters and digits of any script, `_`, `.` and `-`."""
    return re.sub(r"[^\w.-]+", "_", unicodedata.normalize("NFC", text)).strip("_.-")[:48]


def _free_id(wanted: str, taken: set[str], counts: dict[str, int]) -> str:
    """Return the id, with a number where it is taken; `counts` remembers the last of each."""
    if wanted not in taken:
        return wanted
    number = counts.get(wanted, 1) + 1
    while f"{wanted}-{number}" in taken:
        number += 1
    counts[wanted] = number
    return f"{wanted}-{number}"
