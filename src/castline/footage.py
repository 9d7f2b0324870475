"""What a cut shows, as footage that can be looked at: which frames of which files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from pathlib import Path

import opentimelineio as otio
from opentimelineio import schema
from opentimelineio.opentime import RationalTime

from castline.adapters import paths
from castline.adapters.material import media
from castline.inference.frames import Footage
from castline.schemas.errors import UnreadableFileError
from castline.schemas.exact import exact_rate, exact_seconds
from castline.schemas.retime_cut import cut_time_maps

_KINDS = ("movie", "still", "sequence")


@dataclass(frozen=True)
class Shown:
    """A clip, and the frames of its footage that it shows."""

    clip: schema.Clip
    footage: Footage
    numbers: tuple[int, ...]
    """Of the footage, ascending."""
    start: RationalTime
    """The footage's first frame in media time."""

    def time_of(self, number: int) -> RationalTime:
        """Return a frame's media time, at the rate of the media's own times."""
        rate = exact_rate(self.start.rate)
        return RationalTime(
            self.start.value + float(number / self.footage.rate * rate), self.start.rate
        )


@dataclass(frozen=True)
class Hidden:
    """A clip whose frames cannot be looked at, and why."""

    clip: schema.Clip
    reason: str
    is_open: bool = False
    """Whether there is nothing yet to be looked at, which is no fault."""


def path_of(reference: otio.core.MediaReference | None, folder: Path) -> Path | None:
    """Return the local path of a reference, None where it names none."""
    if isinstance(reference, schema.ImageSequenceReference):
        padding = reference.frame_zero_padding
        url = reference.target_url_base or ""
        name = f"{reference.name_prefix}%0{padding}d{reference.name_suffix}"
        url = f"{url.rstrip('/')}/{name}" if url else name
    else:
        url = getattr(reference, "target_url", None) or ""
    return paths.of_url(url, folder)


def shown_in(
    cut: schema.Timeline, folder: Path, locate: Callable[[Path], Footage | str] | None = None
) -> Iterator[Shown | Hidden]:
    """Yield every clip of the video tracks with what it shows, or why that cannot be seen.

    Relative media paths begin at `folder`. Each file is looked into once: by `locate`, which says
    why a file is no footage, or else by opening it.
    """
    locate = locate or _footage
    # Held, since OTIO's Python objects are made anew when nobody holds them.
    clips = [clip for track in cut.video_tracks() for clip in track.find_clips() if _is_seen(clip)]
    pictures = {id(clip) for clip in clips}
    known: dict[Path, Footage | str] = {}
    for each in cut_time_maps(cut, cut_transitions=True):
        clip = each.clip
        if id(clip) not in pictures:
            continue
        if each.time_map is None:
            yield Hidden(clip, f"its place in time is not known: {each.error}")
            continue
        path = path_of(clip.media_reference, folder)
        if path is None:
            yield Hidden(clip, "it names no file", is_open=True)
            continue
        if path not in known:
            known[path] = locate(path)
        footage = known[path]
        if isinstance(footage, str):
            yield Hidden(clip, footage)
            continue
        available = clip.media_reference.available_range
        start = available.start_time if available else RationalTime(0, float(footage.rate))
        zero = exact_seconds(start)
        rate = each.time_map.media_rate
        frames = _numbers(
            (n for _, n in each.time_map.frames()), footage.rate / rate, zero * footage.rate
        )
        if footage.count == 1:  # a still is held
            frames = {0}
        numbers = tuple(sorted(n for n in frames if 0 <= n < footage.count))
        if numbers:
            yield Shown(clip, footage, numbers, start)
        else:
            yield Hidden(clip, f"{path}: has none of the frames that it shows")


def _is_seen(clip: schema.Clip) -> bool:
    """Say whether a clip is on a track of pictures; a nest may have sounds in it."""
    track = clip.parent()
    return not isinstance(track, schema.Track) or track.kind == schema.TrackKind.Video


def _numbers(frames: Iterable[int], scale: Fraction, first: Fraction) -> set[int]:
    """Return `floor(frame * scale - first)` of each, in whole numbers: there are many."""
    parts = lcm(scale.denominator, first.denominator)
    by, less = int(scale * parts), int(first * parts)
    return {(frame * by - less) // parts for frame in frames}


def _footage(path: Path) -> Footage | str:
    try:
        found = media.probe(path)
        if found.kind not in _KINDS:
            return f"{path}: found {found.kind}, expected pictures"
        pictures: tuple[Path | None, ...] = ()
        if found.kind == "still":
            pictures = (path,)
        elif sequence := found.sequence:
            frames = map(sequence.frame_path, range(sequence.first, sequence.last + 1))
            pictures = tuple(frame if frame.is_file() else None for frame in frames)
        count = len(pictures) or found.frames
        return Footage(media.hash_file(path), path, found.exact_rate, count, pictures)
    except UnreadableFileError as error:
        return str(error)
