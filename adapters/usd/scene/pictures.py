"""The cameras and the shots of a scene; run in the child.

A shot is a prim with a camera in it that is of the kind `shot`, or an assembly or group that names
its asset, or what a layer with a frame range of its own brings in. A camera that a sublayer with a
range of its own defines is seen in that range (a sequence's shot layers).
"""

from __future__ import annotations

import math
from typing import Any

_GROUPS = ("assembly", "group")


def cameras_in(prims: list[Any]) -> list[Any]:
    """Return the cameras among prims."""
    from pxr import UsdGeom

    return [prim for prim in prims if prim.IsA(UsdGeom.Camera)]


def shots_of(cameras: list[Any]) -> list[tuple[Any, list[float] | None]]:
    """Return for each camera the outermost shot that it is in, and its window.

    The window is in the stage's time codes, the last one included. The prim is None where the
    camera is in no shot, the window where nothing says it.
    """
    known: dict[Any, tuple[bool, list[float] | None]] = {}
    return [_shot_of(camera, known) for camera in cameras]


def _shot_of(
    camera: Any, known: dict[Any, tuple[bool, list[float] | None]]
) -> tuple[Any, list[float] | None]:
    shot, window = None, None
    prim = camera.GetParent()
    while prim and not prim.IsPseudoRoot():
        path = prim.GetPath()
        if path not in known:
            brought = _brought_window(prim)
            known[path] = (brought is not None or _is_shot(prim), brought)
        is_shot, own = known[path]
        if is_shot:
            shot, window = prim, own
        prim = prim.GetParent()
    return shot, window if window is not None else _sublayer_window(camera)


def _is_shot(prim: Any) -> bool:
    from pxr import Usd

    kind = Usd.ModelAPI(prim).GetKind()
    info = prim.GetAssetInfo()
    named = bool(info and (info.get("name") or info.get("identifier")))
    return kind == "shot" or (kind in _GROUPS and named)


def _brought_window(prim: Any) -> list[float] | None:
    """Return the range of the layer that a reference or payload on the prim brings in."""
    from pxr import Usd

    if not (prim.HasAuthoredReferences() or prim.HasAuthoredPayloads()):
        return None
    query = Usd.PrimCompositionQuery.GetDirectReferences(prim)
    query.filter = _directly_brought()
    for arc in query.GetCompositionArcs():
        node = arc.GetTargetNode()
        window = _range_of(node.layerStack.identifier.rootLayer)
        if window:
            return _moved(window, node.mapToRoot.timeOffset)
    return None


def _directly_brought() -> Any:
    from pxr import Usd

    wanted = Usd.PrimCompositionQuery.Filter()
    wanted.arcTypeFilter = Usd.PrimCompositionQuery.ArcTypeFilter.ReferenceOrPayload
    wanted.dependencyTypeFilter = Usd.PrimCompositionQuery.DependencyTypeFilter.Direct
    return wanted


def _sublayer_window(camera: Any) -> list[float] | None:
    """Return the range of the sublayer that defines a camera, where it has one of its own."""
    from pxr import Sdf

    index = camera.GetPrimIndex()
    stack = index.rootNode.layerStack
    root = stack.identifier.rootLayer
    for layer in stack.layers:
        spec = layer.GetPrimAtPath(camera.GetPath())
        if spec is not None and spec.specifier == Sdf.SpecifierDef:
            window = None if layer == root else _range_of(layer)
            offset = camera.GetStage().GetEditTargetForLocalLayer(layer).GetMapFunction()
            return _moved(window, offset.timeOffset) if window else None
    return None


def _range_of(layer: Any) -> list[float] | None:
    if not (layer.HasStartTimeCode() and layer.HasEndTimeCode()):
        return None
    start, end = layer.startTimeCode, layer.endTimeCode
    return [start, end] if math.isfinite(start) and math.isfinite(end) and start < end else None


def _moved(window: list[float], offset: Any) -> list[float] | None:
    start, end = (offset * time for time in window)
    return [start, end] if math.isfinite(start) and math.isfinite(end) and start < end else None
