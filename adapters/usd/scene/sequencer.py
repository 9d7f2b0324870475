"""Omniverse Sequencer's prims: `Sequence` > `Track` > `AssetClip` or `ShotClip`; in the child.

The types are another product's; they are told by name, and their attributes read where they are.
"""

from __future__ import annotations

import math
from typing import Any

SEQUENCE, TRACK = "Sequence", "Track"
CLIPS = frozenset({"AssetClip", "ShotClip"})
_TIMES = {"start": "startTime", "end": "endTime", "in": "playStart", "out": "playEnd"}


def tracks_of(sequence: Any) -> list[dict[str, Any]]:
    """Return the tracks of a sequence with their clips, in order."""
    tracks = []
    for prim in sequence.GetAllChildren():
        if prim.GetTypeName() == TRACK:
            clips = [_clip(c) for c in prim.GetAllChildren() if c.GetTypeName() in CLIPS]
            kind = _value(prim, "trackType")
            tracks.append(
                {
                    "path": str(prim.GetPath()),
                    "name": prim.GetDisplayName() or prim.GetName(),
                    "kind": str(kind or "Asset"),
                    "enabled": prim.IsActive(),
                    "clips": clips,
                }
            )
    return tracks


def _clip(prim: Any) -> dict[str, Any]:
    targets = [
        str(target)
        for rel in prim.GetRelationships()
        for target in rel.GetForwardedTargets()
        if target.IsPrimPath()
    ]
    times = {name: _number(prim, attribute) for name, attribute in _TIMES.items()}
    return {
        "path": str(prim.GetPath()),
        "name": prim.GetDisplayName() or prim.GetName(),
        "targets": targets,
        "enabled": prim.IsActive(),
        **times,
    }


def _number(prim: Any, name: str) -> float | None:
    value = _value(prim, name)
    value = value.GetValue() if hasattr(value, "GetValue") else value
    if isinstance(value, (int, float)) and math.isfinite(value):
        return float(value)
    return None


def _value(prim: Any, name: str) -> Any:
    attribute = prim.GetAttribute(name)
    return attribute.Get() if attribute else None
