"""Scenes that others made, read as cuts: what is in them was written down from their files."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from trip import CORPUS as SHARED
from usd_laid import (
    Laid,
    cameras,
    characters,
    laid,
    problems,
    range_of,
    read_scene,
    scene_of,
    tracks,
)

pytest.importorskip("pxr")
pytestmark = pytest.mark.corpus

CORPUS = SHARED / "usd"
SCENES = sorted(
    path
    for path in CORPUS.rglob("*")
    if path.suffix in (".usd", ".usda", ".usdc", ".usdz") and path.parent.name != "malformed"
)
STAGES = "wg/foundation/stage_configuration"
RATES = f"{STAGES}/framesPerSecond_timeCodesPerSecond_mixed"
ENDS = f"{STAGES}/start_end_timeCode"
ARCS = "wg/foundation/stage_composition"
ASSETS = "pixar/endToEnd/assets"
CUBE = ("/World/camera",)  # of _common/animated_cube_translation.usda, whose cube moves in 0..100
NO_RANGE = ("range",)


@dataclass
class Truth:
    """What a scene's files say."""

    start: int
    length: int
    rate: float = 24
    cameras: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    characters: dict[str, list[str]] = field(default_factory=dict)
    codes: float = 24
    axis: str = "Y"
    unit: float = 0.01


TRUTH = {
    f"{RATES}/24_24.usda": Truth(0, 101, 24, CUBE),
    # 100 time codes at 48 a second are 50 frames at 24; at 24 a second they are 200 at 48.
    f"{RATES}/24_48.usda": Truth(0, 51, 24, CUBE, codes=48),
    f"{RATES}/48_24.usda": Truth(0, 201, 48, CUBE),
    f"{RATES}/48_48.usda": Truth(0, 101, 48, CUBE, codes=48),
    f"{STAGES}/framesPerSecond/framesPerSecond_-1.usda": Truth(0, 101, 24, CUBE, ("rate",)),
    f"{STAGES}/framesPerSecond/framesPerSecond_0.usda": Truth(0, 101, 24, CUBE, ("rate",)),
    f"{STAGES}/framesPerSecond/framesPerSecond_1.usda": Truth(0, 101, 1, CUBE, codes=1),
    f"{STAGES}/framesPerSecond/framesPerSecond_101.usda": Truth(0, 101, 101, CUBE, codes=101),
    f"{STAGES}/timeCodesPerSecond/timeCodesPerSecond_-1.usda": Truth(0, 101, 24, CUBE, ("rate",)),
    f"{STAGES}/timeCodesPerSecond/timeCodesPerSecond_0.usda": Truth(0, 101, 24, CUBE, ("rate",)),
    f"{STAGES}/timeCodesPerSecond/timeCodesPerSecond_1.usda": Truth(0, 2401, 24, CUBE, codes=1),
    # 100 * 24 / 128 is 18.75: the last time code lies in frame 18.
    f"{STAGES}/timeCodesPerSecond/timeCodesPerSecond_128.usda": Truth(
        0, 19, 24, CUBE, ("range",), codes=128
    ),
    f"{ENDS}/start_end_timeCodes_swapped.usda": Truth(0, 101, 24, CUBE, ("range",)),
    f"{ENDS}/start_end_timeCodes_subset.usda": Truth(40, 31, 24, CUBE),
    f"{ENDS}/start_end_timeCodes_superset.usda": Truth(-10, 121, 24, CUBE),
    f"{ENDS}/negative_start_end_timeCodes.usda": Truth(-100, 91, 24, CUBE),
    f"{ENDS}/large_start_end_timeCodes.usda": Truth(-10_000_000, 20_000_001, 24, CUBE),
    f"{ENDS}/missing_startTimeCode.usda": Truth(0, 101, 24, CUBE, ("range",)),
    f"{ENDS}/missing_endTimeCode.usda": Truth(0, 1, 24, CUBE, ("range",)),
    f"{ENDS}/missing_start_end_timeCodes.usda": Truth(0, 101, 24, CUBE, ("range",)),
    f"{STAGES}/upAxis/upAxis_Z.usda": Truth(0, 1, problems=NO_RANGE, axis="Z"),
    f"{STAGES}/upAxis/upAxis_invalid.usda": Truth(0, 1, problems=("range", "axis")),
    f"{STAGES}/metersPerUnit/metersPerUnit_mix.usda": Truth(0, 1, problems=NO_RANGE, unit=100),
    f"{ARCS}/subLayer/sublayer_invalid.usda": Truth(0, 1, problems=("composition", "range")),
    f"{ARCS}/references/reference_invalid.usda": Truth(0, 1, problems=("composition", "range")),
    f"{ARCS}/payload/payload_invalid.usda": Truth(0, 1, problems=("range", "payload")),
    f"{ARCS}/references_prim/reference_prim_in_same_file.usda": Truth(
        0, 1, problems=("composition", "composition", "range")
    ),
    "wg/CesiumMan.usdz": Truth(
        1,
        48,
        characters={"CesiumMan": ["/CesiumMan/Geom/Z_UP/Armature/Skeleton_torso_joint_1_3"]},
        unit=1,
    ),
    "wg/RiggedSimple.usdz": Truth(
        1, 50, characters={"RiggedSimple": ["/RiggedSimple/Geom/Z_UP/Armature/Bone_3"]}, unit=1
    ),
    "wg/McUsd/McUsd.usda": Truth(0, 1, 24, ("/McUsd/Camera",), NO_RANGE),
    f"{ASSETS}/shot.usd": Truth(0, 1, 24, ("/World/main_cam",), NO_RANGE),
    f"{ASSETS}/main_cam.usd": Truth(0, 1, 24, ("/main_cam",)),
    f"{ASSETS}/Ball/Ball.usd": Truth(0, 1, problems=NO_RANGE),
    f"{ASSETS}/Ball/Ball.maya.usd": Truth(1, 1),
}


@pytest.mark.parametrize("name", TRUTH)
def test_a_real_scene_is_what_its_files_say(name):
    truth = TRUTH[name]
    timeline = read_scene(CORPUS / name)
    assert range_of(timeline) == (truth.start, truth.length, truth.rate)
    assert tuple(cameras(timeline)) == truth.cameras
    assert characters(timeline) == truth.characters
    assert tuple(problems(timeline)) == truth.problems
    scene = scene_of(timeline)
    assert (scene.codes_per_second, scene.up_axis) == (truth.codes, truth.axis)
    assert scene.meters_per_unit == truth.unit
    assert len(timeline.tracks) == 1  # no sound, no clips, no second camera in any of these


@pytest.mark.parametrize("payloads", [False, True], ids=["unloaded", "loaded"])
@pytest.mark.parametrize("path", SCENES, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_every_real_scene_is_read(path, payloads):
    timeline = read_scene(path, payloads=payloads)
    _, length, rate = range_of(timeline)
    assert length >= 1 and rate > 0
    assert all(clip.trimmed_range().duration.value > 0 for clip in timeline.find_clips())
    scene = scene_of(timeline)
    assert all("\n" not in problem.message for problem in scene.problems)
    assert not any(str(CORPUS) in problem.message for problem in scene.problems)
    if payloads:
        assert scene.unloaded is None


@pytest.mark.parametrize("name", ["payload_child_folder", "payload_same_folder"])
def test_a_payload_that_is_there_is_said_only_where_it_is_not_loaded(name):
    path = CORPUS / ARCS / "payload" / f"{name}.usda"
    assert problems(read_scene(path)) == ["range", "payload"]
    assert problems(read_scene(path, payloads=True)) == ["range"]


def test_a_payload_that_is_not_there_is_a_problem_once_it_is_asked_for():
    path = CORPUS / ARCS / "payload" / "payload_invalid.usda"
    assert problems(read_scene(path, payloads=True)) == ["composition", "range"]


def test_templates_of_value_clips_are_moved_by_both_offsets():
    """The file of 1 plays at 3: its layer is moved by 1, what references that by 1 again."""
    timeline = read_scene(CORPUS / "pixar/testUsdValueClips/template/layerOffsets/root.usda")
    assert range_of(timeline) == (3, 3, 24)
    assert tracks(timeline) == [("Video", "scene", True), ("Video", "Model default", False)]
    assert laid(timeline, "Model default") == [
        Laid("1", 3, 1, 1),
        Laid("2", 4, 1, 2),
        Laid("3", 5, 1, 3),
    ]


def test_value_clips_are_moved_by_the_layer_that_says_their_times():
    timeline = read_scene(CORPUS / "pixar/testUsdValueClips/layerOffsets/root.usda")
    start, length, _ = range_of(timeline)
    assert (start, length) == (10, 31)  # the first clips begin at 10, the last end at 40
    # (0, 0) to (20, 20) in a layer moved by 10; in one moved by 20 over it; moved by 10 twice.
    assert laid(timeline, "Model_1 default") == [
        Laid("clip", 10, 20, 0),
        Laid("clip", 30, 11, 20, speed=0),
    ]
    moved_twice = [
        Laid("clip", 10, 10, 0, speed=0),
        Laid("clip", 20, 20, 0),
        Laid("clip", 40, 1, 20),
    ]
    assert laid(timeline, "Model_2 default") == moved_twice
    assert laid(timeline, "Model_3 default") == moved_twice


def test_several_sets_of_value_clips_lie_on_tracks_of_their_own():
    timeline = read_scene(CORPUS / "pixar/testUsdValueClips/multiclip/root.usda")
    assert range_of(timeline) == (0, 103, 24)  # from 0 of the first to 102 of the spans
    assert [name for _, name, _ in tracks(timeline)] == [
        "scene",
        "Model_1 default",
        "ModelWithNoClipSamples default",
        "ModelWithSomeClipSamples default",
        "ModelWithSomeClipSamples2 default",
        "ModelWithSomeClipSamples3 default",
        "ModelWithTimesSpanningClips default",
        "ModelWithTimesSpanningClips_2 default",
        "ModelWithNoTimes default",
    ]
    assert laid(timeline, "Model_1 default") == [
        Laid("clip1", 0, 16),
        Laid("clip2", 16, 16, 0),
        Laid("clip2", 32, 71, 16, speed=0),
    ]
    assert laid(timeline, "ModelWithSomeClipSamples2 default") == [
        Laid("clip2", 0, 4, 3),
        Laid("nosamples_clip", 4, 3, 0),
        Laid("nosamples_clip", 7, 1, 3),
        Laid("clip2", 8, 3, 6),
        Laid("clip2", 11, 92, 9, speed=0),
    ]
    assert laid(timeline, "ModelWithNoTimes default") == [
        Laid("clip1", 0, 7),
        Laid("clip2", 7, 96),
    ]


def test_a_problem_names_the_file_that_is_not_there():
    timeline = read_scene(CORPUS / ARCS / "references/reference_invalid.usda")
    message = scene_of(timeline).problems[0].message
    assert "@file_does_not_exist.usda@" in message and "</World/invalid_reference>" in message
