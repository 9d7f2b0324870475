"""One clip of the cut as a shot: what its takes offer, and where in time each lies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import opentimelineio as otio

from castline.adapters.usd import layout
from castline.adapters.usd.node import Node
from castline.adapters.usd.payload import data_of, record, references_of
from castline.adapters.usd.playing.media import Library, Offer
from castline.schemas.errors import CastlineError
from castline.schemas.retime import clip_time_map
from castline.schemas.retime_cut import ClipInCut, cut_time_maps
from castline.schemas.retime_program import Convention, Program, program_of, program_of_timeline
from castline.schemas.takes import switch_take
from castline.schemas.timemap import TimeMap
from castline.schemas.values import Take


@dataclass(slots=True)
class Shot:
    """One clip with what it can show, by the keys of its media references."""

    node: Node
    is_picture: bool
    """It lies on video tracks; else it is sound."""
    is_enabled: bool
    """It is, and so is everything that it lies in."""
    offers: dict[str, Offer] = field(default_factory=dict)
    """What takes offer that has a place in a stage."""
    missing: dict[str, str] = field(default_factory=dict)
    """Why the other takes have none."""
    maps: dict[str, TimeMap] = field(default_factory=dict)
    """From cut time to each offer's media time."""
    takes: dict[str, Take] = field(default_factory=dict)
    """What castline knows of the takes."""
    owners: dict[str, Any] = field(default_factory=dict)
    """The specs that the takes are described on, once there are any."""
    windows: list[tuple[Fraction, Fraction]] = field(default_factory=list)
    """When the shown take is seen, in cut time; half-open."""

    @property
    def where(self) -> str:
        """The clip's place in the stage, for people."""
        return where_of(self.node)

    @property
    def active(self) -> str:
        """The key of the media reference that is shown."""
        return str(self.node.document.get("active_media_reference_key"))

    @property
    def timed(self) -> list[str]:
        """The keys of the takes whose place in time is asked for."""
        scored = (
            key
            for key, take in self.takes.items()
            if any(a.score and a.score.worst_time for a in take.appearances)
        )
        return list(dict.fromkeys((*self.offers, *scored)))

    def give_up(self, key: str, reason: str) -> None:
        """Take an offer back."""
        self.offers.pop(key, None)
        self.maps.pop(key, None)
        self.missing[key] = reason


def where_of(node: Node) -> str:
    """Return an object's place in the stage, for people."""
    return node.path.removeprefix(f"/{layout.ROOT_NAME}/{layout.TRACKS_NAME}/")


def shots_of(root: Node, library: Library) -> list[Shot]:
    """Return the clips in the cut's order, so that of two pictures the later one is on top."""
    return list(_look(root, library))


def place(shots: list[Shot], timeline: otio.schema.Timeline, rate: float) -> None:
    """Give every offer of the shots its map, or give it up where there is none.

    The shots must be all those of the timeline, in order. Transitions cut at their midpoint.
    """
    if not any(shot.timed for shot in shots):
        return
    program = program_of_timeline(timeline) or Program.OTHER
    clips = list(cut_time_maps(timeline, global_start=True, rate=rate, cut_transitions=True))
    if len(clips) != len(shots):  # clips in an object that OTIO cannot look into
        for shot in shots:
            for key in list(shot.offers):
                shot.give_up(key, "its place in time is not known")
        return
    for shot, clip in zip(shots, clips, strict=True):
        if not shot.timed:
            continue
        convention = (program_of(clip.clip) or program).convention
        for key in shot.timed:
            try:
                shot.maps[key] = _map_of(clip, key, convention)
            except CastlineError as error:
                shot.give_up(key, f"its place in time is not known: {error}")


def _look(root: Node, library: Library) -> Iterator[Shot]:
    waiting = [(root, True, True)]
    while waiting:
        node, is_picture, is_enabled = waiting.pop()
        document = node.document
        kind = node.kind
        is_enabled = is_enabled and document.get("enabled") is not False
        if kind == "Track":
            is_picture = is_picture and document.get("kind") == "Video"
        elif kind == "Clip":
            shot = Shot(node, is_picture, is_enabled)
            for key, reference in references_of(document).items():
                found = library.offer(reference, is_picture=is_picture)
                if isinstance(found, str):
                    if layout.kind_of(reference) != "MissingReference":
                        shot.missing[key] = found
                else:
                    shot.offers[key] = found
                data = data_of(reference)
                if data is not None and (take := record(Take, data)) is not None:
                    shot.takes[key] = take
            yield shot
        for child in reversed(node.children):
            waiting.append((child, is_picture, is_enabled))  # noqa: PERF401 - a stack, not a list


def _map_of(clip: ClipInCut, key: str, convention: Convention) -> TimeMap:
    if clip.clip.active_media_reference_key == key:
        if clip.error is not None:
            raise clip.error
        if clip.time_map is not None:
            return clip.time_map
    other = clip.clip.deepcopy()
    switch_take(other, key)
    return clip.through(clip_time_map(other, convention))
