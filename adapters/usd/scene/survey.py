"""What a scene says of time, cameras, characters and sound, as plain data; run in the child."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

from castline.adapters.usd import layout
from castline.adapters.usd.marks import is_overlay
from castline.adapters.usd.reading.extract import root_of
from castline.adapters.usd.scene import clipsets, people, pictures, sequencer, sounds
from castline.adapters.usd.scene.facts import (
    first_of,
    prim_facts,
    problem,
    relative_to,
    samples_of,
)
from castline.adapters.usd.scene.opening import MAX_PRIMS, open_scene
from castline.schemas.errors import UnreadableFileError

_ABSOLUTE = re.compile(r"@((?:[A-Za-z]:)?/[^@]*)@")
_MAX_SAMPLED = 20_000  # attributes that are asked for their samples where nothing says a range


def survey(path: str, payloads: bool = False) -> dict[str, Any]:
    """Return the facts of a scene; see the functions below for each.

    Raises `UnreadableFileError` for what is no sound scene or has more than `MAX_PRIMS` prims.
    """
    problems: list[list[str]] = []
    stage = open_scene(path, problems, payloads=payloads)
    overlay = _overlay_of(stage, path)
    folder = str(Path(path).absolute().parent)
    prims = prims_of(stage, path)
    problems += [problem("composition", "/", text) for text in composition_errors(stage, folder)]
    return {
        **time_of(stage, prims),
        **world_of(stage),
        "cameras": [
            {**facts, "take": _selected_take(camera)}
            for camera, facts in pictures.camera_facts(prims, folder)
        ],
        "characters": [
            {**prim_facts(prim, folder), "called": names, "seen": _windows(prim)}
            for prim, names in people.characters_in(prims)
        ],
        "sounds": [
            {**prim_facts(prim, folder), **sound}
            for prim in prims
            if prim.GetTypeName() == "SpatialAudio" and (sound := sounds.sound_facts(prim))
        ],
        "clip_sets": [
            {**prim_facts(prim, folder), "sets": sets}
            for prim in prims
            if prim.HasAuthoredMetadata("clips") and (sets := clipsets.clip_sets(prim, problems))
        ],
        "sequences": [
            {**prim_facts(prim, folder), "tracks": sequencer.tracks_of(prim)}
            for prim in prims
            if prim.GetTypeName() == sequencer.SEQUENCE
        ],
        "overlay": overlay,
        "unloaded": sum(prim.HasAuthoredPayloads() and not prim.IsLoaded() for prim in prims),
        "prims": len(prims),
        "layers": len(stage.GetUsedLayers()),
        "problems": first_of(problems),
    }


def _overlay_of(stage: Any, path: str) -> str | None:
    """Return the file of the overlay that castline laid over the stage, if it did.

    Raises `UnreadableFileError` where a sublayer holds a cut of its own: that is read from its
    file.
    """
    for layer in stage.GetLayerStack(includeSessionLayers=False):
        if root_of(layer) is None:
            continue
        if is_overlay(layer):
            return str(layer.realPath)
        name = Path(layer.realPath).name
        raise UnreadableFileError(
            f"{path}: found a cut in the sublayer {name}: read that one, or all of them "
            "when they are flattened (usdcat --flattenLayerStack)"
        )
    return None


def prims_of(stage: Any, path: str) -> list[Any]:
    """Return the scene's prims in order, those inside instances too."""
    from pxr import Usd

    found = []
    # Also what stands on a prim whose payload is not loaded.
    everything = Usd.TraverseInstanceProxies(
        Usd.PrimIsActive & Usd.PrimIsDefined & ~Usd.PrimIsAbstract
    )
    for prim in Usd.PrimRange.Stage(stage, everything):
        found.append(prim)
        if len(found) > MAX_PRIMS:
            raise UnreadableFileError(f"{path}: found more than {MAX_PRIMS} prims")
    return found


def composition_errors(stage: Any, folder: str) -> list[str]:
    """Return what of the scene could not be brought in, without this machine's folders."""

    def relative(match: re.Match[str]) -> str:
        return f"@{relative_to(match[1], folder)}@"

    errors = (str(error).replace(f"{folder}/", "") for error in stage.GetCompositionErrors())
    return [_ABSOLUTE.sub(relative, text) for text in errors]


def time_of(stage: Any, prims: list[Any]) -> dict[str, Any]:
    """Return the authored range and rates, None where not authored, and the samples' range."""
    root = stage.GetRootLayer()
    start = stage.GetMetadata("startTimeCode") if _says(stage, "startTimeCode") else None
    end = stage.GetMetadata("endTimeCode") if _says(stage, "endTimeCode") else None
    return {
        "start": start,
        "end": end,
        "codes": root.timeCodesPerSecond if root.HasTimeCodesPerSecond() else None,
        "frames": root.framesPerSecond if root.HasFramesPerSecond() else None,
        "sampled": _sampled_range(prims) if start is None and end is None else None,
    }


def world_of(stage: Any) -> dict[str, Any]:
    """Return the axis and the unit."""
    from pxr import UsdGeom

    return {
        "up_axis": str(UsdGeom.GetStageUpAxis(stage)),
        "meters_per_unit": UsdGeom.GetStageMetersPerUnit(stage),
    }


def _says(stage: Any, key: str) -> bool:
    return bool(stage.HasAuthoredMetadata(key))


def _selected_take(camera: Any) -> str | None:
    """Return the variant that is selected of the takes which were published onto a camera."""
    sets = camera.GetVariantSets()
    names = [name for name in layout.TAKE_SETS if sets.HasVariantSet(name)]
    return str(sets.GetVariantSelection(names[-1])) if names else None


def _sampled_range(prims: list[Any]) -> list[float] | None:
    """Return the first and the last time sample of the scene, None where nothing is animated."""
    first, last = math.inf, -math.inf
    asked = 0
    for prim in prims:
        for attribute in prim.GetAuthoredAttributes():
            asked += 1
            if asked > _MAX_SAMPLED:
                return [first, last] if first <= last else None
            times = samples_of(attribute)
            if len(times) > 1:
                first, last = min(first, times[0]), max(last, times[-1])
    return [first, last] if first <= last else None


def _windows(prim: Any) -> list[list[float | None]]:
    """Return when a prim is visible, `[from, to)`, where its visibility changes; None: no end."""
    from pxr import Usd, UsdGeom

    imageable = UsdGeom.Imageable(prim)
    if not imageable:
        return []
    times: set[float] = set()
    above = prim
    while above and not above.IsPseudoRoot():
        attribute = UsdGeom.Imageable(above).GetVisibilityAttr()
        if attribute:
            times.update(samples_of(attribute))
        above = above.GetParent()
    found: list[list[float | None]] = []
    is_seen = False
    for time in sorted(times):
        seen = imageable.ComputeVisibility(Usd.TimeCode(time)) != UsdGeom.Tokens.invisible
        if seen and not is_seen:
            found.append([time if found or time > min(times) else None, None])
        elif is_seen and not seen:
            found[-1][1] = time
        is_seen = seen
    return [] if found == [[None, None]] else found
