"""The value clips of a scene; run in the child."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import PurePath
from typing import Any

MAX_CLIPS = 100_000
_HASHES = re.compile(r"(#+(?:\.#+)?)")


def clip_sets(prim: Any) -> list[dict[str, Any]]:
    """Return the sets of value clips on a prim: which files, from when on, which of their times.

    `active` holds `[stage time, number of the file]`, `times` `[stage time, clip time]`, both in
    the stage's time codes. What does not hang together is left out, as USD does.
    """
    from pxr import Usd

    api = Usd.ClipsAPI(prim)
    offsets = list(_offsets(prim))
    found = []
    for name in prim.GetMetadata("clips") or {}:
        assets = [str(a.resolvedPath or a.path) for a in api.ComputeClipAssetPaths(name)]
        template = api.GetClipTemplateAssetPath(name)
        if api.GetClipActive(name) or not template:
            active = _moved(_pairs(api.GetClipActive(name)), offsets, name, "active")
            times = _moved(_pairs(api.GetClipTimes(name)), offsets, name, "times")
        else:
            active, times = _by_template(api, name, _numbers(assets, template))
            active = _moved(active, offsets, name, "templateAssetPath")
            times = _moved(times, offsets, name, "templateAssetPath")
        active = sorted(pair for pair in active if 0 <= pair[1] < len(assets))
        if active and len(active) + len(times) <= MAX_CLIPS:
            found.append({"name": str(name), "files": assets, "active": active, "times": times})
    return found


def _offsets(prim: Any) -> Iterator[tuple[Any, Any]]:
    """Yield the clip metadata of each layer that has some, strongest first, and its offset.

    Their times are those of the layer; USD moves them with it, but shows them as they are.
    """
    for spec, offset in prim.GetPrimStackWithLayerOffsets():
        if spec.HasInfo("clips"):
            yield spec.GetInfo("clips"), offset


def _moved(
    pairs: list[list[float]], offsets: list[tuple[Any, Any]], name: str, key: str
) -> list[list[float]]:
    """Return pairs with their stage times moved as the layer that says `key` is."""
    offset = next((found for clips, found in offsets if key in clips.get(name, {})), None)
    return [[offset * time, value] for time, value in pairs] if offset is not None else pairs


def _numbers(files: list[str], template: str) -> list[float]:
    """Return the number in each file's name that stands at the hashes of the template."""
    before, hashes, after = _HASHES.split(PurePath(template).name, maxsplit=1)
    shape = re.compile(rf"{re.escape(before)}(-?[0-9.]+){re.escape(after)}" if hashes else "")
    found = [shape.fullmatch(PurePath(file).name) for file in files]
    return [float(match[1]) for match in found if match]


def _by_template(api: Any, name: str, codes: list[float]) -> tuple[list[Any], list[Any]]:
    """Return when the files of a template are active (UsdClipsAPI, "Template Clip Metadata")."""
    offset = api.GetClipTemplateActiveOffset(name)
    shift = offset if offset is not None and math.isfinite(offset) else 0.0
    active = [[code + shift, number] for number, code in enumerate(codes)]
    return active, [[code, code] for code in codes]


def _pairs(value: Any) -> list[list[float]]:
    pairs = [[float(a), float(b)] for a, b in value or ()]
    return [pair for pair in pairs if all(map(math.isfinite, pair))]
