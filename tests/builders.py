"""Small cuts for the tests, made in code."""

from __future__ import annotations

import json
from typing import Any

import opentimelineio as otio
from opentimelineio.opentime import RationalTime, TimeRange

from castline.schemas.places import set_sequence, set_slot, set_take
from castline.schemas.values import (
    Appearance,
    Cast,
    Character,
    Generation,
    Placement,
    Score,
    Sequence,
    Slot,
    Take,
)

SAMPLE: dict[str, Any] = {
    "prompt": 'Élodie → 雨 "rain" <b>&amp; 100% é',
    "seed": 6952411511246973023,
    "score": 0.9731234567890123,
    "nested": {"a": [{"b": [1, 2.5, None, True, {}, []]}], "text": "one\ntwo\tthree  four"},
}


def span(start: float, length: float, rate: float = 24) -> TimeRange:
    return TimeRange(RationalTime(start, rate), RationalTime(length, rate))


def clip(number: int, length: int = 48, rate: float = 24, media: str | None = None):
    """Return a clip with data of ours on itself and on two references."""
    name = f"sh{number:03d}"
    url = media or f"file:///show/{name}_temp.mov"
    reference = otio.schema.ExternalReference(url, span(86400, 2400, rate))
    made = otio.schema.Clip(name, reference, span(86400 + number * 100, length, rate))
    set_slot(made, Slot(slot_id=name, extra={"sample": SAMPLE}))
    set_take(
        reference,
        Take(
            take_id=f"temp-{name}",
            role="temp",
            placement=Placement(source_range=made.source_range),
        ),
    )
    offer = otio.schema.ExternalReference(f"file:///show/ai/{name}_v001.mp4", span(0, 64, rate))
    set_take(
        offer,
        Take(
            take_id=f"{name}-v001",
            number=1,
            sha256="ab" * 32,
            generation=Generation(seed=2**63 - 1, prompt=SAMPLE["prompt"]),
            placement=Placement(source_range=span(8, length, rate)),
            appearances=(Appearance(character_id="mira", state="ok", score=Score(value=0.91)),),
        ),
    )
    made.set_media_references({"DEFAULT_MEDIA": reference, "take_001": offer}, "DEFAULT_MEDIA")
    return made


def cut(count: int = 4, rate: float = 24) -> otio.schema.Timeline:
    """Return a cut of clips with data of ours, one track, no gaps."""
    timeline = otio.schema.Timeline("cut_v1")
    timeline.tracks.append(
        otio.schema.Track("V1", [clip(n, rate=rate) for n in range(1, count + 1)], kind="Video")
    )
    characters = (Character(character_id="mira", name="Mira"),)
    set_sequence(timeline, Sequence(cast=Cast(characters=characters), extra={"sample": SAMPLE}))
    return timeline


def bare(timeline: otio.schema.Timeline) -> otio.schema.Timeline:
    """Return the cut without anything of ours: one reference a clip, no data."""
    document = json.loads(timeline.to_json_string())
    waiting = [document]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting.extend(node)
        elif isinstance(node, dict):
            node.get("metadata", {}).pop("castline", None)
            if "media_references" in node:
                node["media_references"].pop("take_001", None)
            waiting.extend(node.values())
    return otio.adapters.read_from_string(json.dumps(document), "otio_json")
