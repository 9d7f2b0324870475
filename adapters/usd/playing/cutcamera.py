"""The one camera through which the cut is seen, with samples of what it follows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from castline.adapters.usd import layout
from castline.adapters.usd.playing import lens
from castline.adapters.usd.playing.anchor import anchored
from castline.adapters.usd.playing.look import CLOSE
from castline.adapters.usd.playing.plate import apply_plate

IDENTITY = [1.0, 0, 0, 0, 0, 1.0, 0, 0, 0, 0, 1.0, 0, 0, 0, 0, 1.0]

Samples = list[tuple[float, Any]]


@dataclass
class Follow:
    """What the camera has from one stretch of the cut: of a shot camera, or of a plate's."""

    start: float
    """The time code from which it is followed."""

    end: float
    """The time code at which it is not any more."""

    world: Samples = field(default_factory=list)
    numbers: Mapping[str, Samples] = field(default_factory=dict)
    steps: Mapping[str, Samples] = field(default_factory=dict)
    pictures: Sequence[tuple[float, Path]] = ()

    @classmethod
    def still(
        cls, start: float, end: float, numbers: Mapping[str, float], pictures: Any
    ) -> Follow:
        """Return what a camera gives that stands still and has a plate."""
        fixed = {name: [(start, value)] for name, value in numbers.items()}
        return cls(start, end, [(start, IDENTITY)], fixed, {}, pictures)


def author(parent: Any, follows: Sequence[Follow], folder: Path) -> None:
    """Author the camera below the cut's prim, from what it follows in the order of time."""
    from pxr import Gf, Sdf

    prim = Sdf.PrimSpec(parent, layout.CAMERA_NAME, Sdf.SpecifierDef, "Camera")
    types = {**lens.NUMBERS, **lens.STEPS}
    for name, kind in types.items():
        blended = name in lens.NUMBERS
        samples = _joined(follows, name, blended)
        if all(value == lens.FALLBACKS[name] for _, value in samples):
            continue
        _put(prim, name, kind, [(t, _typed(kind, v)) for t, v in samples])
    world = _joined(follows, None, True)
    if world:
        _put(prim, "xformOp:transform", "matrix4d", [(t, Gf.Matrix4d(*v)) for t, v in world])
        order = Sdf.AttributeSpec(
            prim, "xformOpOrder", Sdf.ValueTypeNames.TokenArray, Sdf.VariabilityUniform
        )
        order.default = ["xformOp:transform"]
    _author_plate(prim, follows, folder)


def _joined(follows: Sequence[Follow], name: str | None, blended: bool) -> Samples:
    """Return one attribute's samples over all stretches; None is the place in the world.

    What is blended is held up to the next stretch by one more sample right before it.
    """
    samples: Samples = []
    for follow in follows:
        own = _own(follow, name)
        if not own:
            continue
        if blended and samples and samples[-1][0] < follow.start - CLOSE:
            samples.append((follow.start - CLOSE, samples[-1][1]))
        samples.extend(own)
    return _thinned(samples)


def _own(follow: Follow, name: str | None) -> Samples:
    if name is None:
        return follow.world
    found = follow.numbers.get(name) or follow.steps.get(name)
    return list(found or [(follow.start, lens.FALLBACKS[name])])


def _thinned(samples: Samples) -> Samples:
    """Leave out samples between two of the same value."""
    kept: Samples = []
    for place, (time, value) in enumerate(samples):
        following = samples[place + 1][1] if place + 1 < len(samples) else value
        if kept and kept[-1][1] == value == following:
            continue
        kept.append((time, value))
    return kept


def _put(prim: Any, name: str, kind: str, samples: Samples) -> None:
    from pxr import Sdf

    spec = Sdf.AttributeSpec(prim, name, Sdf.ValueTypeNames.Find(kind))
    if len({str(value) for _, value in samples}) == 1:
        spec.default = samples[0][1]
        return
    for time, value in samples:
        prim.layer.SetTimeSample(spec.path, time, value)


def _typed(kind: str, value: Any) -> Any:
    from pxr import Gf, Vt

    if kind == "float2":
        return Gf.Vec2f(*value)
    if kind == "float4[]":
        return Vt.Vec4fArray([Gf.Vec4f(*plane) for plane in value])
    return value


def _author_plate(prim: Any, follows: Sequence[Follow], folder: Path) -> None:
    """Give the camera the plates of the stretches that have any, mute in all others."""
    if not any(follow.pictures for follow in follows):
        return
    pictures = [(time, anchored(path, folder)) for f in follows for time, path in f.pictures]
    apply_plate(prim, pictures)
    muted: Samples = [(follows[0].start - 1, "mute")]
    for follow in follows:
        muted.append((follow.start, "solo" if follow.pictures else "mute"))
        muted.append((follow.end, "mute"))
    _put(prim, f"backPlate:{layout.PLATE}:plateVisibility", "token", _steps(muted))


def _steps(samples: Samples) -> Samples:
    """Keep the last sample at each time, and only those that change something."""
    kept: Samples = []
    for time, value in dict(samples).items():
        if not kept or kept[-1][1] != value:
            kept.append((time, value))
    return kept
