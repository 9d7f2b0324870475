"""The scene or the sound of a clip, authored on the spec that describes its take."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from castline.adapters.usd import layout
from castline.adapters.usd.guard import check_nesting, reading
from castline.adapters.usd.playing.anchor import anchored
from castline.adapters.usd.playing.clock import Clock
from castline.adapters.usd.playing.media import Sound
from castline.adapters.usd.playing.scenes import Survey
from castline.adapters.usd.playing.specs import plain_path
from castline.schemas.exact import exact_rate
from castline.schemas.timemap import TimeMap

SOUND = "sound"


def author_scene(
    owner: Any, survey: Survey, camera: str | None, time_map: TimeMap, clock: Clock, folder: Path
) -> bool:
    """Bring a scene in by payload; return whether its place in time could be said by an offset.

    Where it could not, the scene stands at its own times and has to be retimed.
    """
    from pxr import Sdf

    offset = offset_of(time_map, survey.rate, clock)
    asset = anchored(survey.path, folder)
    for root, place in survey.places.items():
        prim = _define(owner, place)
        prim.payloadList.Prepend(
            Sdf.Payload(asset, "" if survey.is_default else root, offset or Sdf.LayerOffset())
        )
    if camera and (below := survey.path_below(camera)):
        rel = Sdf.RelationshipSpec(owner, layout.SHOT_CAMERA, False, Sdf.VariabilityUniform)
        rel.targetPathList.Prepend(plain_path(owner).AppendPath(below))
    return offset is not None


def _define(owner: Any, place: str) -> Any:
    """Return the prim at a path below, made of Xforms where it is not there."""
    from pxr import Sdf

    prim = owner
    for name in place.split("/"):
        below = prim.nameChildren.get(name)
        if below is None:
            below = Sdf.PrimSpec(prim, name, Sdf.SpecifierDef, "Xform")
            below.SetInfo("kind", "group")  # a model in a scene without kinds is in a model
        prim = below
    return prim


def author_retimed(owner: Any, survey: Survey, text: str, place: str) -> None:
    """Write a scene's samples, moved to the times of the cut, over what the payload brings.

    The text may come from a process that damage confused; raises `UnreadableFileError`.
    """
    from pxr import Sdf

    check_nesting(text.encode(), place)
    moved = Sdf.Layer.CreateAnonymous(".usda")
    with reading(place):
        moved.ImportFromString(text)
    for number, below in enumerate(survey.places.values()):
        top = moved.GetPrimAtPath(f"/r{number}")
        if top is None:
            continue
        target = owner.GetPrimAtPath(below)
        for child in top.nameChildren:
            Sdf.CopySpec(moved, child.path, owner.layer, target.path.AppendChild(child.name))
        for prop in top.properties:
            Sdf.CopySpec(moved, prop.path, owner.layer, target.path.AppendProperty(prop.name))


def offset_of(time_map: TimeMap, rate: float, clock: Clock) -> Any:
    """Return the layer offset that is the map, or None where none is (`Sdf.LayerOffset`).

    USD scales between layers of different rates by itself, by the rates as they are written.
    """
    from pxr import Sdf

    lines = {(p.speed, p.start * p.speed - p.media) for p in time_map.pieces}
    if len(lines) != 1:
        return None
    ((speed, shift),) = lines
    if speed <= 0:
        return None
    written = Fraction(rate) / exact_rate(rate) * clock.exact / Fraction(clock.rate)
    return Sdf.LayerOffset(float(shift / speed * clock.exact), float(written / speed))


def author_sound(
    owner: Any, sound: Sound, time_map: TimeMap, clock: Clock, folder: Path, *, muted: bool
) -> None:
    """Author a sound where it is heard; it plays at its own speed whatever the map says."""
    from pxr import Sdf

    prim = Sdf.PrimSpec(owner, SOUND, Sdf.SpecifierDef, "SpatialAudio")
    start, end = time_map.cut_range
    values = {
        "filePath": ("asset", Sdf.AssetPath(anchored(sound.path, folder))),
        "auralMode": ("token", "nonSpatial"),
        "playbackMode": ("token", "onceFromStartToEnd"),
        "startTime": ("timecode", clock.code(start)),
        "endTime": ("timecode", clock.code(end)),
        "mediaOffset": ("double", float(time_map.to_media(start) - sound.start)),
    }
    for name, (kind, value) in values.items():
        found = Sdf.ValueTypeNames.Find(kind)
        Sdf.AttributeSpec(prim, name, found, Sdf.VariabilityUniform).default = value
    gain = Sdf.AttributeSpec(prim, "gain", Sdf.ValueTypeNames.Double)
    gain.default = 0.0 if muted else 1.0


def author_windows(prim: Any, windows: Sequence[tuple[float, float]]) -> None:
    """Make a clip's prim visible in these half-open stretches of time codes and in no other."""
    from pxr import Sdf

    spec = Sdf.AttributeSpec(prim, "visibility", Sdf.ValueTypeNames.Token)
    if not windows:
        spec.default = "invisible"
        return
    # Before its first sample an attribute has the first one's value.
    prim.layer.SetTimeSample(spec.path, windows[0][0] - 1, "invisible")
    for time, value in _switches(windows):
        prim.layer.SetTimeSample(spec.path, time, value)


def _switches(windows: Sequence[tuple[float, float]]) -> Iterator[tuple[float, str]]:
    for start, end in windows:
        yield start, "inherited"
        yield end, "invisible"
