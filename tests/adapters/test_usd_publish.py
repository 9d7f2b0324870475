"""Publishing a cut onto a stage: what is said where, and what stays as it was."""

from __future__ import annotations

import re
import sys
from collections import Counter
from pathlib import Path

import pytest
import usd_judges as judges
from opentimelineio import schema
from opentimelineio.opentime import RationalTime
from published import (
    clip_of,
    copied,
    cut_of,
    draw_movie,
    frames,
    generated,
    hashes,
    labels,
    opened,
    plate,
    write_stage,
)

import castline
from castline.adapters.usd.publishing import survey
from castline.schemas.errors import UnreadableFileError, UnwritableFileError
from castline.schemas.places import get_slot, set_take
from castline.schemas.takes import add_take, takes_of

pytest.importorskip("pxr")

CORPUS = Path(__file__).resolve().parents[2].parent / "shared" / "corpus" / "usd"
UNOPENED = {"framesPerSecond_0.usda", "framesPerSecond_-1.usda"}
"""Scenes of the corpus that USD itself does not open."""
CAST = {"man": "CesiumMan", "cube": "animatedCube", "world": "World", "ball": "Ball"}
MARA = {"mara": "MARA"}


def messages(said: list[str]) -> Counter[str]:
    """Return what validators say, without the files' names and places in memory."""
    bare = (re.sub(r"^[^:]*: ", "", text) for text in said)
    file = r"<?[@</](?:/\S*/)?[^/\s@]*\.usd[acz]?[@>]?|<0x\w+>"
    return Counter(re.sub(file, "X", text) for text in bare)


@pytest.mark.corpus
def test_no_scene_of_the_corpus_gets_an_error_or_another_value(tmp_path):
    scenes = [
        path
        for path in sorted(CORPUS.rglob("*.usd*"))
        if path.parent.name != "malformed" and path.name not in UNOPENED
    ]
    assert len(scenes) > 80
    before = hashes(CORPUS)
    cut = cut_of(clip_of(tmp_path / "takes", "sh010", "man", "cube"), cast=CAST)
    roots = [
        castline.publish(cut, scene, tmp_path / str(number)).root
        for number, scene in enumerate(scenes)
    ]
    assert hashes(CORPUS) == before
    assert not messages(judges.core_errors(*roots)) - messages(judges.core_errors(*scenes))
    originals = judges.values_beneath(*scenes)
    beneath = judges.values_beneath(*roots)
    for scene, one, other in zip(scenes, originals, beneath, strict=True):
        for answer in (one, other):
            del answer["stage"]["startTimeCode"], answer["stage"]["endTimeCode"]
        assert judges.differences(one, other) == [], scene


@pytest.mark.parametrize("registered", [False, True])
def test_validators_find_nothing_in_a_published_stage(registered, tmp_path):
    stage = write_stage(tmp_path / "sh010.usda", head='upAxis = "Y"\n metersPerUnit = 0.01')
    cast = {"mara": "MARA", "nobody": "Nobody"}
    cut = cut_of(clip_of(tmp_path / "takes", "sh010", "mara", "nobody"), cast=cast)
    root = castline.publish(cut, stage, tmp_path / "out").root
    assert judges.core_errors(stage, root, registered=registered) == []
    assert judges.nvidia_errors(stage, root, registered=registered) == []


@pytest.mark.parametrize("version", judges.OLDER)
def test_an_older_usd_reads_the_same(version, tmp_path):
    stage = write_stage(tmp_path / "sh010.usda")
    cut = cut_of(clip_of(tmp_path / "takes", "sh010", "mara"), cast=MARA)
    root = castline.publish(cut, stage, tmp_path / "out").root
    (new,), (old,) = judges.values_in(judges.INSTALLED, root), judges.values_in(version, root)
    assert judges.differences(old, new) == []


@pytest.mark.corpus
@pytest.mark.parametrize("name", sorted(UNOPENED))
def test_a_stage_that_usd_does_not_open_is_refused(name, tmp_path):
    scene = next(CORPUS.rglob(name))
    with pytest.raises(UnreadableFileError, match="framesPerSecond"):
        castline.publish(cut_of(clip_of(tmp_path / "t", "sh010")), scene, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_shot_gets_its_plate_its_record_its_scores_and_its_labels(tmp_path):
    from pxr import UsdGeom, UsdMedia, UsdSemantics

    stage = write_stage(tmp_path / "shots" / "sh010.usda")
    cut = cut_of(clip_of(tmp_path / "takes", "sh010", "mara"), cast=MARA)
    published = castline.publish(cut, stage, tmp_path / "out")
    assert published.shots == {"sh010": "/World/cam"}
    assert published.characters == {"mara": ["/World/MARA"]}
    assert published.losses == []
    found = opened(published.root)
    assert (found.GetStartTimeCode(), found.GetEndTimeCode()) == (1001, 1012)
    camera = found.GetPrimAtPath("/World/cam")
    assert UsdGeom.Camera(camera).GetFocalLengthAttr().Get() == 35  # the artist's
    assert plate(found, "/World/cam")[1001] == "sh010_v1.0001.png"
    assert plate(found, "/World/cam")[1012] == "sh010_v1.0012.png"
    (record,) = UsdMedia.AuthorshipAPI.GetAll(camera)
    assert record.GetSoftwarePackageAttr().Get() == "ComfyUI"
    assert camera.GetAttribute("castline:appearance:mara:score").Get() == 0.91
    likeness = camera.GetAttribute("castline:appearance:mara:likeness")
    assert {t: likeness.Get(t) for t in likeness.GetTimeSamples()} == {1004: 0.8}
    target = camera.GetRelationship("castline:appearance:mara:prim").GetTargets()
    assert list(map(str, target)) == ["/World/MARA"]
    person = found.GetPrimAtPath("/World/MARA")
    assert list(UsdSemantics.LabelsAPI(person, "character").GetLabelsAttr().Get()) == ["MARA"]
    clip = found.GetPrimAtPath("/Timeline/tracks/track_0_shots/clip_0_sh010")
    assert [*clip.GetRelationship("castline:camera").GetTargets()] == [camera.GetPath()]


def test_the_takes_are_variants_of_the_camera(tmp_path):
    stage = write_stage(tmp_path / "sh010.usda")
    cut = cut_of(clip_of(tmp_path / "takes", "sh010", "mara"), cast=MARA)
    found = opened(castline.publish(cut, stage, tmp_path / "out").root)
    takes = found.GetPrimAtPath("/World/cam").GetVariantSet("take")
    assert takes.GetVariantSelection() == "DEFAULT_MEDIA"
    takes.SetVariantSelection("second")
    assert plate(found, "/World/cam")[1001] == "sh010_v2.0001.png"
    score = found.GetPrimAtPath("/World/cam").GetAttribute("castline:appearance:mara:score")
    assert score.Get() == 0.7


def test_nothing_of_ours_is_part_of_the_scene(tmp_path):
    stage = write_stage(tmp_path / "sh010.usda")
    cut = cut_of(clip_of(tmp_path / "takes", "sh010", "nobody"), cast={"nobody": "Nobody"})
    found = opened(castline.publish(cut, stage, tmp_path / "out").root)
    original = opened(stage)
    paths = [[str(prim.GetPath()) for prim in each.Traverse()] for each in (found, original)]
    assert paths[0] == paths[1]


def test_publishing_twice_gives_the_same_bytes_and_leaves_the_stage_alone(tmp_path):
    stage = write_stage(tmp_path / "shots" / "sh010.usda")
    before = hashes(tmp_path / "shots")
    cut = cut_of(clip_of(tmp_path / "takes", "sh010", "mara"), cast=MARA)
    castline.publish(cut, stage, tmp_path / "out")
    first = hashes(tmp_path / "out")
    published = castline.publish(cut, stage, tmp_path / "out")
    castline.publish(cut, published.root, tmp_path / "out")  # what was published stands for it
    assert hashes(tmp_path / "out") == first
    assert len(first) == 2
    assert hashes(tmp_path / "shots") == before


def test_a_newer_cut_leaves_nothing_of_the_older_behind(tmp_path):
    stage = write_stage(tmp_path / "sh010.usda")
    old = cut_of(clip_of(tmp_path / "takes", "sh010", "mara"), cast=MARA)
    new = cut_of(clip_of(tmp_path / "more", "sh010", count=8))
    castline.publish(old, stage, tmp_path / "out")
    castline.publish(new, stage, tmp_path / "out")
    castline.publish(new, stage, tmp_path / "fresh")
    assert hashes(tmp_path / "out") == hashes(tmp_path / "fresh")
    found = opened(tmp_path / "out" / "sh010_castline.usda")
    assert labels(found, "/World/MARA") == []
    assert found.GetEndTimeCode() == 1008


def test_beside_the_stage_its_own_files_stay(tmp_path):
    stage = write_stage(tmp_path / "sh010.usda")
    before = stage.read_bytes()
    castline.publish(cut_of(clip_of(tmp_path / "takes", "sh010")), stage, tmp_path)
    assert stage.read_bytes() == before
    assert (tmp_path / "sh010_castline.usda").is_file()


def test_what_the_artist_says_is_not_contradicted(tmp_path):
    body = """
    def Camera "cam" (
        apiSchemas = ["BackPlateAPI:plate"]
        variants = {
            string take = "one"
        }
        variantSets = "take"
    )
    {
        asset backPlate:plate:image = @./own.png@
        variantSet "take" = {
            "one" {
                float focalLength = 18
            }
            "two" {
            }
        }
    }
    def Xform "MARA" (
        apiSchemas = ["SemanticsLabelsAPI:character"]
    )
    {
        token[] semantics:labels:character = ["hero", "MARA"]
    }
    def Xform "twin" (
        apiSchemas = ["SemanticsLabelsAPI:character"]
    )
    {
        token[] semantics:labels:character = ["TOM"]
    }
"""
    stage = write_stage(tmp_path / "sh010.usda", body)
    clip = clip_of(tmp_path / "takes", "sh010", "mara")
    cut = cut_of(clip, cast={"mara": "MARA", "tommy": "Tom"})
    found = opened(castline.publish(cut, stage, tmp_path / "out").root)
    camera = found.GetPrimAtPath("/World/cam")
    assert camera.GetVariantSets().GetVariantSelection("take") == "one"
    assert camera.GetAttribute("focalLength").Get() == 18
    assert camera.GetAttribute("backPlate:plate:image").Get().path == "./own.png"
    assert plate(found, "/World/cam")[1001] == "sh010_v1.0001.png"
    assert labels(found, "/World/MARA") == ["hero", "MARA"]
    assert labels(found, "/World/twin") == ["TOM", "Tom"]


def test_a_sequence_gets_all_its_shots_each_in_its_own_range(tmp_path):
    for name in ("sh010", "sh020"):
        write_stage(tmp_path / f"{name}.usda", span=(101, 112))
    body = "".join(
        f'def "{name}" (\n references = @./{name}.usda@ (offset = {offset})\n kind = "shot"\n)\n'
        "{\n}\n"
        for name, offset in (("sh010", 900), ("sh020", 912))
    )
    stage = write_stage(tmp_path / "sequence.usda", body, span=(1001, 1024))
    cut = cut_of(*(clip_of(tmp_path / "takes", f"sh0{n}0") for n in (2, 1, 3)))
    published = castline.publish(cut, stage, tmp_path / "out")
    assert published.shots == {"sh020": "/World/sh020/cam", "sh010": "/World/sh010/cam"}
    assert [loss.where for loss in published.losses] == ["sh030"]
    found = opened(published.root)
    assert (found.GetStartTimeCode(), found.GetEndTimeCode()) == (1001, 1024)
    assert min(plate(found, "/World/sh010/cam")) == 1001
    assert min(plate(found, "/World/sh020/cam")) == 1013


@pytest.mark.parametrize(
    ("head", "rate", "second"),
    [
        ("timeCodesPerSecond = 48\n framesPerSecond = 24", 24, 1003),
        ("timeCodesPerSecond = 24\n framesPerSecond = 24", 24000 / 1001, 1002),
        ("timeCodesPerSecond = 23.976\n framesPerSecond = 23.976", 24, 1002),
        ("framesPerSecond = 48", 24, 1003),
        ("", 24, 1002),
        ("timeCodesPerSecond = 50", 25, 1003),
        ("timeCodesPerSecond = 12\n framesPerSecond = 24", 24, 1001.5),
        ("timeCodesPerSecond = 24\n framesPerSecond = 24", 25, 1002),
        ("timeCodesPerSecond = 30\n framesPerSecond = 30", 30000 / 1001, 1002),
    ],
)
def test_frames_stand_for_frames_at_the_artists_rate(head, rate, second, tmp_path):
    stage = write_stage(tmp_path / "sh010.usda", head=head)
    clip = clip_of(tmp_path / "takes", "sh010")
    clip.source_range = frames(1, 12, rate)
    for reference in clip.media_references().values():
        reference.rate = rate
        reference.available_range = frames(1, 12, rate)
    published = castline.publish(cut_of(clip), stage, tmp_path / "out")
    times = sorted(plate(opened(published.root), "/World/cam"))
    assert times[:2] == [1001, pytest.approx(second, abs=1e-9)]
    stages = [opened(path) for path in (published.overlay, published.root, stage)]
    assert len({each.GetTimeCodesPerSecond() for each in stages}) == 1
    (back,) = castline.read(published.root).find_clips()
    assert back.source_range == clip.source_range


def test_a_take_made_from_the_stage_itself_lies_at_the_stages_own_frames(tmp_path):
    stage = write_stage(tmp_path / "sh010.usda", span=(1001, 1040))
    cut = castline.read(stage)
    (clip,) = cut.find_clips()
    made = clip_of(tmp_path / "takes", "sh010").media_reference
    add_take(clip, "ai", made.deepcopy(), generated("sh010_v1"))
    clip.source_range = frames(1021, 10)
    published = castline.publish(cut, stage, tmp_path / "out")
    found = opened(published.root)
    assert (found.GetStartTimeCode(), found.GetEndTimeCode()) == (1021, 1030)


@pytest.mark.parametrize("axis", ["Y", "Z"])
def test_axis_unit_and_default_prim_are_the_artists(axis, tmp_path):
    from pxr import UsdGeom

    stage = write_stage(tmp_path / "sh010.usda", head=f'upAxis = "{axis}"\n metersPerUnit = 0.1')
    found = opened(castline.publish(cut_of(clip_of(tmp_path / "t", "a")), stage, tmp_path).root)
    assert UsdGeom.GetStageUpAxis(found) == axis
    assert UsdGeom.GetStageMetersPerUnit(found) == 0.1
    assert str(found.GetDefaultPrim().GetPath()) == "/World"


def test_missing_layers_are_problems(tmp_path):
    stage = write_stage(tmp_path / "sh010.usda", head="subLayers = [@./gone.usda@]")
    published = castline.publish(cut_of(clip_of(tmp_path / "t", "sh010")), stage, tmp_path / "o")
    assert any("gone.usda" in problem.message for problem in published.problems)
    assert published.shots == {"sh010": "/World/cam"}


def test_frames_of_a_movie_are_extracted_beside_the_layers(tmp_path):
    draw_movie(tmp_path / "take.mp4")
    stage = write_stage(tmp_path / "sh010.usda")
    clip = schema.Clip("sh010", schema.ExternalReference("take.mp4", frames(0, 12)), frames(0, 12))
    set_take(clip.media_reference, generated("sh010_v1"))
    published = castline.publish(cut_of(clip), stage, tmp_path / "out", home=tmp_path)
    assert published.losses == []
    shown = plate(opened(published.root), "/World/cam")
    assert len(shown) == 12
    assert {path.name for path in (tmp_path / "out" / "plates").iterdir()} == set(shown.values())


def test_without_what_reads_movies_the_rest_is_published(tmp_path, monkeypatch):
    (tmp_path / "no" / "av").mkdir(parents=True)
    (tmp_path / "no" / "av" / "__init__.py").write_text("raise ImportError('none')\n")
    monkeypatch.syspath_prepend(str(tmp_path / "no"))  # the child looks where we do
    monkeypatch.setitem(sys.modules, "av", None)
    (tmp_path / "take.mp4").write_bytes(b"movie")
    stage = write_stage(tmp_path / "sh010.usda")
    clip = schema.Clip("sh010", schema.ExternalReference("take.mp4", frames(0, 12)), frames(0, 12))
    set_take(clip.media_reference, generated("sh010_v1", "mara"))
    published = castline.publish(cut_of(clip, cast=MARA), stage, tmp_path / "out", home=tmp_path)
    assert "pip install" in published.losses[0].reason
    found = opened(published.root)
    score = found.GetPrimAtPath("/World/cam").GetAttribute("castline:appearance:mara:score")
    assert score.Get() == 0.91


def test_the_overlay_alone_is_the_published_cut(tmp_path):
    stage = write_stage(tmp_path / "sh010.usda")
    cut = cut_of(clip_of(tmp_path / "takes", "sh010", "mara"), cast=MARA)
    published = castline.publish(cut, stage, tmp_path / "out")
    alone = castline.read(published.overlay)
    (clip,) = alone.find_clips()
    (original,) = cut.find_clips()
    assert takes_of(clip) == takes_of(original)
    assert get_slot(clip).prim.path == "/World/cam"
    assert alone.global_start_time == RationalTime(1001, 24)


def test_a_retimed_take_is_seen_as_the_cut_retimes_it(tmp_path):
    stage = write_stage(tmp_path / "sh010.usda")
    clip = clip_of(tmp_path / "takes", "sh010")
    clip.source_range = frames(1, 6)
    clip.effects.append(schema.LinearTimeWarp(time_scalar=2.0))
    published = castline.publish(cut_of(clip), stage, tmp_path / "out")
    shown = plate(opened(published.root), "/World/cam")
    assert [shown[time] for time in (1001, 1002, 1006)] == [
        f"sh010_v1.{number:04d}.png" for number in (1, 3, 11)
    ]


def test_layers_of_ours_below_a_stage_are_left_out_when_it_is_looked_at(tmp_path):
    stage = write_stage(tmp_path / "sh010.usda")
    cut = cut_of(clip_of(tmp_path / "takes", "sh010", "mara"), cast=MARA)
    first = castline.publish(cut, stage, tmp_path / "out")
    text = stage.read_text()
    stage.write_text(text.replace("(\n", f"(\n subLayers = [@{first.overlay}@]\n", 1))
    facts = survey.survey(str(stage), ["mara"])
    assert [person["how"] for person in facts["people"]] == ["name"]
    assert facts["cameras"][0]["variants"] == []


def test_a_copy_elsewhere_gives_the_same_layers(tmp_path):
    stage = write_stage(tmp_path / "one" / "shots" / "sh010.usda")
    other = copied(stage, tmp_path / "two")
    cut = cut_of(clip_of(tmp_path / "takes", "sh010", "mara"), cast=MARA)
    castline.publish(cut, stage, tmp_path / "one" / "out")
    castline.publish(cut, other, tmp_path / "two" / "out")
    assert hashes(tmp_path / "one" / "out") == hashes(tmp_path / "two" / "out")


def test_work_that_was_saved_in_what_was_published_is_kept(tmp_path):
    stage = write_stage(tmp_path / "sh010.usda")
    cut = cut_of(clip_of(tmp_path / "takes", "sh010"))
    published = castline.publish(cut, stage, tmp_path / "out")
    mine = opened(published.root)
    mine.DefinePrim("/World/mine", "Sphere")
    mine.Save()
    with pytest.raises(UnwritableFileError, match="not as publish wrote it"):
        castline.publish(cut, stage, tmp_path / "out")
    assert opened(published.root).GetPrimAtPath("/World/mine").IsDefined()


def test_two_stages_of_one_name_do_not_replace_each_other(tmp_path):
    cut = cut_of(clip_of(tmp_path / "takes", "sh010"))
    one, other = (write_stage(tmp_path / name / "anim.usda") for name in ("a", "b"))
    castline.publish(cut, one, tmp_path / "out")
    with pytest.raises(UnwritableFileError, match=r"published of \.\./a/anim\.usda"):
        castline.publish(cut, other, tmp_path / "out")
    castline.publish(cut, other, tmp_path / "out", overwrite=True)


@pytest.mark.parametrize(("start", "seen"), [(1, 5), (0, 0), (-20, -20)])
def test_pictures_numbered_as_the_stage_is_lie_at_their_numbers(start, seen, tmp_path):
    stage = write_stage(tmp_path / "sh010.usda", span=(start, 100))
    clip = clip_of(tmp_path / "takes", "sh010", count=12)
    clip.source_range = frames(5, 4)
    found = opened(castline.publish(cut_of(clip), stage, tmp_path / "out").root)
    assert plate(found, "/World/cam")[seen] == "sh010_v1.0005.png"
    assert (found.GetStartTimeCode(), found.GetEndTimeCode()) == (seen, seen + 3)


def test_relative_media_are_relative_to_what_was_published(tmp_path):
    stage = write_stage(tmp_path / "shots" / "sh010.usda")
    clip = clip_of(tmp_path / "takes", "sh010")
    for reference in clip.media_references().values():
        reference.target_url_base = "takes/"
    root = castline.publish(cut_of(clip), stage, tmp_path / "o", home=tmp_path).root
    assert plate(opened(root), "/World/cam")[1001] == "sh010_v1.0001.png"
    (back,) = castline.read(root).find_clips()
    assert back.media_reference.target_url_base == "../takes/"


def test_through_a_link_the_stage_is_found_from_where_the_layers_are(tmp_path):
    stage = write_stage(tmp_path / "sh010.usda")
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "deep" / "er")
    castline.publish(cut_of(clip_of(tmp_path / "t", "sh010")), stage, tmp_path / "link")
    found = opened(tmp_path / "deep" / "er" / "sh010_castline.usda")
    assert found.GetPrimAtPath("/World/cam").GetTypeName() == "Camera"


def test_an_overlay_is_no_stage(tmp_path):
    stage = write_stage(tmp_path / "sh010.usda")
    cut = cut_of(clip_of(tmp_path / "takes", "sh010"))
    published = castline.publish(cut, stage, tmp_path / "out")
    with pytest.raises(UnreadableFileError, match="an overlay of castline's"):
        castline.publish(cut, published.overlay, tmp_path / "more")
