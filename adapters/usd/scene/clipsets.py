"""The value clips of a scene; run in the child."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any

from castline.adapters.usd.scene.clock import DEFAULT_RATE
from castline.adapters.usd.scene.facts import problem
from castline.schemas.exact import MIN_RATE

MAX_CLIPS = 100_000
_HASHES = re.compile(r"(#+(?:\.#+)?)")


def clip_sets(prim: Any, problems: list[list[str]]) -> list[dict[str, Any]]:
    """Return the sets of value clips on a prim: which files, from when on, which of their times.

    `active` holds `[stage time, number of the file]`, `times` `[stage time, clip time]`, in time
    codes of the stage and of the file; `codes` is how many a second a file has. What does not hang
    together is left out, as USD does; what is missing is added to `problems`.
    """
    from pxr import Usd

    api = Usd.ClipsAPI(prim)
    where, offsets = str(prim.GetPath()), list(_offsets(prim))
    found = []
    for name, said in (prim.GetMetadata("clips") or {}).items():
        assets = _assets(api, name)
        if not assets:
            continue
        files = [str(asset.resolvedPath or asset.path) for asset in assets]
        active, times = (
            _moved(pairs, offsets, name, key) for pairs, key in _times(api, name, said, files)
        )
        active = sorted(pair for pair in active if 0 <= pair[1] < len(files))
        times.sort(key=lambda pair: pair[0])
        if len(active) + len(times) > MAX_CLIPS:
            reason = f"{name}: found more than {MAX_CLIPS} value clips; left out"
            problems.append(problem("clip", where, reason))
        elif active:
            missing = (asset.path for asset in assets if not asset.resolvedPath)
            problems += [problem("clip", where, f"{path} is not there") for path in missing]
            codes = _codes_of(files[int(active[0][1])])
            kept = {"files": files, "active": active, "times": times, "codes": codes}
            found.append({"name": str(name), **kept})
    return found


def _assets(api: Any, name: str) -> list[Any]:
    from pxr import Tf

    try:
        return list(api.ComputeClipAssetPaths(name))
    except Tf.ErrorException:  # it is no set of clips
        return []


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
    for clips, offset in offsets:
        said = clips.get(name)
        if isinstance(said, dict) and key in said:
            return [[offset * time, value] for time, value in pairs]
    return pairs


def _times(
    api: Any, name: str, said: Mapping[str, Any], files: list[str]
) -> tuple[tuple[list[Any], str], tuple[list[Any], str]]:
    """Return when files are active and which of their times are shown, each with what says so."""
    template = api.GetClipTemplateAssetPath(name)
    active = _pairs(api.GetClipActive(name))
    if active or not template:
        return (active, "active"), (_pairs(api.GetClipTimes(name)), "times")
    active, times = _by_template(said, _numbers(files, template))
    return (active, "templateAssetPath"), (times, "templateAssetPath")


def _numbers(files: list[str], template: str) -> list[float]:
    """Return the number in each file's name that stands at the hashes of the template."""
    before, _, after = _HASHES.split(PurePath(template).name, maxsplit=1)
    shape = re.compile(rf"{re.escape(before)}(-?[0-9.]+){re.escape(after)}")
    found = [shape.fullmatch(PurePath(file).name) for file in files]
    return [float(match[1]) for match in found if match]


def _by_template(said: Mapping[str, Any], codes: list[float]) -> tuple[list[Any], list[Any]]:
    """Return when the files of a template are active, and their times.

    With an offset USD lets the first and the last run on for as much (UsdClipsAPI, "Template Clip
    Metadata").
    """
    offset = said.get("templateActiveOffset")
    shift = float(offset) if isinstance(offset, (int, float)) and math.isfinite(offset) else 0.0
    active = [[code + shift, number] for number, code in enumerate(codes)]
    ends = (said["templateStartTime"] - abs(shift), said["templateEndTime"] + abs(shift))
    around = [float(end) for end in ends] if shift else []
    return active, [[code, code] for code in sorted({*around, *codes})]


def _codes_of(file: str) -> float:
    """Return the time codes a second of a file, USD's fallback where it cannot be told."""
    from pxr import Sdf, Tf

    try:
        layer = Sdf.Layer.FindOrOpen(file)
    except Tf.ErrorException:
        layer = None
    rate = layer.timeCodesPerSecond if layer else 0.0
    is_sound = math.isfinite(rate) and rate >= MIN_RATE
    return rate if is_sound else DEFAULT_RATE


def _pairs(value: Any) -> list[list[float]]:
    pairs = [[float(a), float(b)] for a, b in value or ()]
    return [pair for pair in pairs if all(map(math.isfinite, pair))]
