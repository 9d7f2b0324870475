"""Written cuts on a desk, to be edited in their layers and read again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import opentimelineio as otio
from opentimelineio import schema
from usd_cuts import characters, movie, nested, span, time
from usd_reads import read

from castline.adapters import usd
from castline.adapters.usd import layout

SUFFIXES = ("usda", "usdc")


APART = {layout.JSON, layout.LAYOUT_VERSION}


def rich() -> schema.Timeline:
    """Everything that has an attribute of its own, under names that are all different."""
    timeline = nested()
    video = timeline.tracks[0]
    shown = schema.Clip("shown", schema.ExternalReference("/m/sh.usda", span(0, 90)))
    ntsc = schema.Clip("ntsc", schema.ExternalReference("/m/n.mov"), span(1001, 48, 24000 / 1001))
    back = movie("back", 40, 30)
    back.effects.append(schema.LinearTimeWarp("b", time_scalar=-1))
    video.extend([shown, schema.Gap("hole", duration=time(36)), ntsc, back, movie("last", 5, 40)])
    video[0].markers[0].comment = "one\ntwo: é"
    for item in characters().tracks[0]:
        timeline.tracks[1].append(item.deepcopy())
    cast = characters()
    timeline.metadata["castline"] = json.loads(cast.to_json_string())["metadata"]["castline"]
    timeline.tracks[0].source_range = span(0, 400)
    timeline.tracks[1].append(schema.Stack("bare stack", [movie("in a stack", 7, 20)]))
    return timeline


CUTS = {"rich": rich, "nested": nested, "characters": characters}


@dataclass(frozen=True)
class Desk:
    """A written cut: its file's layer, and OTIO's objects by the paths of their prims."""

    timeline: schema.Timeline
    path: Path
    layer: Any
    objects: dict[str, Any]

    def edited(self, *edits: tuple[str, Any]) -> schema.Timeline:
        """Return the cut as it is read after these attributes were given these values."""
        before = [(path, self.layer.GetAttributeAtPath(path).default) for path, _ in edits]
        try:
            for path, value in edits:
                self.layer.GetAttributeAtPath(path).default = value
            return self.read()
        finally:
            for path, value in before:
                self.layer.GetAttributeAtPath(path).default = value

    def read(self) -> schema.Timeline:
        """Return the cut as it is read from the layer as it stands."""
        target = self.path.with_stem("edited")
        self.layer.Export(str(target))
        return read(target)


@cache
def written(name: str, suffix: str, folder: Path) -> Desk:
    timeline = CUTS[name]()
    return desk_of(timeline, folder / f"{name}.{suffix}")


def desk_of(timeline: Any, path: Path) -> Desk:
    from pxr import Sdf

    usd.write(timeline, path)
    layer = Sdf.Layer.OpenAsAnonymous(str(path))
    objects = dict(objects_in(layer.GetPrimAtPath("/Timeline"), timeline))
    return Desk(timeline, path, layer, objects)


def objects_in(prim: Any, thing: Any) -> Iterator[tuple[str, Any]]:
    yield str(prim.path), thing
    prims = [p for p in prim.nameChildren if p.attributes.get(layout.JSON) is not None]
    markers = [p for p in prims if p.name.startswith("marker_")]
    if isinstance(thing, schema.Timeline):
        inside = [thing.tracks]
    else:
        inside = list(thing) if isinstance(thing, otio.core.Composition) else []
    rest = [p for p in prims if p not in markers]
    for below, child in zip(rest, inside, strict=True):
        yield from objects_in(below, child)
    for below, marker in zip(
        markers, getattr(thing, "markers", []) if markers else [], strict=True
    ):
        yield str(below.path), marker


def text_of(thing: Any) -> str:
    return json.dumps(json.loads(thing.to_json_string()), sort_keys=True)


def attributes(desk: Desk) -> list[tuple[str, str, Any]]:
    """Return prim path, name and value of each of our own attributes in the layer."""
    found = []

    def look(path: Any) -> None:
        spec = desk.layer.GetAttributeAtPath(path) if path.IsPropertyPath() else None
        if spec is not None and spec.name.startswith("castline:") and spec.name not in APART:
            value = spec.default
            if value is None:  # samples alone
                return
            value = value.GetValue() if type(value).__name__ == "TimeCode" else value
            prim = str(path.GetPrimPath().StripAllVariantSelections())
            found.append((str(path), prim, spec.name, value))

    desk.layer.Traverse("/", look)
    return found


def ranges(track: Any) -> dict[str, tuple[float, float]]:
    """Return start and end, in seconds, of all on a track but gaps and transitions, by name."""
    found = {}
    at = 0.0
    for item in track:
        if isinstance(item, schema.Transition):
            continue
        length = item.duration().to_seconds()
        if not isinstance(item, schema.Gap):
            found[item.name] = (round(at, 6), round(at + length, 6))
        at += length
    return found


def edges_of(desk: Desk, name: str) -> tuple[list[str], list[float]]:
    """Return the attributes of a clip's edges on the timeline, and their values."""
    item = next(c for c in desk.timeline.find_clips() if c.name == name)
    path = next(p for p, thing in desk.objects.items() if thing is item)
    paths = [f"{path}.{layout.START}", f"{path}.{layout.END}"]
    return paths, [desk.layer.GetAttributeAtPath(p).default.GetValue() for p in paths]


def starts(timeline: Any) -> dict[str, tuple[float, float]]:
    """Return where each clip starts in its media, and how long it is, in frames."""
    found = {}
    for clip in timeline.find_clips():
        own = clip.source_range
        found[clip.name] = (own.start_time.value, own.duration.value)
    return found
