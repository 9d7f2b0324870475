"""Cuts of the media in `usd_scenes` as chance makes them; the same seed, the same cut."""

from __future__ import annotations

import random
from pathlib import Path

from opentimelineio import core, schema
from usd_clips import cut, dissolve, gap, nest, scene, sequence, span, time, video


def by_chance(m: Path, seed: int) -> schema.Timeline:
    """Return a cut of two or three tracks, made of what chance says."""
    chance = random.Random(seed)
    tracks = [_chance_track(m, chance, 2) for _ in range(chance.choice((2, 3)))]
    return cut(*tracks, start=chance.choice((None, time(1000))))


def _chance_track(m: Path, chance: random.Random, depth: int) -> schema.Track:
    children: list[core.Composable] = []
    for _ in range(chance.randint(2, 5)):
        made = _chance_item(m, chance, depth)
        if children and _mixes(children[-1], made) and chance.random() < 0.4:
            children.append(dissolve(chance.randint(0, 4), chance.randint(0, 4)))
        children.append(made)
    return video(*children, enabled=chance.random() < 0.9)


def _mixes(before: core.Composable, after: core.Composable) -> bool:
    return isinstance(before, schema.Clip) and isinstance(after, schema.Clip)


def _chance_item(m: Path, chance: random.Random, depth: int) -> core.Item:
    kind = chance.random()
    length = chance.randint(9, 20)
    enabled = chance.random() < 0.85
    speed = chance.choice((None, None, None, 2.0, 0.5, -1.0, -2.0, 0))
    if kind < 0.15:
        return gap(length)
    if depth and kind < 0.4:
        tracks = [_chance_track(m, chance, depth - 1) for _ in range(chance.choice((1, 1, 2)))]
        trim = span(chance.randint(0, 6), length)
        return nest(*tracks, trim=trim, speed=speed, enabled=enabled)
    if kind < 0.5:
        return sequence(m / "plates", 1003, length, enabled=enabled)
    names = ("static.usda", "moving.usda", "fast.usda", "layered/shot.usda", "no_camera.usda")
    path = m / chance.choice(names)
    start = chance.randint(1010, 1050)
    return scene(path, start, length, speed=speed, enabled=enabled)
