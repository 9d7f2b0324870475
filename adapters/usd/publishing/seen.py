"""What of each clip a cut shows, and when: what it lies in may trim, hide and retime it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction

import opentimelineio as otio
from opentimelineio import schema
from opentimelineio.opentime import RationalTime, TimeRange

from castline.schemas.errors import CastlineError
from castline.schemas.exact import exact_rate, exact_seconds
from castline.schemas.places import get_slot, get_take, set_take
from castline.schemas.retime import clip_time_map
from castline.schemas.retime_cut import cut_time_maps
from castline.schemas.retime_program import Convention, Program, program_of
from castline.schemas.revive import revive_effects
from castline.schemas.timemap import Piece, TimeMap

_NEAR = Fraction(1, 1_000_000)
"""Seconds within which times that were written as decimals are the same."""

_RETIMED = "what it lies in changes its pace; it lies at its time there, at its own pace"
_WARPED = "it is retimed and trimmed by what it lies in; it lies at its time, from its own start"


@dataclass(frozen=True)
class Seen:
    """How a cut shows a clip, in seconds."""

    start: Fraction
    """From the cut's start."""
    head: Fraction
    """Of the clip's own time, before what is seen."""
    length: Fraction
    is_whole: bool
    """Nothing around the clip trims it."""
    is_at_pace: bool
    """It runs there as it does by itself."""

    @property
    def is_hidden(self) -> bool:
        """Say whether nothing is seen of it."""
        return not self.length


def seen_in(cut: schema.Timeline) -> dict[str, Seen | CastlineError]:
    """Return how the clips of a cut are seen, by their slots' ids, or why that is not known."""
    found: dict[str, Seen | CastlineError] = {}
    for clip in cut_time_maps(cut):
        slot = get_slot(clip.clip)
        if slot is None:
            continue
        if clip.seen is not None:
            found[slot.slot_id] = _seen(clip.seen, *clip.stretch)
        elif clip.error is not None:
            found[slot.slot_id] = clip.error
    return found


def _seen(time_map: TimeMap, start: Fraction, end: Fraction) -> Seen:
    """Return how a clip is seen from the map of cut time to its own, which lasts so long."""
    whole = Piece(start, end, start, Fraction(1))
    pieces = time_map.then(replace(time_map, pieces=(whole,))).pieces if start < end else ()
    if not pieces:
        return Seen(Fraction(0), Fraction(0), Fraction(0), is_whole=False, is_at_pace=True)
    first, last = pieces[0], pieces[-1]
    length = last.end - first.start
    is_at_pace = len(pieces) == 1 and first.speed == 1
    head = first.media if is_at_pace else Fraction(0)
    is_whole = is_at_pace and (head, length) == (start, end - start)
    return Seen(first.start, head, length, is_whole, is_at_pace)


def as_seen(
    clip: schema.Clip, seen: Seen | None, program: Program
) -> tuple[schema.Clip, str | None]:
    """Return a copy of a clip with the range that is seen of it, and what is not as in the cut.

    Every other take gets the range that is seen with it. The copy says its range in any case.
    `program` wrote the cut.
    """
    shown: schema.Clip = clip.deepcopy()
    if shown.source_range is None:  # as long as its media: said, so that the place is known
        own = clip.trimmed_range()
        shown.source_range = TimeRange(own.start_time, own.duration)
    if seen is None or seen.is_whole:
        return shown, None
    convention = (program_of(clip) or program).convention
    are_exact = []
    for key, reference in shown.media_references().items():
        take = get_take(reference)
        if key != clip.active_media_reference_key and take and take.placement:
            span = take.placement.source_range or reference.available_range
            if span is not None:
                other = _placed(reference, span, revive_effects(take.placement.effects))
                span, is_exact = _trimmed(other, seen, convention)
                are_exact.append(is_exact)
                placement = take.placement.replace(source_range=span)
                set_take(reference, take.replace(placement=placement))
    alone = _placed(shown.media_reference, shown.source_range, shown.effects)
    shown.source_range, is_exact = _trimmed(alone, seen, convention)
    if not seen.is_at_pace:
        return shown, _RETIMED
    return shown, None if is_exact and all(are_exact) else _WARPED


def _placed(
    reference: otio.core.MediaReference, span: TimeRange, effects: Iterable[schema.Effect]
) -> schema.Clip:
    """Return a clip of one reference alone."""
    clip = schema.Clip("", reference.deepcopy(), span)
    clip.effects[:] = [effect.deepcopy() for effect in effects]
    return clip


def _trimmed(clip: schema.Clip, seen: Seen, convention: Convention) -> tuple[TimeRange, bool]:
    """Return what is seen of a clip's source range, and whether its own retime allows for it."""
    own = clip.source_range
    rate = own.start_time.rate
    duration = RationalTime(float(seen.length * exact_rate(own.duration.rate)), own.duration.rate)
    if not seen.is_at_pace:
        return TimeRange(own.start_time, duration), True
    try:
        whole = clip_time_map(clip, convention)
        wanted = whole.over(seen.head, seen.head + seen.length)
        tail = exact_seconds(own.duration) - seen.head - seen.length
        speed = abs(whole.speed) if whole.speed is not None else Fraction(1)
        for skipped in dict.fromkeys((seen.head * speed, tail * speed)):  # backwards: the tail
            start = RationalTime(own.start_time.value + float(skipped * exact_rate(rate)), rate)
            clip.source_range = TimeRange(start, duration)
            if _is_same(clip_time_map(clip, convention), wanted, seen.head):
                return clip.source_range, True
    except CastlineError:
        pass
    return TimeRange(own.start_time, duration), False


def _is_same(one: TimeMap, other: TimeMap, later: Fraction) -> bool:
    """Say whether two maps show the same pictures, the other so many seconds later."""
    return len(one.pieces) == len(other.pieces) and all(
        abs(a.start + later - b.start) < _NEAR
        and abs(a.shown(a.start) - b.shown(b.start)) < _NEAR
        and a.speed == b.speed
        for a, b in zip(one.pieces, other.pieces, strict=True)
    )
