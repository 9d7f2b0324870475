"""What a stage is onto which something is to be published; run in the child."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from castline.adapters.usd import guard
from castline.adapters.usd.marks import is_overlay, stage_beneath
from castline.adapters.usd.playing.anchor import with_assets
from castline.adapters.usd.publishing.names import plain, without_copy
from castline.adapters.usd.scene import people, pictures
from castline.adapters.usd.scene.facts import first_of, layer_name, prim_facts, problem
from castline.adapters.usd.scene.opening import open_scene
from castline.adapters.usd.scene.survey import composition_errors, prims_of, time_of, world_of
from castline.schemas.errors import UnreadableFileError

_NOT_COPIED = frozenset({"subLayers", "subLayerOffsets", "layerRelocates", "documentation"})
"""Metadata of a root layer that works from a sublayer as well, or speaks of its file."""

_NOBODY = re.compile(r"Camera|Light|Curves|Points|Volume")
"""Types that nobody is, whatever their name."""

_MODELS = frozenset({"component", "assembly", "group", people.KIND})


def survey(path: str, wanted: list[str], payloads: bool = False) -> dict[str, Any]:
    """Return what there is of a stage to publish onto; `wanted` are plain names of characters.

    Of a root layer that castline published it is `{"beneath": path}`, the artist's stage. Layers
    that castline wrote are left out of everything.
    """
    root = _open_root(path)
    if beneath := stage_beneath(root):
        return {"beneath": beneath}
    if is_overlay(root):
        raise UnreadableFileError(f"{path}: found an overlay of castline's, expected the stage")
    with guard.reading(path):
        header = _header(root)  # as the artist has it, before its rate is mended for reading
    problems: list[list[str]] = []
    stage = open_scene(path, problems, payloads=payloads)
    folder = str(Path(path).absolute().parent)
    problems += _mute_overlays(stage, folder)
    prims = prims_of(stage, path)
    problems += [problem("composition", "/", text) for text in composition_errors(stage, folder)]
    return {
        **time_of(stage, prims),
        **world_of(stage),
        "header": header,
        "roots": [prim.GetName() for prim in stage.GetPseudoRoot().GetAllChildren()],
        "cameras": [
            {
                **facts,
                **_place(camera),
                "above": _names_above(camera),
                "variants": list(camera.GetVariantSets().GetNames()),
                "closed": _is_closed(camera),
            }
            for camera, facts in pictures.camera_facts(prims, folder)
        ],
        "people": [
            {**prim_facts(prim, folder), **_place(prim), **found}
            for prim, found in _people(prims, set(wanted))
        ],
        "unloaded": sum(prim.HasAuthoredPayloads() and not prim.IsLoaded() for prim in prims),
        "files": _files(stage),
        "problems": first_of(problems),
    }


def _open_root(path: str) -> Any:
    """Return the root layer as it is: what USD does not open cannot be published onto."""
    from pxr import Sdf

    guard.check_scene(Path(path))
    with guard.reading(path):
        root = Sdf.Layer.FindOrOpen(path)
    if root is None:
        raise UnreadableFileError(f"{path}: found no USD that can be opened")
    return root


def _header(root: Any) -> str:
    """Return USD text with what a root layer says that counts on the root alone."""
    from pxr import Sdf

    header = Sdf.Layer.CreateAnonymous(".usda")
    source, target = root.pseudoRoot, header.pseudoRoot
    for key in source.ListInfoKeys():
        if key not in _NOT_COPIED:
            value = source.GetInfo(key)
            target.SetInfo(key, with_assets(value, root.ComputeAbsolutePath))
    return str(header.ExportToString())


def _mute_overlays(stage: Any, folder: str) -> list[list[str]]:
    """Leave what castline laid over a stage out of it; return that it stays, as problems.

    What is published now is stronger and takes nothing of it away.
    """
    overlays = [layer for layer in stage.GetLayerStack() if is_overlay(layer)]
    names = [layer_name(layer, folder) for layer in overlays]
    stage.MuteAndUnmuteLayers([layer.identifier for layer in overlays], [])
    reason = "castline's overlay is part of this stage and stays; publish onto the one beneath it"
    return [problem("overlay", name, reason) for name in names]


def _names_above(prim: Any) -> list[str]:
    """Return the names of the prims above, nearest first."""
    names = []
    prim = prim.GetParent()
    while prim and not prim.IsPseudoRoot():
        names.append(prim.GetName())
        prim = prim.GetParent()
    return names


def _people(prims: list[Any], wanted: set[str]) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Yield the prims that may be somebody who is wanted, and how that shows.

    `how` is `label`, `asset`, `character`, `model`, `name` or `copy`, the surest first; `known`
    are the wanted names by which it does.
    """
    if not wanted:
        return
    named = {prim.GetPath(): names for prim, names in people.characters_in(prims)}
    known_as = _Known(wanted)
    for prim in prims:
        for how, names in _signs(prim, named, known_as):
            known = sorted({found for name in names for found in known_as[name]})
            if known:
                owner = _owner(prim)
                labels = people.labels_of(owner)
                varies = people.has_varying_labels(owner)
                yield prim, {"how": how, "known": known, "labels": labels, "varies": varies}
                break


class _Known(dict[str, set[str]]):
    """Which wanted names a name stands for; most names stand on many prims."""

    def __init__(self, wanted: set[str]) -> None:
        super().__init__()
        self._wanted = wanted

    def __missing__(self, name: str) -> set[str]:
        self[name] = known = {plain(name)} & self._wanted
        return known


def _signs(
    prim: Any, named: dict[Any, list[str]], known_as: _Known
) -> Iterator[tuple[str, list[str]]]:
    """Yield by what names a prim could be told, the surest sign first."""
    from pxr import Usd, UsdGeom

    character = named.get(prim.GetPath()) if named else None
    if character and (labels := people.labels_of(prim)):
        yield "label", labels
    if prim.HasAuthoredMetadata("assetInfo"):
        yield "asset", _asset_names(prim.GetAssetInfo())
    names = [prim.GetName()]
    if prim.HasAuthoredMetadata("displayName"):
        names.append(prim.GetDisplayName())
    copies = [without_copy(name) for name in names]
    if character:
        yield "character", [*character, *names]
        yield "copy", copies
        return
    if any(known_as[name] for name in (*names, *copies)):  # rarely: the rest costs nothing
        if Usd.ModelAPI(prim).GetKind() in _MODELS:
            yield "model", names
        elif prim.IsA(UsdGeom.Xformable) and not _NOBODY.search(str(prim.GetTypeName())):
            yield "name", names
            yield "copy", copies


def _asset_names(info: dict[str, Any]) -> list[str]:
    """Return the names in an asset's description: its own, and its file's."""
    file = (getattr(info.get("identifier"), "path", "") or "").rpartition("/")[2]
    names = [info.get("name"), file.partition(".")[0]]
    return [name for name in names if isinstance(name, str) and name]


def _place(prim: Any) -> dict[str, Any]:
    """Return the path that takes opinions: the prim's, or that of the instance it is part of."""
    return {"owner": str(_owner(prim).GetPath())}


def _is_closed(prim: Any) -> bool:
    """Say whether its list of API schemas is said to be whole, as in a stage that was flattened.

    Such a list hides what a variant adds to it.
    """
    lists = (spec.GetInfo("apiSchemas") for spec in prim.GetPrimStack())
    return any(found is not None and found.isExplicit for found in lists)


def _owner(prim: Any) -> Any:
    while prim.IsInstanceProxy():
        prim = prim.GetParent()
    return prim


def _files(stage: Any) -> list[list[Any]]:
    """Return the files of all layers, with size and time of change as they are now."""
    from pxr import Ar

    found: dict[str, list[Any]] = {}
    for layer in stage.GetUsedLayers():
        path, _ = Ar.SplitPackageRelativePathOuter(layer.realPath)
        if not path or path in found:
            continue
        try:
            state = os.stat(path)  # noqa: PTH116 - thousands of them
        except OSError:
            raise UnreadableFileError(f"{path}: the file is gone while it is read") from None
        found[path] = [path, state.st_size, state.st_mtime_ns]
    return list(found.values())
