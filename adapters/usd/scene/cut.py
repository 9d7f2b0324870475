"""A cut from the facts of a scene: tracks, clips, a cast and markers.

| in the scene | in the cut |
|---|---|
| a camera, or the shot it is in | a clip; what is seen at one time lies on tracks of its own |
| Sequencer's tracks | the tracks |
| SpatialAudio | a clip on an audio track |
| a set of value clips | a track, disabled, since it is no picture: a clip each |
| a character | in the cast; expected in the shot it is in; markers where it comes and goes |

Every clip says which prim and which file it came from. Its media is the scene itself. Of several
cameras at one time the first is shown: the tracks of the others are disabled.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from opentimelineio import schema
from opentimelineio.opentime import RationalTime

from castline.adapters.usd.scene.clock import SceneClock, clock_of
from castline.adapters.usd.scene.items import (
    Below,
    Desk,
    Facts,
    Item,
    packed,
    pictures,
    problem_of,
    sequences,
    sounds,
    unloaded_problems,
    value_clips,
)
from castline.schemas.places import set_note, set_sequence, set_slot, set_take
from castline.schemas.slots import slug
from castline.schemas.values import (
    Cast,
    Character,
    Expected,
    Note,
    Prim,
    Problem,
    Scene,
    Sequence,
    Slot,
    Take,
)

_AXES = ("Y", "Z")


def cut_from(facts: Facts, path: Path, *, taken: frozenset[str] = frozenset()) -> schema.Timeline:
    """Return the cut that a scene is, from the facts that `survey` found of it.

    Cameras at paths that are `taken` are left out.
    """
    problems = [problem_of(*found) for found in facts["problems"]]
    step = float(clock_of(facts, [], []).step)
    clock = clock_of(facts, list(_windows(facts, step)), problems)
    desk = Desk(path, clock, problems)
    cast = cast_of(facts["characters"])
    tracks = list(_tracks(desk, facts, taken))
    start = min([clock.start, *(items[0].start for _, items in tracks if items)])
    timeline = schema.Timeline(path.stem, global_start_time=RationalTime(start, clock.rate))
    layer = _Layer(desk, cast, start)
    timeline.tracks.extend([layer.lay(track, items) for track, items in tracks])
    timeline.tracks.markers.extend(list(_entrances(desk, facts, start)))
    scene = _scene(facts, clock, problems)
    set_sequence(timeline, Sequence(cast=cast if cast.characters else None, scene=scene))
    return timeline


def cast_of(characters: Iterable[Facts]) -> Cast:
    """Return who is in a scene, with the prims of each."""
    found: dict[str, tuple[str, list[Prim]]] = {}
    for facts in characters:
        for name in facts["called"]:
            found.setdefault(character_id(name), (name, []))[1].append(prim_of(facts))
    return Cast(
        characters=tuple(
            Character(character_id=key, name=name, prims=tuple(prims))
            for key, (name, prims) in found.items()
        )
    )


def character_id(name: str) -> str:
    """Return the id of a character that a scene calls by this name."""
    return slug(name).casefold() or "character"


def prim_of(facts: Facts) -> Prim:
    """Return the record of a prim from its facts."""
    return Prim(
        path=facts["path"],
        type_name=facts.get("type") or None,
        layer=facts.get("layer") or None,
        identity=facts.get("identity") or None,
    )


def _tracks(
    desk: Desk, facts: Facts, taken: frozenset[str]
) -> Iterator[tuple[schema.Track, list[Item]]]:
    sequenced = list(sequences(desk, facts))
    yield from sequenced
    played = {path for _, items in sequenced for i in items for path in (i.camera, i.sound)}
    gone = taken | played
    has_picture = any(track.kind == schema.TrackKind.Video for track, _ in sequenced)
    for number, items in enumerate(packed(pictures(desk, facts, gone))):
        name = items[0].name if len(items) == 1 else "shots"
        track = schema.Track(name, kind=schema.TrackKind.Video)
        track.enabled = not (number or has_picture or taken)
        yield track, items
    if not facts["cameras"] and not has_picture:  # nothing is seen, for so long
        yield schema.Track("scene", kind=schema.TrackKind.Video), []
    for prim in facts["clip_sets"]:
        for clip_set in prim["sets"]:
            if items := list(value_clips(desk, prim, clip_set)):
                name = f"{prim['display']} {clip_set['name']}"
                track = schema.Track(name, kind=schema.TrackKind.Video)
                track.enabled = False
                yield track, items
    for items in packed(sounds(desk, facts, gone)):
        name = items[0].name if len(items) == 1 else "sounds"
        yield schema.Track(name, kind=schema.TrackKind.Audio), items


class _Layer:
    """Lays items onto tracks as clips, each with an id of its own."""

    def __init__(self, desk: Desk, cast: Cast, start: float) -> None:
        self._desk = desk
        self._start = start
        self._people = Below(
            (prim.path, character.character_id)
            for character in cast.characters
            for prim in character.prims
        )
        self._counts: dict[str, int] = {}

    def lay(self, track: schema.Track, items: list[Item]) -> schema.Track:
        """Put items, in order, onto a track."""
        position = self._start
        for item in items:
            if item.start > position:
                track.append(schema.Gap(source_range=self._desk.range(0, item.start - position)))
            track.append(self._clip(item))
            position = item.end
        if not items:
            end = self._desk.clock.end
            track.append(schema.Gap(source_range=self._desk.range(0, end - position)))
        return track

    def _clip(self, item: Item) -> schema.Clip:
        clip = schema.Clip(item.name, item.media, item.source, effects=item.effects)
        clip.enabled = item.is_enabled
        inside = self._people.at(item.inside) if item.inside else []
        expected = tuple(Expected(character_id=found) for found in dict.fromkeys(inside))
        slot_id = self._slot_id(item.name)
        set_slot(clip, Slot(slot_id=slot_id, expected=expected, prim=prim_of(item.prim)))
        if item.camera:
            take = Take(take_id=f"{slot_id}.scene", role="temp", camera=item.camera)
            set_take(clip.media_reference, take)
        return clip

    def _slot_id(self, name: str) -> str:
        wanted = slug(name) or "slot"
        while wanted in self._counts:
            self._counts[wanted] += 1
            wanted = f"{wanted}-{self._counts[wanted]}"
        self._counts[wanted] = 1
        return wanted


def _entrances(desk: Desk, facts: Facts, start: float) -> Iterator[schema.Marker]:
    """Yield a marker for each stretch in which a character is seen, where that changes."""
    clock = desk.clock
    for character in facts["characters"]:
        key, record = character_id(character["called"][0]), prim_of(character)
        for since, until in character["seen"]:
            first = clock.start if since is None else max(clock.position(since), clock.start)
            last = clock.end if until is None else min(clock.position(until), clock.end)
            if first < last:
                marked = desk.range(first - start, last - start)
                name = character["called"][0]
                marker = schema.Marker(name, marked, schema.MarkerColor.CYAN)
                set_note(marker, Note(about=key, character_id=key, prim=record))
                yield marker


def _windows(facts: Facts, step: float) -> Iterator[list[float]]:
    """Yield the ranges of shots, and of what Sequencer plays, the last frame included."""
    for camera in facts["cameras"]:
        if camera["window"]:
            yield camera["window"]
    for sequence in facts["sequences"]:
        for track in sequence["tracks"]:
            for clip in track["clips"]:
                if clip["start"] is not None and clip["end"] is not None:
                    yield [clip["start"], max(clip["end"] - step, clip["start"])]


def _scene(facts: Facts, clock: SceneClock, problems: list[Problem]) -> Scene:
    problems.extend(unloaded_problems(facts["unloaded"]))
    up_axis = facts["up_axis"]
    if up_axis not in _AXES:
        found = f"found upAxis {up_axis}, expected Y or Z; taken as not said, which is Y"
        problems.append(problem_of("axis", "/", found))
        up_axis = "Y"
    return Scene(
        up_axis=up_axis,
        meters_per_unit=facts["meters_per_unit"],
        codes_per_second=clock.codes_per_second,
        unloaded=facts["unloaded"] or None,
        problems=tuple(problems),
    )
