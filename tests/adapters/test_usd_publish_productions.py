"""What stages and cuts of real productions are like, each of which went wrong once."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest
from opentimelineio import schema
from opentimelineio.opentime import RationalTime, TimeRange
from published import (
    clip_of,
    cut_of,
    draw_movie,
    frames,
    generated,
    labels,
    opened,
    plate,
    write_stage,
)
from published import plate_of as pictures

import castline
from castline.adapters import files
from castline.schemas.errors import (
    InvalidValueError,
    NeedsPersonError,
    UnreadableFileError,
    UnwritableFileError,
)
from castline.schemas.places import get_sequence, get_slot, set_slot, set_take
from castline.schemas.takes import add_take, switch_take

pytest.importorskip("pxr")

MARA = {"mara": "MARA"}


def first_and_last(root, camera="/World/cam") -> tuple[float, float]:
    times = plate(opened(root), camera)
    return min(times), max(times)


# When


@pytest.mark.parametrize("span", [(993, 1020), (1, 100), (1003, 1200)])
@pytest.mark.parametrize("arc", ["references", "subLayers"])
def test_a_camera_file_with_a_range_of_its_own_does_not_move_the_shot(span, arc, tmp_path):
    (tmp_path / "cam.usda").write_text(
        f'#usda 1.0\n(\n defaultPrim = "World"\n startTimeCode = {span[0]}\n'
        f' endTimeCode = {span[1]}\n)\ndef Xform "World"\n{{\n def Camera "cam"\n {{\n }}\n}}\n'
    )
    if arc == "references":
        body = 'def "rig" (\n references = @./cam.usda@\n)\n{\n}\n'
        stage = write_stage(tmp_path / "sh010.usda", body)
        camera = "/World/rig/cam"
    else:
        stage = write_stage(tmp_path / "sh010.usda", "", head="subLayers = [@./cam.usda@]")
        camera = "/World/cam"
    published = castline.publish(cut_of(clip_of(tmp_path / "t", "sh010")), stage, tmp_path / "out")
    start = max(1001, span[0]) if span[1] >= 1001 else 1001
    assert first_and_last(published.root, camera) == (start, start + 11)
    there = opened(published.root)
    assert (there.GetStartTimeCode(), there.GetEndTimeCode()) == (start, start + 11)


def test_a_shot_layer_says_the_range_of_the_department_layers_below_it(tmp_path):
    for number, name in enumerate(("sh010", "sh020")):
        camera = tmp_path / f"{name}_cam.usda"
        camera.write_text(
            f'#usda 1.0\ndef Xform "World"\n{{\n def Camera "{name}"\n {{\n }}\n}}\n'
        )
        (tmp_path / f"{name}.usda").write_text(
            f"#usda 1.0\n(\n startTimeCode = {1001 + 100 * number}\n"
            f" endTimeCode = {1012 + 100 * number}\n subLayers = [@./{name}_cam.usda@]\n)\n"
        )
    stage = tmp_path / "seq.usda"
    stage.write_text(
        "#usda 1.0\n(\n startTimeCode = 1001\n endTimeCode = 1112\n"
        " subLayers = [@./sh010.usda@, @./sh020.usda@ (offset = 10)]\n)\n"
    )
    cut = cut_of(clip_of(tmp_path / "t", "sh010"), clip_of(tmp_path / "t", "sh020"))
    published = castline.publish(cut, stage, tmp_path / "out")
    assert first_and_last(published.root, "/World/sh010") == (1001, 1012)
    assert first_and_last(published.root, "/World/sh020") == (1111, 1122)
    read = castline.read(stage)
    starts = {
        clip.name: clip.range_in_parent().start_time.value + 1001 for clip in read.find_clips()
    }
    assert starts == {"sh010": 1001, "sh020": 1111}


def test_a_range_of_all_that_several_cameras_share_is_no_shots(tmp_path):
    body = "".join(f' def Camera "{name}"\n {{\n }}\n' for name in ("sh010", "sh020", "sh030"))
    (tmp_path / "dept.usda").write_text(f'#usda 1.0\ndef Xform "World"\n{{\n{body}}}\n')
    (tmp_path / "base.usda").write_text(
        "#usda 1.0\n(\n startTimeCode = 1001\n endTimeCode = 1100\n"
        " subLayers = [@./dept.usda@]\n)\n"
    )
    stage = write_stage(
        tmp_path / "seq.usda", "", head="subLayers = [@./base.usda@]", span=(1001, 1100)
    )
    cut = cut_of(*(clip_of(tmp_path / "t", name) for name in ("sh010", "sh020", "sh030")))
    root = castline.publish(cut, stage, tmp_path / "out").root
    starts = [first_and_last(root, f"/World/sh0{number}0")[0] for number in (1, 2, 3)]
    assert starts == [1001, 1013, 1025]


@pytest.mark.parametrize(
    ("cut_rate", "stage_rate", "last"),
    [
        (24, 24, 1012),
        (24, 25, 1013),
        (24, 30, 1015),
        (24, 48, 1024),
        (24, 60, 1030),
        (25, 24, 1012),
    ],
)
def test_the_range_ends_with_the_last_whole_frame_of_the_clip(
    cut_rate, stage_rate, last, tmp_path
):
    head = f"timeCodesPerSecond = {stage_rate}\n framesPerSecond = {stage_rate}"
    stage = write_stage(tmp_path / "sh010.usda", head=head)
    length = TimeRange(RationalTime(0, cut_rate), RationalTime(12, cut_rate))
    clip = schema.Clip("sh010", pictures(tmp_path / "t", "sh010_v1"), length)
    published = castline.publish(cut_of(clip), stage, tmp_path / "out")
    assert opened(published.root).GetEndTimeCode() == last
    problems = get_sequence(castline.read(published.root)).scene.problems
    assert [problem.message for problem in problems if problem.rule == "scene-range"] == []


# Who and which


def closed_stage(path):
    return write_stage(
        path,
        'def Camera "cam" (\n apiSchemas = ["CollectionAPI:x"]\n)\n{\n}\n'
        'def Xform "MARA" (\n apiSchemas = ["CollectionAPI:y"]\n)\n{\n}\n',
    )


def test_schemas_are_applied_where_the_artists_own_list_is_whole(tmp_path):
    from pxr import UsdMedia

    cut = cut_of(clip_of(tmp_path / "t", "sh010", "mara"), cast=MARA)
    root = castline.publish(cut, closed_stage(tmp_path / "sh010.usda"), tmp_path / "out").root
    there = opened(root)
    camera = there.GetPrimAtPath("/World/cam")
    applied = camera.GetMetadata("apiSchemas").GetAppliedItems()
    assert "CollectionAPI:x" in applied
    assert {"BackPlateAPI:castline", "CastlineAppearanceAPI:mara"} <= set(applied)
    if hasattr(UsdMedia, "AuthorshipAPI"):
        assert UsdMedia.AuthorshipAPI.GetAll(camera)
    person = there.GetPrimAtPath("/World/MARA").GetAppliedSchemas()
    assert {"CollectionAPI:y", "SemanticsLabelsAPI:character"} <= set(person)
    assert labels(opened(root), "/World/MARA") == ["MARA"]


def two_of_one_name(folder):
    """Return a cut of two scenes with one file name and the same prims, each with a take made."""
    cut = cut_of()
    for place, name in (("A", "sh010"), ("B", "sh020")):
        scene = write_stage(folder / place / "anim.usda")
        clip = next(iter(castline.read(scene).find_clips())).deepcopy()
        clip.name = name
        set_slot(clip, get_slot(clip).replace(slot_id=name))
        made = pictures(folder / "t", f"{name}_v1")
        add_take(clip, "ai", made, generated(f"{name}_v1"))
        clip.source_range = frames(1001, 12)
        switch_take(clip, "ai")
        cut.tracks[0].append(clip)
    return cut


def test_of_scenes_with_one_file_name_the_one_that_is_the_stage_is_taken(tmp_path):
    cut = two_of_one_name(tmp_path)
    published = castline.publish(cut, tmp_path / "B" / "anim.usda", tmp_path / "out")
    assert published.shots == {"sh020": "/World/cam"}
    assert {
        name.split("_")[0] for name in plate(opened(published.root), "/World/cam").values()
    } == {"sh020"}


def test_of_scenes_with_one_file_name_a_person_tells_where_none_is_the_stage(tmp_path):
    cut = two_of_one_name(tmp_path)
    moved = tmp_path / "C" / "anim.usda"
    moved.parent.mkdir()
    shutil.copy(tmp_path / "A" / "anim.usda", moved)
    with pytest.raises(NeedsPersonError, match=r"2 clips.*--shot.*sh010, sh020"):
        castline.publish(cut, moved, tmp_path / "out")
    published = castline.publish(cut, moved, tmp_path / "out", shot="sh010")
    assert published.shots == {"sh010": "/World/cam"}


def test_a_shot_that_the_cut_shows_twice_comes_back_twice(tmp_path):
    body = 'def Camera "sh010"\n{\n}\ndef Camera "sh020"\n{\n}\n'
    stage = write_stage(tmp_path / "seq.usda", body, span=(1001, 1100))
    one, two, three = (clip_of(tmp_path / "t", name) for name in ("sh010", "sh020", "sh010"))
    switch_take(one, "second")
    root = castline.publish(cut_of(one, two, three), stage, tmp_path / "out").root
    shown = [clip.active_media_reference_key for clip in castline.read(root).find_clips()]
    assert shown == ["second", "DEFAULT_MEDIA", "DEFAULT_MEDIA"]


def test_a_label_inside_a_labelled_crowd_is_somebody(tmp_path):
    schemas = ' (\n prepend apiSchemas = ["SemanticsLabelsAPI:character"]\n)\n'
    label = "token[] semantics:labels:character"
    body = (
        f'def Camera "cam"\n{{\n}}\ndef Xform "crew"{schemas}{{\n {label} = ["heroes"]\n'
        f' def Xform "p7"{schemas}{{\n {label} = ["MARA"]\n'
        f'  def Xform "hair"{schemas}{{\n {label} = ["MARA"]\n}}\n}}\n}}\n'
    )
    stage = write_stage(tmp_path / "sh010.usda", body)
    cut = cut_of(clip_of(tmp_path / "t", "sh010", "mara"), cast=MARA)
    published = castline.publish(cut, stage, tmp_path / "out")
    assert published.characters == {"mara": ["/World/crew/p7"]}
    cast = get_sequence(castline.read(stage)).cast
    assert [character.name for character in cast.characters] == ["heroes", "MARA"]


def test_who_is_in_a_crowd_does_not_depend_on_the_order_of_prims(tmp_path):
    schemas = ' (\n prepend apiSchemas = ["SemanticsLabelsAPI:character"]\n)\n'
    labelled = "".join(
        f'def Xform "{name}"{schemas}{{\n token[] semantics:labels:character = ["{name}"]\n}}\n'
        for name in ("A", "B")
    )
    rigs = ['def SkelRoot "Hair"\n{\n}\n', 'def SkelRoot "Cloth"\n{\n}\n']
    body = f'def Xform "Crowd" (\n kind = "character"\n)\n{{\n{rigs[0]}{labelled}{rigs[1]}}}\n'
    cast = get_sequence(castline.read(write_stage(tmp_path / "a.usda", body))).cast
    assert [character.name for character in cast.characters] == ["A", "B"]


def test_names_that_differ_in_a_vowel_sign_are_two(tmp_path):
    body = (
        'def Camera "cam"\n{\n}\n'
        'def SkelRoot "a" (\n displayName = "मीरा"\n)\n{\n}\n'
        'def SkelRoot "b" (\n displayName = "मेरा"\n)\n{\n}\n'
    )
    stage = write_stage(tmp_path / "sh010.usda", body)
    cast = {"mira": "मीरा", "mera": "मेरा"}
    published = castline.publish(
        cut_of(clip_of(tmp_path / "t", "sh010"), cast=cast), stage, tmp_path / "out"
    )
    assert published.characters == {"mira": ["/World/a"], "mera": ["/World/b"]}


# Said


def test_payloads_that_are_not_loaded_are_said(tmp_path):
    write_stage(tmp_path / "inside.usda")
    body = 'def "set" (\n payload = @./inside.usda@\n)\n{\n}\n'
    stage = write_stage(tmp_path / "sh010.usda", body)
    cut = cut_of(clip_of(tmp_path / "t", "sh010"))
    published = castline.publish(cut, stage, tmp_path / "out")
    assert published.shots == {"sh010": None}
    assert "--payloads" in published.problems[-1].message
    published = castline.publish(cut, stage, tmp_path / "out", payloads=True)
    assert (published.shots, published.problems) == ({"sh010": "/World/set/cam"}, [])


def test_dissolves_are_said(tmp_path):
    body = "".join(f'def Camera "{name}"\n{{\n}}\n' for name in ("sh010", "sh020", "sh030"))
    stage = write_stage(tmp_path / "seq.usda", body, span=(1001, 1100))
    cut = cut_of(*(clip_of(tmp_path / "t", name) for name in ("sh010", "sh020", "sh030")))
    four = RationalTime(4, 24)
    cut.tracks[0].insert(1, schema.Transition("SMPTE_Dissolve", "", four, four))
    published = castline.publish(cut, stage, tmp_path / "out")
    assert [(loss.where, loss.field) for loss in published.losses] == [
        ("sh010", "transition"),
        ("sh020", "transition"),
    ]
    assert first_and_last(published.root, "/World/sh020") == (1013, 1024)


def test_an_overlay_below_the_stage_is_said(tmp_path):
    stage = write_stage(tmp_path / "sh010.usda")
    cut = cut_of(clip_of(tmp_path / "t", "sh010"))
    castline.publish(cut, stage, tmp_path / "pub")
    work = tmp_path / "work.usda"
    work.write_text("#usda 1.0\n(\n subLayers = [@./pub/sh010_castline.usda@]\n)\n")
    published = castline.publish(cut, work, tmp_path / "pub2")
    assert ("scene-overlay", "pub/sh010_castline_overlay.usda") in [
        (problem.rule, problem.where) for problem in published.problems
    ]


def test_of_many_problems_the_first_are_told_and_the_rest_counted(tmp_path):
    body = 'def Camera "cam"\n{\n}\n' + "".join(
        f'def "p{number}" (\n references = @./no{number}.usda@\n)\n{{\n}}\n'
        for number in range(150)
    )
    stage = write_stage(tmp_path / "sh010.usda", body)
    published = castline.publish(cut_of(clip_of(tmp_path / "t", "sh010")), stage, tmp_path / "out")
    assert len(published.problems) == 101
    assert "50 more" in published.problems[-1].message
    found = get_sequence(castline.read(stage)).scene.problems
    assert any("50 more" in problem.message for problem in found)


# Where


def test_media_and_stages_are_found_from_a_folder_that_is_a_link(tmp_path):
    cut = cut_of(clip_of(tmp_path / "real", "sh010"))
    for clip in cut.find_clips():
        for reference in clip.media_references().values():
            reference.target_url_base = "../"
    (tmp_path / "real" / "cuts").mkdir()
    files.write(cut, tmp_path / "real" / "cuts" / "cut.otio")
    write_stage(tmp_path / "real" / "sh010.usda")
    link = tmp_path / "now"
    link.symlink_to(tmp_path / "real" / "cuts")
    read = castline.read(link / "cut.otio")
    published = castline.publish(read, link / ".." / "sh010.usda", tmp_path / "out", home=link)
    assert published.losses == []
    assert len(plate(opened(published.root), "/World/cam")) == 12
    (seen,) = castline.read(link / ".." / "sh010.usda").find_clips()
    assert get_slot(seen).prim.path == "/World/cam"


@pytest.mark.parametrize("name", ["[wip]", "a[b]", "a]b["])
def test_a_folder_may_have_brackets_in_its_name(name, tmp_path):
    stage = write_stage(tmp_path / name / "sh010.usda")
    cut = cut_of(clip_of(tmp_path / name / "t", "sh010"))
    published = castline.publish(cut, stage, tmp_path / name / "out")
    assert len(plate(opened(published.root), "/World/cam")) == 12


def test_assets_in_the_stages_metadata_are_found_from_its_new_root(tmp_path):
    (tmp_path / "icons").mkdir()
    (tmp_path / "icons" / "a.png").write_bytes(b"picture")
    head = (
        "customLayerData = {\n asset icon = @./icons/a.png@\n asset[] more = [@./icons/a.png@]\n"
        " dictionary inner = {\n asset again = @./icons/a.png@\n }\n }"
    )
    stage = write_stage(tmp_path / "sh010.usda", head=head)
    cut = cut_of(clip_of(tmp_path / "t", "sh010"))
    there = opened(castline.publish(cut, stage, tmp_path / "out").root)
    data = there.GetRootLayer().customLayerData
    for asset in (data["icon"], data["more"][0], data["inner"]["again"]):
        assert asset.path == "../icons/a.png"


def test_a_folder_or_a_broken_link_in_the_way_is_named_and_nothing_written(tmp_path):
    stage = write_stage(tmp_path / "sh010.usda")
    cut = cut_of(clip_of(tmp_path / "t", "sh010"))
    out = tmp_path / "out"
    (out / "sh010_castline_overlay.usda").mkdir(parents=True)
    with pytest.raises(UnwritableFileError, match=r"sh010_castline_overlay.usda: found a folder"):
        castline.publish(cut, stage, out, overwrite=True)
    assert [path.name for path in out.iterdir()] == ["sh010_castline_overlay.usda"]
    (out / "sh010_castline_overlay.usda").rmdir()
    (out / "sh010_castline.usda").symlink_to(tmp_path / "nowhere")
    with pytest.raises(UnwritableFileError, match=r"sh010_castline.usda: exists"):
        castline.publish(cut, stage, out)


def movie_cut(folder):
    """Return a cut of one shot whose take is a movie."""
    pytest.importorskip("av")
    movie = draw_movie(folder / "take.mp4", 48)
    clip = schema.Clip("sh010", schema.ExternalReference(str(movie), frames(0, 48)), frames(0, 48))
    set_take(clip.media_reference, generated("sh010_v1"))
    return cut_of(clip)


def test_stages_of_one_shot_are_published_side_by_side(tmp_path):
    cut = movie_cut(tmp_path)
    stages = [write_stage(tmp_path / f"sh010_{name}.usda") for name in ("anim", "light", "fx")]
    with ThreadPoolExecutor(3) as pool:
        jobs = [pool.submit(castline.publish, cut, stage, tmp_path / "out") for stage in stages]
        for job in jobs:
            assert len(plate(opened(job.result().root), "/World/cam")) == 48
    assert len(list((tmp_path / "out" / "plates").iterdir())) == 48


def test_plates_are_not_written_into_a_folder_that_is_read_only(tmp_path):
    cut, stage = movie_cut(tmp_path), write_stage(tmp_path / "sh010.usda")
    (tmp_path / "plates").mkdir()
    (tmp_path / "plates").chmod(0o555)
    with pytest.raises(UnwritableFileError, match="plates: the folder is read-only"):
        castline.publish(cut, stage, tmp_path / "out", plates=tmp_path / "plates")
    assert not (tmp_path / "out").exists()
    assert not list((tmp_path / "plates").iterdir())


def test_text_that_is_no_utf_8_is_said_to_be_none(tmp_path):
    stage = write_stage(tmp_path / "sh010.usda", head='doc = "caf"')
    stage.write_bytes(stage.read_bytes().replace(b"caf", b"caf\xe9"))
    with pytest.raises(UnreadableFileError, match=r"sh010.usda: .*bytes that are no UTF-8"):
        castline.publish(cut_of(clip_of(tmp_path / "t", "sh010")), stage, tmp_path / "out")


# How much


def test_numbers_beyond_all_use_are_named_and_the_rest_is_published(tmp_path):
    body = "".join(f'def Camera "{name}"\n{{\n}}\n' for name in ("sh010", "sh020", "sh030"))
    stage = write_stage(tmp_path / "seq.usda", body, span=(1001, 1100))
    one, two, three = (clip_of(tmp_path / "t", name) for name in ("sh010", "sh020", "sh030"))
    two.source_range = frames(1, 1e300)
    published = castline.publish(cut_of(one, two, three), stage, tmp_path / "out")
    assert list(published.shots) == ["sh010"]
    assert [(loss.where, loss.field) for loss in published.losses] == [
        ("sh020", "clip"),
        ("sh030", "clip"),
    ]
    assert "a day" in published.losses[0].reason
    with pytest.raises(InvalidValueError, match="a day"):
        castline.publish(cut_of(two.deepcopy()), stage, tmp_path / "out2", shot="sh020")


@pytest.mark.parametrize("length", [0, -3])
def test_a_clip_without_length_is_not_published(length, tmp_path):
    stage = write_stage(tmp_path / "sh010.usda")
    clip = clip_of(tmp_path / "t", "sh010")
    clip.source_range = frames(1, length)
    with pytest.raises(InvalidValueError, match="shows nothing"):
        castline.publish(cut_of(clip), stage, tmp_path / "out")


def test_a_rate_of_next_to_nothing_is_a_rate(tmp_path):
    stage = write_stage(tmp_path / "sh010.usda")
    slow = TimeRange(RationalTime(0, 0.001), RationalTime(1, 0.001))
    clip = schema.Clip("sh010", schema.ExternalReference("a.png", slow), slow)
    set_take(clip.media_reference, generated("sh010_v1"))
    published = castline.publish(cut_of(clip), stage, tmp_path / "out", home=tmp_path)
    assert opened(published.root).GetEndTimeCode() == 1001 + 24_000 - 1
