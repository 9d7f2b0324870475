"""Scenes read as cuts: what becomes of each thing that a scene may say."""

from __future__ import annotations

import wave

import pytest
from opentimelineio import schema
from usd_laid import (
    Laid,
    cameras,
    characters,
    entrances,
    expected,
    laid,
    problems,
    range_of,
    read_scene,
    scene_at,
    scene_of,
    tracks,
)

import castline
from castline.adapters import usd
from castline.schemas.errors import UnreadableFileError
from castline.schemas.places import get_sequence, get_slot, get_take

pytest.importorskip("pxr")

RANGE = {"startTimeCode": 1, "endTimeCode": 100}
NTSC = 24000 / 1001


def camera(name: str) -> str:
    return f'def Camera "{name}"\n{{\n}}\n'


def labelled(name: str, *labels: str, inside: str = "") -> str:
    words = ", ".join(f'"{label}"' for label in labels)
    return f"""def Xform "{name}" (prepend apiSchemas = ["SemanticsLabelsAPI:character"])
{{
    token[] semantics:labels:character = [{words}]
    {inside}
}}
"""


def model(name: str, kind: str, inside: str, asset: str = "") -> str:
    info = f'assetInfo = {{ string name = "{asset}" }}' if asset else ""
    return f'def Xform "{name}" (\n kind = "{kind}"\n {info}\n)\n{{\n{inside}\n}}\n'


def sound(name: str, **values: object) -> str:
    lines = "".join(f"    uniform {key} = {value}\n" for key, value in values.items())
    return f'def SpatialAudio "{name}"\n{{\n{lines}}}\n'


def visible(*samples: tuple[float, str]) -> str:
    times = ", ".join(f'{code}: "{value}"' for code, value in samples)
    return f"token visibility.timeSamples = {{ {times} }}\n"


# Time


@pytest.mark.parametrize(
    ("header", "found", "broken"),
    [
        ({}, (0, 1, 24), ["range"]),
        ({"startTimeCode": 1001, "endTimeCode": 1100}, (1001, 100, 24), []),
        ({"startTimeCode": 5}, (5, 1, 24), ["range"]),
        ({"endTimeCode": -5}, (-5, 1, 24), ["range"]),
        ({"startTimeCode": 0.5, "endTimeCode": 9.5}, (0, 10, 24), ["range"]),
        ({"startTimeCode": "nan", "endTimeCode": 9}, (0, 10, 24), ["range"]),
        ({"startTimeCode": 0, "endTimeCode": "inf"}, (0, 1, 24), ["range"]),
        ({"startTimeCode": 0, "endTimeCode": 1e300}, (0, 1, 24), ["range", "range"]),
        ({"timeCodesPerSecond": "nan", **RANGE}, (1, 100, 24), ["rate"]),
        ({"timeCodesPerSecond": 1e-9, **RANGE}, (1, 100, 24), ["rate"]),
        ({"timeCodesPerSecond": 1e9, **RANGE}, (1, 100, 24), ["rate"]),
        ({"framesPerSecond": NTSC, **RANGE}, (1, 100, NTSC), []),
        (
            {"framesPerSecond": NTSC, "timeCodesPerSecond": 6000 / 1001, **RANGE},
            (4, 397, NTSC),
            [],
        ),
        (
            {"framesPerSecond": 30, "timeCodesPerSecond": 6000, "endTimeCode": 200},
            (0, 2, 30),
            ["range"],
        ),
    ],
)
def test_range_and_rate_are_what_the_stage_says_or_a_problem(header, found, broken, tmp_path):
    timeline = read_scene(scene_at(tmp_path / "a.usda", camera("Cam"), **header))
    assert range_of(timeline) == found
    assert problems(timeline) == broken
    start, length, _ = found
    assert laid(timeline, "Cam") == [Laid("Cam", start, length)]


def test_a_range_that_is_not_said_is_that_of_the_animation(tmp_path):
    samples = "double3 xformOp:translate.timeSamples = { 3: (0, 0, 0), 8: (1, 0, 0) }"
    moving = f'def Xform "A"\n{{\n {samples}\n}}\n'
    timeline = read_scene(scene_at(tmp_path / "a.usda", moving))
    assert range_of(timeline) == (3, 6, 24)
    assert tracks(timeline) == [("Video", "scene", True)]


def test_axis_and_unit_are_kept(tmp_path):
    path = scene_at(tmp_path / "a.usda", "", upAxis='"Z"', metersPerUnit=0.0254)
    assert (scene_of(read_scene(path)).up_axis, scene_of(read_scene(path)).meters_per_unit) == (
        "Z",
        0.0254,
    )


# Cameras and shots


def test_of_cameras_at_one_time_the_first_is_shown(tmp_path):
    path = scene_at(tmp_path / "a.usda", camera("One") + camera("Two"), **RANGE)
    timeline = read_scene(path)
    assert tracks(timeline) == [("Video", "One", True), ("Video", "Two", False)]
    assert cameras(timeline) == ["/One", "/Two"]
    for clip in timeline.find_clips():
        assert clip.media_reference.target_url == str(path)
        assert get_take(clip.media_reference).role == "temp"


def test_shots_that_references_bring_in_play_when_their_layers_do(tmp_path):
    """0 to 48 at 48 a second is 0 to 24 of the stage, from 1001 and, twice as slow, from 1026."""
    scene_at(
        tmp_path / "shot.usda",
        f'def Xform "Shot"\n{{\n{camera("Cam")}}}\n',
        startTimeCode=0,
        endTimeCode=48,
        timeCodesPerSecond=48,
    )
    text = """def Xform "sh010" (references = @./shot.usda@</Shot> (offset = 1001))
{
}
def Xform "sh020" (references = @./shot.usda@</Shot> (offset = 1026; scale = 2))
{
}
"""
    path = scene_at(
        tmp_path / "a.usda", text, startTimeCode=1001, endTimeCode=1100, timeCodesPerSecond=24
    )
    timeline = read_scene(path)
    assert tracks(timeline) == [("Video", "shots", True)]
    assert laid(timeline, "shots") == [Laid("sh010", 1001, 25), Laid("sh020", 1026, 49)]
    assert cameras(timeline) == ["/sh010/Cam", "/sh020/Cam"]
    assert problems(timeline) == []


def test_shots_that_sublayers_hold_play_when_those_do(tmp_path):
    for name in ("sh010", "sh020"):
        scene_at(tmp_path / f"{name}.usda", camera(name), startTimeCode=1, endTimeCode=50)
    sublayers = "[@./sh010.usda@, @./sh020.usda@ (offset = 50)]"
    timeline = read_scene(scene_at(tmp_path / "a.usda", "", subLayers=sublayers, **RANGE))
    assert laid(timeline, "shots") == [Laid("sh010", 1, 50), Laid("sh020", 51, 50)]


def test_a_camera_that_a_sublayer_brings_in_plays_when_that_does(tmp_path):
    rig = scene_at(tmp_path / "rig.usda", f'def Xform "Rig"\n{{\n{camera("Cam")}}}\n')
    text = f'def Xform "Shot" (references = @./{rig.name}@</Rig>)\n{{\n}}\n'
    scene_at(tmp_path / "sh010.usda", text, startTimeCode=20, endTimeCode=29)
    timeline = read_scene(scene_at(tmp_path / "a.usda", "", subLayers="[@./sh010.usda@]", **RANGE))
    assert laid(timeline, "Cam") == [Laid("Cam", 20, 10)]


def test_a_shot_outside_of_the_range_is_shown_all_the_time_and_said(tmp_path):
    scene_at(tmp_path / "late.usda", camera("Cam"), startTimeCode=500, endTimeCode=600)
    path = scene_at(tmp_path / "a.usda", "", subLayers="[@./late.usda@]", **RANGE)
    timeline = read_scene(path)
    assert laid(timeline, "Cam") == [Laid("Cam", 1, 100)]
    assert problems(timeline) == ["range"]


def test_without_a_range_the_scene_is_as_long_as_its_shots(tmp_path):
    scene_at(tmp_path / "shot.usda", camera("Cam"), startTimeCode=10, endTimeCode=19)
    timeline = read_scene(scene_at(tmp_path / "a.usda", "", subLayers="[@./shot.usda@]"))
    assert range_of(timeline) == (10, 10, 24)
    assert problems(timeline) == ["range"]


SHOTS = {
    "an assembly that names its asset": model("a", "assembly", camera("Cam"), "sh010"),
    "a group that names its asset": model("a", "group", camera("Cam"), "sh010"),
    "of the kind shot": model("sh010", "shot", camera("Cam")),
    "a shot of many rigs": model(
        "sh010", "shot", "".join(model(n, "group", camera("Cam"), n) for n in "ab")
    ),
    "a shot in a show": model(
        "s",
        "assembly",
        "".join(model(n, "group", camera("Cam"), n) for n in ("sh010", "b")),
        "show",
    ),
}


@pytest.mark.parametrize("kind", SHOTS)
def test_a_shot_is_told_by_its_kind_and_asset(kind, tmp_path):
    timeline = read_scene(scene_at(tmp_path / "a.usda", SHOTS[kind], **RANGE))
    assert timeline.find_clips()[0].name == "sh010"


def test_what_is_no_shot_gives_its_camera_no_name(tmp_path):
    text = model("Set", "group", camera("One")) + model("Prop", "component", camera("Two"), "prop")
    text += f'def Scope "Lib"\n{{\n def Xform "L"\n {{\n{camera("Three")} }}\n}}\n'
    text += 'def "I" (references = </Lib/L>)\n{\n}\n'  # brought in, but by no other layer
    timeline = read_scene(scene_at(tmp_path / "a.usda", text, **RANGE))
    assert [clip.name for clip in timeline.find_clips()] == ["One", "Two", "Three", "Three"]


def test_the_second_camera_of_a_shot_lies_beside_it(tmp_path):
    text = model("a", "assembly", camera("One") + camera("Two"), "sh010")
    timeline = read_scene(scene_at(tmp_path / "a.usda", text, **RANGE))
    assert tracks(timeline) == [("Video", "sh010", True), ("Video", "Two", False)]
    assert cameras(timeline) == ["/a/One", "/a/Two"]


def test_a_shot_whose_payload_is_not_loaded_shows_what_stands_in_the_scene(tmp_path):
    scene_at(tmp_path / "shot.usda", f'def Xform "Shot"\n{{\n{camera("Inside")}}}\n')
    text = f'def Xform "sh010" (payload = @./shot.usda@</Shot>)\n{{\n{camera("Beside")}}}\n'
    path = scene_at(tmp_path / "a.usda", text, **RANGE)
    unloaded, loaded = read_scene(path), read_scene(path, payloads=True)
    assert (cameras(unloaded), scene_of(unloaded).unloaded) == (["/sh010/Beside"], 1)
    assert set(cameras(loaded)) == {"/sh010/Inside", "/sh010/Beside"}
    assert problems(unloaded) == ["payload"] and problems(loaded) == []


# Characters


def test_characters_are_the_labelled_and_the_models_of_their_kind_and_skeletons(tmp_path):
    text = labelled("one", "Mira", inside='def SkelRoot "bones" {\n}\n')
    text += model("two", "character", 'def SkelRoot "bones" {\n}\n', "Tom")
    text += model("three", "component", 'def SkelRoot "bones" {\n}\n', "Robot")
    text += 'def SkelRoot "Ghost" {\n}\n' + labelled("nobody")
    timeline = read_scene(scene_at(tmp_path / "a.usda", text, **RANGE))
    assert characters(timeline) == {
        "Mira": ["/one"],
        "Tom": ["/two"],
        "Robot": ["/three/bones"],
        "Ghost": ["/Ghost"],
    }


def test_one_label_on_two_prims_is_one_character_and_two_on_one_are_two(tmp_path):
    text = labelled("a", "Mira") + labelled("b", "Mira", "Tom")
    timeline = read_scene(scene_at(tmp_path / "a.usda", text, **RANGE))
    assert characters(timeline) == {"Mira": ["/a", "/b"], "Tom": ["/b"]}


def test_what_is_labelled_inside_a_skeleton_stands_for_it(tmp_path):
    text = f'def SkelRoot "Crowd"\n{{\n{labelled("a", "Mira")}{labelled("b", "Tom")}}}\n'
    timeline = read_scene(scene_at(tmp_path / "a.usda", text, **RANGE))
    assert characters(timeline) == {"Mira": ["/Crowd/a"], "Tom": ["/Crowd/b"]}


def test_a_label_may_have_samples_or_be_a_plain_word(tmp_path):
    attribute = "token[] semantics:labels:character"
    text = f'def Xform "a"\n{{\n {attribute}.timeSamples = {{ 1: ["Mira"] }}\n}}\n'
    text += 'def Xform "b"\n{\n string semantics:labels:character = "Tom"\n}\n'
    text += 'def Xform "c"\n{\n int semantics:labels:character = 3\n}\n'
    timeline = read_scene(scene_at(tmp_path / "a.usda", text, **RANGE))
    assert characters(timeline) == {"Mira": ["/a"], "Tom": ["/b"]}


def test_characters_in_instances_are_each_where_they_stand(tmp_path):
    text = f'class Xform "Hero"\n{{\n{labelled("body", "Mira")}}}\n'
    text += "".join(
        f'def "{name}" (\n instanceable = true\n references = </Hero>\n)\n{{\n}}\n'
        for name in "ab"
    )
    timeline = read_scene(scene_at(tmp_path / "a.usda", text, **RANGE))
    assert characters(timeline) == {"Mira": ["/a/body", "/b/body"]}


def test_prims_of_the_cast_say_their_layer_and_identity(tmp_path):
    text = 'def SkelRoot "Mira" (assetInfo = {\n asset identifier = @chars/mira.usd@\n})\n{\n}\n'
    scene_at(tmp_path / "mira.usda", text)
    brought = 'def "M" (references = @./mira.usda@</Mira>)\n{\n}\n'
    timeline = read_scene(scene_at(tmp_path / "a.usda", brought, **RANGE))
    (character,) = get_sequence(timeline).cast.characters
    (prim,) = character.prims
    assert (character.character_id, character.name) == ("m", "M")
    assert (prim.path, prim.layer, prim.identity) == ("/M", "a.usda", "chars/mira.usd")


def test_characters_are_expected_in_the_shot_they_are_in(tmp_path):
    text = model("a", "assembly", camera("Cam") + labelled("who", "Mira"), "sh010")
    text += model("b", "assembly", camera("Cam") + labelled("who", "Mira", "Tom"), "sh020")
    text += camera("Free") + labelled("outside", "Nora")
    timeline = read_scene(scene_at(tmp_path / "a.usda", text, **RANGE))
    assert expected(timeline) == {"sh010": ["mira"], "sh020": ["mira", "tom"], "Free": []}


def test_where_a_character_comes_and_goes_is_a_marker(tmp_path):
    text = labelled(
        "a", "Mira", inside=visible((1, "invisible"), (10, "inherited"), (30, "invisible"))
    )
    text += labelled(
        "b", "Tom", inside=visible((0, "inherited"), (40, "invisible"), (90, "inherited"))
    )
    inside = visible((1, "inherited"), (21, "invisible")) + labelled("c", "Nora")
    text += f'def Xform "room"\n{{\n{inside}}}\n'
    text += labelled("d", "Still", inside=visible((1, "inherited"), (50, "inherited")))
    timeline = read_scene(scene_at(tmp_path / "a.usda", text, **RANGE))
    assert entrances(timeline) == [
        ("mira", 10, 20),
        ("tom", 1, 39),
        ("tom", 90, 11),
        ("nora", 1, 20),
    ]


# Sound


@pytest.fixture
def voice(tmp_path):
    with wave.open(str(tmp_path / "voice.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(2 * 8000 * 4))
    return {"asset filePath": "@./voice.wav@"}


def to_end(start: float, end: float, mode: str = "onceFromStartToEnd") -> dict[str, object]:
    return {
        "timecode startTime": start,
        "timecode endTime": end,
        "token playbackMode": f'"{mode}"',
    }


SOUNDS = {
    "from start to end": (to_end(11, 35), Laid("Voice", 11, 24, 0)),
    "a second into the file": (
        {**to_end(11, 35), "double mediaOffset": 1.5},
        Laid("Voice", 11, 24, 36),
    ),
    "from before the range": (to_end(-23, 25), Laid("Voice", 1, 24, 24)),
    "past the range": (to_end(91, 131), Laid("Voice", 91, 40, 0)),
    "in fractions": (to_end(10.5, 20.25), Laid("Voice", 10.5, 9.75, 0)),
    "no end": ({"timecode startTime": 41}, Laid("Voice", 41, 60, 0)),
    "an end that its mode does not mean": (
        to_end(41, 50, "onceFromStart"),
        Laid("Voice", 41, 60, 0),
    ),
    "the other way round": (to_end(35, 11), Laid("Voice", 11, 24, 0)),
    "nothing said": ({}, Laid("Voice", 1, 100, 1)),
    "no numbers": (
        {"timecode startTime": "nan", "double mediaOffset": "inf"},
        Laid("Voice", 1, 100, 1),
    ),
}


@pytest.mark.parametrize("case", SOUNDS)
def test_a_sound_lies_where_it_is_heard(case, voice, tmp_path):
    values, where = SOUNDS[case]
    path = scene_at(tmp_path / "a.usda", sound("Voice", **voice, **values), **RANGE)
    timeline = read_scene(path)
    assert tracks(timeline) == [("Video", "scene", True), ("Audio", "Voice", True)]
    assert laid(timeline, "Voice") == [where]
    (clip,) = timeline.find_clips()
    assert clip.media_reference.target_url == str(tmp_path / "voice.wav")
    assert problems(timeline) == []


def test_what_loops_is_laid_once_and_said(voice, tmp_path):
    text = sound("Rain", **voice, **to_end(50, 60, "loopFromStage"))
    text += sound("Bird", **voice, **to_end(50, 60, "loopFromStartToEnd"))
    timeline = read_scene(scene_at(tmp_path / "a.usda", text, **RANGE))
    assert laid(timeline, "Rain") == [Laid("Rain", 1, 100, 0)]
    assert laid(timeline, "Bird") == [Laid("Bird", 50, 10, 0)]
    assert problems(timeline) == ["sound", "sound"]


def test_a_muted_sound_is_a_disabled_clip(voice, tmp_path):
    path = scene_at(tmp_path / "a.usda", sound("Voice", **voice, **{"double gain": 0}), **RANGE)
    assert [clip.enabled for clip in read_scene(path).find_clips()] == [False]


def test_a_sound_whose_file_is_missing_or_that_is_never_heard_is_a_problem(voice, tmp_path):
    text = sound("Lost", **{"asset filePath": "@./lost.wav@"}) + sound(
        "Late", **voice, **to_end(-9, 0)
    )
    text += sound("Empty")
    timeline = read_scene(scene_at(tmp_path / "a.usda", text, **RANGE))
    assert [clip.name for clip in timeline.find_clips()] == ["Lost"]
    where = [(problem.rule, problem.where) for problem in scene_of(timeline).problems]
    assert where == [("scene-sound", "/Lost"), ("scene-sound", "/Late")]


def test_a_sound_is_moved_with_its_layer(voice, tmp_path):
    scene_at(tmp_path / "sound.usda", sound("Voice", **voice, **to_end(0, 20)))
    sublayers = "[@./sound.usda@ (offset = 30; scale = 2)]"
    timeline = read_scene(scene_at(tmp_path / "a.usda", "", subLayers=sublayers, **RANGE))
    assert laid(timeline, "Voice") == [Laid("Voice", 30, 40, 0)]


# Omniverse Sequencer


def sequence(*kinds_and_clips: tuple[str, str]) -> str:
    text = "".join(
        f'def Track "T{number}"\n{{\n uniform token trackType = "{kind}"\n{clips}}}\n'
        for number, (kind, clips) in enumerate(kinds_and_clips)
    )
    return f'def Sequence "Sequence"\n{{\n{text}}}\n'


def asset_clip(name: str, target: str, kind: str = "AssetClip", **times: float) -> str:
    lines = "".join(f" timecode {key} = {value}\n" for key, value in times.items())
    return f'def {kind} "{name}"\n{{\n rel assetPrim = <{target}>\n{lines}}}\n'


def test_the_tracks_of_a_sequence_are_the_tracks(voice, tmp_path):
    first = asset_clip("A", "/World/One", startTime=1, endTime=25, playStart=101, playEnd=125)
    second = asset_clip(
        "B", "/World", "ShotClip", startTime=31, endTime=55, playStart=0, playEnd=48
    )
    heard = asset_clip("V", "/Voice", startTime=1, endTime=25)
    text = sequence(("Shot", first + second), ("Audio", heard))
    text += f'def Xform "World"\n{{\n{camera("One")}{camera("Two")}}}\n' + sound("Voice", **voice)
    timeline = read_scene(scene_at(tmp_path / "a.usda", text, **RANGE))
    assert tracks(timeline) == [
        ("Video", "T0", True),
        ("Audio", "T1", True),
        ("Video", "Two", False),
    ]
    assert laid(timeline, "T0") == [Laid("A", 1, 24, 101), Laid("B", 31, 24, 0, speed=2)]
    assert laid(timeline, "T1") == [Laid("V", 1, 24, 0)]
    assert cameras(timeline) == ["/World/One", "/World/One", "/World/Two"]


def test_clips_of_a_sequence_that_overlap_lie_on_two_tracks(tmp_path):
    clips = asset_clip("A", "/One", startTime=1, endTime=30) + asset_clip(
        "B", "/One", startTime=20, endTime=40
    )
    timeline = read_scene(
        scene_at(tmp_path / "a.usda", sequence(("Shot", clips)) + camera("One"), **RANGE)
    )
    assert [[item.name for item in track] for track in timeline.tracks] == [["A"], ["", "B"]]


def test_without_a_range_the_scene_is_as_long_as_its_sequence(tmp_path):
    clips = asset_clip("A", "/One", startTime=0, endTime=24)
    text = sequence(("Shot", clips)) + camera("One")
    header = {"timeCodesPerSecond": 24, "framesPerSecond": 48}
    timeline = read_scene(scene_at(tmp_path / "a.usda", text, **header))
    assert range_of(timeline) == (0, 48, 48)


def test_a_clip_of_a_sequence_expects_who_is_in_its_cameras_shot(tmp_path):
    shot = model("a", "assembly", camera("Cam") + labelled("who", "Mira"), "sh010")
    clips = asset_clip("A", "/a/Cam", startTime=1, endTime=30)
    clips += asset_clip("B", "/a/who", startTime=30, endTime=60)
    timeline = read_scene(scene_at(tmp_path / "a.usda", sequence(("Shot", clips)) + shot, **RANGE))
    assert expected(timeline) == {"A": ["mira"], "B": ["mira"]}


def test_a_clip_of_a_sequence_without_times_is_left_out_and_said(tmp_path):
    clips = asset_clip("A", "/One") + asset_clip("B", "/One", startTime=9, endTime=3)
    timeline = read_scene(
        scene_at(tmp_path / "a.usda", sequence(("Shot", clips)) + camera("One"), **RANGE)
    )
    assert [clip.name for clip in timeline.find_clips()] == ["One"]
    assert problems(timeline) == ["sequence", "sequence"]


# The cut as a whole

WHOLE = (
    model("a", "assembly", camera("Cam") + labelled("who", "Mira"), "sh010")
    + model("b", "assembly", camera("Cam") + labelled("who", "Tom"), "sh010")
    + camera("sh010")
    + labelled("c", "Nora", inside=visible((1, "invisible"), (10, "inherited")))
)


def test_every_clip_has_a_slot_of_its_own_that_says_its_prim(tmp_path):
    timeline = read_scene(scene_at(tmp_path / "a.usda", WHOLE, **RANGE))
    slots = [get_slot(clip) for clip in timeline.find_clips()]
    assert len({slot.slot_id for slot in slots}) == 3
    assert [slot.prim.path for slot in slots] == ["/a", "/b", "/sh010"]
    assert {slot.prim.layer for slot in slots} == {"a.usda"}


def test_the_layer_of_a_prim_is_told_from_the_scenes_folder(tmp_path):
    (tmp_path / "set").mkdir()
    scene_at(tmp_path / "set" / "cam.usda", camera("Cam"))
    timeline = read_scene(
        scene_at(tmp_path / "a.usda", "", subLayers="[@./set/cam.usda@]", **RANGE)
    )
    assert get_slot(timeline.find_clips()[0]).prim.layer == "set/cam.usda"


@pytest.mark.parametrize("header", [RANGE, {"timeCodesPerSecond": 0, "endTimeCode": 9}])
def test_a_scene_read_twice_gives_the_same(header, tmp_path):
    path = scene_at(tmp_path / "a.usda", WHOLE, **header)
    once = read_scene(path).to_json_string()
    assert read_scene(path).to_json_string() == once
    assert usd.read(path).to_json_string() == once  # in another process


def test_a_scene_that_changed_is_read_as_it_is_now(tmp_path):
    path = scene_at(tmp_path / "a.usda", camera("One"), **RANGE)
    assert cameras(read_scene(path)) == ["/One"]
    scene_at(path, camera("Two"), **RANGE)
    assert cameras(read_scene(path)) == ["/Two"]


def test_the_file_of_a_scene_is_left_as_it_is(tmp_path):
    path = scene_at(tmp_path / "a.usda", camera("One"), timeCodesPerSecond=-1)
    before = path.read_bytes()
    read_scene(path)
    assert path.read_bytes() == before
    assert [found.name for found in tmp_path.iterdir()] == ["a.usda"]


def test_a_scene_in_another_format_is_the_same_cut(tmp_path):
    from pxr import Sdf, UsdUtils

    text = scene_at(tmp_path / "a.usda", WHOLE, **RANGE)
    Sdf.Layer.FindOrOpen(str(text)).Export(str(tmp_path / "b.usdc"))
    UsdUtils.CreateNewUsdzPackage(str(text), str(tmp_path / "c.usdz"))
    facts = [
        (range_of(cut), tracks(cut), cameras(cut), characters(cut), expected(cut), entrances(cut))
        for cut in map(read_scene, (text, tmp_path / "b.usdc", tmp_path / "c.usdz"))
    ]
    assert facts[0] == facts[1] == facts[2]


def test_a_layer_over_a_cut_is_refused_with_what_to_do(tmp_path):
    usd.write(schema.Timeline("cut"), tmp_path / "cut.usda")
    path = scene_at(tmp_path / "a.usda", "", subLayers="[@./cut.usda@]")
    with pytest.raises(UnreadableFileError, match=r"sublayer cut\.usda.*--flattenLayerStack"):
        read_scene(path)


def test_payloads_are_loaded_where_a_reader_is_asked_to(tmp_path):
    import opentimelineio as otio

    scene_at(tmp_path / "shot.usda", f'def Xform "Shot"\n{{\n{camera("Cam")}}}\n')
    path = scene_at(
        tmp_path / "a.usda", 'def "s" (payload = @./shot.usda@</Shot>)\n{\n}\n', **RANGE
    )
    found = [
        cameras(usd.read(path)),
        cameras(usd.read(path, payloads=True)),
        cameras(castline.read(path, payloads=True)),
        cameras(otio.adapters.read_from_file(str(path), payloads="1")),
    ]
    assert found == [[], ["/s/Cam"], ["/s/Cam"], ["/s/Cam"]]


@pytest.mark.parametrize("format_name", ["otio", "fcp7", "edl", "usd"])
def test_the_cut_of_a_scene_is_delivered_and_comes_back(format_name, voice, tmp_path):
    text = WHOLE + sound("Voice", **voice, **to_end(11, 35))
    timeline = read_scene(scene_at(tmp_path / "a.usda", text, **RANGE))
    (delivery,) = castline.deliver(timeline, [format_name], tmp_path / "out")
    assert delivery.error is None
    back = castline.read(tmp_path / "out" / delivery.file)
    slots = {
        get_slot(clip).slot_id: get_slot(clip) for clip in back.find_clips() if get_slot(clip)
    }
    kept = timeline.tracks[:1] if format_name == "edl" else timeline.tracks  # it has one
    for slot in (get_slot(clip) for track in kept for clip in track.find_clips()):
        assert slots[slot.slot_id].prim.path == slot.prim.path
        assert slots[slot.slot_id].expected == slot.expected
    assert characters(back) == characters(timeline)
