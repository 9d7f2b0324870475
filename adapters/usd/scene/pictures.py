"""The cameras and the shots of a scene; run in the child.

A shot is a prim with a camera in it that is of the kind `shot`, or an assembly or group that names
its asset, or what a layer with a frame range of its own brings in. Of such prims in one another it
is the outermost, but one that holds several is a sequence. A camera that a sublayer with a range
of its own defines is seen in that range (a sequence's shot layers).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from castline.adapters.usd.scene.facts import prim_facts

_SHOT = "shot"
_GROUPS = ("assembly", "group")


def cameras_in(prims: list[Any]) -> list[Any]:
    """Return the cameras among prims."""
    from pxr import UsdGeom

    return [prim for prim in prims if prim.IsA(UsdGeom.Camera)]


def camera_facts(prims: list[Any], folder: str) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Yield the cameras among prims with what tells each: its facts, its shot's, its window."""
    cameras = cameras_in(prims)
    for camera, (shot, window) in zip(cameras, shots_of(cameras), strict=True):
        yield (
            camera,
            {
                **prim_facts(camera, folder),
                "shot": prim_facts(shot, folder) if shot else None,
                "window": window,
            },
        )


def shots_of(cameras: list[Any]) -> list[tuple[Any, list[float] | None]]:
    """Return for each camera the shot that it is in, and its window.

    The window is in the stage's time codes, the last one included. The prim is None where the
    camera is in no shot, the window where nothing says it.
    """
    known: dict[Any, _Frame | None] = {}
    around = [_frames_around(camera, known) for camera in cameras]
    below: dict[Any, set[Any]] = {}
    for frames in around:
        for outer, inner in pairwise(frames):
            below.setdefault(outer.path, set()).add(inner.path)
    shots = (_shot_in(frames, below) for frames in around)
    sublayers = _sublayer_windows(cameras[0].GetStage()) if cameras else {}
    return [
        (shot, window or _sublayer_window(camera, sublayers))
        for camera, (shot, window) in zip(cameras, shots, strict=True)
    ]


@dataclass(frozen=True)
class _Frame:
    """A prim around a camera that may be its shot, and the range of what it brings in."""

    prim: Any
    path: Any
    kind: str
    window: list[float] | None


def _shot_in(frames: list[_Frame], below: dict[Any, set[Any]]) -> tuple[Any, list[float] | None]:
    """Return the shot among prims in one another, outermost first, and its window."""
    for number, frame in enumerate(frames):
        if frame.kind == _SHOT or len(below.get(frame.path, ())) < 2:
            nearest = [*frames[number:], *reversed(frames[:number])]
            return frame.prim, next((f.window for f in nearest if f.window), None)
    return None, None


def _frames_around(camera: Any, known: dict[Any, _Frame | None]) -> list[_Frame]:
    """Return what may be the camera's shot, outermost first."""
    found = []
    prim = camera.GetParent()
    while prim and not prim.IsPseudoRoot():
        path = prim.GetPath()
        if path not in known:
            known[path] = _frame_of(prim)
        if frame := known[path]:
            found.append(frame)
        prim = prim.GetParent()
    return found[::-1]


def _frame_of(prim: Any) -> _Frame | None:
    from pxr import Usd

    kind, window = Usd.ModelAPI(prim).GetKind(), _brought_window(prim)
    info = prim.GetAssetInfo()
    is_named = bool(info and (info.get("name") or info.get("identifier")))
    if window or kind == _SHOT or (kind in _GROUPS and is_named):
        return _Frame(prim, prim.GetPath(), kind, window)
    return None


def _brought_window(prim: Any) -> list[float] | None:
    """Return the range of the layer that a reference or payload on the prim brings in."""
    from pxr import Usd

    if not (prim.HasAuthoredReferences() or prim.HasAuthoredPayloads()):
        return None
    query = Usd.PrimCompositionQuery.GetDirectReferences(prim)
    query.filter = _directly_brought()
    root = prim.GetStage().GetRootLayer()
    for arc in query.GetCompositionArcs():
        node = arc.GetTargetNode()
        layer = node.layerStack.identifier.rootLayer
        if layer != root and (window := _range_of(layer)):
            return _moved(window, node.mapToRoot.timeOffset)
    return None


def _directly_brought() -> Any:
    from pxr import Usd

    wanted = Usd.PrimCompositionQuery.Filter()
    wanted.arcTypeFilter = Usd.PrimCompositionQuery.ArcTypeFilter.ReferenceOrPayload
    wanted.dependencyTypeFilter = Usd.PrimCompositionQuery.DependencyTypeFilter.Direct
    return wanted


def _sublayer_windows(stage: Any) -> dict[str, list[float] | None]:
    """Return the range of each layer of the root's stack: its own, or else that of what has it.

    Shot layers say their range and leave the camera to layers of departments below them.
    """
    tree = stage.GetPseudoRoot().GetPrimIndex().rootNode.layerStack.layerTree
    found: dict[str, list[float] | None] = {}
    waiting: list[tuple[Any, list[float] | None]] = [(tree, None)]
    while waiting:
        part, window = waiting.pop()
        if part is not tree and (own := _range_of(part.layer)):
            window = _moved(own, part.offset)
        name = part.layer.identifier
        is_one = found.get(name, window) == window  # a layer of two shots is of none
        found[name] = window if is_one else None
        waiting.extend((child, window) for child in reversed(part.childTrees))
    return found


def _sublayer_window(camera: Any, windows: dict[str, list[float] | None]) -> list[float] | None:
    """Return the range of the sublayer that defines a camera, or what brings it in."""
    from pxr import Sdf

    prim = camera
    while not prim.IsPseudoRoot():
        for spec in prim.GetPrimStack():
            layer = spec.layer.identifier
            if spec.specifier == Sdf.SpecifierDef and layer in windows:
                return windows[layer]
        prim = prim.GetParent()
    return None


def _range_of(layer: Any) -> list[float] | None:
    if not (layer.HasStartTimeCode() and layer.HasEndTimeCode()):
        return None
    start, end = layer.startTimeCode, layer.endTimeCode
    return [start, end] if math.isfinite(start) and math.isfinite(end) and start < end else None


def _moved(window: list[float], offset: Any) -> list[float] | None:
    start, end = (offset * time for time in window)
    return [start, end] if math.isfinite(start) and math.isfinite(end) and start < end else None
