"""Scenes, pictures and sound for cuts that play, made when a test runs.

Every frame of an animated scene is told apart from every other by where its camera stands.
Keys lie unevenly, some of them on odd frames, so that a retime puts them between frames of a cut.
"""

from __future__ import annotations

import wave
from pathlib import Path
from typing import Any

FIRST, LAST = 1001, 1100
NTSC = 24000 / 1001
IMAGES = 12
MOVIE_FRAMES = 24
SOUND_RATE = 48000


def make_all(folder: Path) -> Path:
    """Write one of each into a folder and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    static(folder / "static.usda")
    bare(folder / "bare.usda")
    moving(folder / "moving.usda")
    moving(folder / "my shot é.usdc")
    moving(folder / "fast.usda", rate=48, codes=2)
    moving(folder / "ntsc.usda", rate=NTSC, held=False)
    moving(folder / "z_up.usda", up="Z", meters=1.0)
    turning(folder / "turning.usda")
    two_cameras(folder / "two_cameras.usda")
    no_default(folder / "one_root.usda", cameras="/World/Cam")
    no_default(folder / "two_roots.usda", cameras="/Cameras/Cam")
    no_camera(folder / "no_camera.usda")
    layered(folder / "layered")
    instanced(folder / "instanced.usda")
    images(folder / "plates", "sh.", range(1001, 1001 + IMAGES))
    images(folder / "holes", "sh.", (1001, 1002, 1005, 1006, 1009))
    images(folder / "twos", "sh.", range(1, 2 * IMAGES, 2))
    images(folder, "still_", (7,))
    sound(folder / "sound.wav", 8)
    movie(folder / "movie.mp4")
    return folder


# Scenes


def static(path: Path) -> Path:
    """A camera that stands still below a parent that stands still; a single sample of focus."""
    stage = _stage(path)
    _xform(stage, "/World/Rig", translate=(1, 2, 3), rotate=(0, 30, 0))
    lens = {
        "focalLength": 35.0,
        "horizontalAperture": 36.0,
        "verticalAperture": 24.0,
        "horizontalApertureOffset": 1.5,
        "verticalApertureOffset": -0.5,
        "clippingRange": (0.1, 500.0),
        "clippingPlanes": [(0.0, 0.0, 1.0, 4.0)],
        "shutter:open": -0.25,
        "shutter:close": 0.25,
        "exposure:iso": 800.0,
        "exposure:time": 0.02,
        "exposure:responsivity": 0.9,
        "focusDistance": {1001: 12.5},
    }
    _camera(stage, "/World/Rig/Cam", lens, translate=(0, 0, 10), rotate=(-10, 0, 0))
    return _save(stage)


def bare(path: Path) -> Path:
    """A camera that says nothing at all: what it has are the schema's fallbacks."""
    stage = _stage(path)
    _camera(stage, "/World/Cam", {})
    return _save(stage)


def moving(
    path: Path,
    rate: float = 24,
    codes: int = 1,
    held: bool = True,
    up: str = "Y",
    meters: float = 0.01,
) -> Path:
    """A camera that moves, below parents that move, with a lens that moves, before a ball.

    All of it is linear between keys. `codes` is how many time codes a frame has.
    """
    stage = _stage(path, rate, up, meters, codes)

    def at(keys: dict[float, Any]) -> dict[float, Any]:
        return {frame * codes: value for frame, value in keys.items()}

    rig = {1001: (0, 0, 0), 1012: (11, 1, 0), 1013: (14, 1, -3), 1051: (60, -40, 8)}
    _xform(stage, "/World/Rig", at({**rig, 1100: (109, 9, 0)}), (0, 40, 0), (2, 2, 2))
    lens = {
        "focalLength": at({1001: 20.0, 1021: 40.0, 1022: 50.0, 1100: 128.0}),
        "horizontalAperture": at({1001: 20.0, 1100: 119.0}),
        "verticalAperture": 12.0,
        "focusDistance": at({1001: 1.0, 1015: 29.0, 1100: 5.0}),
        "fStop": at({1001: 2.8, 1100: 22.0}),
        "exposure": at({1031: -1.0, 1041: 1.0}),
        "exposure:fStop": at({1001: 1.0, 1100: 4.0}),
        "clippingRange": at({1001: (0.1, 1000.0), 1100: (1.0, 2000.0)}),
    }
    if held:
        lens["projection"] = at({1001: "perspective", 1019: "orthographic", 1024: "perspective"})
    cam = {1001: (0, 0, 10), 1008: (7, 0, 10), 1009: (9, 4, 10), 1100: (100, 4, -20)}
    _camera(stage, "/World/Rig/Cam", lens, at(cam))
    _ball(stage, "/World/Ball", at, held)
    return _save(stage)


def turning(path: Path) -> Path:
    """A camera on an arm that turns by two degrees a frame; its matrix is not linear."""
    from pxr import UsdGeom

    stage = _stage(path)
    arm = _xform(stage, "/World/Arm", translate=(0, 1, 0))
    turn = UsdGeom.Xformable(arm).AddRotateYOp(opSuffix="turn")
    turn.Set(0.0, FIRST)
    turn.Set(198.0, LAST)
    _camera(stage, "/World/Arm/Cam", {"focalLength": 28.0}, (0, 0, 10), (-15, 0, 0))
    return _save(stage)


def two_cameras(path: Path) -> Path:
    """Left, which is first, moves along x; Right moves along y."""
    stage = _stage(path)
    for place, name in enumerate(("Left", "Right")):
        ends = ((0, 0, 5), ((99, 0, 5), (0, 99, 5))[place])
        lens = {"focalLength": 30.0 + 40 * place}
        _camera(stage, f"/World/{name}", lens, dict(zip((FIRST, LAST), ends, strict=True)))
    return _save(stage)


def no_default(path: Path, cameras: str) -> Path:
    """No default prim; the camera is in the only root, or in a second one."""
    stage = _stage(path)
    stage.ClearDefaultPrim()
    _camera(stage, cameras, {"focalLength": 77.0}, {FIRST: (0, 0, 0), LAST: (0, 0, 99)})
    _ball(stage, "/World/Ball", dict)
    return _save(stage)


def no_camera(path: Path) -> Path:
    """A ball and nobody who looks at it."""
    stage = _stage(path)
    _ball(stage, "/World/Ball", dict)
    return _save(stage)


def layered(folder: Path) -> Path:
    """A shot as departments make it: sublayers, the camera in a file of its own, a slow prop."""
    from pxr import Sdf

    folder.mkdir()
    moving(folder / "camera_file.usda")
    moving(folder / "prop.usda", rate=48, codes=2)
    layout = _stage(folder / "layout.usda")
    _xform(layout, "/World/Shot")
    camera = layout.DefinePrim("/World/Shot/Camera")
    camera.GetReferences().AddReference("./camera_file.usda", "/World/Rig")
    prop = layout.DefinePrim("/World/Prop")
    prop.GetReferences().AddReference("./prop.usda", "/World/Ball", Sdf.LayerOffset(-990, 2))
    _save(layout)
    anim = _stage(folder / "anim.usda")
    for frame, place in ((1001, (0, 0, 0)), (1006, (0, 10, 0)), (1100, (94, 10, 0))):
        _move(anim.OverridePrim("/World/Shot"), place, frame)
    _save(anim)
    root = _stage(folder / "shot.usda")
    root.GetRootLayer().subLayerPaths = ["./anim.usda", "./layout.usda"]
    return _save(root)


def instanced(path: Path) -> Path:
    """Two balls that are instances of one."""
    stage = _stage(path)
    _camera(stage, "/World/Cam", {}, {FIRST: (0, 0, 0), LAST: (99, 0, 0)})
    stage.CreateClassPrim("/BallClass")
    _ball(stage, "/BallClass/Ball", dict)
    for name in ("One", "Two"):
        prim = _xform(stage, f"/World/{name}")
        prim.GetReferences().AddInternalReference("/BallClass")
        prim.SetInstanceable(True)
    return _save(stage)


def _stage(
    path: Path, rate: float = 24, up: str = "Y", meters: float = 0.01, codes: int = 1
) -> Any:
    from pxr import Usd, UsdGeom

    stage = Usd.Stage.CreateNew(str(path))
    stage.SetTimeCodesPerSecond(rate)
    stage.SetFramesPerSecond(rate)
    stage.SetStartTimeCode(FIRST * codes)
    stage.SetEndTimeCode(LAST * codes)
    UsdGeom.SetStageUpAxis(stage, up)
    UsdGeom.SetStageMetersPerUnit(stage, meters)
    stage.SetDefaultPrim(UsdGeom.Xform.Define(stage, "/World").GetPrim())
    return stage


def _save(stage: Any) -> Path:
    stage.GetRootLayer().Save()
    return Path(stage.GetRootLayer().realPath)


def _xform(stage: Any, name: str, translate: Any = None, rotate: Any = None, scale: Any = None):
    from pxr import UsdGeom

    xform = UsdGeom.Xform.Define(stage, name)
    _place(xform, translate, rotate, scale)
    return xform.GetPrim()


def _camera(
    stage: Any, name: str, lens: dict[str, Any], translate: Any = None, rotate: Any = None
) -> None:
    from pxr import UsdGeom

    UsdGeom.Xform.Define(stage, name.rpartition("/")[0])
    camera = UsdGeom.Camera.Define(stage, name)
    _place(camera, translate, rotate, None)
    for key, value in lens.items():
        _set(camera.GetPrim().GetAttribute(key), value)


def _ball(stage: Any, name: str, at: Any, held: bool = True) -> None:
    """Something that moves, changes its shape, comes and goes, and has a switch."""
    from pxr import Sdf, UsdGeom

    ball = _xform(stage, name, at({1001: (0, 0, 0), 1011: (10, 0, 0), 1100: (99, 9, 0)}))
    mesh = UsdGeom.Mesh.Define(stage, f"{name}/Mesh")
    mesh.CreateFaceVertexCountsAttr([3])
    mesh.CreateFaceVertexIndicesAttr([0, 1, 2])
    flat = [(0, 0, 0), (1, 0, 0), (0, 1, 0)]
    grown = [(0, 0, 0), (100, 0, 0), (0, 100, 50)]
    _set(mesh.CreatePointsAttr(), at({1001: flat, 1100: grown}))
    if held:
        _set(
            mesh.CreateVisibilityAttr(),
            at({1001: "inherited", 1007: "invisible", 1013: "inherited", 1030: "invisible"}),
        )
        lit = ball.CreateAttribute("lit", Sdf.ValueTypeNames.Bool)
        _set(lit, at({1001: False, 1006: True, 1011: False, 1040: True}))


def _place(xform: Any, translate: Any, rotate: Any, scale: Any) -> None:
    if translate is not None:
        _set(xform.AddTranslateOp().GetAttr(), translate)
    if rotate is not None:
        xform.AddRotateXYZOp().Set(rotate)
    if scale is not None:
        xform.AddScaleOp().Set(scale)


def _set(attribute: Any, value: Any) -> None:
    if not isinstance(value, dict):
        attribute.Set(value)
        return
    for code, sample in value.items():
        attribute.Set(sample, code)


def _move(prim: Any, place: tuple[float, float, float], frame: float) -> None:
    from pxr import UsdGeom

    xform = UsdGeom.Xformable(prim)
    ops = xform.GetOrderedXformOps()
    (ops[0] if ops else xform.AddTranslateOp()).Set(place, frame)


# Pictures and sound


def images(folder: Path, prefix: str, numbers: Any) -> Path:
    """Write small images of different greys, numbered with four digits."""
    from PIL import Image

    folder.mkdir(exist_ok=True)
    for number in numbers:
        grey = (number * 37) % 256
        Image.new("RGB", (16, 9), (grey, grey, grey)).save(folder / f"{prefix}{number:04d}.png")
    return folder


def sound(path: Path, length: int) -> Path:
    """Write silence of so many seconds."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SOUND_RATE)
        file.writeframes(bytes(2 * SOUND_RATE * length))
    return path


def movie(path: Path) -> Path:
    """Write a movie at 24 whose every frame is of another grey, eight levels apart."""
    import av

    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=24)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.bit_rate = 4_000_000
        for number in range(MOVIE_FRAMES):
            frame = av.VideoFrame(64, 48, "yuv420p")
            for plane, level in zip(frame.planes, (32 + 8 * number, 128, 128), strict=True):
                plane.update(bytes([level]) * plane.buffer_size)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path
