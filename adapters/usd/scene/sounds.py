"""The sounds of a scene; run in the child."""

from __future__ import annotations

from typing import Any

from castline.adapters.usd.scene.facts import number_of, value_of


def sound_facts(prim: Any) -> dict[str, Any] | None:
    """Return what a SpatialAudio prim plays and when, None where it names no file.

    `start` and `end` are time codes, None for those of the stage; `offset` is seconds into the
    file. Which of them count is a matter of the mode (UsdMediaSpatialAudio): it ends at its
    `endTime` only where that says so, and what loops from the stage starts with it.
    """
    asset = value_of(prim, "filePath")
    path = getattr(asset, "path", "")
    if not path:
        return None
    mode = str(value_of(prim, "playbackMode") or "onceFromStart")
    start, end = _stretch(prim, mode)
    gain = number_of(prim, "gain")
    return {
        "file": getattr(asset, "resolvedPath", "") or path,
        "is_there": bool(getattr(asset, "resolvedPath", "")),
        "start": start,
        "end": end,
        "offset": number_of(prim, "mediaOffset") or 0.0,
        "loops": mode.startswith("loop"),
        "muted": gain is not None and gain <= 0,
    }


def _stretch(prim: Any, mode: str) -> tuple[float | None, float | None]:
    if mode == "loopFromStage":
        return None, None
    start = number_of(prim, "startTime") or 0.0
    says_end = mode.endswith("ToEnd") and prim.GetAttribute("endTime").HasAuthoredValue()
    end = number_of(prim, "endTime") if says_end else None
    if end is None or end == start:
        return start, None
    return min(start, end), max(start, end)  # swapped, it is played the other way round
