"""What the numbers of a retimed clip mean in the program that wrote them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import opentimelineio as otio


class ReverseStart(Enum):
    """Which media frame `source_range.start_time` names when the clip runs backwards."""

    LOWEST = "the lowest frame used, which is seen last"
    FIRST = "the frame seen first"


class Step(Enum):
    """What a speed of 1 advances by, where media and cut have different rates."""

    SECONDS = "the media runs in real time, as OTIO says"
    FRAMES = "one media frame a cut frame, whatever the rates"


@dataclass(frozen=True, slots=True)
class Convention:
    """How to read source ranges; durations are in cut frames in all programs seen."""

    reverse_start: ReverseStart = ReverseStart.LOWEST
    step: Step = Step.SECONDS


class Program(Enum):
    """The program (or its exporter) that wrote a clip; OTHER is OTIO's own reading."""

    OTHER = "other"
    AVID = "avid"
    FLAME = "flame"
    HIERO = "hiero"
    RESOLVE = "resolve"

    @property
    def convention(self) -> Convention:
        """How this program writes source ranges; the evidence is in docs/retime.md."""
        frames = self in (Program.FLAME, Program.HIERO)
        return Convention(step=Step.FRAMES if frames else Step.SECONDS)


def program_of(item: otio.core.Item) -> Program | None:
    """Tell from its metadata, markers and media which program wrote the item, else None.

    All media references are asked, not only the active one, so that switching a take does not
    change how the clip is read.
    """
    for place in (item, *item.markers):
        found = _program_of_keys(place.metadata)
        if found is not None:
            return found
    if isinstance(item, otio.schema.Clip):
        for reference in item.media_references().values():
            if any(key.startswith("foundry.") for key in reference.metadata):
                return Program.HIERO
    return None


def program_of_timeline(timeline: otio.schema.Timeline) -> Program | None:
    """Tell from its own metadata which program wrote the timeline, else None."""
    return _program_of_keys(timeline.metadata) or _program_of_keys(timeline.tracks.metadata)


def _program_of_keys(metadata: object) -> Program | None:
    keys = [str(key) for key in metadata] if hasattr(metadata, "__iter__") else []
    for key in keys:
        if key == "Resolve_OTIO" or key == "resolve_sub_products":
            return Program.RESOLVE
        if key in ("Hiero", "hiero_source_type") or key.endswith(".useOCIOEnvironmentOverride"):
            return Program.HIERO
        if key == "flame_sub_products" or key.startswith(("ayon.flame.", "openpype.flame.")):
            return Program.FLAME
    return Program.AVID if "AAF" in keys else None
