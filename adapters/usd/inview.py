"""Where the characters of a scene are in a camera's picture, frame by frame.

Run in `sandbox`'s child, since scenes are other people's. A character is a prim that is labelled
as one (`semantics:labels:character`, UsdSemantics); in a scene without such labels, a SkelRoot.
Their bounds are USD's own (UsdGeomBBoxCache), seen through the camera as its aperture and the
picture's width have it.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

from castline.adapters.usd import library, sandbox
from castline.schemas.errors import InvalidValueError, NeedsPersonError, UnreadableFileError

LABEL = "semantics:labels:character"
MAX_FRAMES = 100_000
SECONDS = 120.0
"""Of CPU time, at most, for one scene."""
_NEAREST = 1e-6  # scene units before the camera
_ROUND = 1e-6  # pixels; what is so near to an edge lies on it


def boxes_in_view(scene: Path, camera: str | None, size: tuple[int, int]) -> dict[str, Any]:
    """Return `frames`: for each frame of the scene, from 0, the boxes of those who are in view.

    A box is left, top, right and bottom in pixels of a picture of this `size`, the last ones
    included; `characters` names whose they may be, by prim. Without a `camera` the only one is
    taken. Raises `UnreadableFileError` for what is no sound scene, `InvalidValueError` where there
    is no such camera or no character, and `NeedsPersonError` where there are several cameras.
    """
    library.look_for()
    arguments = [str(scene), camera, *size]
    function = f"{__name__}:look"
    found = sandbox.run(function, arguments, seconds=SECONDS, place=str(scene))
    if not isinstance(found, dict) or not found.keys() >= {"frames", "characters"}:
        raise UnreadableFileError(f"{scene}: found damage that confuses USD")
    return found


def look(path: str, camera: str | None, width: int, height: int) -> dict[str, Any]:
    """Do it, in the child."""
    from pxr import Tf, Usd, UsdGeom

    try:
        stage = Usd.Stage.Open(path)
    except Tf.ErrorException as error:
        reason = " ".join(str(error).split())[:300]
        raise UnreadableFileError(f"{path}: found no scene: {reason}") from None
    view = _camera(stage, path, camera)
    people = _characters(stage)
    if not people:
        raise InvalidValueError(f"{path}: found no character, expected prims labelled "
                                f"{LABEL}, or a SkelRoot")  # fmt: skip
    start, end = stage.GetStartTimeCode(), stage.GetEndTimeCode()
    step = stage.GetTimeCodesPerSecond() / (stage.GetFramesPerSecond() or 24.0)
    count = int((end - start) / step) + 1 if step > 0 and end >= start else 0
    if not 0 < count <= MAX_FRAMES:
        raise InvalidValueError(f"{path}: found {count} frames, expected 1 to {MAX_FRAMES}")
    bounds = UsdGeom.BBoxCache(
        Usd.TimeCode(start), [UsdGeom.Tokens.default_, UsdGeom.Tokens.render], useExtentsHint=True
    )
    frames = {}
    for number in range(count):
        time = Usd.TimeCode(start + number * step)
        bounds.SetTime(time)
        frames[str(number)] = [
            box
            for prim in people
            if (box := _seen(bounds.ComputeWorldBound(prim), view, time, (width, height)))
        ]
    return {"frames": frames, "characters": [str(prim.GetPath()) for prim in people]}


def _camera(stage: Any, path: str, wanted: str | None) -> Any:
    from pxr import Sdf, UsdGeom

    if wanted is not None:
        prim = stage.GetPrimAtPath(wanted) if Sdf.Path.IsValidPathString(wanted) else None
        if not prim or not prim.IsA(UsdGeom.Camera):
            raise InvalidValueError(f"{path}: found no camera {wanted}")
        return UsdGeom.Camera(prim)
    found = [prim for prim in stage.Traverse() if prim.IsA(UsdGeom.Camera)]
    if len(found) != 1:
        names = ", ".join(str(prim.GetPath()) for prim in found[:8]) or "none"
        kind = NeedsPersonError if found else InvalidValueError
        raise kind(f"{path}: --camera: found {len(found)} cameras, expected one named: {names}")
    return UsdGeom.Camera(found[0])


def _characters(stage: Any) -> list[Any]:
    """Return the prims that are characters, in the order of the stage."""
    labelled, skeletons = [], []
    for prim in stage.Traverse():
        if prim.HasAttribute(LABEL) and prim.GetAttribute(LABEL).HasAuthoredValue():
            labelled.append(prim)
        if prim.GetTypeName() == "SkelRoot":
            skeletons.append(prim)
    return labelled or skeletons


def _seen(bound: Any, camera: Any, time: Any, size: tuple[int, int]) -> list[int] | None:
    """Return the pixels that a bound covers, None where it is not in view."""
    width, height = size
    if bound.GetRange().IsEmpty():
        return None
    lens = camera.GetCamera(time)
    lens.verticalAperture = lens.horizontalAperture * height / width
    frustum = lens.frustum
    to_camera, to_picture = frustum.ComputeViewMatrix(), frustum.ComputeProjectionMatrix()
    points = [to_picture.Transform(point) for point in _before(_corners(bound), to_camera)]
    if not points:
        return None
    across = [(point[0] + 1) / 2 * width for point in points]
    down = [(1 - point[1]) / 2 * height for point in points]
    left, right = max(min(across), 0), min(max(across), width)
    top, bottom = max(min(down), 0), min(max(down), height)
    if right - left < 1 or bottom - top < 1:
        return None
    edges = (left + _ROUND, top + _ROUND, right - _ROUND, bottom - _ROUND)
    return [int(edge) for edge in edges]


def _corners(bound: Any) -> list[Any]:
    matrix, box = bound.GetMatrix(), bound.GetRange()
    return [matrix.Transform(box.GetCorner(number)) for number in range(8)]


def _before(corners: list[Any], to_camera: Any) -> Iterator[Any]:
    """Yield what of a box lies before the camera: corners, and where its edges come through."""
    seen = [to_camera.Transform(corner) for corner in corners]
    yield from (point for point in seen if point[2] < -_NEAREST)
    for one, other in combinations(range(8), 2):
        if (one ^ other).bit_count() != 1:  # corners of an edge differ in one direction
            continue
        a, b = seen[one], seen[other]
        if (a[2] < -_NEAREST) != (b[2] < -_NEAREST):
            yield a + (b - a) * ((-_NEAREST - a[2]) / (b[2] - a[2]))
