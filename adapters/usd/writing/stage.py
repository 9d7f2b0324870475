"""The layer of a cut: its objects, what is known of them, and what plays."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import opentimelineio as otio

from castline.adapters.usd import layout, placement, timecodes
from castline.adapters.usd.node import Node, walk
from castline.adapters.usd.playing import play
from castline.adapters.usd.playing.clock import Clock
from castline.adapters.usd.playing.media import Library
from castline.adapters.usd.playing.shot import place as place_shots
from castline.adapters.usd.playing.shot import shots_of
from castline.adapters.usd.writing import items, meaning, takes
from castline.adapters.usd.writing.canonical import Encode
from castline.schemas.roots import timeline_of
from castline.schemas.values import Loss

UP_AXIS = "Y"
METERS_PER_UNIT = 0.01


@dataclass(frozen=True)
class Cut:
    """What is to be written: OTIO's object, and the same as documents."""

    root: otio.core.SerializableObject
    node: Node
    encode: Encode
    path: Path
    """Of the file, for errors."""


@dataclass(frozen=True)
class Stage:
    """A layer that is ready to be exported."""

    layer: Any
    losses: list[Loss]
    root: Node
    plays: bool
    """Whether it brings in any media."""
    has_takes: bool

    @property
    def has_odd_times(self) -> bool:
        """Say whether there may be time codes that USD text would round."""
        return self.plays or self.has_takes or any(map(_has_odd_times, walk(self.root)))


def make(cut: Cut, layer: Any, library: Library, folder: Path, plates: Path | None) -> Stage:
    """Make an empty layer the stage of a cut, for a file in `folder`.

    Frames of movies are extracted into `plates`, if given. Raises `UnwritableFileError` for what
    could not be read back.
    """
    root = cut.node
    rate = placement.rate_of(root)
    placement.place(root, rate)
    _describe(layer, root, rate)
    items.author(layer, root, rate, cut.encode, cut.path)
    clock = Clock(rate)
    found = shots_of(root, library)
    takes.author(layer, found)
    if root.kind in play.PLAYED:
        place_shots(found, timeline_of(cut.root), rate)
    meaning.author(layer, root, found, clock)
    losses = play.author(layer, root, found, clock, folder, plates)
    plays = any(shot.offers for shot in found)
    return Stage(layer, losses, root, plays, any(shot.takes for shot in found))


def _has_odd_times(node: Node) -> bool:
    times = [node.start, node.end, *(node.source or ())]
    times += [time for marker in node.markers for time in marker.source or ()]
    return any(time is not None and timecodes.written(time) != time for time in times)


def _describe(layer: Any, root: Node, rate: float) -> None:
    layer.defaultPrim = root.name
    layer.timeCodesPerSecond = layer.framesPerSecond = rate
    layer.pseudoRoot.SetInfo("upAxis", UP_AXIS)
    layer.pseudoRoot.SetInfo("metersPerUnit", METERS_PER_UNIT)
    layer.customLayerData = {"creator": layout.CREATOR}
    start = root.start or 0.0
    layer.startTimeCode = start
    layer.endTimeCode = max(start, start + (root.duration or 0.0) - 1)
