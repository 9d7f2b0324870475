"""What is in a cut, or in a scene that was read as one."""

from __future__ import annotations

from collections import Counter
from math import isfinite
from typing import Any

import opentimelineio as otio
from opentimelineio import schema

from castline.schemas.errors import CastlineError
from castline.schemas.places import get_sequence, get_slot, get_take
from castline.schemas.values import Scene, Sequence


def info(cut: schema.Timeline) -> dict[str, Any]:
    """Return the facts about a cut: tracks, clips, rate, media, takes and characters."""
    clips = list(cut.find_clips())
    kinds = Counter(type(item).__name__ for item in cut.find_children())
    rates = Counter(round(clip.trimmed_range().duration.rate, 3) for clip in clips)
    media = Counter(type(clip.media_reference).__name__ for clip in clips)
    start = cut.global_start_time
    facts: dict[str, Any] = {
        "name": cut.name,
        "start": _timecode(start) if start else None,
        "duration": _timecode(cut.duration()) if kinds.keys() & {"Clip", "Gap"} else None,
        "rates": {f"{rate:g}": count for rate, count in rates.most_common()},
        "video_tracks": len(cut.video_tracks()),
        "audio_tracks": len(cut.audio_tracks()),
        "clips": len(clips),
        "gaps": kinds["Gap"],
        "transitions": kinds["Transition"],
        "nested": kinds["Stack"],
        "markers": sum(len(getattr(item, "markers", ())) for item in cut.find_children()),
        "media": dict(media.most_common()),
    }
    return {**facts, **_ours(cut, clips)}


def _ours(cut: schema.Timeline, clips: list[schema.Clip]) -> dict[str, Any]:
    roles: Counter[str] = Counter()
    characters: Counter[str] = Counter()
    slots = decisions = unreadable = 0
    for clip in clips:
        try:
            slot = get_slot(clip)
            slots += slot is not None
            decisions += len(slot.decisions) if slot else 0
            for reference in clip.media_references().values():
                take = get_take(reference)
                if take is not None:
                    roles[take.role] += 1
                    characters.update(a.character_id for a in take.appearances)
        except CastlineError:
            unreadable += 1
    try:
        sequence = get_sequence(cut)
    except CastlineError:
        sequence, unreadable = Sequence(), unreadable + 1
    facts = {
        "slots": slots,
        "takes": roles["take"],
        "temps": roles["temp"],
        "decisions": decisions,
        "cast": [c.name for c in sequence.cast.characters] if sequence.cast else [],
        "characters_in_takes": dict(characters.most_common()),
        "unplaced": len(sequence.unplaced),
        "unreadable": unreadable,
    }
    return facts if sequence.scene is None else {**facts, **_scene(sequence.scene, cut, clips)}


def _scene(scene: Scene, cut: schema.Timeline, clips: list[schema.Clip]) -> dict[str, Any]:
    """Return what is in the scene that a cut was read from."""
    return {
        "cameras": [path for clip in clips if (path := _camera(clip))],
        "up_axis": scene.up_axis,
        "meters_per_unit": scene.meters_per_unit,
        "frames_per_second": cut.global_start_time.rate if cut.global_start_time else None,
        "time_codes_per_second": scene.codes_per_second,
        "payloads_not_loaded": scene.unloaded or 0,
        "problems": [f"{p.where}: {p.message}" for p in scene.problems],
    }


def _camera(clip: schema.Clip) -> str | None:
    """Return the prim path of the camera that a clip is seen through, where it names one."""
    try:
        slot, take = get_slot(clip), get_take(clip.media_reference)
    except CastlineError:
        return None
    if take and take.camera:
        return take.camera
    return slot.prim.path if slot and slot.prim and slot.prim.type_name == "Camera" else None


def _timecode(time: otio.opentime.RationalTime) -> str:
    if not (isfinite(time.value) and isfinite(time.rate) and time.rate > 0):
        return "no time"
    try:
        return str(time.to_timecode())
    except ValueError:
        return f"{time.value:g} frames at {time.rate:g}"
