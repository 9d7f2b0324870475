"""What castline knows, in the schemas that USD has for it: asked of USD's own classes."""

from __future__ import annotations

import pytest
from opentimelineio import schema
from usd_clips import cut, scene, video
from usd_cuts import span, time
from usd_scenes import make_all

from castline.adapters import usd
from castline.adapters.usd import layout
from castline.adapters.usd.appearances import APPEARANCE_FIELDS
from castline.adapters.usd.playing import lens
from castline.schemas.places import set_sequence, set_slot, set_take
from castline.schemas.usdschema import APPEARANCE
from castline.schemas.values import (
    Appearance,
    Cast,
    Character,
    Clearance,
    Expected,
    Generation,
    Score,
    Sequence,
    Slot,
    Take,
)

pytest.importorskip("pxr")

AI = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
CLIP = "/Timeline/tracks/track_0_V/clip_0_shot"


@pytest.fixture(scope="module")
def media(tmp_path_factory):
    return make_all(tmp_path_factory.mktemp("usd") / "media")


def take(**fields) -> Take:
    return Take(take_id="sh010-v003", **fields)


def generation(**fields) -> Generation:
    return Generation(
        tool="ComfyUI",
        tool_version="0.3.60",
        model="wan.safetensors",
        seed=0,
        created="2026-11-20T09:30:00Z",
        digital_source_type=AI,
        inputs=("ref.png",),
        parameters={"steps": 20, "sampler": "euler"},
        **fields,
    )


def stage_of(folder, value: Take, slot: Slot | None = None, cast: Cast | None = None, media=None):
    """Return the stage of one clip that shows this take."""
    from pxr import Usd

    item = scene(media / "moving.usda") if media else schema.Clip("shot", None, span(10, 24))
    item.name = "shot"
    if not media:
        item.media_reference = schema.ExternalReference("a.mov", available_range=span(0, 100))
    set_take(item.media_reference, value)
    set_slot(item, slot or Slot(slot_id="SQ010_SH010"))
    timeline = cut(video(item))
    timeline.tracks[0].name = "V"
    set_sequence(timeline, Sequence(cast=cast))
    usd.write(timeline, folder / "cut.usda")
    assert usd.read(folder / "cut.usda").to_json_string() == timeline.to_json_string()
    return Usd.Stage.Open(str(folder / "cut.usda")), item


def test_a_generation_is_an_authorship_record_of_the_shown_take(tmp_path):
    from pxr import UsdMedia

    stage, _ = stage_of(tmp_path, take(generation=generation(prompt="a lighthouse é")))
    (record,) = UsdMedia.AuthorshipAPI.GetAll(stage.GetPrimAtPath(CLIP))
    assert record.GetSoftwarePackageAttr().Get() == "ComfyUI"
    assert record.GetSoftwareVersionAttr().Get() == "0.3.60"
    assert record.GetCreatedAttr().Get() == "2026-11-20T09:30:00Z"
    assert record.GetDigitalSourceTypeAttr().Get() == AI
    assert record.GetInstanceIDAttr().Get() == "sh010-v003"
    inputs = list(record.GetInputsAttr().Get())
    assert len(inputs) % 2 == 0
    assert dict(zip(inputs[::2], inputs[1::2], strict=True)) == {
        "model": "wan.safetensors",
        "prompt": "a lighthouse é",
        "seed": "0",
        "input": "ref.png",
        "steps": "20",
        "sampler": "euler",
    }
    prim = stage.GetPrimAtPath(CLIP)
    assert UsdMedia.AuthorshipAPI.GetDuplicates(prim) == []


def test_a_prompt_that_was_taken_out_is_nowhere_on_the_stage(tmp_path):
    stage, _ = stage_of(tmp_path, take(generation=generation()))
    assert "prompt" not in stage.GetRootLayer().ExportToString()


def test_clearance_is_told_as_usage_terms(tmp_path):
    from pxr import UsdMedia

    value = take(generation=generation(), clearance=Clearance(use="temp"))
    stage, _ = stage_of(tmp_path, value)
    (record,) = UsdMedia.AuthorshipAPI.GetAll(stage.GetPrimAtPath(CLIP))
    assert record.GetUsageTermsAttr().Get() == "temp use; likeness: none"


def test_a_shot_is_labelled_with_whom_it_expects_by_the_names_of_the_cast(tmp_path):
    from pxr import Usd, UsdSemantics

    cast = Cast(characters=(Character(character_id="m1", name="Mira Vale", description="keeper"),))
    slot = Slot(slot_id="a", expected=(Expected(character_id="m1"), Expected(character_id="jon")))
    stage, _ = stage_of(tmp_path, take(), slot, cast)
    query = UsdSemantics.LabelsQuery("character", Usd.TimeCode.Default())
    labels = query.ComputeUniqueDirectLabels(stage.GetPrimAtPath(CLIP))
    assert set(labels) == {"Mira Vale", "jon"}
    mira = stage.GetPrimAtPath("/Timeline/Characters/m1")
    assert query.ComputeUniqueDirectLabels(mira) == ["Mira Vale"]
    assert (mira.GetDisplayName(), mira.GetMetadata("documentation")) == ("Mira Vale", "keeper")
    assert stage.GetPrimAtPath("/Timeline/Characters/jon")


def test_a_shot_says_its_slot_and_take_and_is_an_assembly_in_one_piece(tmp_path):
    from pxr import Kind, Usd

    stage, _ = stage_of(tmp_path, take())
    prim = stage.GetPrimAtPath(CLIP)
    assert dict(prim.GetAssetInfo()) == {"name": "SQ010_SH010", "version": "sh010-v003"}
    model = Usd.ModelAPI(prim)
    assert model.GetKind() == Kind.Tokens.assembly
    assert model.IsModel() and model.IsGroup()  # only where all above it are groups


def test_scores_are_on_the_take_in_types_and_at_the_time_of_the_worst_frame(tmp_path, media):
    score = Score(
        value=0.91,
        worst=0.72,
        worst_time=time(1010),
        spread=0.05,
        frames=5,
        model="ab" * 32,
        neighbours=0.88,
        anchor=0.9,
        threshold=0.6,
    )
    figure = Score(value=0.7)
    value = take(
        appearances=(
            Appearance(
                character_id="mira", look_id="coat", state="ok", score=score, figure=figure
            ),
            Appearance(character_id="MIRA é", state="not_visible", note="a back"),
        )
    )
    stage, item = stage_of(tmp_path, value, media=media)
    prim = stage.GetPrimAtPath(CLIP)
    specs = [spec for spec in prim.GetPrimStack() if spec.HasInfo("apiSchemas")]
    applied = [name for spec in specs for name in spec.GetInfo("apiSchemas").GetAppliedItems()]
    assert "CastlineAppearanceAPI:mira" in applied
    at = f"{layout.APPEARANCE}:mira"
    found = {n: prim.GetAttribute(f"{at}:{n}").Get() for n in APPEARANCE_FIELDS}
    assert found == {
        "character": "mira",
        "look": "coat",
        "state": "ok",
        "note": None,
        "score": 0.91,
        "worst": 0.72,
        "worstTime": 1010,
        "spread": 0.05,
        "frames": 5,
        "model": "ab" * 32,
        "neighbours": 0.88,
        "anchor": 0.9,
        "figure": 0.7,
        "threshold": 0.6,
    }
    shown_at = 1010 - item.source_range.start_time.value
    likeness = prim.GetAttribute(f"{at}:likeness")
    assert likeness.GetTimeSamples() == [shown_at]
    assert likeness.Get(shown_at) == 0.72
    (target,) = prim.GetRelationship(f"{at}:prim").GetTargets()
    assert target == "/Timeline/Characters/mira"
    assert prim.GetAttribute(f"{layout.APPEARANCE}:MIRA:state").Get() == "not_visible"


def test_the_takes_speak_each_for_themselves(tmp_path):
    from pxr import Usd, UsdMedia

    item = schema.Clip("shot", None, span(10, 24))
    references = {}
    for key, tool in (("temp", "Kling"), ("take_001", "Veo")):
        references[key] = schema.ExternalReference(f"{key}.mov", available_range=span(0, 100))
        set_take(references[key], Take(take_id=key, generation=Generation(tool=tool)))
    item.set_media_references(references, "temp")
    timeline = cut(video(item))
    timeline.tracks[0].name = "V"
    usd.write(timeline, tmp_path / "cut.usda")
    stage = Usd.Stage.Open(str(tmp_path / "cut.usda"))
    prim = stage.GetPrimAtPath(CLIP)
    takes = prim.GetVariantSet("take")
    assert takes.GetVariantNames() == ["take_001", "temp"]
    for key, tool in (("temp", "Kling"), ("take_001", "Veo")):
        takes.SetVariantSelection(key)
        (record,) = UsdMedia.AuthorshipAPI.GetAll(prim)
        assert record.GetSoftwarePackageAttr().Get() == tool


def test_data_of_another_shape_stays_in_the_json_alone(tmp_path):
    item = schema.Clip("shot", schema.ExternalReference("a.mov"), span(10, 24))
    item.metadata["castline"] = {"slot_id": 7, "expected": [3, {"character_id": None}, "x"]}
    item.media_reference.metadata["castline"] = {"take_id": ["x"], "appearances": 5}
    timeline = cut(video(item))
    timeline.metadata["castline"] = {"cast": [1, 2]}
    usd.write(timeline, tmp_path / "cut.usda")
    assert usd.read(tmp_path / "cut.usda").to_json_string() == timeline.to_json_string()


def test_the_fields_of_an_appearance_are_those_of_the_declared_schema():
    declared = dict(APPEARANCE.types)
    assert declared.pop("likeness") == "double"
    assert declared.pop("prim") == "rel"
    assert {name: kind for name, (kind, _) in APPEARANCE_FIELDS.items()} == declared


def test_the_lens_is_that_of_usd():
    from pxr import Usd, UsdGeom

    stage = Usd.Stage.CreateInMemory()
    camera = UsdGeom.Camera.Define(stage, "/camera").GetPrim()
    for name, kind in {**lens.NUMBERS, **lens.STEPS}.items():
        attribute = camera.GetAttribute(name)
        assert str(attribute.GetTypeName()) == kind, name
        value = attribute.Get()
        fallback = lens.FALLBACKS[name]
        assert (list(value) if isinstance(fallback, list) else value) == pytest.approx(fallback)
    known = {n for n in camera.GetPropertyNames() if not n.startswith(("xform", "motion:"))}
    uniform = {"stereoRole", "proxyPrim", "purpose", "visibility"}
    assert known - uniform == {*lens.NUMBERS, *lens.STEPS}
