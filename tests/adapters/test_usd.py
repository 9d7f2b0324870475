"""Cuts through USD: everything returns, the stage is valid, the file is whole."""

from __future__ import annotations

import json
import math
import string
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import opentimelineio as otio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentimelineio import opentime, schema
from trip import RATES, READERS, cuts, quiet
from usd_reads import read

from castline.adapters import usd
from castline.schemas.errors import MissingDependencyError, UnwritableFileError

pytest.importorskip("pxr")

SUFFIXES = ("usd", "usda", "usdc", "usdz")


def text_of(root) -> str:
    return otio.core.serialize_json_to_string(root, indent=-1)


def time(value: float, rate: float = 24) -> opentime.RationalTime:
    return opentime.RationalTime(value, rate)


def span(start: float, duration: float, rate: float = 24) -> opentime.TimeRange:
    return opentime.TimeRange(time(start, rate), time(duration, rate))


def clip(name: str = "sh010", start: float = 1001, duration: float = 48) -> schema.Clip:
    media = schema.ExternalReference(f"{name}.mov", available_range=span(990, 90))
    return schema.Clip(name, media, span(start, duration))


def nested_cut() -> schema.Timeline:
    """Two tracks, a transition, a gap, a nested stack, takes, markers, effects, odd names."""
    one, two = clip("sh 010/A"), clip("", 5, 10)
    one.metadata["castline"] = {"version": 1, "slot_id": "s1", "score": 0.38120423768821243}
    one.set_media_references(
        {"temp": one.media_reference, "take": schema.MissingReference()}, "temp"
    )
    one.markers.append(schema.Marker("look", span(3, 1), schema.MarkerColor.RED, {"a": [None]}))
    one.effects.append(schema.LinearTimeWarp("back", time_scalar=-0.7000000000000003))
    two.enabled = False
    inner = schema.Track("in", [clip("雨"), schema.Gap(duration=time(7))])
    stack = schema.Stack("nested", [inner], source_range=span(12, 20))
    video = schema.Track(
        "V1", [one, schema.Transition("x", in_offset=time(4), out_offset=time(5))]
    )
    video.extend([two, schema.Gap(duration=time(24)), stack, clip("end")])
    audio = schema.Track("A1", [clip("sound", 0, 96000)], kind=schema.TrackKind.Audio)
    timeline = schema.Timeline("cut", global_start_time=time(86400))
    timeline.tracks.extend([video, audio])
    return timeline


def collection() -> schema.SerializableCollection:
    parts = [clip(), nested_cut(), schema.Marker("m"), schema.ExternalReference("a.mov")]
    return schema.SerializableCollection(
        "bin", [*parts, schema.SerializableCollection("in", [clip()])]
    )


def unknown() -> otio.core.SerializableObject:
    fields = '"OTIO_SCHEMA":"Studio.Thing.7","name":"x","score":0.38120423768821243'
    return otio.core.deserialize_json_from_string(
        "{" + fields + ',"children":[' + text_of(clip("in")) + ",3]}"
    )


def through(root, path):
    usd.write(root, path)
    return read(path)


def layer_of(root, tmp_path, suffix: str = "usda"):
    from pxr import Sdf

    usd.write(root, tmp_path / f"cut.{suffix}")
    return Sdf.Layer.OpenAsAnonymous(str(tmp_path / f"cut.{suffix}"))


@pytest.mark.corpus
@pytest.mark.parametrize("path", cuts() if cuts() else [], ids=lambda p: p.name)
def test_real_cuts_return_as_they_were(path, tmp_path):
    arguments = {"rate": RATES[path.name]} if path.name in RATES else {}
    with quiet():
        root = otio.adapters.read_from_file(str(path), READERS.get(path.suffix), **arguments)
    before = text_of(root)
    for suffix in ("usda", "usdc", "usdz"):
        result = through(root, tmp_path / f"cut.{suffix}")
        assert type(result) is type(root)
        assert text_of(result) == before
    assert text_of(root) == before


ROOTS = {
    "timeline": nested_cut,
    "empty timeline": lambda: schema.Timeline(""),
    "stack": lambda: nested_cut().tracks.deepcopy(),
    "track": lambda: nested_cut().tracks[0].deepcopy(),
    "clip": clip,
    "gap": lambda: schema.Gap(duration=time(7, 24000 / 1001)),
    "transition": lambda: schema.Transition("x", in_offset=time(4), out_offset=time(5)),
    "collection": collection,
    "empty collection": schema.SerializableCollection,
    "marker": lambda: schema.Marker("m"),
    "reference": lambda: schema.ExternalReference("a.mov"),
    "unknown schema": unknown,
}


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("kind", ROOTS)
def test_any_root_returns_as_the_same_kind(kind, suffix, tmp_path):
    root = ROOTS[kind]()
    result = through(root, tmp_path / f"cut.{suffix}")
    assert type(result) is type(root)
    assert text_of(result) == text_of(root)


def test_what_otio_writes_but_cannot_read_is_refused_when_written(tmp_path):
    holed = schema.SerializableCollection("bin", [clip()])
    holed.append(None)
    with pytest.raises(UnwritableFileError, match="None among the children"):
        usd.write(holed, tmp_path / "cut.usda")
    for value in (None, "none", 3, {}):
        posing = clip()
        posing.metadata["a"] = {"OTIO_SCHEMA": value}
        with pytest.raises(UnwritableFileError, match="OTIO_SCHEMA names no schema"):
            usd.write(posing, tmp_path / "cut.usda")
    assert list(tmp_path.iterdir()) == []


NUMBERS = st.integers(-(2**63), 2**63 - 1) | st.floats()
TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)))
TEXT = TEXT.filter(lambda text: text != "OTIO_SCHEMA")
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


def same(one, other) -> bool:
    """Compare values by kind too: 1 is not 1.0, -0.0 is not 0.0, NaN is NaN."""
    if isinstance(one, float) and isinstance(other, float):
        return struct.pack("d", one) == struct.pack("d", other) or (one != one and other != other)
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and one == other


def plain(value):
    """Copy OTIO's views of dicts and lists into Python's own."""
    if hasattr(value, "items"):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (bool, int, float, str)) or value is None:
        return value
    return [plain(item) for item in value]


@settings(
    deadline=None, max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    name=TEXT, metadata=st.dictionaries(TEXT, VALUES, max_size=4), suffix=st.sampled_from(SUFFIXES)
)
def test_arbitrary_metadata_returns_exactly(tmp_path, name, metadata, suffix):
    root = schema.Track(name, [clip(name)], metadata=metadata)
    root[0].media_reference.metadata["in"] = metadata
    result = through(root, tmp_path / f"cut.{suffix}")
    assert same(plain(result.metadata), metadata)
    assert same(plain(result[0].media_reference.metadata["in"]), metadata)
    assert text_of(result) == text_of(root)


ODD_FLOATS = [0.38120423768821243, 2.7715077941825978e-163, 5e-324, 1.7976931348623157e308, 1 / 3]


@pytest.mark.parametrize("value", [*ODD_FLOATS, *(math.nextafter(v, 0) for v in ODD_FLOATS)])
def test_floats_that_otio_misreads_return_wherever_they_stand(value, tmp_path):
    item = schema.Clip(
        "a", schema.ExternalReference("a.mov"), span(value, value, 23.976023976023978)
    )
    item.media_reference.available_range = span(value, 1)
    box = schema.Box2d(schema.V2d(value, 0), schema.V2d(1, value))
    item.media_reference.available_image_bounds = box
    item.effects.append(schema.LinearTimeWarp(time_scalar=value))
    item.color = otio.core.Color(value, 0, 0, 1, "c")
    item.metadata["deep"] = [
        {"time": time(value), "other": schema.Marker("m", span(value, 1)), "unknown": unknown()},
        opentime.TimeTransform(time(value), value, 24),
    ]
    timeline = schema.Timeline("t")
    timeline.tracks.append(schema.Track("V", [schema.Gap(duration=time(value)), item]))
    result = through(timeline, tmp_path / "cut.usdc")
    assert text_of(result) == text_of(timeline)
    assert result.tracks[0][1].source_range.start_time.value == value


def test_fields_of_a_later_otio_return(tmp_path):
    document = json.loads(text_of(clip()))
    document |= {"score": 0.38120423768821243, "more": {"at": [0.38120423768821243]}}
    root = otio.core.deserialize_json_from_string(json.dumps(document))
    root._dynamic_fields["score"] = 0.38120423768821243
    root._dynamic_fields["more"] = {"at": [0.38120423768821243]}
    assert text_of(through(root, tmp_path / "cut.usdc")) == text_of(root)


def test_items_are_prims_in_the_order_of_the_cut(tmp_path):
    layer = layer_of(nested_cut(), tmp_path)
    tracks = layer.GetPrimAtPath("/Timeline/tracks")
    assert [child.name for child in tracks.nameChildren] == ["track_0_V1", "track_1_A1"]
    video = layer.GetPrimAtPath("/Timeline/tracks/track_0_V1")
    assert [child.name for child in video.nameChildren] == [
        "clip_0_sh_010_A",
        "transition_1_x",
        "clip_2",
        "gap_3",
        "stack_4_nested",
        "clip_5_end",
    ]
    rain = layer.GetPrimAtPath("/Timeline/tracks/track_0_V1/stack_4_nested/track_0_in/clip_0")
    assert rain.GetInfo("displayName") == "雨"


def test_every_prim_is_typed_and_every_name_is_legal_everywhere(tmp_path):
    seen = []
    layer = layer_of(nested_cut(), tmp_path, "usdc")

    def look(path):
        if path.IsPrimPath():
            prim = layer.GetPrimAtPath(path)
            seen.append(
                (prim.typeName, set(prim.name) <= {*string.ascii_letters, *string.digits, "_"})
            )

    layer.Traverse("/", look)
    assert set(seen) == {("Scope", True)}
    assert len(seen) == 15


def test_a_clip_says_in_typed_attributes_what_people_look_for(tmp_path):
    layer = layer_of(nested_cut(), tmp_path, "usdc")
    prim = layer.GetPrimAtPath("/Timeline/tracks/track_0_V1/clip_2")
    values = {a.name: (a.default, str(a.typeName), a.variability.name) for a in prim.attributes}
    document = json.loads(values.pop("castline:json")[0])
    assert document["source_range"]["duration"]["value"] == 10
    assert {name: value[:2] for name, value in values.items()} == {
        "castline:name": ("", "string"),
        "castline:enabled": (False, "bool"),
        "castline:timelineRange:start": (86448.0, "timecode"),
        "castline:timelineRange:end": (86458.0, "timecode"),
        "castline:sourceRange:start": (5.0, "timecode"),
        "castline:sourceRange:end": (15.0, "timecode"),
    }
    assert {value[2] for value in values.values()} == {"VariabilityUniform"}


def test_the_json_of_a_container_leaves_its_children_to_their_prims(tmp_path):
    layer = layer_of(nested_cut(), tmp_path)
    text = layer.GetAttributeAtPath("/Timeline/tracks/track_0_V1.castline:json").default
    assert json.loads(text)["children"] == []
    assert text == json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"))
    timeline = json.loads(layer.GetAttributeAtPath("/Timeline.castline:json").default)
    assert timeline["tracks"] is None


def test_the_stage_says_its_rate_and_its_frames_last_one_included(tmp_path):
    layer = layer_of(nested_cut(), tmp_path)
    assert layer.defaultPrim == "Timeline"
    assert layer.timeCodesPerSecond == layer.framesPerSecond == 24
    assert (layer.startTimeCode, layer.endTimeCode) == (86400, 86400 + 96000 - 1)
    assert layer.customLayerData["creator"] == "castline"


def test_the_rate_is_that_of_the_picture_where_the_cut_names_none(tmp_path):
    timeline = schema.Timeline("t")
    sound = schema.Track("A", [schema.Clip("s", None, span(0, 96000, 48000))], kind="Audio")
    picture = schema.Track("V", [schema.Clip("p", None, span(0, 50, 25))])
    timeline.tracks.extend([sound, picture])
    layer = layer_of(timeline, tmp_path)
    assert layer.timeCodesPerSecond == 25
    prim = "/Timeline/tracks/track_0_A/clip_0_s"
    assert layer.GetAttributeAtPath(f"{prim}.castline:timelineRange:end").default == 50
    assert layer.GetAttributeAtPath(f"{prim}.castline:sourceRange:end").default == 96000


@pytest.mark.parametrize("rate", [0, -24, math.nan, math.inf])
def test_a_rate_that_is_none_leaves_the_stage_valid_and_returns(rate, tmp_path):
    timeline = schema.Timeline("t")
    timeline.tracks.append(schema.Track("V", [schema.Clip("p", None, span(0, 50, rate)), clip()]))
    layer = layer_of(timeline, tmp_path)
    assert layer.timeCodesPerSecond == 24
    assert text_of(usd.read(tmp_path / "cut.usda")) == text_of(timeline)


def test_what_follows_an_item_without_length_has_no_place(tmp_path):
    track = schema.Track("V", [clip("a"), schema.Clip("unknown"), clip("b")])
    layer = layer_of(track, tmp_path)
    start = "castline:timelineRange:start"
    assert layer.GetAttributeAtPath(f"/Timeline/clip_0_a.{start}").default == 0
    assert layer.GetAttributeAtPath(f"/Timeline/clip_1_unknown.{start}") is None
    assert layer.GetAttributeAtPath(f"/Timeline/clip_2_b.{start}") is None


@pytest.mark.corpus
@pytest.mark.parametrize("name", ["nested_example.otio", "multiple_track.otio", "effects.otio"])
def test_places_are_those_that_otio_computes(name, tmp_path):
    path = next(p for p in cuts() if p.name == name)
    timeline = otio.adapters.read_from_file(str(path))
    layer = layer_of(timeline, tmp_path, "usdc")
    rate = layer.timeCodesPerSecond
    origin = layer.startTimeCode
    compared = 0
    for prim, item in _pairs(layer.GetPrimAtPath("/Timeline/tracks"), timeline.tracks):
        if not isinstance(item, schema.Clip):
            continue
        expected = item.transformed_time_range(item.trimmed_range(), timeline.tracks)
        values = {a.name: a.default for a in prim.attributes}
        start = origin + expected.start_time.rescaled_to(rate).value
        assert values["castline:timelineRange:start"] == pytest.approx(start)
        assert values["castline:timelineRange:end"] == pytest.approx(
            start + expected.duration.rescaled_to(rate).value
        )
        compared += 1
    assert compared >= 3


def _pairs(prim, item):
    yield prim, item
    if isinstance(item, otio.core.Composition):
        for below, child in zip(prim.nameChildren, item, strict=True):
            yield from _pairs(below, child)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("kind", ["timeline", "collection", "clip", "empty timeline"])
def test_every_validator_passes(kind, suffix, tmp_path):
    from pxr import Usd, UsdValidation

    path = tmp_path / f"cut.{suffix}"
    usd.write(ROOTS[kind](), path)
    stage = Usd.Stage.Open(str(path))
    validators = UsdValidation.ValidationRegistry().GetOrLoadAllValidators()
    assert len(validators) > 20
    found = UsdValidation.ValidationContext(validators).Validate(stage)
    assert [(e.GetName(), e.GetMessage()) for e in found] == []
    assert stage.GetDefaultPrim().GetTypeName() == "Scope"


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_same_cut_gives_the_same_bytes_in_another_process_and_folder(suffix, tmp_path):
    here, there = tmp_path / f"a.{suffix}", tmp_path / "other folder" / f"b.{suffix}"
    there.parent.mkdir()
    source = tmp_path / "cut.otio"
    otio.adapters.write_to_file(nested_cut(), str(source))
    code = (
        "import sys, opentimelineio as o\n"
        "from castline.adapters import usd\n"
        "usd.write(o.adapters.read_from_file(sys.argv[1]), sys.argv[2])"
    )
    for target in (here, there):
        subprocess.run([sys.executable, "-c", code, str(source), str(target)], check=True)
    assert here.read_bytes() == there.read_bytes()


def test_writing_what_was_read_gives_the_same_bytes(tmp_path):
    usd.write(nested_cut(), tmp_path / "a.usdc")
    usd.write(usd.read(tmp_path / "a.usdc"), tmp_path / "b.usdc")
    assert (tmp_path / "a.usdc").read_bytes() == (tmp_path / "b.usdc").read_bytes()


def test_a_usdz_holds_one_aligned_layer_and_no_path_of_the_machine(tmp_path):
    path = tmp_path / "cut.usdz"
    usd.write(nested_cut(), path)
    with zipfile.ZipFile(path) as package:
        (entry,) = package.infolist()
        assert (entry.filename, entry.compress_type) == ("timeline.usdc", zipfile.ZIP_STORED)
        data = package.read(entry)
    assert path.read_bytes().index(data) % 64 == 0
    assert str(tmp_path).encode() not in path.read_bytes()


def test_writing_says_nothing_on_the_terminal(tmp_path, capfd):
    usd.write(nested_cut(), tmp_path / "cut.usdc")
    usd.read(tmp_path / "cut.usdc")
    assert capfd.readouterr() == ("", "")


def test_a_target_that_is_open_in_usd_is_replaced_and_read_fresh(tmp_path):
    from pxr import Sdf

    path = tmp_path / "cut.usdc"
    usd.write(clip("old"), path)
    held = Sdf.Layer.FindOrOpen(str(path))
    usd.write(clip("new"), path)
    assert usd.read(path).name == "new"
    assert held is not None


def test_a_write_that_fails_leaves_the_old_file_and_nothing_beside_it(tmp_path, monkeypatch):
    from pxr import Sdf

    path = tmp_path / "cut.usda"
    usd.write(clip("old"), path)
    before = path.read_bytes()

    def half(layer, name):
        Path(name).write_bytes(b"#usda 1.0 half")
        return False

    monkeypatch.setattr(Sdf.Layer, "Export", half)
    with pytest.raises(UnwritableFileError, match=r"cut\.usda"):
        usd.write(clip("new"), path)
    assert path.read_bytes() == before
    assert [item.name for item in tmp_path.iterdir()] == ["cut.usda"]


def test_a_suffix_of_another_format_is_refused(tmp_path):
    with pytest.raises(UnwritableFileError, match=r"found suffix 'edl', expected one of usd"):
        usd.write(clip(), tmp_path / "cut.edl")


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(UnwritableFileError, match="no such folder"):
        usd.write(clip(), tmp_path / "none" / "cut.usda")
    (tmp_path / "cut.usda").mkdir()
    with pytest.raises(UnwritableFileError, match="found a folder"):
        usd.write(clip(), tmp_path / "cut.usda")


@pytest.mark.parametrize("levels", [700, 3000])
def test_data_too_deep_to_be_read_back_is_refused_when_written(levels, tmp_path):
    item = clip()
    marker = text_of(schema.Marker("m")).replace(
        '"metadata":{}', '"metadata":{"a":' + "[" * levels + "]" * levels + "}"
    )
    item.metadata["deep"] = otio.core.deserialize_json_from_string(marker)
    with pytest.raises(UnwritableFileError, match="too deep"):
        usd.write(item, tmp_path / "cut.usda")
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_otio_object_is_refused(tmp_path):
    with pytest.raises(UnwritableFileError):
        usd.write({"a": 1}, tmp_path / "cut.usda")


def test_without_usd_installed_the_error_says_what_to_install(tmp_path, monkeypatch):
    path = tmp_path / "cut.usda"
    usd.write(clip(), path)
    monkeypatch.setitem(sys.modules, "pxr", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'castline\[usd\]'"):
        usd.write(clip(), path)
    with pytest.raises(MissingDependencyError, match=r"pip install 'castline\[usd\]'"):
        usd.read(path)


def test_importing_the_adapter_loads_no_usd():
    code = (
        "import castline.adapters.usd, sys; print(any(m.startswith('pxr') for m in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
