"""A written stage, asked what it shows, and compared with what the oracle says.

It finds prims by the order of children, as the contract gives it, and computes no name.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

from opentimelineio import core, schema
from usd_oracle import LENS, Camera, Cut, Frame, Shown, measured, open_scene, scene_code

CLOSE = 1e-4
BETWEEN_TURNS = 1e-3
"""Between frames, where a camera turns: its matrix is not linear and ours is."""
JUST = Fraction(1, 2**20)
TURNING = {"turning.usda"}
HELD = {"token", "bool", "string", "int", "asset"}
ITEMS = ("track", "clip", "gap", "transition", "stack")


class Played:
    """A stage and the timeline that it was made of."""

    def __init__(self, path: Path, timeline: schema.Timeline, load: bool = True) -> None:
        from pxr import Usd

        wanted = Usd.Stage.LoadAll if load else Usd.Stage.LoadNone
        self.stage = Usd.Stage.Open(str(path), wanted)
        root = self.stage.GetPrimAtPath("/Timeline/tracks")
        assert root, "there is no /Timeline/tracks"
        self.prims: dict[tuple[int, ...], Any] = {}
        self.pictures: dict[tuple[int, ...], Any] = {}
        self._walk(timeline.tracks, root, (), True)
        self.cut_camera = self.stage.GetPrimAtPath("/Timeline/CutCamera")

    def visible(self, time: float) -> list[tuple[int, ...]]:
        """Return the clips of the picture that are visible."""
        return [chain for chain, prim in self.pictures.items() if is_visible(prim, time)]

    def camera(self, time: float) -> Camera:
        """Return the cut camera as it is at a stage time."""
        return measured(self.cut_camera, time)

    def _walk(
        self, parent: core.Composition, prim: Any, chain: tuple[int, ...], picture: bool
    ) -> None:
        children = item_prims(prim)
        assert len(children) == len(parent), f"{prim.GetPath()}: {children}"
        for place, (item, child) in enumerate(zip(parent, children, strict=True)):
            here = (*chain, place)
            self.prims[here] = child
            seen = picture and getattr(item, "kind", "Video") == schema.TrackKind.Video
            if isinstance(item, schema.Clip) and seen:
                self.pictures[here] = child
            if isinstance(item, core.Composition):
                self._walk(item, child, here, seen)


def item_prims(prim: Any) -> list[Any]:
    """Return the children that are tracks or items, in their order."""
    return [c for c in prim.GetChildren() if c.GetName().partition("_")[0] in ITEMS]


def is_visible(prim: Any, time: float) -> bool:
    """Return whether a prim is seen at a stage time."""
    from pxr import UsdGeom

    return UsdGeom.Imageable(prim).ComputeVisibility(time) == UsdGeom.Tokens.inherited


def times_of(cut: Cut) -> list[Fraction]:
    """Return every frame and what lies between, and all about each edge."""
    first, last = math.floor(cut.start) - 1, math.ceil(cut.end) + 1
    found = set()
    for frame in range(first, last + 1):
        found |= {frame + part for part in (Fraction(0), Fraction(1, 4), Fraction(1, 2))}
    edges = cut.edges
    near = (-1, Fraction(-1, 2), Fraction(-1, 100), -JUST, 0, Fraction(1, 4), Fraction(1, 2), 1)
    found |= {edge + step for edge in edges for step in near}
    # Between an edge and the sample before it, a value may be on its way.
    return sorted(t for t in found if not any(0 < edge - t < JUST for edge in edges))


def problems(played: Played, cut: Cut) -> Iterator[str]:
    """Yield what a stage shows otherwise than the cut says, at all times that matter."""
    edges = set(cut.edges)
    for time in times_of(cut):
        found = cut.shown(time)
        yield from _wrong_clip(played, found, time)
        yield from _wrong_plate(played, cut, found, time)
        followed = cut.camera(time)
        if followed is None:
            yield from _wrong_rest(played, cut, found, time)
            continue
        scene = cut.scene(found.clip)
        exact = time.denominator == 1 or time in edges or time + JUST in edges
        limit = BETWEEN_TURNS if not exact and scene.name in TURNING else CLOSE
        looks = {"CutCamera": (played.cut_camera, limit)}
        own = media_prim(played.pictures[found.chain], scene, followed.path)
        looks["the shot's own camera"] = (own, CLOSE)
        for name, (prim, limit) in looks.items():
            if not prim:
                yield f"{float(time)}: {name} is not there"
                continue
            now = measured(prim, float(time))
            for line in camera_differs(now, followed, limit, _asks_held(found, time)):
                yield f"{float(time)}: {name}: {line}"
    yield from _wrong_contents(played, cut)


def _wrong_clip(played: Played, found: Shown | None, time: Fraction) -> Iterator[str]:
    visible = played.visible(float(time))
    expected = [] if found is None else [found.chain]
    if visible != expected:
        yield f"{float(time)}: visible are {visible}, expected {expected}"
    if found is not None:
        prim = played.pictures[found.chain]
        chosen = prim.GetVariantSets().GetVariantSelection("take")
        if chosen != found.take:
            yield f"{float(time)}: take {chosen!r} is chosen, expected {found.take!r}"


def _wrong_plate(played: Played, cut: Cut, found: Shown | None, time: Fraction) -> Iterator[str]:
    expected = cut.plate(time)
    looks = {"CutCamera": played.cut_camera}
    if expected is not None:
        looks["camera"] = played.pictures[found.chain].GetChild("camera")
    for name, prim in looks.items():
        shown = plate_of(prim, float(time))
        if not _is_picture(shown, expected):
            yield f"{float(time)}: {name} has plate {shown}, expected {expected}"


def plate_of(prim: Any, time: float) -> Path | None:
    """Return the picture that a camera has before it, if it is a file that is there."""
    if not prim:
        return None
    visibility = prim.GetAttribute("backPlate:plate:plateVisibility")
    image = prim.GetAttribute("backPlate:plate:image").Get(time)
    if "BackPlateAPI:plate" not in applied(prim) or not image or not image.path:
        return None
    if visibility and visibility.Get(time) == "mute":
        return None
    return Path(image.resolvedPath or f"unresolved:{image.path}")


def applied(prim: Any) -> list[str]:
    """Return the applied schemas, known to this USD or not."""
    listed = prim.GetMetadata("apiSchemas")
    return list(listed.GetAppliedItems()) if listed else []


def _is_picture(shown: Path | None, expected: Frame | None) -> bool:
    if expected is None or shown is None:
        return expected is None and shown is None
    if expected.number is None:
        return shown.is_file() and shown.samefile(expected.path)
    return (
        shown.is_file() and abs(grey_of(shown) - movie_greys(expected.path)[expected.number]) < 3
    )


@functools.cache
def grey_of(path: Path) -> float:
    """Return the mean grey of an image."""
    from PIL import Image, ImageStat

    with Image.open(path) as image:
        return ImageStat.Stat(image.convert("L")).mean[0]


@functools.cache
def movie_greys(path: Path) -> list[float]:
    """Return the mean grey of every frame of a movie, decoded from its start."""
    import av
    from PIL import ImageStat

    with av.open(str(path)) as container:
        frames = [f.to_image().convert("L") for f in container.decode(video=0)]
    return [ImageStat.Stat(frame).mean[0] for frame in frames]


def camera_differs(
    now: Camera, expected: Camera, limit: float, held: bool = True
) -> Iterator[str]:
    """Yield what of a camera differs. `held` values are looked at only if asked."""
    for number, (row, wanted) in enumerate(zip(now.matrix, expected.matrix, strict=True)):
        size = max(1.0, *map(abs, wanted))
        if max(abs(a - b) for a, b in zip(row, wanted, strict=True)) > limit * size:
            yield f"matrix row {number} is {row}, expected {wanted}"
    for name in LENS:
        if (name != "projection" or held) and not near(now.lens[name], expected.lens[name]):
            yield f"{name} is {now.lens[name]}, expected {expected.lens[name]}"


def near(value: Any, expected: Any, limit: float = CLOSE) -> bool:
    """Return whether two attribute values are the same, to a relative limit."""
    if isinstance(expected, (str, bool, int)) or expected is None:
        return value == expected
    if isinstance(expected, float):
        return value is not None and abs(value - expected) <= limit * max(1.0, abs(expected))
    if value is None or len(value) != len(expected):
        return False
    return all(near(a, b, limit) for a, b in zip(value, expected, strict=True))


def media_prim(clip_prim: Any, scene: Path, path: str) -> Any:
    """Return the prim in the clip's payload that stands for a prim of the scene.

    The payload is the scene's default prim. Without one it is the only root, or holds all roots.
    """
    stage = clip_prim.GetStage()
    media = clip_prim.GetPath().AppendChild("media")
    inside = path.strip("/").partition("/")[2]
    below = stage.GetPrimAtPath(media.AppendPath(inside) if inside else media)
    if open_scene(scene).GetDefaultPrim():
        return below
    whole = stage.GetPrimAtPath(media.AppendPath(path.strip("/")))
    return whole if whole else below


def _wrong_rest(played: Played, cut: Cut, found: Shown | None, time: Fraction) -> Iterator[str]:
    """Where no camera is followed the cut camera stays; before a plate it may be the plate's."""
    begin = max((edge for edge in cut.edges if edge <= time), default=None)
    wanted = [played.camera(float(time if begin is None else begin - JUST))]
    if cut.plate(time) is not None:
        own = played.pictures[found.chain].GetChild("camera")
        if own:
            wanted.append(measured(own, float(time)))
    now = played.camera(float(time))
    if all(list(camera_differs(now, rest, CLOSE)) for rest in wanted):
        lines = list(camera_differs(now, wanted[0], CLOSE))
        yield f"{float(time)}: CutCamera follows nothing and moves: {lines}"


def _wrong_contents(played: Played, cut: Cut) -> Iterator[str]:
    """Compare all that moves in the scenes with the scenes by themselves."""
    for time in times_of(cut):
        found = cut.shown(time)
        scene = None if found is None else cut.scene(found.clip)
        if scene is None:
            continue
        code = scene_code(scene, found.media)
        for path, name, held in moving_attributes(scene):
            if held and not _asks_held(found, time):
                continue
            expected = open_scene(scene).GetPrimAtPath(path).GetAttribute(name).Get(code)
            prim = media_prim(played.pictures[found.chain], scene, path)
            value = prim.GetAttribute(name).Get(float(time)) if prim else "no prim"
            if not near(value, expected):
                yield f"{float(time)}: {path}.{name} is {value}, expected {expected}"


@functools.cache
def moving_attributes(scene: Path) -> list[tuple[str, str, bool]]:
    """Return path, name and whether it is held, of all in the scene that may change."""
    from pxr import Usd

    return [
        (str(prim.GetPath()), attribute.GetName(), str(attribute.GetTypeName()) in HELD)
        for prim in Usd.PrimRange.Stage(open_scene(scene), Usd.TraverseInstanceProxies())
        for attribute in prim.GetAttributes()
        if attribute.GetNumTimeSamples() > 1
    ]


def _asks_held(found: Shown, time: Fraction) -> bool:
    """Say whether a held value is known. Backwards, pictures are those of frame starts, and when
    it changes between two of them is left open.
    """
    return found.speed >= 0 or time.denominator == 1
