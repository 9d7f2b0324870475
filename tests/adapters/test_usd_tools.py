"""A tool that knows the cut it wants, and writes that cut's ranges onto the stage of another.

The wanted cut is made by OTIO alone: clips trimmed, slipped, rolled, swapped, moved, with gaps put
in, on a track and inside nests. Every named prim of the old stage is given the ranges it has in
the new one; gaps, which have no names, are forgotten, as such tools do. What is then read shows,
frame by frame, what the wanted cut shows.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentimelineio import schema
from usd_cuts import cut, movie, span, time
from usd_desk import desk_of

from castline.adapters import usd
from castline.adapters.usd import layout

pytest.importorskip("pxr")

SEEDS = 150
Picture = tuple[str, int] | None


def old_cut(chance: random.Random) -> schema.Timeline:
    """Return clips, gaps and nests of both on a track; every clip has a name of its own."""
    count = 0

    def clips(number: int) -> list[Any]:
        nonlocal count
        made = []
        for _ in range(number):
            made.append(movie(f"c{count}", 100 * count + 50, chance.randint(4, 12)))
            count += 1
        return made

    track = schema.Track("V1")
    for clip in clips(chance.randint(2, 5)):
        track.append(clip)
        if chance.random() < 0.3:
            track.append(schema.Gap(duration=time(chance.randint(2, 6))))
        if chance.random() < 0.35:
            inner = schema.Track(f"t{count}", clips(chance.randint(1, 3)))
            if chance.random() < 0.4:
                inner.insert(chance.randint(0, len(inner)), schema.Gap(duration=time(3)))
            track.append(schema.Stack(f"s{count}", [inner]))
    return cut("tools", track)


def change(chance: random.Random, timeline: schema.Timeline) -> None:
    """Do one thing to one clip, as an editor does it."""
    outer = timeline.tracks[0]
    track = chance.choice([outer, *(item[0] for item in outer if isinstance(item, schema.Stack))])
    places = [n for n, item in enumerate(track) if isinstance(item, schema.Clip)]
    if not places:
        return
    at = chance.choice(places)
    clip = track[at]
    start, length = (int(t.value) for t in (clip.source_range.start_time, clip.duration()))
    way = chance.choice(["tail", "head", "slip", "swap", "gap", "move", "roll"])
    if length < 2:
        return
    by = chance.randint(1, length - 1)
    if way == "tail" and (track is outer or at < len(track) - 1):
        clip.source_range = span(start, length - by)
        track.insert(at + 1, schema.Gap(duration=time(by)))
    elif way == "head":
        clip.source_range = span(start + by, length - by)
        track.insert(at, schema.Gap(duration=time(by)))
    elif way == "slip":
        clip.source_range = span(start + chance.randint(-40, 40), length)
    elif way == "gap":
        track.insert(at, schema.Gap(duration=time(by)))
    elif way == "swap":
        order = list(track)
        other = chance.choice(places)
        order[at], order[other] = order[other], order[at]
        _reorder(track, order)
    elif way == "move" and track is outer:
        order = list(track)
        order[at] = schema.Gap(duration=time(length))
        _reorder(track, [*order, clip])
    elif way == "roll" and at + 1 in places:
        behind = track[at + 1]
        first, more = (int(t.value) for t in (behind.source_range.start_time, behind.duration()))
        by = chance.randint(1 - length, more - 1)
        clip.source_range = span(start, length + by)
        behind.source_range = span(first + by, more - by)


def _reorder(track: schema.Track, order: list[Any]) -> None:
    del track[:]
    track.extend(order)


def pictures(track: schema.Track) -> list[Picture]:
    """Return what a track shows, frame by frame."""
    found: list[Picture] = []
    for item in track:
        length = int(item.duration().value)
        if isinstance(item, schema.Gap):
            found += [None] * length
        elif isinstance(item, schema.Stack):
            skipped = int(item.source_range.start_time.value) if item.source_range else 0
            inside = [*pictures(item[0]), *[None] * (skipped + length)]
            found += inside[skipped : skipped + length]
        else:
            first = int(item.source_range.start_time.value)
            found += [(item.name, first + n) for n in range(length)]
    while found and found[-1] is None:
        found.pop()
    return found


def named_ranges(layer: Any) -> Iterator[tuple[str, tuple[str, str], float]]:
    """Yield the paths of ranges on named prims, with the names, and their values."""
    paths = []
    layer.Traverse("/", lambda path: paths.append(path) if path.IsPropertyPath() else None)
    for path in paths:
        spec = layer.GetAttributeAtPath(path)
        if spec is None or "Range:" not in spec.name:
            continue
        name = layer.GetAttributeAtPath(path.GetPrimPath().AppendProperty(layout.NAME))
        if name is not None and name.default:
            yield str(path), (name.default, spec.name), spec.default.GetValue()


@pytest.mark.parametrize("start", range(0, SEEDS, 50))
def test_what_a_tool_says_is_what_is_read(start, tmp_path: Path):
    from pxr import Sdf

    for seed in range(start, start + 50):
        chance = random.Random(seed)
        old = old_cut(chance)
        wanted = old.deepcopy()
        for _ in range(chance.randint(1, 3)):
            change(chance, wanted)
        desk = desk_of(old, tmp_path / "old.usdc")
        usd.write(wanted, tmp_path / "wanted.usdc")
        layer = Sdf.Layer.OpenAsAnonymous(str(tmp_path / "wanted.usdc"))
        values = {name: value for _, name, value in named_ranges(layer)}
        edits = [(path, values[name]) for path, name, _ in named_ranges(desk.layer)]
        found = desk.edited(*edits)
        assert pictures(found.tracks[0]) == pictures(wanted.tracks[0]), seed
