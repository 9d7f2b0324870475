"""The published clips in the stage's time: a cut whose time is that of the stage.

| a clip begins at | where |
|---|---|
| the stage's own frame that it shows | one of its takes is this very stage |
| the first frame of its shot's layer | that layer says its range |
| the frame that its picture's number says | the stage is the one shot, with such numbers |
| the stage's first frame | the stage is the one shot |
| its distance from the cut's start, from the stage's | else |

Frames stand for frames where the rates are the same, or a film rate and its NTSC kin (24 and
23.976); else seconds for seconds.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path, PurePath
from urllib.parse import urlsplit

import opentimelineio as otio
from opentimelineio import schema
from opentimelineio.exceptions import OTIOError
from opentimelineio.opentime import RationalTime, TimeRange

from castline.adapters.usd.playing.media import path_of
from castline.adapters.usd.publishing.match import Bound
from castline.adapters.usd.scene.clock import SceneClock
from castline.adapters.usd.scene.cut import prim_of
from castline.adapters.usd.scene.items import packed
from castline.schemas.errors import CastlineError, InvalidValueError
from castline.schemas.exact import exact_frames, exact_rate, exact_seconds
from castline.schemas.places import get_slot, get_take, set_slot

_KIN = Fraction(15, 10_000)
"""How far apart two rates may be, as a part, whose frames stand for each other."""


def is_kin(one: float, other: float) -> bool:
    """Say whether frames of two rates stand for each other: the same, or a film rate and NTSC."""
    return abs(exact_rate(one) / exact_rate(other) - 1) <= _KIN


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
        return self.cut_rate if is_kin(self.cut_rate, self.clock.rate) else self.clock.rate

    @property
    def codes_per_second(self) -> Fraction:
        """Time codes of the stage for a second of the cut."""
        return exact_rate(self.frame_rate) * self.clock.step

    @property
    def codes_per_frame(self) -> Fraction:
        """Time codes of the stage for a frame of the cut."""
        return self.codes_per_second / exact_rate(self.cut_rate)

    def clock_code(self, own: RationalTime) -> Fraction:
        """Return the time code of a media time of the stage itself, frames for frames."""
        if is_kin(own.rate, self.clock.rate):
            return exact_frames(own.value) * self.clock.step
        return exact_seconds(own) * exact_rate(self.clock.codes_per_second)

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
    own = _own_time(bound.clip, stage, home)
    if own is not None:
        start = time.clock_code(own)
    elif window:
        start = Fraction(window[0])
    elif starts is None:
        numbered = _numbered_frame(bound.clip, time)
        start = Fraction(time.first_code) if numbered is None else numbered * time.clock.step
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


def as_cut(
    cut: schema.Timeline, placed: Sequence[Placed], time: StageTime, home: Path, folder: Path
) -> schema.Timeline:
    """Return the published clips as a cut in the stage's time; `cut` gives all that is above them.

    Its own times are time codes of the stage. Clips that overlap on the stage lie on tracks of
    their own. Relative media paths begin at `home` in the cut, at `folder` in what is returned.
    """
    found = schema.Timeline(cut.name, metadata=dict(cut.metadata))
    start = min(item.start for item in placed)
    found.global_start_time = time.time(start)
    for number, items in enumerate(packed(placed)):
        track = schema.Track(f"shots {number + 1}" if number else "shots")
        position = start
        for item in items:
            if item.start > position:
                track.append(schema.Gap(duration=time.time(item.start - position)))
            track.append(_copied(item, home, folder))
            position = item.end
        found.tracks.append(track)
    return found


def _copied(item: Placed, home: Path, folder: Path) -> schema.Clip:
    clip = item.bound.clip.deepcopy()
    if clip.source_range is None:  # as long as its media: said, so that the place is known
        own = item.bound.clip.trimmed_range()
        clip.source_range = TimeRange(own.start_time, own.duration)
    for reference in clip.media_references().values():
        for field in ("target_url", "target_url_base"):
            if url := getattr(reference, field, None):
                setattr(reference, field, _rebased(url, home, folder))
    if item.bound.camera is not None:
        set_slot(clip, item.bound.slot.replace(prim=prim_of(item.bound.camera)))
    return clip


def _rebased(url: str, home: Path, folder: Path) -> str:
    """Return a relative media URL as one that begins at another folder; others as they are."""
    if urlsplit(url).scheme or PurePath(url).is_absolute():
        return url
    try:
        moved = Path(os.path.relpath(home / url, folder)).as_posix()
    except ValueError:  # Windows: another drive
        moved = (home / url).as_posix()
    return f"{moved}/" if url.endswith("/") else moved


def _own_time(clip: schema.Clip, stage: Path, home: Path) -> RationalTime | None:
    """Return the stage's own time at which a clip begins, where one of its takes is the stage."""
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
            return shown.start_time
    return None


def _numbered_frame(clip: schema.Clip, time: StageTime) -> Fraction | None:
    """Return the stage's frame that a clip begins at by the numbers of its pictures.

    They count where all of them lie in the stage's range: it has the handles too. Generators
    number from 0 or 1; such numbers count only where the stage begins with the same one.
    """
    media = clip.media_reference
    if not isinstance(media, schema.ImageSequenceReference) or clip.source_range is None:
        return None
    first, clock = Fraction(media.start_frame), time.clock
    available = media.available_range
    if available is None or not clock.start <= first <= media.end_frame() < clock.end:
        return None
    if not is_kin(available.start_time.rate, clock.rate) or (first <= 1 and first != clock.start):
        return None
    shown = clip.source_range.start_time
    skipped = exact_seconds(shown) - exact_seconds(available.start_time)
    frames = skipped * exact_rate(available.start_time.rate)
    return first + frames


def _placed_range(reference: schema.ExternalReference) -> TimeRange | None:
    try:
        take = get_take(reference)
    except CastlineError:
        return None
    return take.placement.source_range if take and take.placement else None
