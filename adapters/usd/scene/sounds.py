"""The sounds of a scene; run in the child."""

from __future__ import annotations

from typing import Any


def sound_facts(prim: Any) -> dict[str, Any] | None:
    """Return what a SpatialAudio prim plays and when, None where it names no file.

    `start` and `end` are time codes, `offset` seconds into the file; `end` at or before `start`
    means that nothing ends it (UsdMediaSpatialAudio).
    """
    asset = _value(prim, "filePath")
    path = getattr(asset, "path", "")
    if not path:
        return None
    return {
        "file": getattr(asset, "resolvedPath", "") or path,
        "is_there": bool(getattr(asset, "resolvedPath", "")),
        "start": _code(prim, "startTime"),
        "end": _code(prim, "endTime"),
        "offset": float(_value(prim, "mediaOffset") or 0.0),
        "mode": str(_value(prim, "playbackMode") or "onceFromStart"),
        "gain": float(1.0 if (gain := _value(prim, "gain")) is None else gain),
    }


def _code(prim: Any, name: str) -> float:
    value = _value(prim, name)
    return float(value.GetValue()) if hasattr(value, "GetValue") else float(value or 0.0)


def _value(prim: Any, name: str) -> Any:
    attribute = prim.GetAttribute(name)
    return attribute.Get() if attribute else None
