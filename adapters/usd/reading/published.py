"""A published stage read back: the published cut, and beside it what else the scene holds.

The overlay holds the published clips as a cut in the stage's time. The artist's stage says the
rest: its other cameras, its sounds, its people, and which take is selected on a camera now.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

from opentimelineio import schema
from opentimelineio.opentime import RationalTime, TimeRange

from castline.adapters.usd import layout
from castline.adapters.usd.scene.cut import cut_from
from castline.schemas.exact import exact_rate
from castline.schemas.places import get_sequence, get_slot, set_sequence
from castline.schemas.takes import switch_take
from castline.schemas.values import Cast, Sequence


def join_scene(cut: schema.Timeline, facts: Mapping[str, Any], path: Path) -> schema.Timeline:
    """Return the published cut with all that the scene at `path` holds beside it."""
    selected = {camera["path"]: camera["take"] for camera in facts["cameras"]}
    shown: dict[str, schema.Clip] = {}
    for clip in cut.find_clips():
        slot = get_slot(clip)
        if slot is not None and slot.prim is not None:
            shown.setdefault(slot.prim.path, clip)  # of several, the first has its takes there
    for camera, clip in shown.items():
        _select(clip, selected.get(camera))
    scene = cut_from(facts, path, taken=frozenset(shown))
    _add_tracks(cut, scene)
    set_sequence(cut, _joined(get_sequence(cut), get_sequence(scene)))
    return cut


def _select(clip: schema.Clip, variant: str | None) -> None:
    """Show the take that is selected on the clip's camera."""
    keys = {name: key for key, name in layout.variant_names(clip.media_references()).items()}
    if variant in keys:
        switch_take(clip, keys[variant])


def _add_tracks(cut: schema.Timeline, scene: schema.Timeline) -> None:
    """Lay the scene's tracks over the cut's, each where it was in time."""
    tracks = [track.deepcopy() for track in scene.tracks if list(track.find_clips())]
    marks = [marker.deepcopy() for marker in scene.tracks.markers]
    start, own = cut.global_start_time, scene.global_start_time
    if start is None or own is None:
        return
    later = RationalTime(_first_code(scene) - start.value, start.rate)
    if later.value < 0 and tracks:  # the scene begins first
        for track in cut.tracks:
            track.insert(0, _gap(-later))
        for marker in cut.tracks.markers:
            marker.marked_range = _moved(marker.marked_range, -later)
        cut.global_start_time = start + later
        later = RationalTime(0, start.rate)
    for track in tracks:
        if later.value > 0:
            track.insert(0, _gap(later))
    for marker in marks:
        marker.marked_range = _moved(marker.marked_range, later)
    cut.tracks.extend(tracks)
    cut.tracks.markers.extend(marks)


def _first_code(scene: schema.Timeline) -> float:
    """Return the time code at which a scene's cut begins; a published cut counts in them."""
    start, said = scene.global_start_time, get_sequence(scene).scene
    codes = said.codes_per_second if said and said.codes_per_second else start.rate
    return float(Fraction(start.value) * exact_rate(codes) / exact_rate(start.rate))


def _gap(duration: RationalTime) -> schema.Gap:
    return schema.Gap(source_range=TimeRange(RationalTime(0, duration.rate), duration))


def _moved(span: TimeRange, by: RationalTime) -> TimeRange:
    return TimeRange(span.start_time + by.rescaled_to(span.start_time.rate), span.duration)


def _joined(published: Sequence, scene: Sequence) -> Sequence:
    """Return what is said of both, with the scene's people who are not in the cast."""
    cast = published.cast or Cast()
    known = {prim.path for character in cast.characters for prim in character.prims}
    others = [
        character
        for character in (scene.cast.characters if scene.cast else ())
        if cast.find(character.character_id) is None
        and cast.find(character.name) is None
        and not known & {prim.path for prim in character.prims}
    ]
    everyone = cast.replace(characters=(*cast.characters, *others))
    return published.replace(cast=everyone if everyone.characters else None, scene=scene.scene)
