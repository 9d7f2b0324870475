"""Which prims of a stage a published cut finds: its cameras, its characters."""

from __future__ import annotations

import pytest
from opentimelineio import schema
from published import clip_of, cut_of, labels, opened, write_stage

import castline
from castline.schemas.errors import NeedsPersonError
from castline.schemas.places import get_slot, set_slot

pytest.importorskip("pxr")

MARA = {"mara": "MARA"}


PEOPLE = {
    "label": 'def Xform "p7" (\n apiSchemas = ["SemanticsLabelsAPI:character"]\n)\n'
    '{\n token[] semantics:labels:character = ["mara"]\n}',
    "asset name": 'def Xform "p7" (\n assetInfo = { string name = "MARA" }\n)\n{\n}',
    "asset file": 'def Xform "p7" (\n assetInfo = { asset identifier = @chars/mara/mara.usd@ }\n'
    ")\n{\n}",
    "display name": 'def Xform "p7" (\n displayName = "Mara"\n)\n{\n}',
    "kind": 'def Xform "p7" (\n displayName = "Mara"\n kind = "component"\n)\n{\n}',
    "a copy in Blender": 'def Xform "Mara_001"\n{\n}',
    "skeleton of an asset": 'def Xform "p7" (\n assetInfo = { string name = "Mara" }\n)\n{\n'
    ' def SkelRoot "rig_04"\n {\n }\n}',
}


@pytest.mark.parametrize("sign", PEOPLE)
def test_a_character_is_told_by_what_it_is_wherever_it_stands(sign, tmp_path):
    camera = 'def Camera "cam"\n{\n}\n'
    elsewhere = f'def Scope "deep"\n{{\n{PEOPLE[sign]}\n}}\n'
    stage = write_stage(tmp_path / "sh010.usda", camera + elsewhere)
    cut = cut_of(clip_of(tmp_path / "takes", "sh010", "mara"), cast=MARA)
    published = castline.publish(cut, stage, tmp_path / "out")
    (path,) = published.characters["mara"]
    assert "MARA" in labels(opened(published.root), path) or sign == "label"


CAMERAS = {
    "its name": 'def Camera "sh010"\n{\n}',
    "its display name": 'def Camera "c" (\n displayName = "SH 010"\n)\n{\n}',
    "its asset": 'def Camera "c" (\n assetInfo = { string name = "sh010" }\n)\n{\n}',
    "the shot above": 'def Xform "SH010" (\n kind = "shot"\n)\n{\n def Camera "c"\n {\n }\n}',
    "a name above": 'def Scope "sh010"\n{\n def Scope "x"\n {\n  def Camera "c"\n  {\n  }\n }\n}',
}


@pytest.mark.parametrize("sign", CAMERAS)
def test_a_camera_is_told_by_what_it_is_called(sign, tmp_path):
    other = 'def Camera "other"\n{\n}\n'
    stage = write_stage(tmp_path / "sequence.usda", other + CAMERAS[sign])
    cut = cut_of(*(clip_of(tmp_path / "takes", name) for name in ("sh010", "sh020")))
    published = castline.publish(cut, stage, tmp_path / "out", shot="sh010")
    assert published.shots["sh010"] not in (None, "/World/other")


def test_in_an_instance_the_nearest_prim_that_takes_opinions_is_labelled(tmp_path):
    write_stage(tmp_path / "set.usda")
    body = 'def "a" (\n instanceable = true\n references = @./set.usda@\n)\n{\n}\n'
    stage = write_stage(tmp_path / "sh010.usda", body)
    cut = cut_of(clip_of(tmp_path / "takes", "sh010", "mara"), cast=MARA)
    published = castline.publish(cut, stage, tmp_path / "out")
    assert published.characters == {"mara": ["/World/a/MARA"]}
    found = opened(published.root)
    assert labels(found, "/World/a") == ["MARA"]
    assert found.GetPrimAtPath("/World/a").IsInstance()
    said = {(loss.field, loss.reason.partition(" ")[0]) for loss in published.losses}
    assert ("label", "/World/a/MARA") in said
    assert ("plate of take DEFAULT_MEDIA", "its") in said
    clip = found.GetPrimAtPath("/Timeline/tracks/track_0_shots/clip_0_sh010")
    assert clip.GetAttribute("castline:appearance:mara:score").Get() == 0.91


def test_payloads_stay_unloaded_unless_asked_for(tmp_path):
    write_stage(tmp_path / "inner.usda")
    body = 'def "a" (\n payload = @./inner.usda@\n)\n{\n}\n'
    stage = write_stage(tmp_path / "sequence.usda", body)
    cut = cut_of(*(clip_of(tmp_path / "takes", name) for name in ("a", "b")))
    with pytest.raises(NeedsPersonError, match=r"1 payload.*--payloads"):
        castline.publish(cut, stage, tmp_path / "out")
    published = castline.publish(cut, stage, tmp_path / "out", payloads=True)
    assert published.shots == {"a": "/World/a/cam"}


@pytest.mark.parametrize(
    "path",
    ["SQ010_SH010_anim_v003.usda", "sh010.usd", "SH 010/lighting.usda", "sq010/sh010/a.usda"],
)
def test_a_stage_named_after_a_clip_is_that_shot(path, tmp_path):
    stage = write_stage(tmp_path / path)
    cut = cut_of(*(clip_of(tmp_path / "takes", name) for name in ("sh010", "sh020")))
    assert castline.publish(cut, stage, tmp_path / "out").shots == {"sh010": "/World/cam"}


def test_what_is_switched_off_is_published_only_by_name(tmp_path):
    stage = write_stage(
        tmp_path / "sequence.usda", 'def Camera "sh010"\n{\n}\ndef Camera "b"\n{\n}'
    )
    shown, other = (clip_of(tmp_path / name, "sh010", count=n) for name, n in (("a", 8), ("b", 4)))
    cut = cut_of(shown, clip_of(tmp_path / "takes", "b"))
    cut.tracks.append(schema.Track("V2", [other]))
    cut.tracks[1].enabled = False
    published = castline.publish(cut, stage, tmp_path / "out")
    assert published.shots == {"sh010": "/World/sh010", "b": "/World/b"}
    assert [loss.reason for loss in published.losses] == ["switched off; not published"]
    published = castline.publish(cut, stage, tmp_path / "out", shot="id:sh010-2")
    assert opened(published.root).GetEndTimeCode() == 1004


def test_who_stands_in_every_shot_is_pointed_at_in_the_right_one(tmp_path):
    for name in ("sh010", "sh020"):
        write_stage(tmp_path / f"{name}.usda")
    body = "".join(
        f'def "{name}" (\n references = @./{name}.usda@\n)\n{{\n}}\n'
        for name in ("sh010", "sh020")
    )
    stage = write_stage(tmp_path / "sequence.usda", body)
    cut = cut_of(
        *(clip_of(tmp_path / "takes", name, "mara") for name in ("sh010", "sh020")), cast=MARA
    )
    published = castline.publish(cut, stage, tmp_path / "out")
    assert published.characters == {"mara": ["/World/sh010/MARA", "/World/sh020/MARA"]}
    found = opened(published.root)
    for name in ("sh010", "sh020"):
        camera = found.GetPrimAtPath(f"/World/{name}/cam")
        target = camera.GetRelationship("castline:appearance:mara:prim").GetTargets()
        assert list(map(str, target)) == [f"/World/{name}/MARA"]


def test_what_several_stood_on_tells_nobody(tmp_path):
    people = "".join(
        f'def Xform "{name}"\n{{\n def SkelRoot "rig" (\n'
        '  apiSchemas = ["SemanticsLabelsAPI:character"]\n )\n'
        f' {{\n  token[] semantics:labels:character = ["{name}"]\n }}\n}}\n'
        for name in ("mira", "jon")
    )
    cut = castline.read(write_stage(tmp_path / "a.usda", 'def Camera "cam"\n{\n}\n' + people))
    bare = people.replace("semantics:labels:character", "other")
    stage = write_stage(tmp_path / "b.usda", 'def Camera "cam"\n{\n}\n' + bare)
    published = castline.publish(cut, stage, tmp_path / "out")
    assert published.characters == {"mira": ["/World/mira"], "jon": ["/World/jon"]}


def test_a_path_alone_is_no_sign(tmp_path):
    cut = cut_of()
    for name in ("sh010", "sh020"):
        scene = castline.read(write_stage(tmp_path / f"{name}.usda"))
        clip = next(iter(scene.find_clips())).deepcopy()
        clip.name = name
        slot = get_slot(clip)
        assert slot.prim.path == "/World/cam"
        set_slot(clip, slot.replace(slot_id=name))
        cut.tracks[0].append(clip)
    write_stage(tmp_path / "sh020_anim.usda")
    body = 'def "sh020" (\n references = @./sh020_anim.usda@\n)\n{\n}\n'
    stage = write_stage(tmp_path / "edit.usda", 'def Camera "cam"\n{\n}\n' + body)
    published = castline.publish(cut, stage, tmp_path / "out")
    assert list(published.shots.values()) == ["/World/sh020/cam"]
    assert [loss.where for loss in published.losses] == ["sh010"]


def test_labels_of_an_instance_and_labels_that_change_stay(tmp_path):
    write_stage(tmp_path / "set.usda")
    labelled = '(\n apiSchemas = ["SemanticsLabelsAPI:character"]\n{}\n)\n{{\n {} = {}\n}}\n'
    name = "token[] semantics:labels:character"
    body = (
        'def Camera "cam2"\n{\n}\n'
        + 'def "grp" '
        + labelled.format(" instanceable = true\n references = @./set.usda@", name, '["crowd"]')
        + 'def Xform "TOM" '
        + labelled.format("", f"{name}.timeSamples", '{ 1001: ["wet"], 1005: ["dry"] }')
    )
    stage = write_stage(tmp_path / "sh010.usda", body)
    clip = clip_of(tmp_path / "takes", "sh010", "mara", "tom", "nobody")
    cut = cut_of(clip, cast={"mara": "MARA", "tom": "TOM", "nobody": "Nobody"})
    published = castline.publish(cut, stage, tmp_path / "out", camera="/World/cam2")
    found = opened(published.root)
    assert labels(found, "/World/grp") == ["crowd", "MARA"]
    varying = found.GetPrimAtPath("/World/TOM").GetAttribute("semantics:labels:character")
    assert list(varying.Get(1005)) == ["dry"]
    assert {"TOM", "Nobody"} <= {loss.where for loss in published.losses}


@pytest.mark.parametrize(
    "prim",
    [
        'def SphereLight "MARA"',
        'def BasisCurves "MARA"',
        'def Xform "sword" (\n assetInfo = { asset identifier = @chars/MARA/sword.usd@ }\n)',
    ],
)
def test_lights_curves_and_what_is_in_somebodys_folder_are_nobody(prim, tmp_path):
    stage = write_stage(tmp_path / "sh010.usda", f'def Camera "cam"\n{{\n}}\n{prim}\n{{\n}}\n')
    cut = cut_of(clip_of(tmp_path / "takes", "sh010", "mara"), cast=MARA)
    published = castline.publish(cut, stage, tmp_path / "out")
    assert published.characters == {}
    assert [loss.where for loss in published.losses] == ["MARA"]
