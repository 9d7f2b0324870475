"""Omniverse Sequencer's prims: `Sequence` > `Track` > `AssetClip` or `ShotClip`; in the child.

The types are another product's; they are told by name, and their attributes read where they are.
"""

from __future__ import annotations

from typing import Any

from castline.adapters.usd.scene.facts import number_of, value_of

SEQUENCE, TRACK = "Sequence", "Track"
CLIPS = frozenset({"AssetClip", "ShotClip"})
_TIMES = {"start": "startTime", "end": "endTime", "in": "playStart", "out": "playEnd"}


def tracks_of(sequence: Any) -> list[dict[str, Any]]:
    """Return the tracks of a sequence with their clips, in order."""
    tracks = []
    for prim in sequence.GetAllChildren():
        if prim.GetTypeName() == TRACK:
            clips = [_clip(c) for c in prim.GetAllChildren() if c.GetTypeName() in CLIPS]
            kind = value_of(prim, "trackType")
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
    times = {name: number_of(prim, attribute) for name, attribute in _TIMES.items()}
    return {
        "path": str(prim.GetPath()),
        "name": prim.GetDisplayName() or prim.GetName(),
        "targets": targets,
        "enabled": prim.IsActive(),
        **times,
    }
