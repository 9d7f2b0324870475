"""Cuts written as stages, played, and compared with what a cut and its media say by themselves."""

from __future__ import annotations

import itertools
import json
import shutil
from fractions import Fraction
from pathlib import Path

import pytest
import usd_clips as clips
import usd_features as cuts
from opentimelineio import schema
from usd_chance import by_chance
from usd_cuts import span
from usd_oracle import Cut, measured
from usd_player import (
    CLOSE,
    Played,
    applied,
    camera_differs,
    is_visible,
    item_prims,
    media_prim,
    near,
    plate_of,
    problems,
)
from usd_scenes import NTSC

from castline.adapters import usd
from castline.schemas.places import set_take
from castline.schemas.values import Placement, Take

pytest.importorskip("pxr")
pytest.importorskip("PIL")
pytest.importorskip("av")

SUFFIXES = ("usda", "usdc")


@pytest.fixture(scope="module")
def m(tmp_path_factory) -> Path:
    from usd_scenes import make_all

    return make_all(tmp_path_factory.mktemp("usd") / "media")


def said(lines, most: int = 12) -> str:
    """Return the first lines and how many there are; nothing where there is none."""
    lines = list(lines)
    return "\n".join([*lines[:most], f"{len(lines)} differences"]) if lines else ""


def written(timeline: schema.Timeline, path: Path, **rest) -> tuple[Played, list]:
    losses = usd.write(timeline, path, **rest)
    return Played(path, timeline), losses


def losses_of(path: Path, *tracks, **rest) -> list:
    return usd.write(clips.cut(*tracks), path, **rest)


def asset_paths(layer) -> list[str]:
    """Return every asset path that is written in a layer, of values and of arcs."""
    from pxr import UsdUtils

    found: list[str] = []
    UsdUtils.ModifyAssetPaths(layer, lambda path: found.append(path) or path)
    return found


def arcs_of(layer) -> list[str]:
    """Return what is brought in by payload, reference or sublayer."""
    return sorted({name for name in layer.GetCompositionAssetDependencies() if name})


# What plays


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("feature", cuts.FEATURES, ids=lambda f: f.__name__)
def test_a_stage_shows_what_the_cut_says(feature, suffix, m, tmp_path):
    timeline = feature(m)
    played, _ = written(timeline, tmp_path / f"cut.{suffix}")
    assert not said(problems(played, Cut(timeline, m)))


@pytest.mark.parametrize("seed", range(24))
def test_a_cut_by_chance_plays(seed, m, tmp_path):
    timeline = by_chance(m, seed)
    played, _ = written(timeline, tmp_path / "cut.usdc")
    assert not said(problems(played, Cut(timeline, m)))


def test_a_stage_lasts_as_long_as_the_cut(m, tmp_path):
    played, _ = written(cuts.late_start(m), tmp_path / "cut.usda")
    stage = played.stage
    assert (stage.GetTimeCodesPerSecond(), stage.GetFramesPerSecond()) == (24, 24)
    assert (stage.GetStartTimeCode(), stage.GetEndTimeCode()) == (86400, 86400 + 24 + 24 + 20 - 1)


def test_a_stage_at_24000_1001_is_counted_in_its_frames(m, tmp_path):
    played, _ = written(cuts.ntsc_cut(m), tmp_path / "cut.usda")
    assert played.stage.GetTimeCodesPerSecond() == NTSC
    assert played.stage.GetStartTimeCode() == 43200


def test_scenes_stand_as_they_stood(m, tmp_path):
    """The stage has the axis and the units of its scenes; nothing lies down or grows."""
    from pxr import UsdGeom

    timeline = clips.cut(clips.video(clips.scene(m / "z_up.usda")))
    played, losses = written(timeline, tmp_path / "cut.usda")
    assert UsdGeom.GetStageUpAxis(played.stage) == "Z"
    assert UsdGeom.GetStageMetersPerUnit(played.stage) == 1.0
    assert losses == []
    assert not said(problems(played, Cut(timeline, m)))


def test_scenes_that_stand_differently_are_a_loss(m, tmp_path):
    track = clips.video(clips.scene(m / "moving.usda"), clips.scene(m / "z_up.usda"))
    assert losses_of(tmp_path / "cut.usda", track)


def test_a_stage_of_scenes_composes_without_an_error(m, tmp_path):
    played, losses = written(cuts.everything(m), tmp_path / "cut.usda")
    assert played.stage.GetCompositionErrors() == []
    assert losses, "dissolves are not carried"


@pytest.mark.parametrize(
    "feature", [cuts.cameras, cuts.named_camera, cuts.speeds, cuts.retimed_nests, cuts.roots]
)
def test_cuts_of_scenes_lose_nothing(feature, m, tmp_path):
    assert usd.write(feature(m), tmp_path / "cut.usda") == []


def test_a_reversed_instance_moves_backwards_or_is_a_loss(m, tmp_path):
    """Overs do not reach into instances."""
    timeline = clips.cut(clips.video(clips.scene(m / "instanced.usda", 1003, speed=-1.0)))
    played, losses = written(timeline, tmp_path / "cut.usda")
    assert losses or not said(problems(played, Cut(timeline, m)))
    forward = clips.cut(clips.video(clips.scene(m / "instanced.usda", 1003)))
    played, losses = written(forward, tmp_path / "forward.usda")
    assert losses == []
    assert not said(problems(played, Cut(forward, m)))


# Cameras


def test_the_first_of_several_cameras_is_followed_and_said(m, tmp_path):
    timeline = clips.cut(clips.video(clips.scene(m / "two_cameras.usda")))
    played, losses = written(timeline, tmp_path / "cut.usda")
    assert not said(problems(played, Cut(timeline, m)))
    assert len(losses) == 1
    assert "camera" in losses[0].field + losses[0].reason


def test_a_named_camera_that_is_not_there_is_said(m, tmp_path):
    clip = clips.scene(m / "moving.usda", camera="/World/Nobody")
    assert losses_of(tmp_path / "cut.usda", clips.video(clip))


def test_the_cut_camera_needs_no_payload(m, tmp_path):
    timeline = cuts.cameras(m)
    usd.write(timeline, tmp_path / "cut.usda")
    played = Played(tmp_path / "cut.usda", timeline, load=False)
    cut = Cut(timeline, m)
    for frame in range(0, int(cut.end), 5):
        now, expected = played.camera(frame), cut.camera(Fraction(frame))
        assert near(now.matrix, expected.matrix)
        assert near(now.lens["focalLength"], expected.lens["focalLength"])


# Takes


def shown_as(m: Path, key: str) -> schema.Clip:
    """Return the clip as it is while it shows one of its takes."""
    return {
        "temp": clips.scene(m / "moving.usda", 1011),
        "take_1": clips.scene(m / "fast.usda", 1031, speed=2.0),
        "take_2": clips.scene(m / "moving.usda", 1011),
        "take_3": clips.scene(m / "layered" / "shot.usda", 1003, speed=-1.0),
        "take_4": clips.scene(m / "gone.usda"),
        "take_5": clips.sequence(m / "plates"),
    }[key]


def with_takes(m: Path) -> schema.Clip:
    """Return a clip of six takes; the second has no place of its own and takes the clip's."""
    clip = shown_as(m, "temp")
    references = {"temp": clip.media_reference}
    for number in range(1, 6):
        key = f"take_{number}"
        other = shown_as(m, key)
        effects = tuple(json.loads(e.to_json_string(indent=-1)) for e in other.effects)
        place = Placement(source_range=other.source_range, effects=effects)
        take = Take(take_id=key, number=number, placement=None if number == 2 else place)
        references[key] = other.media_reference
        set_take(references[key], take)
    clip.set_media_references(references, "temp")
    return clip


def test_every_take_is_a_variant_in_its_own_place(m, tmp_path):
    timeline = clips.cut(clips.video(clips.gap(5), with_takes(m)))
    played, _ = written(timeline, tmp_path / "cut.usda")
    prim = played.prims[0, 1]
    takes = prim.GetVariantSets().GetVariantSet("take")
    assert sorted(takes.GetVariantNames()) == [*(f"take_{n}" for n in range(1, 6)), "temp"]
    assert takes.GetVariantSelection() == "temp"
    played.stage.SetEditTarget(played.stage.GetSessionLayer())
    for key in ("take_1", "take_2", "take_3", "temp"):
        takes.SetVariantSelection(key)
        cut = Cut(clips.cut(clips.video(clips.gap(5), shown_as(m, key))), m)
        for time in (Fraction(5), Fraction("9.5"), Fraction(28)):
            expected = cut.camera(time)
            own = media_prim(prim, cut.scene(cut.shown(time).clip), expected.path)
            assert own, f"{key}: no camera"
            found = measured(own, float(time))
            assert not said(camera_differs(found, expected, CLOSE, time.denominator == 1)), key
    takes.SetVariantSelection("take_4")
    assert not prim.GetChild("media") or not prim.GetChild("media").HasPayload()
    takes.SetVariantSelection("take_5")
    assert plate_of(prim.GetChild("camera"), 7).name == "sh.1003.png"


def test_names_of_takes_that_are_no_variant_names_are_told_apart(m, tmp_path):
    clip = clips.scene(m / "moving.usda")
    other = schema.ExternalReference(str(m / "static.usda"), clips.span(1001, 100))
    third = schema.ExternalReference(str(m / "turning.usda"), clips.span(1001, 100))
    references = {"take 1/a": other, "take 1:a": clip.media_reference, "雨": third}
    clip.set_media_references(references, "take 1:a")
    timeline = clips.cut(clips.video(clip))
    played, _ = written(timeline, tmp_path / "cut.usda")
    takes = played.prims[0, 0].GetVariantSets().GetVariantSet("take")
    assert len(takes.GetVariantNames()) == 3
    cut = Cut(timeline, m)
    assert near(played.camera(3).matrix, cut.camera(Fraction(3)).matrix)
    own = media_prim(played.prims[0, 0], m / "moving.usda", "/World/Rig/Cam")
    assert near(
        own.GetAttribute("focalLength").Get(3), cut.camera(Fraction(3)).lens["focalLength"]
    )


# Payloads and paths


def test_a_payload_is_kept_out_when_nothing_is_loaded(m, tmp_path):
    from pxr import Usd

    timeline = cuts.speeds(m)
    usd.write(timeline, tmp_path / "cut.usda")
    played = Played(tmp_path / "cut.usda", timeline, load=False)
    used = [Path(layer.realPath).name for layer in played.stage.GetUsedLayers()]
    assert "moving.usda" not in used
    for prim in played.pictures.values():
        media = prim.GetChild("media")
        assert media.HasPayload()
        assert list(Usd.PrimRange(media))[1:] == []
    played.stage.Load("/Timeline")
    assert all(p.GetChild("media").GetChildren() for p in played.pictures.values())


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_no_asset_path_is_absolute(suffix, m, tmp_path):
    from pxr import Sdf

    usd.write(cuts.everything(m), tmp_path / f"cut.{suffix}")
    layer = Sdf.Layer.FindOrOpen(str(tmp_path / f"cut.{suffix}"))
    found = asset_paths(layer)
    assert len(set(found)) >= 8
    for path in filter(None, found):
        assert not path.startswith("/") and "://" not in path, path
        assert Path(layer.ComputeAbsolutePath(path)).is_file(), path


def test_a_cut_that_moves_with_its_media_still_plays(m, tmp_path):
    shutil.copytree(m, tmp_path / "one" / "media")
    timeline = cuts.everything(tmp_path / "one" / "media")
    (tmp_path / "one" / "edit").mkdir()
    usd.write(timeline, tmp_path / "one" / "edit" / "cut.usda")
    (tmp_path / "one").rename(tmp_path / "two")
    moved = cuts.everything(tmp_path / "two" / "media")
    played = Played(tmp_path / "two" / "edit" / "cut.usda", moved)
    assert not said(problems(played, Cut(moved, tmp_path)))


def test_media_by_file_url_are_found(m, tmp_path):
    clip = clips.scene(m / "my shot é.usdc")
    clip.media_reference.target_url = (m / "my shot é.usdc").as_uri()
    timeline = clips.cut(clips.video(clip))
    played, losses = written(timeline, tmp_path / "cut.usda")
    assert losses == []
    assert not said(problems(played, Cut(timeline, m)))


def test_media_that_are_not_there_have_no_arc_and_are_said(m, tmp_path):
    from pxr import Sdf

    url = "file:///no/such/place/sh010_v001.usda"
    clip = clips.scene(m / "gone.usda")
    clip.media_reference.target_url = url
    timeline = clips.cut(
        clips.video(clip, clips.missing()), clips.audio(clips.sound(m / "gone.wav"))
    )
    played, losses = written(timeline, tmp_path / "cut.usda")
    layer = Sdf.Layer.FindOrOpen(str(tmp_path / "cut.usda"))
    assert arcs_of(layer) == []
    assert not [path for path in asset_paths(layer) if path]
    named = played.prims[0, 0].GetAttribute("castline:mediaUrl")
    assert named.GetTypeName() == Sdf.ValueTypeNames.String
    assert named.Get() == url
    assert len(losses) >= 2
    assert not any(prim.GetChildren() for key, prim in played.prims.items() if len(key) == 2)


def test_a_scene_that_usd_cannot_open_is_a_loss(m, tmp_path):
    broken = tmp_path / "broken.usda"
    broken.write_text("#usda 1.0\ndef Xform {{{\n", encoding="utf-8")
    timeline = clips.cut(
        clips.video(clips.scene(m / "moving.usda")), clips.video(clips.scene(broken, length=10))
    )
    played, losses = written(timeline, tmp_path / "cut.usda")
    assert losses
    assert played.visible(3) == [(0, 0)]


def test_the_artists_files_are_not_touched(m, tmp_path):
    before = {path: path.read_bytes() for path in m.rglob("*") if path.is_file()}
    usd.write(cuts.everything(m), tmp_path / "cut.usda")
    assert {path: path.read_bytes() for path in m.rglob("*") if path.is_file()} == before


# What USD has no word for


@pytest.mark.parametrize("back_and_ahead", [(6, 6), (2, 8)])
def test_a_dissolve_is_a_loss(back_and_ahead, m, tmp_path):
    one, two = clips.scene(m / "moving.usda"), clips.scene(m / "static.usda")
    plain = clips.video(one.deepcopy(), two.deepcopy())
    assert losses_of(tmp_path / "plain.usda", plain) == []
    assert losses_of(
        tmp_path / "mixed.usda", clips.video(one, clips.dissolve(*back_and_ahead), two)
    )


def test_a_retime_that_nobody_can_read_is_a_loss(m, tmp_path):
    clip = clips.scene(m / "moving.usda")
    clip.effects.append(schema.TimeEffect("curve", "AvidCurve"))
    assert losses_of(tmp_path / "cut.usda", clips.video(clip))


# Plates


def test_a_movie_without_plates_is_a_loss_and_shows_nothing(m, tmp_path):
    timeline = clips.cut(
        clips.video(clips.scene(m / "moving.usda")), clips.video(clips.movie(m / "movie.mp4"))
    )
    played, losses = written(timeline, tmp_path / "cut.usda")
    assert losses
    assert played.visible(3) == [(0, 0)]
    assert not said(problems(played, Cut(timeline, m)))


@pytest.mark.parametrize("speed", [None, -1.0, 2.0, 0.5])
def test_a_movie_with_plates_is_seen(speed, m, tmp_path):
    length = 8 if speed == 2.0 else 12
    timeline = clips.cut(
        clips.video(clips.scene(m / "moving.usda", length=20)),
        clips.video(clips.gap(4), clips.movie(m / "movie.mp4", 5, length, speed=speed)),
    )
    played, losses = written(timeline, tmp_path / "cut.usda", plates=tmp_path / "plates")
    assert losses == []
    assert not said(problems(played, Cut(timeline, m, plates=True)))


def test_a_plate_is_behind_nothing_else(m, tmp_path):
    """In a gap and in a scene the plate before is gone from the cut camera."""
    timeline = clips.cut(
        clips.video(clips.sequence(m / "plates"), clips.gap(4), clips.scene(m / "static.usda"))
    )
    played, losses = written(timeline, tmp_path / "cut.usda")
    assert losses == []
    assert plate_of(played.cut_camera, 7).name == "sh.1008.png"
    assert plate_of(played.cut_camera, 8) is None
    assert plate_of(played.cut_camera, 12) is None
    assert "BackPlateAPI:plate" in applied(played.cut_camera)


# Sound


@pytest.mark.parametrize("feature", [cuts.sounds, cuts.late_start, cuts.everything])
def test_sound_is_heard_where_the_cut_says(feature, m, tmp_path):
    timeline = feature(m)
    played, _ = written(timeline, tmp_path / "cut.usda")
    heard = Cut(timeline, m).sounds()
    assert heard
    for sound in heard:
        prim = played.prims[sound.chain].GetChild("sound")
        assert prim, f"{sound.chain}: no sound"
        assert prim.GetTypeName() == "SpatialAudio"
        value = {a.GetName(): a.Get() for a in prim.GetAttributes()}
        assert near(value["startTime"].GetValue(), float(sound.start))
        assert near(value["endTime"].GetValue(), float(sound.end))
        assert abs(value["mediaOffset"] - float(sound.offset)) < 1e-6
        assert value["gain"] == sound.gain
        assert value["auralMode"] == "nonSpatial"
        assert value["playbackMode"] == "onceFromStartToEnd"
        assert Path(value["filePath"].resolvedPath).samefile(sound.path)
        assert prim.GetAttribute("gain").Get(float(sound.start)) == sound.gain
        if sound.gain:
            assert is_visible(prim, float(sound.start))
    with_sound = {chain for chain, p in played.prims.items() if p.GetChild("sound")}
    assert with_sound == {sound.chain for sound in heard}


@pytest.mark.parametrize("speed", [2.0, -1.0])
def test_retimed_sound_is_a_loss(speed, m, tmp_path):
    plain = clips.audio(clips.sound(m / "sound.wav", 24, 24))
    assert losses_of(tmp_path / "plain.usda", plain) == []
    retimed = clips.audio(clips.sound(m / "sound.wav", 24, 24, speed=speed))
    assert losses_of(tmp_path / "retimed.usda", retimed)


# How it lies


def test_prims_are_typed_and_in_order(m, tmp_path):
    played, _ = written(cuts.everything(m), tmp_path / "cut.usda")
    stage = played.stage
    assert stage.GetDefaultPrim().GetPath() == "/Timeline"
    assert played.cut_camera.GetTypeName() == "Camera"
    for prim in itertools.chain([stage.GetDefaultPrim()], played.prims.values()):
        assert prim.GetTypeName() in ("Scope", "Xform"), prim
    track = item_prims(stage.GetPrimAtPath("/Timeline/tracks"))[0]
    kinds = [prim.GetName().partition("_")[0] for prim in item_prims(track)]
    assert kinds == ["clip", "transition", "clip", "stack", "clip", "clip", "clip", "clip"]
    assert [p.GetKind() for p in (stage.GetDefaultPrim(), track)] == ["assembly", "group"]


def test_the_same_cut_gives_the_same_bytes(m, tmp_path):
    for name in ("one", "two"):
        usd.write(cuts.everything(m), tmp_path / f"{name}.usda")
    assert (tmp_path / "one.usda").read_bytes() == (tmp_path / "two.usda").read_bytes()


def test_a_cut_that_plays_reads_back_as_it_was(m, tmp_path):
    timeline = cuts.everything(m)
    usd.write(timeline, tmp_path / "cut.usdc")
    assert usd.read(tmp_path / "cut.usdc").is_equivalent_to(timeline)


def test_what_usd_cannot_say_or_show_is_a_loss(m, tmp_path):
    odd = tmp_path / "a\nb.usda"
    odd.write_bytes((m / "static.usda").read_bytes())
    timeline = clips.cut(clips.video(clips.scene(odd)))
    data = schema.Track("D", [clips.scene(m / "static.usda")], kind="Data")
    timeline.tracks.append(data)
    losses = usd.write(timeline, tmp_path / "cut.usda")
    assert len(losses) == 2
    assert "payload" not in (tmp_path / "cut.usda").read_text(encoding="utf-8")
    assert usd.read(tmp_path / "cut.usda").to_json_string() == timeline.to_json_string()


def test_a_cut_in_a_cut_is_seen_through_its_own_camera(m, tmp_path):
    from pxr import Usd, UsdGeom

    inner = clips.cut(
        clips.video(clips.scene(m / "moving.usda"), clips.scene(m / "moving.usda", speed=-1.0))
    )
    usd.write(inner, tmp_path / "inner.usda")
    whole = schema.Clip(
        "inner", schema.ExternalReference(str(tmp_path / "inner.usda")), clips.span(0, 40)
    )
    assert usd.write(clips.cut(clips.video(whole)), tmp_path / "outer.usda") == []
    stages = [Usd.Stage.Open(str(tmp_path / f"{name}.usda")) for name in ("inner", "outer")]
    for time in (0, 5, 15, 30):
        one, other = (
            UsdGeom.Camera.Get(stage, "/Timeline/CutCamera").ComputeLocalToWorldTransform(time)
            for stage in stages
        )
        assert _is_close(one, other)


def _is_close(one, other) -> bool:
    from pxr import Gf

    return Gf.IsClose(one, other, 1e-4)


def test_a_stage_is_never_its_own_media(tmp_path):
    path = tmp_path / "cut.usda"
    clip = schema.Clip("self", schema.ExternalReference(str(path)), clips.span(0, 10))
    usd.write(clips.cut(clips.video(clip)), path)
    losses = usd.write(clips.cut(clips.video(clip)), path)
    assert [loss.reason for loss in losses] == ["it is the stage itself"]


def test_a_movie_is_a_picture_to_be_extracted_and_no_sound(tmp_path):
    movies = [schema.ExternalReference("a.mov", span(0, 90)) for _ in range(2)]
    video, audio = (schema.Clip("a", each, span(0, 24)) for each in movies)
    timeline = schema.Timeline("cut")
    timeline.tracks.append(schema.Track("V1", [video]))
    timeline.tracks.append(schema.Track("A1", [audio], kind=schema.TrackKind.Audio))
    losses = {loss.field: loss.reason for loss in usd.write(timeline, tmp_path / "cut.usda")}
    assert losses == {
        "picture": "a movie; its frames become a plate with --plates FOLDER",
        "sound": "the sound of a movie has no place in USD",
    }
