"""Value clips of a scene: at the time that the cut says, a file holds what USD composes."""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path

import pytest
from trip import CORPUS
from usd_laid import Laid, laid, problems, range_of, read_scene, scene_at, scene_of

from castline.schemas.exact import exact_rate

pytest.importorskip("pxr")

CLIPS = CORPUS / "usd" / "pixar" / "testUsdValueClips"
ENDS = {"startTimeCode": 0, "endTimeCode": 100}
JUMPS = "[(0, 0), (16, 16), (16, 40), (48, 72), (48, 30), (80, 62)]"
EXPLICIT = "asset[] assetPaths = [@./a.1.usda@, @./a.2.usda@]\n"
TEMPLATE = """string templateAssetPath = "./a.#.usda"
double templateStartTime = 1
double templateEndTime = 3
double templateStride = 1
"""


def dense(path: Path, number: int, **header: object) -> Path:
    """Write a file of clips whose every value tells the file's number and the time."""
    samples = ", ".join(f"{half / 2:g}: {1000 * number + half / 2:g}" for half in range(-80, 481))
    return scene_at(
        path, f'def "Model" {{\n double size.timeSamples = {{ {samples} }}\n}}\n', **header
    )


def model(clips: str, **header: object) -> tuple[str, dict[str, object]]:
    """Return a scene's text and metadata: a prim with this set of clips."""
    text = f"""def "Model" (
    clips = {{
        dictionary default = {{
            string primPath = "/Model"
            {clips}
        }}
    }}
)
{{
    double size
}}
"""
    return text, ENDS | header


def explicit(active: str, times: str | None, **header: object) -> tuple[str, dict[str, object]]:
    said = f"double2[] times = {times}" if times else ""
    return model(f"{EXPLICIT}double2[] active = {active}\n{said}", **header)


CASES = {
    "one file": explicit("[(0, 0)]", "[(0, 0), (100, 100)]"),
    "one after the other": explicit("[(0, 0), (50, 1)]", "[(0, 0), (50, 50), (50, 0), (90, 40)]"),
    "twice as fast": explicit("[(0, 0)]", "[(0, 20), (100, 220)]"),
    "backwards": explicit("[(0, 0)]", "[(0, 100), (100, 0)]"),
    "held": explicit("[(0, 0)]", "[(0, 7), (30, 7), (60, 37)]"),
    "jumps": explicit("[(0, 0)]", JUMPS),
    "in any order": explicit("[(50, 1), (0, 0)]", "[(50, 0), (90, 40), (0, 0), (40, 40)]"),
    "without times": explicit("[(0, 0), (50, 1)]", None),
    "active late": explicit("[(30, 1)]", "[(40, 0), (60, 20)]"),
    "thirty frames": explicit(
        "[(0, 0), (48, 1)]", JUMPS, timeCodesPerSecond=24, framesPerSecond=30
    ),
    "sevenths": explicit("[(0, 0), (48, 1)]", JUMPS, timeCodesPerSecond=3, framesPerSecond=7),
    "ntsc": explicit(
        "[(0, 0), (50, 1)]", JUMPS, timeCodesPerSecond=24000 / 1001, framesPerSecond=24000 / 1001
    ),
    "a template": model(TEMPLATE, startTimeCode=0, endTimeCode=5),
    "a template ahead": model(
        f"{TEMPLATE}double templateActiveOffset = -1", startTimeCode=-1, endTimeCode=5
    ),
    "a template behind": model(
        f"{TEMPLATE}double templateActiveOffset = 0.5", startTimeCode=-1, endTimeCode=5
    ),
}


Found = list[tuple[float, float, float]]


def compared(root: Path, prim: str, file_prim: str, value: str) -> Found:
    """Return stage time, what is composed and what the cut's file holds at the cut's time there.

    Compared where the file has a sample: between those USD blends one file with the next.
    """
    from pxr import Usd

    timeline = read_scene(root)
    stage = Usd.Stage.Open(str(root))
    composed = stage.GetPrimAtPath(prim).GetAttribute(value)
    rate = exact_rate(range_of(timeline)[2])
    step = exact_rate(stage.GetTimeCodesPerSecond()) / rate
    found = []
    for clip in laid(timeline, f"{prim.strip('/')} default"):
        file = Usd.Stage.Open(clip.clip.media_reference.target_url)
        held = file.GetPrimAtPath(file_prim).GetAttribute(value)
        per_frame = exact_rate(file.GetTimeCodesPerSecond()) / rate
        for code in codes_in(clip, step):
            shown = (clip.shown + (code / step - clip.start) * clip.speed) * per_frame
            found += [
                (code, composed.Get(code), held.Get(sample))
                for sample in (held.GetTimeSamples() if held else ())
                if abs(sample - shown) < 1e-6
            ]
    return found


def codes_in(clip: Laid, step: Fraction) -> list[float]:
    """Return quarters of time codes in a clip; the first of one too short to have a speed."""
    first, last = (math.ceil(frame * step * 4 - 1e-6) for frame in (clip.start, clip.end))
    return [number / 4 for number in range(first, last if clip.length > 1 else first + 1)]


def assert_same(found: Found, at_least: int) -> None:
    assert len(found) >= at_least
    assert [composed for _, composed, _ in found] == pytest.approx([alone for *_, alone in found])


@pytest.mark.parametrize("case", CASES)
def test_the_cut_shows_the_file_and_the_time_that_usd_composes(case, tmp_path):
    for number in (1, 2, 3):
        dense(tmp_path / f"a.{number}.usda", number)
    text, header = CASES[case]
    root = scene_at(tmp_path / "root.usda", text, **header)
    assert_same(compared(root, "/Model", "/Model", "size"), 12)


@pytest.mark.parametrize(("stage", "file"), [(24, 48), (48, 24), (48, 48), (24, 30)])
def test_files_of_another_rate_are_shown_at_their_own_time(stage, file, tmp_path):
    for number in (1, 2):
        dense(tmp_path / f"a.{number}.usda", number, timeCodesPerSecond=file)
    text, header = explicit("[(0, 0), (48, 1)]", JUMPS, timeCodesPerSecond=stage)
    root = scene_at(tmp_path / "root.usda", text, **header)
    assert_same(compared(root, "/Model", "/Model", "size"), 100)


@pytest.mark.parametrize("offset", ["offset = 10", "offset = -4; scale = 2", "scale = 0.5"])
@pytest.mark.parametrize("rates", [(24, 24), (48, 24), (24, 48)])
def test_clips_move_with_the_layer_that_says_them(offset, rates, tmp_path):
    for number in (1, 2):
        dense(tmp_path / f"a.{number}.usda", number)
    text, header = explicit("[(0, 0), (48, 1)]", JUMPS, timeCodesPerSecond=rates[1])
    scene_at(tmp_path / "model.usda", text, **header)
    brought = f'def "Model" (references = @./model.usda@</Model> ({offset}))\n{{\n}}\n'
    root = scene_at(tmp_path / "root.usda", brought, **ENDS, timeCodesPerSecond=rates[0])
    assert_same(compared(root, "/Model", "/Model", "size"), 50)


def test_a_template_may_count_in_fractions(tmp_path):
    for number, name in enumerate(("1.00", "1.50", "2.00")):
        dense(tmp_path / f"a.{name}.usda", number)
    halves = TEMPLATE.replace("a.#", "a.#.##").replace("Stride = 1", "Stride = 0.5")
    text, header = model(halves.replace("EndTime = 3", "EndTime = 2"), endTimeCode=4)
    root = scene_at(tmp_path / "root.usda", text, **header)
    found = compared(root, "/Model", "/Model", "size")
    assert_same(found, 12)
    names = [clip.name for clip in laid(read_scene(root), "Model default")]
    assert list(dict.fromkeys(names)) == ["a.1.00", "a.1.50", "a.2.00"]


def test_a_file_that_is_not_there_or_damaged_is_a_problem(tmp_path):
    dense(tmp_path / "a.1.usda", 1)
    text, header = explicit("[(0, 0), (50, 1)]", None)
    root = scene_at(tmp_path / "root.usda", text, **header)
    timeline = read_scene(root)
    assert problems(timeline) == ["clip"]
    assert [clip.name for clip in laid(timeline, "Model default")] == ["a.1", "a.2"]
    (tmp_path / "a.2.usda").write_text("#usda 1.0\ndef {")
    timeline = read_scene(root)
    assert problems(timeline) == ["clip"]
    assert str(tmp_path) not in scene_of(timeline).problems[0].message


ODD = {
    "no dictionary": "int other = 3",
    "files that are none": "dictionary other = { asset assetPaths = @./a.1.usda@ }",
    "numbers that are none": "dictionary other = { double[] active = [1, 2] }",
    "a number of no file": "dictionary other = { asset[] assetPaths = [@./a.1.usda@]\n"
    "double2[] active = [(0, -1), (5, 7), (nan, 0)] }",
    "a template without numbers": 'dictionary other = { string templateAssetPath = "./a.usda" }',
    "a template that stands still": "dictionary other = {\n"
    'string templateAssetPath = "./a.#.usda"\n'
    "double templateStartTime = 0\ndouble templateEndTime = 9\ndouble templateStride = 0 }",
}


@pytest.mark.parametrize("odd", ODD)
def test_a_set_that_is_none_is_left_out_as_usd_does(odd, tmp_path):
    for number in (1, 2):
        dense(tmp_path / f"a.{number}.usda", number)
    text, header = explicit("[(0, 0), (50, 1)]", None)
    text = text.replace("clips = {", f"clips = {{\n{ODD[odd]}\n", 1)
    timeline = read_scene(scene_at(tmp_path / "root.usda", text, **header))
    assert [track.name for track in timeline.tracks] == ["scene", "Model default"]


REAL = [
    ("layerOffsets", "/Model_1", "/Model", "size", 4),
    ("layerOffsets", "/Model_2", "/Model", "size", 4),
    ("layerOffsets", "/Model_3", "/Model", "size", 4),
    ("template/layerOffsets", "/Model", "/Clip", "a", 3),
    ("multiclip", "/Model_1", "/Model", "size", 6),
    ("multiclip", "/ModelWithSomeClipSamples", "/Model", "size", 3),
    ("multiclip", "/ModelWithSomeClipSamples2", "/Model", "size", 3),
    ("multiclip", "/ModelWithTimesSpanningClips", "/Model", "size", 4),
    ("multiclip", "/ModelWithTimesSpanningClips_2", "/Model", "size", 6),
    ("multiclip", "/ModelWithNoTimes", "/Model", "size", 2),
]


@pytest.mark.corpus
@pytest.mark.parametrize(("folder", "prim", "file_prim", "value", "at_least"), REAL)
def test_real_value_clips_are_where_usd_composes_them(folder, prim, file_prim, value, at_least):
    assert_same(compared(CLIPS / folder / "root.usda", prim, file_prim, value), at_least)
