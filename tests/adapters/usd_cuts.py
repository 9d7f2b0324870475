"""Cuts to be judged as stages: one a kind of trouble, with media that are really there."""

from __future__ import annotations

import math
import struct
import wave
from pathlib import Path

from opentimelineio import opentime, schema
from PIL import Image

from castline.schemas.places import set_sequence, set_slot, set_take
from castline.schemas.values import (
    Appearance,
    Cast,
    Character,
    Decision,
    Expected,
    Generation,
    Look,
    Score,
    Sequence,
    Slot,
    Take,
)

RATE = 24.0
_SCENE = """#usda 1.0
(
    {default}
    metersPerUnit = {meters}
    upAxis = "{axis}"
    timeCodesPerSecond = {rate}
    startTimeCode = 1
    endTimeCode = 100
)

def Xform "World"
{{
    def Camera "cam"
    {{
        float focalLength = 35
        double3 xformOp:translate.timeSamples = {{
            1: (0, 0, 10),
            100: (0, 0, 20),
        }}
        uniform token[] xformOpOrder = ["xformOp:translate"]
    }}

    def Xform "chair" (
        kind = "component"
    )
    {{
        def Cube "seat"
        {{
            float3[] extent = [(-1, -1, -1), (1, 1, 1)]
        }}
    }}
}}
"""


def time(value: float, rate: float = RATE) -> opentime.RationalTime:
    return opentime.RationalTime(value, rate)


def span(start: float, duration: float, rate: float = RATE) -> opentime.TimeRange:
    return opentime.TimeRange(time(start, rate), time(duration, rate))


def movie(name: str, start: float = 10, duration: float = 24) -> schema.Clip:
    """A clip whose media no USD can show."""
    media = schema.ExternalReference(f"/media/{name}.mov", available_range=span(0, 100))
    return schema.Clip(name, media, span(start, duration))


def cut(name: str, *tracks: schema.Track, start: float | None = None) -> schema.Timeline:
    timeline = schema.Timeline(name, global_start_time=None if start is None else time(start))
    timeline.tracks.extend(tracks)
    return timeline


def plain() -> schema.Timeline:
    return cut(
        "plain", schema.Track("V1", [movie("a"), schema.Gap(duration=time(12)), movie("b")])
    )


def nested() -> schema.Timeline:
    """Transitions, markers, effects, a nest in a nest, three rates, nothing enabled below."""
    first, second, off = movie("a"), movie("b"), movie("off")
    off.enabled = False
    first.markers.append(schema.Marker("look", span(12, 3), schema.MarkerColor.RED, {"a": [None]}))
    first.effects.append(schema.LinearTimeWarp("back", time_scalar=-0.7000000000000003))
    second.effects.append(schema.FreezeFrame("still"))
    inner = schema.Stack("inner", [schema.Track("in", [movie("deep", 5, 30)])])
    inner.markers.append(schema.Marker("here", span(1, 0, 25)))
    outer = schema.Stack("outer", [schema.Track("mid", [inner])], source_range=span(3, 20))
    dissolve = schema.Transition("x", "SMPTE_Dissolve", time(4), time(5))
    video = schema.Track("V1", [first, dissolve, second, outer, movie("c", 0, 60)])
    top = schema.Track("V2", [schema.Gap(duration=time(20)), off])
    slow = schema.Clip("pal", schema.MissingReference(), span(0, 25, 25))
    audio = schema.Track("A1", [slow, movie("sound")], kind=schema.TrackKind.Audio)
    timeline = cut("nested", video, top, audio, start=86400)
    timeline.tracks.markers.append(schema.Marker("chapter", span(0, 1)))
    return timeline


def unicode() -> schema.Timeline:
    """Names that no prim can have, and names that are alike."""
    return _named("größe 雨", "sh 010/A", "雨", "e\u0301", "\u00e9", "", "1st", "sh_010_A", "🎬")


def quotes() -> schema.Timeline:
    """Text that is hard to quote."""
    return _named("it's", 'a "b"', "c\\", "d\n\"\"\"e'''", "\t%s{0}@x@</y>", "\x01\x7f\u2028")


def _named(cut_name: str, *names: str) -> schema.Timeline:
    clips = [movie("named") for _ in names]
    for item, name in zip(clips, names, strict=True):
        item.name = name
        item.metadata["note"] = name
        item.markers.append(schema.Marker(name, span(11, 1), metadata={"comment": name}))
    return cut(cut_name, schema.Track(names[0], clips))


def metadata() -> schema.Timeline:
    """What JSON can say and USD's dictionaries cannot."""
    first = movie("a")
    first.metadata["odd"] = {
        "": {}, "a.b": [], "none": None, "big": 2**62, "mixed": [1, "x", None, {"y": 1.5}],
        "tiny": 5e-324, "exact": 0.38120423768821243, "time": time(math.pi, 24000 / 1001),
    }  # fmt: skip
    first.media_reference.metadata["text"] = "x" * 5000
    timeline = cut("metadata", schema.Track("V1", [first, movie("b")]))
    timeline.metadata["cut"] = {"x": [[[]]]}
    return timeline


def characters() -> schema.Timeline:
    """Takes with their generations and who was seen in them."""
    clips = []
    for number, state in enumerate(("ok", "drift", "not_visible")):
        item = movie(f"sh{number:02}0")
        slot = Slot(
            slot_id=f"slot{number}",
            expected=(
                Expected(character_id="mira", look_id="coat"),
                Expected(character_id="yūki"),
            ),
            decisions=(
                Decision(verdict="approved", by="ann", at="2026-01-01T00:00:00", take_id="t1"),
            ),
        )
        set_slot(item, slot)
        references = {"temp": item.media_reference}
        for take in ("t1", "t2/b"):
            reference = schema.ExternalReference(
                f"/takes/{number}_{take}.mov", available_range=span(0, 90)
            )
            set_take(reference, _take(take, number, state))
            references[take] = reference
        item.set_media_references(references, "t1")
        clips.append(item)
    timeline = cut("characters", schema.Track("V1", clips))
    looks = (Look(look_id="coat", name="in her coat"),)
    cast = (
        Character(character_id="mira", name="Mira", looks=looks),
        Character(character_id="yūki", name="雪"),
    )
    set_sequence(timeline, Sequence(cast=Cast(characters=cast)))
    return timeline


def _take(take_id: str, number: int, state: str) -> Take:
    score = Score(
        value=0.61, worst=0.4, worst_time=time(30), spread=0.1, frames=24, threshold=0.55,
        model="sha256:1234",
    )  # fmt: skip
    seen = (
        Appearance(
            character_id="mira",
            look_id="coat",
            state=state,
            score=None if state == "not_visible" else score,
            media_range=span(10, 24),
            note="her back",
        ),
        Appearance(character_id="yūki"),
    )
    generation = Generation(
        tool="ComfyUI",
        tool_version="0.3",
        model="m",
        prompt="a lighthouse at dusk",
        seed=2**63 + number,
        created="2026-01-01T00:00:00Z",
        digital_source_type="http://cv.iptc.org/newscodes/digitalsourcetype/x",
        inputs=("a.png", "b.png"),
        parameters={"steps": 20, "cfg": 3.5},
    )
    return Take(take_id=take_id, number=1, generation=generation, appearances=seen)


def media(folder: Path) -> schema.Timeline:
    """Scenes, pictures and sound that are there, and some that are not, in several speeds."""
    make_media(folder)
    fore = _scene_clip(folder, "scene", 1, 24)
    back, still, fast = (_scene_clip(folder, "scene", 30, 24) for _ in range(3))
    back.effects.append(schema.LinearTimeWarp("back", time_scalar=-1))
    still.effects.append(schema.FreezeFrame("still"))
    fast.effects.append(schema.LinearTimeWarp("fast", time_scalar=2))
    takes = _scene_clip(folder, "scene", 1, 24)
    takes.set_media_references(
        {
            "scene": takes.media_reference,
            "metres": _scene_clip(folder, "metres", 1, 24).media_reference,
            "gone": schema.ExternalReference(str(folder / "gone.usda")),
            "plate": _plate(folder).media_reference,
        },
        "metres",
    )
    nest = schema.Stack("nest", [schema.Track("in", [_scene_clip(folder, "scene", 50, 40)])])
    nest.source_range = span(8, 16)
    video = schema.Track("V1", [
        fore, schema.Transition("x", "SMPTE_Dissolve", time(4), time(4)), back, still, fast, takes,
        _scene_clip(folder, "bare", 1, 12), _scene_clip(folder, "gone", 1, 12), movie("movie"),
        _plate(folder), nest,
    ])  # fmt: skip
    off = _scene_clip(folder, "scene", 1, 24)
    off.enabled = False
    top = schema.Track("V2", [schema.Gap(duration=time(30)), _plate(folder), off])
    voices = []
    for name, enabled in (("voice", True), ("voice", False), ("gone", True)):
        sound = schema.ExternalReference(str(folder / f"{name}.wav"), span(0, 96000, 48000))
        voices.append(schema.Clip(name, sound, span(4800, 48000, 48000)))
        voices[-1].enabled = enabled
    audio = schema.Track("A1", voices, kind=schema.TrackKind.Audio)
    return cut("media", video, top, audio, start=1000)


def make_media(folder: Path) -> None:
    """Draw what the cut of media plays."""
    default = 'defaultPrim = "World"'
    for name, words in {
        "scene": (default, 0.01, "Y", 24),
        "metres": (default, 1, "Z", 25),
        "bare": ("", 0.01, "Y", 24),
    }.items():
        values = dict(zip(("default", "meters", "axis", "rate"), words, strict=True))
        (folder / f"{name}.usda").write_text(_SCENE.format(**values), encoding="utf-8")
    (folder / "plate").mkdir(exist_ok=True)
    for frame in range(1001, 1013):
        shade = (frame * 20 % 256, 90, 90)
        Image.new("RGB", (16, 9), shade).save(folder / "plate" / f"p.{frame}.png")
    with wave.open(str(folder / "voice.wav"), "wb") as sound:
        sound.setparams((1, 2, 48000, 0, "NONE", ""))
        sound.writeframes(struct.pack("<h", 0) * 96000)


def _scene_clip(folder: Path, name: str, start: float, duration: float) -> schema.Clip:
    scene = schema.ExternalReference(str(folder / f"{name}.usda"), available_range=span(1, 100))
    return schema.Clip(name, scene, span(start, duration))


def _plate(folder: Path) -> schema.Clip:
    pictures = schema.ImageSequenceReference(
        str(folder / "plate"), "p.", ".png", start_frame=1001, frame_zero_padding=4, rate=RATE,
        available_range=span(0, 12),
    )  # fmt: skip
    return schema.Clip("plate", pictures, span(0, 12))
