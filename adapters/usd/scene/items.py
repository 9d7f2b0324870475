"""What lies on the tracks of a scene's cut: shots, cameras, sounds, value clips, sequences."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from heapq import heappush, heapreplace
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol, TypeVar

import opentimelineio as otio
from opentimelineio import schema
from opentimelineio.opentime import RationalTime, TimeRange

from castline.adapters.usd.scene.clock import MAX_CODE, SceneClock
from castline.schemas.values import Problem
from castline.schemas.values.finding import Severity

Facts = Mapping[str, Any]


class Span(Protocol):
    """Anything with a start and an end, the end exclusive."""

    @property
    def start(self) -> Any: ...  # noqa: D102

    @property
    def end(self) -> Any: ...  # noqa: D102


AnySpan = TypeVar("AnySpan", bound=Span)


@dataclass
class Item:
    """Something that lies on a track, in frames of the scene; `end` is the first after it."""

    name: str
    start: float
    end: float
    prim: Facts
    media: otio.core.MediaReference
    source: TimeRange
    camera: str | None = None
    sound: str | None = None
    inside: str | None = None
    """The prim whose characters are expected in it."""
    effects: list[otio.core.Effect] = field(default_factory=list)
    is_enabled: bool = True


@dataclass(frozen=True)
class Desk:
    """What every step of making items needs."""

    path: Path
    """Of the scene."""
    clock: SceneClock
    problems: list[Problem]

    def range(self, start: float, end: float) -> TimeRange:
        """Return a stretch of frames up to one."""
        return self.stretch(start, end - start)

    def stretch(self, start: float, length: float) -> TimeRange:
        """Return a stretch of so many frames."""
        rate = self.clock.rate
        return TimeRange(RationalTime(start, rate), RationalTime(length, rate))

    def scene(self, name: str) -> schema.ExternalReference:
        """Return the scene as media, all of its range."""
        media = schema.ExternalReference(
            target_url=str(self.path.absolute()),
            available_range=self.range(self.clock.start, self.clock.end),
        )
        media.name = name
        return media

    def warn(self, rule: str, where: str, message: str) -> None:
        """Note something odd."""
        self.problems.append(problem_of(rule, where, message))


def problem_of(rule: str, where: str, message: str, severity: Severity = "warning") -> Problem:
    """Return a problem of a scene."""
    return Problem(rule=f"scene-{rule}", where=where, message=message, severity=severity)


def unloaded_problems(count: int) -> list[Problem]:
    """Return that so many payloads are not loaded, where any are."""
    found = f"{count} payload{'s' if count > 1 else ''} left unloaded (--payloads loads them)"
    return [problem_of("payload", "/", found, "note")] if count else []


def packed(items: Iterable[AnySpan]) -> list[list[AnySpan]]:
    """Return items on as few tracks as they fit on, each in order, so that none cover others."""
    tracks: list[list[AnySpan]] = []
    ends: list[tuple[Any, int]] = []
    for item in sorted(items, key=lambda item: item.start):
        if ends and ends[0][0] <= item.start:
            number = ends[0][1]
            heapreplace(ends, (item.end, number))
            tracks[number].append(item)
        else:
            heappush(ends, (item.end, len(tracks)))
            tracks.append([item])
    return tracks


def pictures(desk: Desk, facts: Facts, taken: AbstractSet[str | None]) -> Iterator[Item]:
    """Yield an item for each shot of a scene, and each camera outside of them or beside theirs.

    Cameras that are `taken` are left out.
    """
    clock = desk.clock
    shots: set[str] = set()
    for camera in facts["cameras"]:
        if camera["path"] in taken:
            continue
        shot = camera["shot"]
        prim = shot if shot and shot["path"] not in shots else camera
        shots.add(prim["path"])
        start, end = clock.start, clock.end
        if camera["window"]:
            start, end = _within(desk, clock.frames(*camera["window"]), prim["path"])
        media, source = desk.scene(camera["display"]), desk.range(start, end)
        inside = shot["path"] if shot else None
        yield Item(
            prim["display"], start, end, prim, media, source, camera=camera["path"], inside=inside
        )


def sounds(desk: Desk, facts: Facts, taken: AbstractSet[str | None]) -> Iterator[Item]:
    """Yield an item for each sound, from its start on; without an end up to the scene's.

    Those that are `taken` are left out.
    """
    clock = desk.clock
    for sound in facts["sounds"]:
        if not sound["is_there"]:
            desk.warn("sound", sound["path"], "its file is not there")
        if sound["path"] in taken:
            continue
        start, end = (
            None if code is None or abs(code) > MAX_CODE else clock.position(code)
            for code in (sound["start"], sound["end"])
        )
        start = float(clock.start) if start is None else start
        end = float(clock.end) if end is None else end
        cut = max(clock.start - start, 0.0)
        if end <= start + cut:
            desk.warn("sound", sound["path"], "it lies outside the scene's range; left out")
            continue
        if sound["loops"]:
            desk.warn("sound", sound["path"], "it loops; taken as played once, to its end")
        media = schema.ExternalReference(target_url=sound["file"])
        offset = sound["offset"] * clock.rate
        source = desk.stretch(offset + cut, end - start - cut)
        enabled = not sound["muted"]
        yield Item(sound["display"], start + cut, end, sound, media, source, is_enabled=enabled)


def value_clips(desk: Desk, prim: Facts, clip_set: Facts) -> Iterator[Item]:
    """Yield an item for each stretch in which one file of a set runs at one speed."""
    clock, times, codes = desk.clock, clip_set["times"], clip_set["codes"]
    first, last = clock.code(clock.start), clock.code(clock.end)
    turns = sorted({code for code, _ in times})
    for code, until, number in _active(clip_set["active"], clock):
        edges = [code, *turns[bisect_right(turns, code) : bisect_left(turns, until)], until]
        file = clip_set["files"][int(number)]
        for since, then in pairwise(edges):
            since, then = max(since, first), min(then, last)
            start, end = clock.position(since), clock.position(then)
            if end <= start:
                continue
            shown, until_shown = (clock.shown(t, codes) for t in _clip_times(times, since, then))
            speed = (until_shown - shown) / (end - start)
            if end - start <= 1:
                speed = 1.0  # of one frame, nobody can tell
            media = schema.ExternalReference(target_url=file)
            source = desk.stretch(shown, end - start)
            name, effects = Path(file).stem, _retime(speed)
            yield Item(name, start, end, prim, media, source, effects=effects)


def _active(active: list[list[float]], clock: SceneClock) -> Iterator[tuple[float, float, float]]:
    """Yield the stage times from and to which a file is active, and its number.

    The first holds before its time too.
    """
    begin, end = clock.code(clock.start), clock.code(clock.end)
    for place, (code, number) in enumerate(active):
        until = active[place + 1][0] if place + 1 < len(active) else end
        yield code if place else min(code, begin), until, number


def sequences(desk: Desk, facts: Facts) -> Iterator[tuple[schema.Track, list[Item]]]:
    """Yield Sequencer's tracks with their items; what overlaps on one lies on a further one."""
    known = _Known(facts)
    for sequence in facts["sequences"]:
        for found in sequence["tracks"]:
            is_sound = found["kind"] == "Audio"
            kind = schema.TrackKind.Audio if is_sound else schema.TrackKind.Video
            items = [_sequenced(desk, clip, known, is_sound) for clip in found["clips"]]
            for part in packed(item for item in items if item):
                track = schema.Track(found["name"], kind=kind)
                track.enabled = found["enabled"]
                yield track, part


class Below:
    """Values by the paths of prims, to be found by the path of one at or above them."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Take paths with their values."""
        self._pairs = sorted(pairs)
        self._paths = [path for path, _ in self._pairs]

    def at(self, path: str) -> list[str]:
        """Return the values at a path and below it, those at it first."""
        start = bisect_left(self._paths, path)
        end = bisect_right(self._paths, path)
        low = bisect_left(self._paths, f"{path}/")
        high = bisect_left(self._paths, f"{path}0")  # the character after a slash
        return [value for _, value in self._pairs[start:end] + self._pairs[low:high]]


class _Known:
    """What a clip of Sequencer's may point at, by path."""

    def __init__(self, facts: Facts) -> None:
        self.cameras = Below((camera["path"], camera["path"]) for camera in facts["cameras"])
        self.shots = {c["path"]: c["shot"]["path"] for c in facts["cameras"] if c["shot"]}
        self.sounds = {sound["path"]: sound for sound in facts["sounds"]}


def _within(desk: Desk, window: tuple[int, int], where: str) -> tuple[int, int]:
    """Return what of a window lies in the scene's range; all of that where nothing does."""
    clock = desk.clock
    start, end = max(window[0], clock.start), min(window[1], clock.end)
    if start < end:
        return start, end
    found = f"frames {window[0]} to {window[1] - 1} of its layer lie outside the scene's range"
    desk.warn("range", where, f"{found}; taken as all of that")
    return clock.start, clock.end


def _sequenced(desk: Desk, clip: Facts, known: _Known, is_sound: bool) -> Item | None:
    start, end, clock = clip["start"], clip["end"], desk.clock
    if start is None or end is None or end <= start:
        desk.warn("sequence", clip["path"], "no startTime before an endTime; left out")
        return None
    first, last = clock.position(start), clock.position(end)
    target: str = next(iter(clip["targets"]), "")
    played, until = clip["in"], clip["out"]
    speed = 1.0
    if played is not None and until is not None and until > played:
        speed = (until - played) / (end - start)
    sound = known.sounds.get(target)
    camera = None
    if sound:
        media = schema.ExternalReference(target_url=sound["file"])
        unsaid = sound["offset"] * clock.rate
    else:
        media, unsaid = desk.scene(clip["name"]), first
        if target and not is_sound:
            camera = next(iter(known.cameras.at(target)), None)
    source_in = unsaid if played is None else clock.position(played)
    return Item(
        clip["name"],
        first,
        last,
        clip,
        media,
        desk.stretch(source_in, last - first),
        camera=camera,
        sound=sound["path"] if sound else None,
        inside=known.shots.get(camera or "", target) or None,
        effects=_retime(speed),
        is_enabled=clip["enabled"],
    )


def _retime(speed: float) -> list[otio.core.Effect]:
    speed = round(speed, 9)
    if speed == 1:
        return []
    return [schema.LinearTimeWarp(time_scalar=speed) if speed else schema.FreezeFrame()]


def _clip_times(times: list[list[float]], since: float, then: float) -> tuple[float, float]:
    """Return the clip's times at the start of a stretch of stage time, and up to its end."""
    if not times:
        return since, then
    return _along(times, since), _along(times, then, is_left=True)


def _along(times: list[list[float]], code: float, *, is_left: bool = False) -> float:
    """Return the clip time at a stage time; at a jump that of the right, or of the left.

    Outside of its pairs the first and the last hold (UsdClipsAPI).
    """
    find = bisect_left if is_left else bisect_right
    place = find(times, code, key=lambda pair: pair[0])
    if place == 0:
        return times[0][1]
    before = times[place - 1]
    if place == len(times) or times[place][0] == before[0]:
        return before[1]
    after = times[place]
    return before[1] + (code - before[0]) / (after[0] - before[0]) * (after[1] - before[1])
