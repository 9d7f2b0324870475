"""The published clips in the stage's time: a cut whose time is that of the stage.

| a clip begins at | where |
|---|---|
| the stage's own frame that it shows | one of its takes is this very stage |
| the first frame of its shot's layer | that layer says its range |
| the stage's first frame | the stage is the one shot |
| its distance from the cut's start, from the stage's | else |

Frames stand for frames where the rates are the same, or a film rate and its NTSC kin (24 and
23.976); else seconds for seconds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import opentimelineio as otio
from opentimelineio import schema
from opentimelineio.exceptions import OTIOError
from opentimelineio.opentime import RationalTime, TimeRange

from castline.adapters.usd.playing.media import path_of
from castline.adapters.usd.publishing.match import Bound
from castline.adapters.usd.scene.clock import SceneClock
from castline.adapters.usd.scene.cut import prim_of
from castline.schemas.errors import CastlineError, InvalidValueError
from castline.schemas.exact import exact_rate, exact_seconds
from castline.schemas.places import get_slot, get_take, set_slot

_KIN = Fraction(15, 10_000)
"""How far apart two rates may be, as a part, whose frames stand for each other."""


@dataclass(frozen=True)
class StageTime:
    """How the cut's time becomes the stage's."""

    clock: SceneClock
    cut_rate: float
    first_code: float
    """The stage's first time code."""

    @property
    def frame_rate(self) -> float:
        """Frames of the stage for a second of the cut."""
        cut, stage = exact_rate(self.cut_rate), exact_rate(self.clock.rate)
        return self.cut_rate if abs(cut / stage - 1) <= _KIN else self.clock.rate

    @property
    def codes_per_second(self) -> Fraction:
        """Time codes of the stage for a second of the cut."""
        return exact_rate(self.frame_rate) * self.clock.step

    @property
    def codes_per_frame(self) -> Fraction:
        """Time codes of the stage for a frame of the cut."""
        return self.codes_per_second / exact_rate(self.cut_rate)

    def time(self, codes: Fraction) -> RationalTime:
        """Return so many time codes of the stage as a time of the cut."""
        return RationalTime(float(codes), float(self.codes_per_second))


@dataclass(frozen=True)
class Placed:
    """A bound clip and its time codes on the stage; `end` is the first after it."""

    bound: Bound
    start: Fraction
    end: Fraction


def place(
    bound: Bound, time: StageTime, starts: Mapping[str, Fraction] | None, stage: Path, home: Path
) -> Placed:
    """Return where on the stage a clip lies; relative media paths begin at `home`.

    `starts` are the seconds from the cut's start to each clip, by the slots' ids; None where the
    stage is the one shot. Raises `InvalidValueError` where one that is needed is not known.
    """
    window = bound.camera["window"] if bound.camera else None
    own = _own_second(bound.clip, stage, home)
    if own is not None:
        start = own * exact_rate(time.clock.codes_per_second)
    elif window:
        start = Fraction(window[0])
    elif starts is None:
        start = Fraction(time.first_code)
    elif bound.slot.slot_id in starts:
        seconds = starts[bound.slot.slot_id]
        start = Fraction(time.first_code) + seconds * time.codes_per_second
    else:
        reason = "its place in the cut is not known, after a clip of unknown length"
        raise InvalidValueError(f"clip {bound.clip.name!r}: {reason}")
    length = exact_seconds(bound.clip.trimmed_range().duration)
    return Placed(bound, start, start + length * time.codes_per_second)


def starts_of(cut: schema.Timeline) -> dict[str, Fraction]:
    """Return the seconds from a cut's start to each of its clips, by the slots' ids.

    Those whose place is not known are left out.
    """
    found = {}
    for track in cut.video_tracks():
        try:
            ranges = track.range_of_all_children()
        except OTIOError:
            continue
        for child, span in ranges.items():
            clips = [child] if isinstance(child, schema.Clip) else _nested(child)
            for clip in clips:
                slot = get_slot(clip)
                inside = Fraction(0) if clip is child else _second_in(clip, child)
                if slot is not None and inside is not None:
                    found[slot.slot_id] = exact_seconds(span.start_time) + inside
    return found


def _nested(item: otio.core.Composable) -> list[schema.Clip]:
    return list(item.find_clips()) if isinstance(item, otio.core.Composition) else []


def _second_in(clip: schema.Clip, nest: otio.core.Composition) -> Fraction | None:
    try:
        return exact_seconds(nest.range_of_child(clip).start_time)
    except OTIOError:
        return None


def as_cut(cut: schema.Timeline, placed: Sequence[Placed], time: StageTime) -> schema.Timeline:
    """Return the published clips as a cut in the stage's time; `cut` gives all that is above them.

    Its own times are time codes of the stage. Clips that overlap on the stage lie on tracks of
    their own.
    """
    found = schema.Timeline(cut.name, metadata=dict(cut.metadata))
    start = min(item.start for item in placed)
    found.global_start_time = time.time(start)
    ends: list[Fraction] = []
    tracks: list[schema.Track] = []
    for item in sorted(placed, key=lambda item: item.start):
        number = next((n for n, end in enumerate(ends) if end <= item.start), len(ends))
        if number == len(ends):
            ends.append(start)
            tracks.append(schema.Track(f"shots {number + 1}" if number else "shots"))
        if item.start > ends[number]:
            tracks[number].append(schema.Gap(duration=time.time(item.start - ends[number])))
        tracks[number].append(_copied(item))
        ends[number] = item.end
    found.tracks.extend(tracks)
    return found


def _copied(item: Placed) -> schema.Clip:
    clip = item.bound.clip.deepcopy()
    if clip.source_range is None:  # as long as its media: said, so that the place is known
        own = item.bound.clip.trimmed_range()
        clip.source_range = TimeRange(own.start_time, own.duration)
    if item.bound.camera is not None:
        set_slot(clip, item.bound.slot.replace(prim=prim_of(item.bound.camera)))
    return clip


def _own_second(clip: schema.Clip, stage: Path, home: Path) -> Fraction | None:
    """Return the stage's second at which the clip begins, where one of its takes is the stage."""
    for key, reference in clip.media_references().items():
        url = getattr(reference, "target_url", None)
        path = path_of(url, home) if url else None
        if path is None or path.resolve() != stage.resolve():
            continue
        shown = clip.source_range
        if key != clip.active_media_reference_key:
            shown = _placed_range(reference)
        shown = shown or reference.available_range
        if shown is not None:
            return exact_seconds(shown.start_time)
    return None


def _placed_range(reference: schema.ExternalReference) -> TimeRange | None:
    try:
        take = get_take(reference)
    except CastlineError:
        return None
    return take.placement.source_range if take and take.placement else None
