"""Exact retimes of one clip: which media its frames show.

The reading of source ranges and its evidence is in docs/retime.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import opentimelineio as otio

from castline.schemas.errors import InvalidValueError
from castline.schemas.exact import exact_frames, exact_rate, exact_seconds
from castline.schemas.retime_effect import UnsupportedRetimeError, Warp, read_warp
from castline.schemas.retime_program import Convention, Program, ReverseStart, Step, program_of
from castline.schemas.timemap import Piece, TimeMap

_MEDIA_FRAME_NOISE = Fraction(1, 1000)


@dataclass(frozen=True, slots=True)
class Source:
    """What an item takes from what is behind it, in exact seconds and rates."""

    start: Fraction
    duration: Fraction
    rate: Fraction
    media_rate: Fraction


@dataclass(frozen=True, slots=True)
class MediaRange:
    """The media frames that a clip shows, all inclusive, numbered in media time.

    `lowest` and `highest` bound them; `first` is seen at the head of the clip and `last` at its
    tail, so a reversed clip has first above last.
    """

    lowest: int
    highest: int
    first: int
    last: int
    rate: Fraction

    def to_time_range(self) -> otio.opentime.TimeRange:
        """Give the range from the lowest to the highest frame, at the media rate."""
        rate = float(self.rate)
        return otio.opentime.TimeRange(
            otio.opentime.RationalTime(self.lowest, rate),
            otio.opentime.RationalTime(self.highest - self.lowest + 1, rate),
        )


def clip_time_map(clip: otio.schema.Clip, convention: Convention | None = None) -> TimeMap:
    """Map a clip's own time, from 0 at its head, to the time of its active media.

    The convention is that of the program that wrote the clip unless one is given. Frames on the
    cut side are at the rate of the clip's source range.

    Raises:
        UnsupportedRetimeError: a time effect cannot be read; the clip is never taken as 1x.
        InvalidValueError: the clip has no range at all, or a rate or time is no number.

    """
    if convention is None:
        convention = (program_of(clip) or Program.OTHER).convention
    source = clip_source(clip)
    return warped_map(source, read_warp(clip.effects, _place(clip)), convention, _place(clip))


def media_range(clip: otio.schema.Clip, convention: Convention | None = None) -> MediaRange:
    """Give the media frames a clip shows, retimes included, whatever the media really holds.

    Raises:
        UnsupportedRetimeError: a time effect cannot be read.
        InvalidValueError: the clip has no range, or no frame.

    """
    return shown_range(clip_time_map(clip, convention), _place(clip))


def shown_range(time_map: TimeMap, place: str = "time map") -> MediaRange:
    """Give the media frames that the cut frames of a map show.

    Raises:
        InvalidValueError: no cut frame begins within the map.

    """
    ends = [media_frame for _, media_frame in time_map.frame_ends()]
    if not ends:
        raise InvalidValueError(f"{place}: found no frame, expected at least one that is seen")
    return MediaRange(min(ends), max(ends), ends[0], ends[-1], time_map.media_rate)


def file_frame(reference: otio.schema.ImageSequenceReference, media_frame: int) -> int:
    """Give the number in the file name of the image at a frame of media time.

    The sequence's first image lies at the start of its available range; a frame step above 1
    means that every image stands for so many frames.

    Raises:
        InvalidValueError: the reference has no available range.

    """
    available = reference.available_range
    if available is None:
        raise InvalidValueError("image sequence: found no available_range, expected one")
    start = exact_frames(available.start_time.value)
    first: int = reference.start_frame
    step: int = max(reference.frame_step, 1)
    return first + math.floor((media_frame - start) / step) * step


def clip_source(clip: otio.schema.Clip) -> Source:
    """Read a clip's source range, or all its media where it has none.

    Raises:
        InvalidValueError: neither is there, or a rate or time is no number.

    """
    available = clip.media_reference.available_range
    written = clip.source_range or available
    if written is None:
        raise InvalidValueError(
            f"{_place(clip)}: found no source_range and no available_range, expected one of them"
        )
    rate = exact_rate(written.duration.rate)
    media_rate = _media_rate(clip.media_reference) or exact_rate(written.start_time.rate)
    start = _media_start(written.start_time, media_rate)
    if clip.source_range is not None and _is_relative(clip.media_reference, clip.source_range):
        start += exact_seconds(available.start_time)
    return Source(start, exact_seconds(written.duration), rate, media_rate)


def warped_map(source: Source, warp: Warp, convention: Convention, place: str) -> TimeMap:
    """Map an item's time, from 0 at its head, through its effects into its source.

    Raises:
        UnsupportedRetimeError: a table does not reach over the frames that are asked of it.

    """
    frame = 1 / (source.media_rate if convention.step is Step.FRAMES else source.rate)
    count = source.duration * source.rate
    speed = warp.speed
    stride = abs(speed) * frame
    head = source.start
    if speed < 0 and convention.reverse_start is ReverseStart.LOWEST:
        head += (count - 1) * stride
    pieces: tuple[Piece, ...] = ()
    if source.duration > 0:
        lag = stride if speed < 0 else Fraction(0)
        whole = Piece(Fraction(0), source.duration, head + lag, speed * frame * source.rate, lag)
        pieces = (whole,) if not warp.tables else _tabled(whole, warp, count, frame, place)
    return TimeMap(pieces, source.rate, source.media_rate)


def _tabled(
    whole: Piece, warp: Warp, count: Fraction, frame: Fraction, place: str
) -> tuple[Piece, ...]:
    """Cut the map into its frames: a table says what each of them shows, and it is held."""
    for table in warp.tables:
        if len(table.offsets) != math.ceil(count):
            raise UnsupportedRetimeError(
                f"{place}: found a warp table of {len(table.offsets)} frames, "
                f"expected the clip's {math.ceil(count)}"
            )
    pieces = []
    length = (whole.end - whole.start) / count
    for number in range(math.ceil(count)):
        moved = warp.frame_at(Fraction(number))
        if moved is None:
            raise UnsupportedRetimeError(
                f"{place}: found that frame {number} asks for one outside a warp table, "
                "expected tables that reach over what is asked of them"
            )
        start = whole.start + number * length
        end = min(start + length, whole.end)
        pieces.append(Piece(start, end, whole.media + moved * frame, whole.speed, whole.lag))
    return tuple(pieces)


def _media_rate(reference: otio.core.MediaReference) -> Fraction | None:
    if reference.available_range is not None:
        return exact_rate(reference.available_range.start_time.rate)
    if isinstance(reference, otio.schema.ImageSequenceReference) and reference.rate > 0:
        return exact_rate(reference.rate)
    return None


def _media_start(start: otio.opentime.RationalTime, media_rate: Fraction) -> Fraction:
    """Read a start in seconds; a broken frame number is a whole media frame rescaled by floats.

    Programs rescale with the rate as they write it (23.976024627685547), so the way back is the
    same; a rate made exact first would miss by a frame an hour in.
    """
    if exact_frames(start.value).denominator > 1 and start.rate > 0:
        media = Fraction(start.value) / Fraction(start.rate) * media_rate
        if abs(media - round(media)) <= _MEDIA_FRAME_NOISE:
            return round(media) / media_rate
    return exact_seconds(start)


def _is_relative(
    reference: otio.core.MediaReference, source_range: otio.opentime.TimeRange
) -> bool:
    """Recognise source ranges counted from the first image, as older Hiero exporters wrote them.

    Read as media time such a range would lie wholly before the sequence; counted from its first
    image it fits.
    """
    available = reference.available_range
    if not isinstance(reference, otio.schema.ImageSequenceReference) or available is None:
        return False
    start, end = source_range.start_time, source_range.end_time_exclusive()
    return bool(
        available.start_time.value == reference.start_frame
        and end <= available.start_time
        and start.value >= 0
        and start < available.duration
    )


def _place(clip: otio.schema.Clip) -> str:
    return f"clip {clip.name!r}"
