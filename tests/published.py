"""Cuts to publish, stages to publish onto, and what is true of every publishing."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from opentimelineio import schema
from opentimelineio.opentime import RationalTime, TimeRange

from castline.schemas.places import set_sequence, set_slot, set_take
from castline.schemas.takes import add_take
from castline.schemas.values import (
    Appearance,
    Cast,
    Character,
    Expected,
    Generation,
    Score,
    Sequence,
    Slot,
    Take,
)

RATE = 24.0


def frames(start: float, duration: float, rate: float = RATE) -> TimeRange:
    """Return a stretch of frames."""
    return TimeRange(RationalTime(start, rate), RationalTime(duration, rate))


def draw_plate(folder: Path, name: str, count: int = 12) -> str:
    """Write numbered pictures from 1 on; return the path of their pattern's folder."""
    from PIL import Image

    folder.mkdir(parents=True, exist_ok=True)
    for number in range(1, count + 1):
        picture = Image.new("RGB", (16, 9), (number * 9 % 256, 40, 90))
        picture.save(folder / f"{name}.{number:04d}.png")
    return f"{folder}/"


def plate_of(folder: Path, name: str, count: int = 12) -> schema.ImageSequenceReference:
    """Return drawn pictures as media, 24 a second."""
    return schema.ImageSequenceReference(
        draw_plate(folder, name, count),
        f"{name}.",
        ".png",
        1,
        1,
        RATE,
        4,
        available_range=frames(1, count),
    )


def generated(name: str, *characters: str, score: float = 0.91) -> Take:
    """Return a take that was made, with somebody in it."""
    return Take(
        take_id=name,
        generation=Generation(tool="ComfyUI", model="wan2.2", prompt=f"{name} at dusk", seed=7),
        appearances=tuple(
            Appearance(
                character_id=character,
                state="ok",
                score=Score(value=score, worst=0.8, worst_time=RationalTime(4, RATE), frames=12),
            )
            for character in characters
        ),
    )


def draw_movie(path: Path, count: int = 12) -> Path:
    """Write a movie of grey pictures, 24 a second."""
    import av
    import numpy as np

    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=24)
        stream.width, stream.height, stream.pix_fmt = 64, 36, "yuv420p"
        for number in range(count):
            picture = np.full((36, 64, 3), number * 20 % 256, np.uint8)
            for packet in stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return path


def clip_of(folder: Path, name: str, *characters: str, count: int = 12) -> schema.Clip:
    """Return a clip with two takes, the first shown, in which these characters are seen."""
    clip = schema.Clip(name, plate_of(folder, f"{name}_v1", count), frames(1, count))
    expected = tuple(Expected(character_id=character) for character in characters)
    set_slot(clip, Slot(slot_id=name, expected=expected))
    set_take(clip.media_reference, generated(f"{name}_v1", *characters))
    other = plate_of(folder, f"{name}_v2", count)
    add_take(clip, "second", other, generated(f"{name}_v2", *characters, score=0.7))
    return clip


def cut_of(*clips: schema.Clip, cast: dict[str, str] | None = None) -> schema.Timeline:
    """Return a cut of clips, one after the other; `cast` are names by ids."""
    cut = schema.Timeline("reel 1")
    cut.tracks.append(schema.Track("V1", list(clips)))
    characters = tuple(
        Character(character_id=key, name=name) for key, name in (cast or {}).items()
    )
    set_sequence(cut, Sequence(cast=Cast(characters=characters)))
    return cut


BODY = """
    def Camera "cam"
    {
        float focalLength = 35
    }
    def Xform "MARA"
    {
        double3 xformOp:translate.timeSamples = { 1001: (0, 0, 0), 1012: (1, 0, 0) }
        uniform token[] xformOpOrder = ["xformOp:translate"]
    }
"""


def write_stage(
    path: Path, body: str = BODY, *, head: str = "", span: tuple[int, int] = (1001, 1012)
) -> Path:
    """Write a stage of a prim World that holds the body; `head` is more of its metadata."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        f'#usda 1.0\n(\n    defaultPrim = "World"\n    startTimeCode = {span[0]}\n'
        f'    endTimeCode = {span[1]}\n {head}\n)\ndef Xform "World"\n{{\n{body}\n}}\n'
    )
    return path


def hashes(folder: Path) -> dict[str, str]:
    """Return what is in the files of a folder, by their names."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def copied(scene: Path, folder: Path) -> Path:
    """Return a copy of a scene with all that lies in its folder."""
    shutil.copytree(scene.parent, folder / scene.parent.name)
    return folder / scene.parent.name / scene.name


def opened(path: Path):
    from pxr import Usd

    return Usd.Stage.Open(str(path))


def plate(stage, camera: str) -> dict[float, str]:
    """Return the pictures that castline's plate shows, by the time code each begins at."""
    image = stage.GetPrimAtPath(camera).GetAttribute("backPlate:castline:image")
    return {time: Path(image.Get(time).resolvedPath).name for time in image.GetTimeSamples()}


def labels(stage, path: str) -> list[str]:
    attribute = stage.GetPrimAtPath(path).GetAttribute("semantics:labels:character")
    return list(attribute.Get() or []) if attribute else []
