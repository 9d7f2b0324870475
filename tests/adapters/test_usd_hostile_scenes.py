"""Scenes that others armed, composed: a cut with problems, or one line in bounded time."""

from __future__ import annotations

import os
from pathlib import Path

import builders
import pytest
import usd_hostile as hostile
from opentimelineio import opentime, schema
from usd_hostile import MALFORMED, truncated
from usd_laid import problems, read_scene, scene_at, scene_of
from usd_reads import otio_text, refused

from castline.adapters import usd
from castline.adapters.usd import layout, sandbox
from castline.adapters.usd.playing import scenes
from castline.adapters.usd.reading import reader
from castline.adapters.usd.scene import facts, opening, survey
from castline.schemas.errors import UnreadableFileError

pytest.importorskip("pxr")


def over(folder: Path, below: str, arc: str = "subLayers") -> Path:
    """Write a scene with a camera that brings in a file."""
    text = f"@{below}@</World>" if arc != "subLayers" else ""
    prim = f'def "World" ({arc} = {text})\n{{\n}}\n' if text else ""
    header = {} if text else {"subLayers": f"[@{below}@]"}
    text = f'{prim}def Camera "Cam"\n{{\n}}\n'
    return scene_at(folder / "scene.usda", text, startTimeCode=1, endTimeCode=5, **header)


def lived_with(path: Path) -> list[str]:
    """Read a scene that has problems; return what they say."""
    found = [problem.message for problem in scene_of(read_scene(path)).problems]
    assert found
    assert not any("\n" in message or str(path.parent) in message for message in found)
    return found


@pytest.fixture
def brief(monkeypatch):
    """A child with little time, so that tests wait no longer."""
    monkeypatch.setattr(reader, "SCENE_SECONDS", 1.0)
    monkeypatch.setattr(sandbox, "SPARE_SECONDS", 1.0)


def test_a_scene_that_is_a_bomb_is_refused_in_time(brief, tmp_path):
    assert "busy for more than 1 seconds" in refused(hostile.bomb(tmp_path / "a.usda"))


@pytest.mark.parametrize("arc", ["subLayers", "references"])
def test_a_scene_over_a_pipe_is_refused_in_time(arc, brief, tmp_path):
    os.mkfifo(tmp_path / "pipe.usda")
    assert "busy for more than 1 seconds" in refused(over(tmp_path, "./pipe.usda", arc))


@pytest.mark.parametrize("kind", sorted(hostile.LIVED_WITH))
def test_a_scene_that_goes_in_circles_has_problems(kind, tmp_path):
    suffix, make = hostile.HOSTILE[kind]
    path = make(tmp_path / f"a.{suffix}")
    found = lived_with(path)
    assert any("ycle" in message for message in found)
    assert lived_with(path) == found == [p.message for p in scene_of(usd.read(path)).problems]


def folder_below(path: Path) -> str:
    path.with_name("below.usda").mkdir()
    return "./below.usda"


def endless(path: Path) -> str:
    path.with_name("below.usd").symlink_to("/dev/zero")
    return "./below.usd"


def damaged_text(path: Path) -> str:
    return f"./{hostile.malformed(path.with_name('below.usda')).name}"


def damaged_crate(path: Path) -> str:
    path.with_name("below.usdc").write_bytes(b"PXR-USDC" + b"\xff" * 200)
    return "./below.usdc"


def damaged_package(path: Path) -> str:
    path.with_name("below.usdz").write_bytes(b"PK\3\4" + b"\xff" * 200)
    return "./below.usdz"


def refused_rate(path: Path) -> str:
    scene_at(path.with_name("below.usda"), 'def "World" {\n}\n', framesPerSecond=0)
    return "./below.usda"


BELOW = {
    "a folder": folder_below,
    "endless zeros": endless,
    "a device": lambda path: "/dev/zero",
    "nothing": lambda path: "./none.usda",
    "another machine": lambda path: "https://example.com/a.usda",
    "an odd scheme": lambda path: "omniverse://localhost/a.usd",
    "damaged text": damaged_text,
    "a damaged crate": damaged_crate,
    "a damaged package": damaged_package,
    "a rate that USD refuses": refused_rate,
}


@pytest.mark.parametrize("arc", ["subLayers", "references", "payload"])
@pytest.mark.parametrize("kind", BELOW)
def test_a_scene_that_cannot_bring_something_in_is_read_without(kind, arc, tmp_path):
    path = over(tmp_path, BELOW[kind](tmp_path / "scene.usda"), arc)
    assert [clip.name for clip in read_scene(path).find_clips()] == ["Cam"]
    (found,) = lived_with(path)
    assert ("left unloaded" if arc == "payload" else "Could not") in found
    timeline = read_scene(path, payloads=True)
    assert problems(timeline) == ["composition"]


def test_a_layer_below_whose_rate_is_none_is_mended_and_said(tmp_path):
    scene_at(tmp_path / "below.usda", 'def "World" {\n}\n', timeCodesPerSecond=0)
    (found,) = lived_with(over(tmp_path, "./below.usda"))
    assert "found timeCodesPerSecond 0" in found


def test_scenes_of_too_many_prims_or_layers_are_refused(monkeypatch, tmp_path):
    path = over(tmp_path, "./below.usda")
    scene_at(tmp_path / "below.usda", "".join(f'def "p{n}" {{\n}}\n' for n in range(9)))
    assert survey.survey(str(path))["prims"] == 10
    monkeypatch.setattr(survey, "MAX_PRIMS", 9)
    with pytest.raises(UnreadableFileError, match=r"scene\.usda: found more than 9 prims"):
        survey.survey(str(path))
    monkeypatch.setattr(opening, "MAX_LAYERS", 1)
    with pytest.raises(UnreadableFileError, match=r"scene\.usda: found more than 1 layers"):
        survey.survey(str(path))


def test_of_many_problems_the_first_are_said(tmp_path):
    text = "".join(f'def "p{n}" (references = @./{n}.usda@) {{\n}}\n' for n in range(500))
    path = scene_at(tmp_path / "a.usda", text, startTimeCode=1, endTimeCode=5)
    assert len(lived_with(path)) == facts.MAX_PROBLEMS + 1  # how many more


ODD_SCENES = {
    "names that are none": 'def SkelRoot "a" (assetInfo = {\n int name = 3\n}) {\n}\n',
    "a kind that is none": 'def Xform "a" (kind = "") {\n def Camera "c" {\n}\n}\n',
    "a visibility that is none": 'def SkelRoot "a" {\n int visibility = 3\n}\n',
    "times that are none": 'def SkelRoot "a" {\n'
    ' token visibility.timeSamples = { nan: "invisible", inf: "inherited" }\n}\n',
    "a sound of words": 'def SpatialAudio "a" {\n string startTime = "x"\n string endTime = "y"\n'
    ' string mediaOffset = "z"\n int playbackMode = 3\n asset filePath = @a.wav@\n}\n',
    "a sound that is a word": 'def SpatialAudio "a" {\n string filePath = "a.wav"\n}\n',
    "a sequence of words": 'def Sequence "a" {\n def Track "t" {\n def AssetClip "c" {\n'
    ' string startTime = "x"\n rel assetPrim = </None>\n}\n}\n}\n',
}


@pytest.mark.parametrize("kind", ODD_SCENES)
def test_values_of_other_types_than_theirs_do_not_keep_a_scene_from_being_read(kind, tmp_path):
    header = {"startTimeCode": 1, "endTimeCode": 5}
    timeline = read_scene(scene_at(tmp_path / "a.usda", ODD_SCENES[kind], **header))
    assert timeline.duration() == opentime.RationalTime(5, 24)


# As media of a cut


def clip_of(path: Path, start: float = 0, length: float = 24, speed: float = 1) -> schema.Clip:
    whole = opentime.TimeRange(opentime.RationalTime(start, 24), opentime.RationalTime(length, 24))
    clip = schema.Clip(path.stem, schema.ExternalReference(str(path)), whole)
    if speed != 1:
        clip.effects.append(schema.LinearTimeWarp(time_scalar=speed))
    return clip


def written(path: Path, *clips: schema.Clip) -> list[str]:
    """Write a cut, see that it holds what it should, and return what was lost."""
    timeline = schema.Timeline("cut")
    timeline.tracks.append(schema.Track("V1", clips))
    losses = usd.write(timeline, path)
    assert otio_text(usd.read(path)) == otio_text(timeline)
    assert all("\n" not in loss.reason for loss in losses)
    return [f"{loss.field}: {loss.reason}" for loss in losses]


@pytest.mark.parametrize("kind", hostile.HOSTILE)
def test_a_cut_is_written_with_a_scene_that_is_made_to_hurt(kind, tmp_path, monkeypatch):
    monkeypatch.setattr(scenes, "SECONDS", 1.0)
    suffix, make = hostile.HOSTILE[kind]
    path = make(tmp_path / f"a.{suffix}")
    good = hostile.scene(tmp_path / "good.usda")
    (lost,) = written(tmp_path / "out.usda", clip_of(path), clip_of(good))
    assert lost.startswith("camera: " if kind in hostile.LIVED_WITH else "picture: ")
    if kind == "a bomb":
        assert "busy for more than 1 seconds" in lost
    if kind.startswith("deep text"):
        assert "ends USD (signal" in lost


@pytest.mark.corpus
def test_a_cut_is_written_with_malformed_scenes(tmp_path):
    lost = written(tmp_path / "out.usda", *(clip_of(path) for path in MALFORMED))
    assert len(lost) == len(MALFORMED)
    assert all(reason.startswith("picture: the scene cannot be used") for reason in lost)


def test_a_cut_is_written_with_crates_that_end_too_early(tmp_path):
    usd.write(builders.cut(30), tmp_path / "a.usdc")
    paths = truncated(tmp_path / "a.usdc", tmp_path / "truncated")
    lost = written(tmp_path / "out.usda", *map(clip_of, paths))
    assert len(lost) == len(paths) > 5
    assert all(reason.startswith("picture: the scene cannot be used") for reason in lost)


@pytest.mark.parametrize("rate", ["0", "-1", "nan", "inf", "1e-300", "1e-5"])
def test_a_scene_without_a_usable_rate_is_a_loss(rate, tmp_path):
    path = hostile.scene(tmp_path / "a.usda", rate=rate)
    for speed in (1, -1, 0.5):
        (lost,) = written(tmp_path / "out.usda", clip_of(path, speed=speed))
        assert "time codes a second, expected above 0" in lost


NO_NUMBERS = {
    "NaN": {"moves": "0: (nan, 0, 0), 40: (1, 1, 1)"},
    "infinity": {"moves": "0: (inf, 0, 0), 20: (-inf, 0, 0), 40: (0, 0, 0)"},
    "a time that is none": {"moves": "nan: (0, 0, 0)"},
    "infinite times": {"moves": "inf: (0, 0, 0), -inf: (1, 1, 1), 3: (2, 2, 2)"},
    "a lens of NaN": {"lens": "float focalLength = nan"},
    "a lens that turns NaN": {"lens": "float horizontalAperture.timeSamples = {0: 1, 5: nan}"},
    "a range of infinity": {"lens": "float2 clippingRange = (0, inf)"},
    "planes of NaN": {"lens": "float4[] clippingPlanes = [(nan, 0, 0, 1)]"},
    "words": {"lens": 'string focalLength = "long"'},
    "nothing": {"lens": "float focalLength.timeSamples = {0: None}"},
}


@pytest.mark.parametrize("kind", NO_NUMBERS)
@pytest.mark.parametrize("speed", [1, -1])
def test_a_camera_whose_values_are_no_numbers_is_not_followed(kind, speed, tmp_path):
    path = hostile.scene(tmp_path / "a.usda", **NO_NUMBERS[kind])
    good = hostile.scene(tmp_path / "good.usda")
    lost = written(tmp_path / "out.usda", clip_of(path, speed=speed), clip_of(good))
    assert any(reason.startswith("camera: the cut camera stays") for reason in lost)
    times, _ = camera(tmp_path / "out.usda", "xformOp:transform")
    assert times[0] == 24


def test_a_camera_without_an_aperture_is_followed(tmp_path):
    path = hostile.scene(
        tmp_path / "a.usda", lens="float horizontalAperture = 0\nfloat verticalAperture = 0"
    )
    assert written(tmp_path / "out.usda", clip_of(path)) == []
    assert camera(tmp_path / "out.usda", "horizontalAperture") == ([], 0)


@pytest.mark.parametrize("line", ["metersPerUnit = nan", "metersPerUnit = -inf"])
def test_a_scene_whose_unit_is_no_number_is_a_loss(line, tmp_path):
    path = hostile.scene(tmp_path / "a.usda")
    path.write_text(path.read_text().replace("(\n", f"(\n    {line}\n", 1))
    good = hostile.scene(tmp_path / "good.usda")
    (lost,) = written(tmp_path / "out.usda", clip_of(path), clip_of(good))
    assert "no number" in lost


def test_a_million_samples_are_looked_at_where_they_are_shown(tmp_path):
    path = hostile.crowded(tmp_path / "a.usda")
    assert written(tmp_path / "out.usda", clip_of(path, 500)) == []
    times, _ = camera(tmp_path / "out.usda", "xformOp:transform")
    assert len(times) > 20


def test_a_million_samples_in_a_second_are_too_many_to_follow(tmp_path):
    path = hostile.crowded(tmp_path / "a.usda", last=24)
    (lost,) = written(tmp_path / "out.usda", clip_of(path))
    assert "found more than 200000 camera samples" in lost


def camera(path: Path, name: str) -> tuple[list[float], object]:
    """Return the times and the default of what the cut camera says; no scene is opened."""
    from pxr import Sdf

    layer = Sdf.Layer.OpenAsAnonymous(str(path))
    place = f"/{layout.ROOT_NAME}/{layout.CAMERA_NAME}.{name}"
    return layer.ListTimeSamplesForPath(place), layer.GetAttributeAtPath(place).default
