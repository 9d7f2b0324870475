"""Cuts that usdotio keeps in a stage come back as they were; damage is one line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import opentimelineio as otio
import pytest

from castline.adapters.usd import layout
from castline.adapters.usd.reading import usdotio
from castline.schemas.errors import UnreadableFileError

pytest.importorskip("pxr")

FOLDER = Path(__file__).resolve().parents[2] / "fixtures" / "usd"
NAMES = ("marks", "media", "nest")
TRACK = "/otio/Stack/Video_1"
CLIP = f"{TRACK}/Clip_1"
START = f"{CLIP}/source_range/start_time"


def opened(name: str) -> Any:
    from pxr import Sdf

    return Sdf.Layer.OpenAsAnonymous(str(FOLDER / f"usdotio_{name}.usda"))


def parsed(text: str) -> Any:
    from pxr import Sdf

    layer = Sdf.Layer.CreateAnonymous(".usda")
    assert layer.ImportFromString(f"#usda 1.0\n{text}")
    return layer


def revived(layer: Any) -> otio.schema.Timeline:
    document = usdotio.document_of(layer)
    return otio.core.deserialize_json_from_string(json.dumps(document))


def text_of(root: otio.core.SerializableObject) -> str:
    return otio.core.serialize_json_to_string(root, indent=-1)


def put(layer: Any, path: str, name: str, kind: str, value: Any) -> None:
    """Set an attribute anew, of any type."""
    from pxr import Sdf

    prim = layer.GetPrimAtPath(path)
    if name in prim.properties:
        prim.RemoveProperty(prim.properties[name])
    spec = Sdf.AttributeSpec(prim, name, Sdf.ValueTypeNames.Find(kind))
    if value is not None:
        spec.default = value


def define(layer: Any, path: str, kind: str) -> Any:
    from pxr import Sdf

    prim = Sdf.CreatePrimInLayer(layer, path)
    prim.specifier = Sdf.SpecifierDef
    prim.typeName = kind
    return prim


def remove(layer: Any, path: str) -> None:
    prim = layer.GetPrimAtPath(path)
    del prim.nameParent.nameChildren[prim.name]


def refused(layer: Any) -> str:
    with pytest.raises(UnreadableFileError) as caught:
        usdotio.document_of(layer)
    text = str(caught.value)
    assert "\n" not in text
    assert len(text) < 400
    assert text.startswith(("/otio", ".../s/s"))
    assert "found" in text and "expected" in text
    return text


@pytest.mark.parametrize("name", NAMES)
def test_everything_that_usdotio_keeps_comes_back(name):
    expected = otio.core.deserialize_json_from_file(str(FOLDER / f"usdotio_{name}.otio"))
    assert text_of(revived(opened(name))) == text_of(expected)


@pytest.mark.parametrize("name", NAMES)
def test_a_crate_says_the_same_as_text(name, tmp_path):
    from pxr import Sdf

    path = str(tmp_path / "cut.usdc")
    opened(name).Export(path)
    crate = Sdf.Layer.OpenAsAnonymous(path)
    assert usdotio.document_of(crate) == usdotio.document_of(opened(name))


def test_a_layer_without_a_cut_has_no_document():
    assert usdotio.document_of(parsed("")) is None
    assert usdotio.document_of(parsed('def Scope "a" {\n def Xform "x" {}\n}')) is None


def test_usdotio_s_own_schema_is_no_cut():
    assert usdotio.document_of(parsed('class OtioTimeline "OtioTimeline" {}')) is None


def test_a_cut_that_is_switched_off_is_none():
    layer = opened("marks")
    layer.GetPrimAtPath("/otio").active = False
    assert usdotio.document_of(layer) is None


def test_the_first_cut_of_several_is_read():
    layer = opened("nest")
    define(layer, "/zzz", "OtioTimeline")
    assert revived(layer).name == "nest"


def test_prims_that_are_switched_off_and_those_of_others_are_left_out():
    layer = opened("media")
    layer.GetPrimAtPath(f"{TRACK}/Clip_2").active = False
    define(layer, f"{TRACK}/locator", "Xform")
    assert [clip.name for clip in revived(layer).find_clips()] == ["sh010", "sh030"]


def test_a_reordered_track_plays_in_its_new_order():
    layer = opened("media")
    layer.GetPrimAtPath(TRACK).nameChildrenOrder = ["Clip_3", "Clip_1", "Clip_2"]
    assert [clip.name for clip in revived(layer).find_clips()] == ["sh030", "sh010", "sh020"]


def test_an_empty_track_is_of_the_kind_that_its_prim_is_named_for():
    layer = opened("nest")
    empty = "/set/cut/Stack/Audio_2"
    assert layer.GetAttributeAtPath(f"{empty}.kind").default == "Video"
    timeline = revived(layer)
    assert [track.kind for track in timeline.tracks] == ["Video", "Audio", "Audio"]


def test_where_two_media_stand_the_last_is_meant():
    layer = opened("marks")
    media = define(layer, f"{CLIP}/missing_reference", "OtioMissingReference")
    put(layer, str(media.path), "OTIO_SCHEMA", "string", "MissingReference.1")
    clip = next(iter(revived(layer).find_clips()))
    assert isinstance(clip.media_reference, otio.schema.MissingReference)


def test_a_clip_whose_media_usdotio_left_out_has_missing_media():
    layer = opened("media")
    remove(layer, f"{CLIP}/image_sequence_reference")
    clip = next(iter(revived(layer).find_clips()))
    assert clip.active_media_reference_key == "take 2"
    assert isinstance(clip.media_reference, otio.schema.MissingReference)


@pytest.mark.parametrize("place", ["", "/external_reference"])
def test_image_bounds_belong_to_the_media(place):
    layer = opened("marks")
    box = f"{CLIP}{place}/available_image_bounds"
    define(layer, box, "OtioBox2d")
    for name, x, y in (("min", 0.5, 0.25), ("max", 16, 9)):
        define(layer, f"{box}/{name}", "OtioV2d")
        put(layer, f"{box}/{name}", "x", "float", x)
        put(layer, f"{box}/{name}", "y", "float", y)
    bounds = next(iter(revived(layer).find_clips())).available_image_bounds
    assert (bounds.min.x, bounds.min.y, bounds.max.x, bounds.max.y) == (0.5, 0.25, 16, 9)


def test_fields_without_an_attribute_come_back_as_what_they_were():
    layer = opened("marks")
    kept = {"note": "null", "inner": '{"a": [1]}', "text": "{no json", "list": ["null"], "n": 1.5}
    put(layer, CLIP, "unknown", "string", json.dumps(kept))
    document = usdotio.document_of(layer)
    clip = document["tracks"]["children"][0]["children"][0]
    expected = {"note": None, "inner": {"a": [1]}, "text": "{no json", "list": ["null"], "n": 1.5}
    assert {name: clip[name] for name in kept} == expected


def test_a_field_that_stands_as_an_attribute_too_is_the_attribute_s():
    layer = opened("marks")
    put(layer, CLIP, "unknown", "string", '{"name": "x", "children": 1, "OTIO_SCHEMA": "Gap.1"}')
    clip = usdotio.document_of(layer)["tracks"]["children"][0]["children"][0]
    assert clip["name"] == "sh010"
    assert clip["OTIO_SCHEMA"] == "Clip.2"


@pytest.mark.parametrize("text", ["", "{}", '"{}"', None])
def test_no_metadata_has_several_spellings(text):
    layer = opened("marks")
    put(layer, CLIP, "metadata", "string", text)
    assert not next(iter(revived(layer).find_clips())).metadata


def test_what_is_not_said_is_as_usdotio_s_schema_has_it():
    layer = opened("marks")
    for name in ("name", "enabled", "metadata"):
        put(layer, CLIP, name, "string", None)
    clip = next(iter(revived(layer).find_clips()))
    assert (clip.name, clip.enabled, dict(clip.metadata)) == ("", True, {})


HOSTILE: dict[str, tuple[Callable[[Any], Any], str]] = {
    "no schema": (
        lambda layer: put(layer, CLIP, "OTIO_SCHEMA", "string", None),
        f"{CLIP}: OTIO_SCHEMA: found nothing, expected a string",
    ),
    "no rate": (
        lambda layer: put(layer, START, "rate", "double", None),
        f"{START}: rate: found nothing, expected a number",
    ),
    "no kind": (
        lambda layer: put(layer, TRACK, "kind", "string", None),
        f"{TRACK}: kind: found nothing, expected a string",
    ),
    "a number for a name": (
        lambda layer: put(layer, CLIP, "name", "int", 3),
        f"{CLIP}: name: found a int, expected a string",
    ),
    "a text for a switch": (
        lambda layer: put(layer, CLIP, "enabled", "string", "no"),
        f"{CLIP}: enabled: found a str, expected a bool",
    ),
    "a switch for a number": (
        lambda layer: put(layer, START, "value", "bool", True),
        f"{START}: value: found a bool, expected a number",
    ),
    "an array for a text": (
        lambda layer: put(layer, CLIP, "metadata", "string[]", ["{}"]),
        f"{CLIP}: metadata: found a StringArray, expected a string",
    ),
    "metadata that is no JSON": (
        lambda layer: put(layer, CLIP, "metadata", "string", '{"a":\n'),
        f"{CLIP}: metadata: found no sound JSON",
    ),
    "metadata that is a list": (
        lambda layer: put(layer, CLIP, "metadata", "string", "[1]"),
        f"{CLIP}: metadata: found a list, expected a JSON object",
    ),
    "metadata that is deep": (
        lambda layer: put(layer, CLIP, "metadata", "string", '{"a":' * 600 + "1" + "}" * 600),
        f"{CLIP}: metadata: found more than 500 levels",
    ),
    "a number of too many digits": (
        lambda layer: put(layer, CLIP, "metadata", "string", '{"a":' + "9" * 10_000 + "}"),
        f"{CLIP}: metadata: found no sound JSON",
    ),
    "unknown fields that are no JSON": (
        lambda layer: put(layer, CLIP, "unknown", "string", "{"),
        f"{CLIP}: unknown: found no sound JSON",
    ),
    "a range without an end": (
        lambda layer: remove(layer, f"{CLIP}/source_range/duration"),
        f"{CLIP}/source_range: duration: found nothing",
    ),
    "a marker without a range": (
        lambda layer: remove(layer, f"{CLIP}/marker_1/marked_range"),
        f"{CLIP}/marker_1: marked_range: found nothing",
    ),
    "no tracks": (
        lambda layer: remove(layer, "/otio/Stack"),
        "/otio: tracks: found nothing",
    ),
    "an object of another type": (
        lambda layer: setattr(layer.GetPrimAtPath(CLIP), "typeName", "Xform"),
        f"{CLIP}: found type 'Xform', expected",
    ),
    "a type of a later usdotio": (
        lambda layer: define(layer, f"{TRACK}/new", "OtioNew\n" * 99),
        f"{TRACK}/new: found type 'OtioNew",
    ),
}


@pytest.mark.parametrize(("break_", "message"), HOSTILE.values(), ids=HOSTILE)
def test_what_usdotio_does_not_write_is_refused(break_, message):
    layer = opened("marks")
    break_(layer)
    assert message in refused(layer)


def test_objects_where_none_belong_are_refused():
    layer = opened("marks")
    time = define(layer, f"{CLIP}/marker_1/start_time", "OtioRationalTime")
    put(layer, str(time.path), "OTIO_SCHEMA", "string", "RationalTime.1")
    put(layer, str(time.path), "rate", "double", 24.0)
    put(layer, str(time.path), "value", "double", 0.0)
    assert "found an OtioRationalTime, expected none in an OtioMarker" in refused(layer)


def test_a_range_of_no_known_name_is_refused():
    layer = opened("marks")
    layer.GetPrimAtPath(f"{CLIP}/source_range").name = "trimmed_range"
    assert "expected it as source_range" in refused(layer)


@pytest.mark.parametrize(("levels", "is_read"), [(200, True), (300, False), (20_000, False)])
def test_stacks_in_stacks_are_read_to_a_depth(levels, is_read):
    from pxr import Sdf

    layer = opened("marks")
    remove(layer, TRACK)
    parent = layer.GetPrimAtPath("/otio/Stack")
    with Sdf.ChangeBlock():
        for _ in range(levels):
            parent = Sdf.PrimSpec(parent, "s", Sdf.SpecifierDef, "OtioStack")
            schema = Sdf.AttributeSpec(parent, "OTIO_SCHEMA", Sdf.ValueTypeNames.String)
            schema.default = "Stack.1"
    if is_read:
        assert usdotio.document_of(layer)["tracks"]["children"]
    else:
        assert f"found more than {layout.MAX_DEPTH} levels" in refused(layer)


def test_more_prims_than_a_cut_has_are_refused(monkeypatch):
    monkeypatch.setattr(usdotio, "MAX_PRIMS", 20)
    assert "found more than 20 prims" in refused(opened("marks"))


def test_looking_for_a_cut_ends_too(monkeypatch):
    monkeypatch.setattr(usdotio, "MAX_PRIMS", 20)
    layer = parsed("\n".join(f'def Scope "s{n}" {{}}' for n in range(40)))
    with pytest.raises(UnreadableFileError, match="found more than 20 prims"):
        usdotio.document_of(layer)
