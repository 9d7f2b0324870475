"""Where the characters of a scene are in a camera's picture, frame by frame.

Run in `sandbox`'s child, since scenes are other people's. Who is a character is told as for the
cut of a scene (`scene.people`). Their bounds are USD's own (UsdGeomBBoxCache), seen through the
camera as its aperture and the picture's width have it.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

from castline.adapters.usd import layout, library, sandbox
from castline.adapters.usd.scene.clock import clock_of
from castline.adapters.usd.scene.opening import open_scene
from castline.adapters.usd.scene.people import characters_in
from castline.adapters.usd.scene.pictures import cameras_in
from castline.adapters.usd.scene.survey import prims_of, time_of
from castline.schemas.errors import InvalidValueError, NeedsPersonError, UnreadableFileError

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
    from pxr import Usd, UsdGeom

    stage = open_scene(path, [], payloads=True)
    prims = prims_of(stage, path)
    view = UsdGeom.Camera(_camera(prims, path, camera))
    people = [prim for prim, _ in characters_in(prims)]
    if not people:
        raise InvalidValueError(f"{path}: found no character, expected prims labelled "
                                f"{layout.LABELS}, or a SkelRoot")  # fmt: skip
    start, end = stage.GetStartTimeCode(), stage.GetEndTimeCode()
    step = float(clock_of(time_of(stage, prims), [], []).step)
    count = int((end - start) / step) + 1 if end >= start else 0
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


def _camera(prims: list[Any], path: str, wanted: str | None) -> Any:
    """Return the camera of this path, or the only one."""
    cameras = {str(camera.GetPath()): camera for camera in cameras_in(prims)}
    if wanted is not None:
        if wanted not in cameras:
            raise InvalidValueError(f"{path}: found no camera {wanted}")
        return cameras[wanted]
    if len(cameras) != 1:
        found = f"found {len(cameras)} cameras, expected one named"
        kind = NeedsPersonError if cameras else InvalidValueError
        raise kind(f"{path}: --camera: {found}: {', '.join(list(cameras)[:8]) or 'none'}")
    return next(iter(cameras.values()))


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
