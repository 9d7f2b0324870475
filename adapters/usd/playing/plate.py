"""Pictures behind a camera: the plate of a clip whose media is images."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from math import ceil, floor
from pathlib import Path
from typing import Any

from castline.adapters.usd import layout
from castline.adapters.usd.playing.anchor import anchored
from castline.adapters.usd.playing.clock import Clock
from castline.adapters.usd.playing.media import Plate
from castline.adapters.usd.playing.specs import apply, plain_path
from castline.schemas.timemap import TimeMap

CAMERA = "camera"
FOCAL_LENGTH = 50.0  # UsdGeomCamera's own fallbacks, said aloud for programs with others
APERTURE = 20.955


def author_plate(
    owner: Any, pictures: Sequence[tuple[float, Path]], size: tuple[int, int] | None, folder: Path
) -> None:
    """Author a camera with a plate of pictures, each from its time code on."""
    from pxr import Sdf

    camera = Sdf.PrimSpec(owner, CAMERA, Sdf.SpecifierDef, "Camera")
    apply_plate(camera, [(time, anchored(path, folder)) for time, path in pictures])
    for name, value in lens_of(size).items():
        Sdf.AttributeSpec(camera, name, Sdf.ValueTypeNames.Float).default = value
    rel = Sdf.RelationshipSpec(owner, layout.SHOT_CAMERA, False, Sdf.VariabilityUniform)
    rel.targetPathList.Prepend(plain_path(owner).AppendChild(CAMERA))


def lens_of(size: tuple[int, int] | None) -> dict[str, float]:
    """Return the lens of a plate's camera: that fits a picture of this width and height."""
    numbers = {"focalLength": FOCAL_LENGTH, "horizontalAperture": APERTURE}
    if size:
        numbers["verticalAperture"] = APERTURE * size[1] / size[0]
    return numbers


def apply_plate(
    camera: Any, pictures: Sequence[tuple[float, str]], instance: str = layout.PLATE
) -> None:
    """Put a plate on a camera: an asset path from each time code on."""
    from pxr import Sdf

    apply(camera, f"BackPlateAPI:{instance}")
    name = f"backPlate:{instance}:image"
    spec = Sdf.AttributeSpec(camera, name, Sdf.ValueTypeNames.Asset)
    last = None
    for time, path in pictures:
        if path != last:
            camera.layer.SetTimeSample(spec.path, time, Sdf.AssetPath(path))
            last = path


def pictures_of(
    plate: Plate, time_map: TimeMap, clock: Clock
) -> tuple[list[tuple[float, Path]], int]:
    """Return a plate's pictures by the time code each begins at, and how many are not there."""
    found: list[tuple[float, Path]] = []
    missing = 0
    for cut_time, media_time in _looks(time_map):
        picture, is_there = plate.picture(media_time)
        missing += not is_there
        if not found or found[-1][1] != picture:
            found.append((clock.code(cut_time), picture))
    return found, missing


def _looks(time_map: TimeMap) -> Iterator[tuple[Fraction, Fraction]]:
    """Yield when a frame begins, or a piece between two, and the media time that is shown."""
    rate, media_rate = time_map.cut_rate, time_map.media_rate
    for piece in time_map.pieces:
        frames = range(floor(piece.start * rate) + 1, ceil(piece.end * rate))
        for cut_time in (piece.start, *(frame / rate for frame in frames)):
            yield cut_time, floor(piece.shown(cut_time) * media_rate) / media_rate
