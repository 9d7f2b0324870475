"""What the cut of a scene says, as plain data that a test writes by hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from opentimelineio import schema
from usd_reads import read

from castline.schemas.places import get_note, get_sequence, get_slot, get_take
from castline.schemas.values import Scene


@dataclass
class Laid:
    """A clip of a track, in frames of the scene; two are the same where all but the clip are."""

    name: str
    start: float
    length: float
    shown: float | None = None
    """Where in its media it starts; as its place in the scene where not said."""
    speed: float = 1.0
    clip: schema.Clip | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        if self.shown is None:
            self.shown = self.start

    @property
    def end(self) -> float:
        return self.start + self.length


def scene_at(path: Path, text: str, **header: Any) -> Path:
    """Write a scene as USD text, with this metadata, and return its path."""
    lines = "".join(f"    {key} = {value}\n" for key, value in header.items())
    path.write_text(f"#usda 1.0\n(\n{lines})\n{text}", encoding="utf-8")
    return path


def read_scene(path: Path, *, payloads: bool = False) -> schema.Timeline:
    """Read a scene, which is no cut yet."""
    timeline = read(path, payloads=payloads)
    assert scene_of(timeline)
    return timeline


def scene_of(timeline: schema.Timeline) -> Scene:
    scene = get_sequence(timeline).scene
    assert scene is not None
    return scene


def range_of(timeline: schema.Timeline) -> tuple[float, float, float]:
    """Return first frame, length and rate."""
    start, duration = timeline.global_start_time, timeline.duration()
    assert start.rate == duration.rate
    return start.value, duration.value, start.rate


def laid(timeline: schema.Timeline, track: str) -> list[Laid]:
    """Return the clips of the only track of this name."""
    (found,) = [each for each in timeline.tracks if each.name == track]
    return list(_laid(timeline, found))


def tracks(timeline: schema.Timeline) -> list[tuple[str, str, bool]]:
    """Return kind, name and whether it is shown of each track."""
    return [(track.kind, track.name, track.enabled) for track in timeline.tracks]


def cameras(timeline: schema.Timeline) -> list[str]:
    """Return the cameras that clips are seen through, in the order of tracks."""
    takes = [get_take(clip.media_reference) for clip in timeline.find_clips()]
    return [take.camera for take in takes if take and take.camera]


def characters(timeline: schema.Timeline) -> dict[str, list[str]]:
    """Return the prims of each character by name."""
    cast = get_sequence(timeline).cast
    found = cast.characters if cast else ()
    return {each.name: [prim.path for prim in each.prims] for each in found}


def expected(timeline: schema.Timeline) -> dict[str, list[str]]:
    """Return whom each clip expects by the clip's name."""
    slots = {clip.name: get_slot(clip) for clip in timeline.find_clips()}
    return {name: [each.character_id for each in slot.expected] for name, slot in slots.items()}


def entrances(timeline: schema.Timeline) -> list[tuple[str, float, float]]:
    """Return who is seen from which frame on for how long."""
    start = timeline.global_start_time.value
    return [
        (
            get_note(marker).character_id,
            start + marker.marked_range.start_time.value,
            marker.marked_range.duration.value,
        )
        for marker in timeline.tracks.markers
    ]


def problems(timeline: schema.Timeline) -> list[str]:
    """Return the rules that a scene breaks, without the word that all begin with."""
    return [problem.rule.removeprefix("scene-") for problem in scene_of(timeline).problems]


def _laid(timeline: schema.Timeline, track: schema.Track) -> Iterator[Laid]:
    first = timeline.global_start_time.value
    for item in track:
        if not isinstance(item, schema.Clip):
            continue
        place = item.range_in_parent()
        speed = item.effects[0].time_scalar if item.effects else 1.0
        yield Laid(
            item.name,
            first + place.start_time.value,
            place.duration.value,
            item.source_range.start_time.value,
            speed,
            item,
        )
