"""Decisions in time: which still hold, and which were made on something that has changed."""

from __future__ import annotations

from collections.abc import Iterable

from opentimelineio import schema
from opentimelineio.opentime import TimeRange

from castline.schemas.places import get_take
from castline.schemas.values import Decision, Take


def stale_reason(decision: Decision, clip: schema.Clip, sha256: str | None = None) -> str | None:
    """Say what changed since the decision was made, or None while it holds.

    A decision names the take, the hash of its file and the part of it that was in the cut.
    `sha256` is the file's hash as it is now, where somebody looked; else the take's own counts.
    """
    for reference in clip.media_references().values():
        take = get_take(reference)
        if take is None or take.take_id != decision.take_id:
            continue
        if decision.sha256 and {take.sha256, sha256} - {None, decision.sha256}:
            return "the file has changed"
        current = shown_range(clip, take)
        if decision.media_range and current and not _within(current, decision.media_range):
            return "other frames are used"
        return None
    return "the take is gone"


def shown_range(clip: schema.Clip, take: Take) -> TimeRange | None:
    """Return the part of the take's media that the clip shows, or would show."""
    active = get_take(clip.media_reference) if clip.media_reference else None
    if active is not None and active.take_id == take.take_id:
        return clip.source_range
    return take.placement.source_range if take.placement else None


def approved_take_ids(clip: schema.Clip, decisions: Iterable[Decision]) -> set[str]:
    """Return the takes whose last decision is an approval that still holds."""
    last: dict[str, Decision] = {}
    for decision in decisions:
        if decision.character_id is None:
            last[decision.take_id] = decision
    return {
        take_id
        for take_id, decision in last.items()
        if decision.verdict == "approved" and stale_reason(decision, clip) is None
    }


def _within(current: TimeRange, decided: TimeRange) -> bool:
    """A trim shows nothing that was not looked at; anything else does."""
    return bool(
        current.start_time >= decided.start_time
        and current.end_time_exclusive() <= decided.end_time_exclusive()
    )
