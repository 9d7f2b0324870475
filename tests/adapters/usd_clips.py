"""Clips of the media in `usd_scenes`, and what holds them, with plain OTIO."""

from __future__ import annotations

from pathlib import Path

from opentimelineio import core, opentime, schema
from usd_scenes import IMAGES, MOVIE_FRAMES, SOUND_RATE

SCENE_LENGTH = 100


def time(value: float, rate: float = 24) -> opentime.RationalTime:
    return opentime.RationalTime(value, rate)


def span(start: float, length: float, rate: float = 24) -> opentime.TimeRange:
    return opentime.TimeRange(time(start, rate), time(length, rate))


def scene(
    path: Path, start: float = 1011, length: float = 24, rate: float = 24, **rest
) -> schema.Clip:
    """Return a clip of a scene; `speed` warps it, `camera` names one."""
    media = schema.ExternalReference(str(path), span(1001, SCENE_LENGTH, rate))
    if "camera" in rest:
        media.metadata["castline"] = {
            "version": 1,
            "take_id": path.stem,
            "camera": rest.pop("camera"),
        }
    return _clip(media, path.stem, span(start, length, rate), **rest)


def sequence(
    folder: Path, start: float = 1001, length: float = 8, first: int = 1001, step: int = 1, **rest
) -> schema.Clip:
    """Return a clip of numbered images; the sequence's first lies at `first` in media time."""
    file_first = rest.pop("file_first", first)
    media = schema.ImageSequenceReference(
        target_url_base=str(folder),
        name_prefix="sh.",
        name_suffix=".png",
        start_frame=file_first,
        frame_step=step,
        rate=24,
        frame_zero_padding=4,
        available_range=span(first, IMAGES * step),
    )
    return _clip(media, folder.stem, span(start, length), **rest)


def still(path: Path, length: float = 10, **rest) -> schema.Clip:
    """Return a clip of one picture."""
    return _clip(schema.ExternalReference(str(path)), path.stem, span(0, length), **rest)


def movie(path: Path, start: float = 0, length: float = 10, **rest) -> schema.Clip:
    """Return a clip of a movie."""
    media = schema.ExternalReference(str(path), span(0, MOVIE_FRAMES))
    return _clip(media, path.stem, span(start, length), **rest)


def sound(path: Path, start: float = 0, length: float = 24, rate: float = 24, **rest):
    """Return a clip of a sound."""
    media = schema.ExternalReference(str(path), span(0, 8 * SOUND_RATE, SOUND_RATE))
    return _clip(media, path.stem, span(start, length, rate), **rest)


def missing(length: float = 10) -> schema.Clip:
    """Return a clip without media."""
    return schema.Clip("missing", schema.MissingReference(), span(0, length))


def gap(length: float) -> schema.Gap:
    return schema.Gap(source_range=span(0, length))


def dissolve(back: float, ahead: float) -> schema.Transition:
    """Return a transition that begins so long before the cut and ends so long after it."""
    return schema.Transition("mix", schema.TransitionTypes.SMPTE_Dissolve, time(back), time(ahead))


def video(*children: core.Composable, **rest) -> schema.Track:
    track = schema.Track(rest.pop("name", "V"), list(children), kind="Video")
    return _with(track, **rest)


def audio(*children: core.Composable, **rest) -> schema.Track:
    return _with(schema.Track("A", list(children), kind="Audio"), **rest)


def nest(*tracks: core.Composable, trim: opentime.TimeRange | None = None, **rest) -> schema.Stack:
    return _with(schema.Stack("nest", list(tracks), trim), **rest)


def cut(*tracks: core.Composable, start: opentime.RationalTime | None = None) -> schema.Timeline:
    timeline = schema.Timeline("cut", global_start_time=start)
    timeline.tracks.extend(tracks)
    return timeline


def _clip(media, named: str, source: opentime.TimeRange, **rest) -> schema.Clip:
    return _with(schema.Clip(rest.pop("name", named), media, source), **rest)


def _with(item: core.Item, speed: float | None = None, enabled: bool = True) -> core.Item:
    if speed == 0:
        item.effects.append(schema.FreezeFrame())
    elif speed is not None:
        item.effects.append(schema.LinearTimeWarp(time_scalar=speed))
    item.enabled = enabled
    return item
