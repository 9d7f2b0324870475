"""What a cut shows at a time, worked out from OTIO and the media alone.

Written from docs/usd.md and docs/retime.md, and from nothing of castline's: times are fractions,
scenes are opened by themselves. It asks one moment at a time and goes down from the cut to the
media, so it shares no method with a writer that maps whole clips.
"""

from __future__ import annotations

import functools
import math
import urllib.parse
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from opentimelineio import core, schema

SCENES = {".usd", ".usda", ".usdc", ".usdz"}
IMAGES = {".png", ".jpg", ".jpeg", ".exr", ".tif", ".tiff"}
MOVIES = {".mp4", ".mov"}
LENS = (
    "focalLength",
    "focusDistance",
    "fStop",
    "horizontalAperture",
    "verticalAperture",
    "horizontalApertureOffset",
    "verticalApertureOffset",
    "clippingRange",
    "clippingPlanes",
    "projection",
    "shutter:open",
    "shutter:close",
    "exposure",
    "exposure:time",
    "exposure:iso",
    "exposure:fStop",
    "exposure:responsivity",
)
"""What a camera's picture depends on; `stereoRole` is uniform and cannot follow a cut."""


@dataclass(frozen=True)
class Shown:
    """A clip that is seen, and what of its media."""

    chain: tuple[int, ...]
    """Places from the cut's stack down: track, item, and on through nests."""
    clip: schema.Clip
    take: str
    media: Fraction
    """Media time, in seconds."""
    picture: Fraction
    """Media time, in seconds, at which the picture of this cut frame begins."""
    speed: Fraction
    """Media seconds a cut second."""


@dataclass(frozen=True)
class Camera:
    """A scene's camera at a time."""

    path: str
    matrix: tuple[tuple[float, ...], ...]
    lens: dict[str, Any]


@dataclass(frozen=True)
class Frame:
    """A picture that is a file, or a movie's frame of a number."""

    path: Path
    number: int | None = None


@dataclass(frozen=True)
class Sound:
    """A clip that is heard, in stage times and seconds of its file."""

    chain: tuple[int, ...]
    path: Path
    start: Fraction
    end: Fraction
    offset: Fraction
    gain: int


@dataclass(frozen=True)
class _Moment:
    """One time, in seconds of some item.

    `edge` decides which child is there. Backwards a cut frame shows the early end of what it
    covers, so there a change waits for the frame's beginning; `frame` is that beginning.
    """

    now: Fraction
    edge: Fraction
    frame: Fraction
    speed: Fraction = Fraction(1)

    def later(self, seconds: Fraction) -> _Moment:
        return _Moment(self.now + seconds, self.edge + seconds, self.frame + seconds, self.speed)


class Cut:
    """A timeline, asked what is seen and heard."""

    def __init__(self, timeline: schema.Timeline, folder: Path, plates: bool = False) -> None:
        """`folder` is where relative media lie; `plates` says that movies have their frames."""
        self.stack = timeline.tracks
        self.folder = folder
        self.plates = plates
        self.rate = self._rate_of(timeline)
        start = timeline.global_start_time
        self.start = Fraction(0) if start is None else seconds(start) * self.rate
        self.end = self.start + self._length(self.stack) * self.rate
        self._asked: dict[Fraction, Shown | None] = {}

    @functools.cached_property
    def edges(self) -> list[Fraction]:
        """The stage times, in order, between which nothing but media time changes."""
        found = {self.start, self.end}
        for local, stepped in self._edges(self.stack):
            frames = local * self.rate
            wanted = (math.ceil(frames), math.floor(frames) + 1) if stepped else (frames,)
            found.update(self.start + place for place in wanted)
        return sorted(edge for edge in found if self.start <= edge <= self.end)

    def shown(self, time: Fraction) -> Shown | None:
        """Return the clip that is seen at a stage time."""
        if time not in self._asked:
            frames = time - self.start
            now = frames / self.rate
            moment = _Moment(now, now, math.floor(frames) / self.rate)
            inside = self.start <= time < self.end
            self._asked[time] = self._seen(self.stack, moment, ()) if inside else None
        return self._asked[time]

    def camera(self, time: Fraction) -> Camera | None:
        """Return the shot's camera as it is at a stage time, where a camera is followed."""
        found = self.shown(time)
        if found is None:
            return None
        path = self.scene(found.clip)
        name = None if path is None else shot_camera(path, _named_camera(found.clip))
        return None if name is None else camera_of(path, name, scene_code(path, found.media))

    def plate(self, time: Fraction) -> Frame | None:
        """Return the picture file that is seen at a stage time."""
        found = self.shown(time)
        if found is None or self.scene(found.clip) is not None:
            return None
        return self._frame(found.clip.media_reference, found.picture)

    def scene(self, clip: schema.Clip) -> Path | None:
        """Return the clip's scene, if it has one and it is there."""
        path = self._file(clip.media_reference)
        return path if path is not None and path.suffix in SCENES and path.is_file() else None

    def sounds(self) -> list[Sound]:
        """Return what is heard, in the order of tracks; retimed sound is not in it."""
        whole = (Fraction(0), self._length(self.stack))
        return list(self._heard(self.stack, Fraction(0), whole, (), True, False))

    # Going down

    def _seen(self, item: core.Item, moment: _Moment, chain: tuple[int, ...]) -> Shown | None:
        if not item.enabled:
            return None
        inner = self._inside(item, moment)
        if isinstance(item, schema.Clip):
            if not self._shows(item.media_reference):
                return None
            key = item.active_media_reference_key
            return Shown(chain, item, key, inner.now, inner.frame, inner.speed)
        if isinstance(item, schema.Track):
            for place, child, head, start, end in self._spans(item):
                if start <= inner.edge < end:
                    held = _Moment(
                        inner.now, inner.edge, max(inner.frame, start), inner.speed
                    ).later(-head)
                    return self._seen(child, held, (*chain, place))
            return None
        if not isinstance(item, schema.Stack):
            return None
        for place, child in reversed(list(enumerate(item))):
            if isinstance(child, schema.Track) and child.kind != schema.TrackKind.Video:
                continue
            if 0 <= inner.edge < self._length(child):
                found = self._seen(child, inner, (*chain, place))
                if found is not None:
                    return found
        return None

    def _inside(self, item: core.Item, moment: _Moment) -> _Moment:
        """Give the moment in the time of what is in the item: its children or its media."""
        speed, head = _speed(item), self._head(item)
        now, edge, frame = (head + speed * t for t in (moment.now, moment.edge, moment.frame))
        return _Moment(now, frame if speed < 0 else edge, frame, moment.speed * speed)

    def _head(self, item: core.Item) -> Fraction:
        """Give what is seen first, in the time of what is in the item.

        A range names the lowest frame used; backwards the frame seen first is the highest.
        """
        ranged = _range(item)
        start = Fraction(0) if ranged is None else seconds(ranged.start_time)
        speed = _speed(item)
        if speed >= 0:
            return start
        rate = self.rate if ranged is None else exact_rate(ranged.duration.rate)
        return start - speed * (self._length(item) - 1 / rate)

    def _length(self, item: core.Item) -> Fraction:
        ranged = _range(item)
        if ranged is not None:
            return seconds(ranged.duration)
        if isinstance(item, schema.Gap):
            return seconds(item.duration())
        lengths = [self._length(c) for c in item if isinstance(c, core.Item)]
        return sum(lengths, Fraction(0)) if isinstance(item, schema.Track) else max([0, *lengths])

    def _spans(
        self, track: schema.Track
    ) -> Iterator[tuple[int, core.Item, Fraction, Fraction, Fraction]]:
        """Give place, item, head, and from when to when it is seen."""
        children = list(track)
        head = Fraction(0)
        for place, child in enumerate(children):
            if isinstance(child, schema.Transition):
                continue
            tail = head + self._length(child)
            start = head + _shift(children, place - 1)
            end = tail + _shift(children, place + 1)
            yield place, child, head, start, end
            head = tail

    def _edges(self, item: core.Item) -> set[tuple[Fraction, bool]]:
        """Give times in the parent, from the item's head, and whether they wait for a frame."""
        inner: set[tuple[Fraction, bool]] = set()
        if isinstance(item, schema.Track):
            for _, child, head, start, end in self._spans(item):
                inner |= {(start, False), (end, False)}
                inner |= {(head + t, stepped) for t, stepped in self._edges(child)}
        elif isinstance(item, schema.Stack):
            for child in item:
                inner |= {(Fraction(0), False), (self._length(child), False)}
                inner |= self._edges(child)
        speed, head = _speed(item), self._head(item)
        if not speed:
            return set()
        return {((t - head) / speed, stepped or speed < 0) for t, stepped in inner}

    def _heard(
        self,
        item: core.Item,
        head: Fraction,
        window: tuple[Fraction, Fraction],
        chain: tuple[int, ...],
        enabled: bool,
        audible: bool,
    ) -> Iterator[Sound]:
        """Give the sounds in an item whose head is at `head`; all in seconds of the cut."""
        if isinstance(item, schema.Track) and item.kind == schema.TrackKind.Audio:
            audible = True
        enabled = enabled and item.enabled
        if _speed(item) != 1:
            return
        ahead = head - self._head(item)
        if isinstance(item, schema.Clip):
            path = self._file(item.media_reference)
            if audible and path is not None and path.is_file() and window[0] < window[1]:
                first = item.media_reference.available_range
                begin = Fraction(0) if first is None else seconds(first.start_time)
                start, end = (self.start + t * self.rate for t in window)
                yield Sound(chain, path, start, end, window[0] - ahead - begin, int(enabled))
            return
        spans = self._spans(item) if isinstance(item, schema.Track) else self._layers(item)
        for place, child, own, start, end in spans:
            if isinstance(child, (schema.Clip, schema.Stack, schema.Track)):
                share = (max(window[0], ahead + start), min(window[1], ahead + end))
                yield from self._heard(
                    child, ahead + own, share, (*chain, place), enabled, audible
                )

    def _layers(self, item: core.Item) -> Iterator[tuple[int, core.Item, Fraction, Fraction, Any]]:
        if isinstance(item, schema.Stack):
            for place, child in enumerate(item):
                yield place, child, Fraction(0), Fraction(0), self._length(child)

    # Media

    def _shows(self, reference: core.MediaReference) -> bool:
        if isinstance(reference, schema.ImageSequenceReference):
            return bool(self._images(reference))
        path = self._file(reference)
        if path is None or not path.is_file():
            return False
        kind = path.suffix.lower()
        return kind in SCENES or kind in IMAGES or (self.plates and kind in MOVIES)

    def _frame(self, reference: core.MediaReference, media: Fraction) -> Frame:
        path = self._file(reference)
        if path is not None and path.suffix in IMAGES:
            return Frame(path)
        available = reference.available_range
        first = seconds(available.start_time)
        index = math.floor((media - first) * exact_rate(available.start_time.rate))
        if path is not None:
            return Frame(path, index)
        step = max(reference.frame_step, 1)
        number = reference.start_frame + math.floor(Fraction(index, step)) * step
        images = self._images(reference)
        numbers = sorted(images)
        place = bisect_right(numbers, number) - 1
        return Frame(images[numbers[max(place, 0)]])

    def _images(self, reference: schema.ImageSequenceReference) -> dict[int, Path]:
        """Return the sequence's files that are there, by the number in their names."""
        folder = self._path(reference.target_url_base)
        count = math.ceil(
            seconds(reference.available_range.duration)
            * exact_rate(reference.available_range.start_time.rate)
        )
        found = {}
        for number in range(
            reference.start_frame, reference.start_frame + count, max(reference.frame_step, 1)
        ):
            digits = str(number).zfill(reference.frame_zero_padding)
            path = folder / f"{reference.name_prefix}{digits}{reference.name_suffix}"
            if path.is_file():
                found[number] = path
        return found

    def _file(self, reference: core.MediaReference) -> Path | None:
        if not isinstance(reference, schema.ExternalReference) or not reference.target_url:
            return None
        return self._path(reference.target_url)

    def _path(self, url: str) -> Path:
        parts = urllib.parse.urlparse(url)
        path = urllib.parse.unquote(parts.path) if parts.scheme == "file" else url
        return self.folder / path

    def _rate_of(self, timeline: schema.Timeline) -> Fraction:
        if timeline.global_start_time is not None:
            return exact_rate(timeline.global_start_time.rate)
        clip = next(c for t in timeline.video_tracks() for c in t.find_clips())
        return exact_rate(_range(clip).duration.rate)


# Numbers


def exact_rate(rate: float) -> Fraction:
    """Return a rate as it is meant: whole, or a whole rate slowed by 1000/1001."""
    if abs(rate - round(rate)) < 1e-6:
        return Fraction(round(rate))
    slowed = Fraction(math.ceil(rate) * 1000, 1001)
    return slowed if abs(slowed - Fraction(rate)) < Fraction(5, 1000) else Fraction(rate)


def seconds(time: Any) -> Fraction:
    """Return a RationalTime in seconds."""
    return Fraction(time.value) / exact_rate(time.rate)


def _range(item: core.Item) -> Any:
    if item.source_range is None and isinstance(item, schema.Clip):
        return item.media_reference.available_range
    return item.source_range


def _speed(item: core.Item) -> Fraction:
    speed = Fraction(1)
    for effect in item.effects:
        if isinstance(effect, schema.LinearTimeWarp) and effect.enabled:
            speed *= Fraction(effect.time_scalar).limit_denominator(1000)
    return speed


def _shift(children: list[core.Composable], place: int) -> Fraction:
    """Give how far a transition at this place moves the cut; beside a gap or nothing, not."""
    if not 0 < place < len(children) - 1 or not isinstance(children[place], schema.Transition):
        return Fraction(0)
    if any(isinstance(children[n], schema.Gap) for n in (place - 1, place + 1)):
        return Fraction(0)
    transition = children[place]
    return (seconds(transition.out_offset) - seconds(transition.in_offset)) / 2


# Scenes, opened by themselves


@functools.lru_cache(maxsize=64)
def open_scene(path: Path) -> Any:
    """Return a scene's stage."""
    from pxr import Usd

    return Usd.Stage.Open(str(path))


def scene_code(path: Path, media: Fraction) -> float:
    """Return the scene's time code at a media time in seconds."""
    return float(media * exact_rate(open_scene(path).GetTimeCodesPerSecond()))


def scene_cameras(path: Path) -> list[str]:
    """Return the scene's cameras, in its order."""
    from pxr import UsdGeom

    return [str(p.GetPath()) for p in open_scene(path).Traverse() if p.IsA(UsdGeom.Camera)]


def shot_camera(path: Path, named: str | None) -> str | None:
    """Return the camera that is named, else the scene's first."""
    found = scene_cameras(path)
    if named in found:
        return named
    return found[0] if found else None


def camera_of(path: Path, name: str, code: float) -> Camera:
    """Return a scene's camera at a time code of that scene."""
    return measured(open_scene(path).GetPrimAtPath(name), code)


def measured(prim: Any, code: float) -> Camera:
    """Return a camera prim as it is at a time code of its stage."""
    from pxr import UsdGeom

    matrix = UsdGeom.Imageable(prim).ComputeLocalToWorldTransform(code)
    lens = {name: prim.GetAttribute(name).Get(code) for name in LENS}
    return Camera(str(prim.GetPath()), tuple(tuple(row) for row in matrix), lens)


def _named_camera(clip: schema.Clip) -> str | None:
    data = clip.media_reference.metadata.get("castline", {})
    return data.get("camera")
