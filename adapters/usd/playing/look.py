"""Looking into a clip's scene: its cameras, and its values at the times of the cut.

Scenes come from anybody, so these functions run in a child process, and take and give plain
data. A stretch is `(start, end, media, speed)`: at stage time t of start <= t < end the scene's
time code media + speed * (t - start) is shown.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from castline.adapters.usd import guard, layout
from castline.adapters.usd.playing import lens
from castline.schemas.errors import UnreadableFileError
from castline.schemas.exact import MIN_RATE

Stretch = Sequence[float]
_Sample = tuple[float, list[float]]

CLOSE = 2.0**-20
"""Frames before a cut at which the picture before it has its last sample."""

MAX_PRIMS = 500_000
MAX_SAMPLES = 200_000
_TOLERANCE = 1e-5
_FINEST = 1 / 32  # of a frame; a camera that turns faster than that allows is a broken one


def survey(path: str) -> dict[str, Any]:
    """Return what a cut has to know of a scene.

    `roots` are the prims to bring in: the default prim, else every root prim. `cameras` are the
    paths of all cameras below them, or anywhere where there are none below, in the scene's order.
    """
    from pxr import UsdGeom

    stage = _open(path)
    default = stage.GetDefaultPrim()
    roots = [p for p in stage.GetPseudoRoot().GetChildren() if p.IsDefined()]
    if default:
        roots = [default]
    if not roots:
        raise UnreadableFileError(f"{path}: found no prim, expected a scene")
    inside = tuple(str(root.GetPath()) for root in roots)
    cameras = []
    for number, prim in enumerate(stage.Traverse()):
        if number > MAX_PRIMS:
            raise UnreadableFileError(f"{path}: found more than {MAX_PRIMS} prims")
        if prim.IsA(UsdGeom.Camera):
            cameras.append(str(prim.GetPath()))
    own = [f"{root}/{layout.CAMERA_NAME}" for root in inside]
    cameras.sort(key=lambda camera: camera not in own)  # a scene that is a cut of ours
    below = [c for c in cameras if any(c == r or c.startswith(f"{r}/") for r in inside)]
    return {
        "roots": list(inside),
        "default": bool(default),
        "cameras": below or cameras,
        "rate": stage.GetTimeCodesPerSecond(),
        "up_axis": str(UsdGeom.GetStageUpAxis(stage)),
        "meters_per_unit": _finite([UsdGeom.GetStageMetersPerUnit(stage)], path)[0],
    }


def film(path: str, camera: str, stretches: Sequence[Stretch]) -> dict[str, Any]:
    """Return a camera's samples over stretches of the cut.

    `world` holds `[t, 16 numbers]`, `numbers` by name `[t, value or list]`, `steps` by name
    `[t, value]`. Between two samples of `world` and `numbers` the camera is on the straight line
    to within a hundred-thousandth.
    """
    from pxr import Gf, Usd, UsdGeom

    stage = _open(path)
    prim = stage.GetPrimAtPath(camera)
    if not prim or not prim.IsA(UsdGeom.Camera):
        raise UnreadableFileError(f"{path}: found no camera {camera}")
    imageable = UsdGeom.Imageable(prim)
    numbers = {n: a for n in lens.NUMBERS if (a := prim.GetAttribute(n))}
    steps = {n: a for n in lens.STEPS if (a := prim.GetAttribute(n))}

    def look(code: float) -> list[float]:
        time = Usd.TimeCode(code)
        matrix = imageable.ComputeLocalToWorldTransform(time)
        found = [matrix[row][column] for row in range(4) for column in range(4)]
        for attribute in numbers.values():
            value = attribute.Get(time)
            found.extend(value if isinstance(value, Gf.Vec2f) else [value])
        return _finite(found, f"{path}: {camera} at {code:g}")

    moving = _moving_times(prim, [*numbers.values(), *steps.values()])
    world: list[Any] = []
    lenses: dict[str, list[Any]] = {name: [] for name in numbers}
    held: dict[str, list[Any]] = {name: [] for name in steps}
    for stretch in stretches:
        knots = _knots(stretch, moving)
        _require_few(len(world) + len(knots), path)
        for time, values in _refined(stretch, knots, look):
            world.append([time, values[:16]])
            _require_few(len(world), path)
            place = 16
            for name in numbers:
                width = 2 if lens.NUMBERS[name].endswith("2") else 1
                part = values[place : place + width]
                lenses[name].append([time, part if width > 1 else part[0]])
                place += width
        for name, attribute in steps.items():
            spot = f"{path}: {camera}.{name}"
            held[name] += [[t, _plain(v, spot)] for t, v in _held(stretch, attribute, moving)]
    return {"world": world, "numbers": lenses, "steps": held}


def _require_few(count: int, path: str) -> None:
    if count > MAX_SAMPLES:
        raise UnreadableFileError(f"{path}: found more than {MAX_SAMPLES} camera samples")


def retime(path: str, roots: Sequence[str], stretches: Sequence[Stretch]) -> str:
    """Return USD text with everything of a scene that moves, moved to the times of the cut.

    The text holds an `over` for each root, `/r0`, `/r1` and so on, with what lies below it.
    """
    from pxr import Sdf, Usd

    stage = _open(path)
    layer = Sdf.Layer.CreateAnonymous(".usda")
    written = 0
    for number, root in enumerate(roots):
        top = stage.GetPrimAtPath(root)
        target = Sdf.CreatePrimInLayer(layer, f"/r{number}")
        target.specifier = Sdf.SpecifierOver
        for prim in Usd.PrimRange(top, Usd.TraverseInstanceProxies()):
            for attribute in prim.GetAuthoredAttributes():
                if not attribute.ValueMightBeTimeVarying():
                    continue
                samples = dict(_moved(stretches, attribute))
                written += len(samples)
                if written > MAX_SAMPLES * 10:
                    raise UnreadableFileError(f"{path}: found too many samples to write again")
                spec_path = prim.GetPath().ReplacePrefix(top.GetPath(), target.path)
                owner = Sdf.CreatePrimInLayer(layer, spec_path)
                _open_instances(layer, prim, top, target.path)
                spec = Sdf.AttributeSpec(
                    owner, attribute.GetName(), attribute.GetTypeName(), Sdf.VariabilityVarying
                )
                for time, value in samples.items():
                    layer.SetTimeSample(spec.path, time, value)
    return str(layer.ExportToString())


def _open_instances(layer: Any, prim: Any, top: Any, target: Any) -> None:
    """Make the instances that a prim lies in ordinary prims: opinions do not reach into those."""
    while prim and prim.IsInstanceProxy():
        prim = prim.GetParent()
        if prim.IsInstance():
            path = prim.GetPath().ReplacePrefix(top.GetPath(), target)
            layer.GetPrimAtPath(path).instanceable = False


@lru_cache(maxsize=1)
def _open(path: str) -> Any:
    """Open a scene whole; asked of one scene after another, it is opened once."""
    from pxr import Usd

    guard.check_scene(Path(path))
    with guard.reading(path):
        stage = Usd.Stage.Open(path)
    if stage is None:
        raise UnreadableFileError(f"{path}: found damaged USD")
    rate = stage.GetTimeCodesPerSecond()
    if not math.isfinite(rate) or rate < MIN_RATE:
        raise UnreadableFileError(f"{path}: found {rate} time codes a second, expected above 0")
    return stage


def _moving_times(prim: Any, attributes: Iterable[Any]) -> list[float]:
    """Return the time codes at which the camera, or what carries it, has samples."""
    from pxr import UsdGeom

    times: set[float] = set()
    for attribute in attributes:
        times.update(attribute.GetTimeSamples())
    while prim and not prim.IsPseudoRoot():
        xformable = UsdGeom.Xformable(prim)
        if xformable:
            times.update(xformable.GetTimeSamples())
            if xformable.GetResetXformStack():
                break
        prim = prim.GetParent()
    return sorted(times)


def _knots(stretch: Stretch, moving: Sequence[float]) -> list[tuple[float, float]]:
    """Return a stretch's ends and the samples between, in order: stage time and time code.

    A sample's own time code is kept as it is: worked out again, it might miss by a hair, and what
    is held would be the value before.
    """
    start, end, media, speed = stretch
    last = end - CLOSE
    if not speed:
        return [(start, media)]
    inside = [(start + (code - media) / speed, code) for code in moving]
    between = sorted((t, code) for t, code in inside if start < t < last)
    return [(start, media), *between, (last, _code(stretch, last))]


def _code(stretch: Stretch, time: float) -> float:
    start, _, media, speed = stretch
    return media + speed * (time - start)


def _refined(
    stretch: Stretch, knots: Sequence[tuple[float, float]], look: Callable[[float], list[float]]
) -> Iterator[tuple[float, list[float]]]:
    """Yield samples such that straight lines between them are close to the truth."""
    first = (knots[0][0], look(knots[0][1]))
    yield first
    for knot, code in knots[1:]:
        waiting = [(knot, look(code))]
        while waiting:
            last = waiting[-1]
            middle = _middle(first[0], last[0])
            probes = [first[0] + (last[0] - first[0]) * share for share in (0.25, 0.5, 0.75)]
            if last[0] - first[0] > _FINEST and not all(
                _is_between(first, last, probe, look(_code(stretch, probe))) for probe in probes
            ):
                waiting.append((middle, look(_code(stretch, middle))))
                continue
            yield last
            first = waiting.pop()


def _middle(start: float, end: float) -> float:
    """Return a time about halfway, on a whole frame where there is one between."""
    middle = (start + end) / 2
    frame = float(round(middle))
    return frame if start < frame < end else middle


def _is_between(
    first: tuple[float, list[float]],
    last: tuple[float, list[float]],
    time: float,
    true: list[float],
) -> bool:
    share = (time - first[0]) / (last[0] - first[0])
    return all(
        abs(a + (b - a) * share - c) <= _TOLERANCE * max(1.0, abs(c))
        for a, b, c in zip(first[1], last[1], true, strict=True)
    )


def _moved(stretches: Sequence[Stretch], attribute: Any) -> Iterator[tuple[float, Any]]:
    """Yield the samples of an attribute of a scene over stretches of the cut."""
    from pxr import Usd

    smooth = _is_smooth(str(attribute.GetTypeName()))
    times = attribute.GetTimeSamples()
    for stretch in stretches:
        if not smooth:
            yield from _held(stretch, attribute, times)
            continue
        for time, code in _knots(stretch, times):
            value = attribute.Get(Usd.TimeCode(code))
            if value is not None:
                yield time, value


def _held(
    stretch: Stretch, attribute: Any, moving: Sequence[float]
) -> Iterator[tuple[float, Any]]:
    """Yield the samples of what is held: run backwards, a value ends just after its own sample."""
    from pxr import Usd

    start, end, _, speed = stretch
    last = None
    for knot, code in _knots(stretch, moving):
        looks = [(knot, code)]
        if speed < 0 and (after := knot + CLOSE) < end - CLOSE:
            looks.append((after, _code(stretch, after)))
        for time, at in looks:
            value = attribute.Get(Usd.TimeCode(at))
            if value is not None and (value != last or time == start):
                yield time, value
                last = value


def _is_smooth(kind: str) -> bool:
    smooth = ("float", "double", "half", "matrix", "quat", "point", "vector", "normal", "color")
    return kind.startswith((*smooth, "texCoord", "frame"))


def _plain(value: Any, place: str) -> Any:
    if isinstance(value, (str, bool)):
        return value
    if isinstance(value, (int, float)):
        return _finite([value], place)[0]
    return [_finite(row, place) for row in value]


def _finite(numbers: Iterable[Any], place: str) -> list[float]:
    """Return numbers as floats; raises `UnreadableFileError` for one that is none."""
    found = [float(number) for number in numbers]
    if not all(map(math.isfinite, found)):
        raise UnreadableFileError(f"{place}: found a value that is no number")
    return found
