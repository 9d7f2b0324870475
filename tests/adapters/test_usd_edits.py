"""What an artist edits on a stage is in the cut that is read, and nothing else is changed."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentimelineio import schema
from usd_cuts import cut, movie, span, time
from usd_desk import (
    CUTS,
    SUFFIXES,
    Desk,
    attributes,
    desk_of,
    objects_in,
    ranges,
    rich,
    starts,
    text_of,
    written,
)
from usd_reads import read

from castline.adapters import usd
from castline.adapters.usd import layout
from castline.schemas.errors import UnreadableFileError
from castline.schemas.places import get_slot, get_take, set_take
from castline.schemas.takes import switch_take
from castline.schemas.values import Appearance, Placement, Score, Take

pytest.importorskip("pxr")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("edits")


def others(name: str, value: Any) -> list[Any]:
    """Return values to try instead."""
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, str):
        return [f"{value} new é"] if "Kind" not in name and "color" not in name else ["OTHER"]
    if isinstance(value, int):
        return [value + 1]
    return [value + 2, value - 1] if name != layout.RATE else [value + 1]


SIMPLE = {
    layout.NAME: "name",
    layout.ENABLED: "enabled",
    layout.TRACK_KIND: "kind",
    layout.COLOR: "color",
    layout.COMMENT: "comment",
}


def expect(item: Any, name: str, value: Any, timeline: schema.Timeline) -> None:
    """Edit OTIO's own object as the attribute was edited."""
    if name in SIMPLE:
        setattr(item, SIMPLE[name], value)
    elif name == layout.MEDIA_URL:
        item.media_reference.target_url = value
    elif name == layout.GLOBAL_START:
        timeline.global_start_time = time(value, timeline.global_start_time.rate)
    elif name == layout.RATE:
        _expect_rate(item, value)
    elif name in (layout.SOURCE_START, layout.SOURCE_END):
        item.source_range = _with_edge(item.source_range, name == layout.SOURCE_START, value)
    elif name in (layout.MARKED_START, layout.MARKED_END):
        is_start = name == layout.MARKED_START
        item.marked_range = _with_edge(item.marked_range, is_start, value)
    else:
        raise AssertionError(f"{name}: an attribute that this test does not know")


def _has_start(desk: Desk) -> bool:
    return desk.timeline.global_start_time is not None


def _with_edge(own: Any, is_start: bool, value: float) -> Any:
    start, duration, rate = own.start_time, own.duration, own.duration.rate
    end = start.value + duration.value
    if (value > end) if is_start else (value < start.value):  # a marker moves as a whole
        return span(value if is_start else value - duration.value, duration.value, rate)
    return (
        span(value, end - value, rate)
        if is_start
        else span(start.value, value - start.value, rate)
    )


def _expect_rate(item: Any, rate: float) -> None:
    if isinstance(item, schema.Timeline):
        item.global_start_time = time(item.global_start_time.value, rate)
    elif isinstance(item, schema.Marker):
        own = item.marked_range
        item.marked_range = span(own.start_time.value, own.duration.value, rate)
    else:
        own = item.source_range
        item.source_range = span(own.start_time.value, own.duration.value, rate)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("name", CUTS)
def test_each_attribute_edited_alone_is_that_edit_and_no_other(name, suffix, folder):
    desk = written(name, suffix, folder)
    untouched = text_of(desk.timeline)
    assert text_of(desk.read()) == untouched
    tried = 0
    for path, prim, attribute, value in attributes(desk):
        if "timelineRange" in attribute or layout.APPEARANCE in attribute:
            continue
        for other in others(attribute, value):
            if prim == "/Timeline" and attribute == layout.RATE and not _has_start(desk):
                with pytest.raises(UnreadableFileError, match="no rate on a Timeline"):
                    desk.edited((path, other))
                continue
            expected = desk.timeline.deepcopy()
            twin = dict(objects_in(desk.layer.GetPrimAtPath("/Timeline"), expected))
            expect(twin[prim], attribute, other, expected)
            found = desk.edited((path, other))
            assert text_of(found) == text_of(expected), (path, other)
            assert text_of(found) != untouched
            tried += 1
    print(f"{name}.{suffix}: {tried} edits")
    assert tried > 15


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_appearance_is_edited_field_by_field(suffix, folder):
    desk = written("characters", suffix, folder)
    tried = set()
    for path, prim, attribute, value in attributes(desk):
        if layout.APPEARANCE not in attribute or "{take=t1}" not in path:
            continue
        _, _, instance, name = attribute.split(":")
        other = {"state": "missing"}.get(name) or others(attribute, value)[0]
        found = desk.edited((path, other))
        position = list(desk.timeline.find_clips()).index(desk.objects[prim])
        document = json.loads(desk.timeline.to_json_string())
        clip = document["tracks"]["children"][0]["children"][position]
        data = clip["media_references"]["t1"]["metadata"]["castline"]["appearances"]
        place = data[("mira", "y_ki").index(instance)]
        keys = {"character": ["character_id"], "look": ["look_id"], "score": ["score", "value"]}
        keys |= {"worstTime": ["score", "worst_time", "value"]}
        keys |= {n: ["score", n] for n in ("worst", "spread", "frames", "threshold", "model")}
        *inner, last = keys.get(name, [name])
        for key in inner:
            place = place[key]
        assert place[last] == value
        place[last] = other
        assert json.loads(found.to_json_string()) == document, path
        tried.add(name)
    assert tried == {
        "character", "look", "state", "note", "score", "worst", "worstTime", "spread", "frames",
        "threshold", "model",
    }  # fmt: skip


def test_the_selected_variant_is_the_take_that_is_shown_with_its_placement(tmp_path):
    clip = movie("a")
    references = {"temp": clip.media_reference}
    for number, key in enumerate(("take_001", "take 2/b")):
        references[key] = schema.ExternalReference(f"{key}.mov", span(0, 50))
        placement = Placement(source_range=span(number, 24))
        set_take(references[key], Take(take_id=key, placement=placement))
    clip.set_media_references(references, "temp")
    desk = desk_of(cut("takes", schema.Track("V1", [clip, movie("b")])), tmp_path / "cut.usda")
    prim = desk.layer.GetPrimAtPath("/Timeline/tracks/track_0_V1/clip_0_a")
    for key, variant in (("take_001", "take_001"), ("take 2/b", "take_2_b"), ("temp", "temp")):
        prim.variantSelections["take"] = variant
        expected = desk.timeline.deepcopy()
        switch_take(expected.tracks[0][0], key)
        assert text_of(desk.read()) == text_of(expected)


def test_what_is_edited_beside_another_take_is_said_of_that_take(tmp_path, caplog):
    clip = movie("a")
    references = {k: schema.ExternalReference(f"/m/{k}.usda", span(0, 90)) for k in ("one", "two")}
    for number, (key, reference) in enumerate(references.items()):
        placement = Placement(source_range=span(5 * number, 24))
        score = Score(value=0.5 + number / 4)
        shown = Appearance(character_id="mira", state="ok", score=score)
        set_take(reference, Take(take_id=key, placement=placement, appearances=(shown,)))
    clip.set_media_references(references, "one")
    desk = desk_of(cut("takes", schema.Track("V1", [clip, movie("b")])), tmp_path / "cut.usda")
    path = "/Timeline/tracks/track_0_V1/clip_0_a"
    desk.layer.GetPrimAtPath(path).variantSelections["take"] = "two"
    expected = desk.timeline.deepcopy()
    shown = expected.tracks[0][0]
    switch_take(shown, "two")
    assert text_of(desk.read()) == text_of(expected)
    shown.media_reference.target_url = "/m/better.usda"
    shown.source_range = span(5, 30)
    edits = [(f"{path}.{layout.MEDIA_URL}", "/m/better.usda")]
    edits += [(f"{path}.{layout.SOURCE_END}", 35.0)]
    assert text_of(desk.edited(*edits)) == text_of(expected)
    desk.layer.GetPrimAtPath(path).variantSelections["take"] = "fix"
    assert text_of(desk.read()) == text_of(desk.timeline)
    assert "clip_0_a: variant set take: found 'fix', expected one of one, two" in caplog.text


def test_edits_in_a_layer_above_are_read_when_they_are_flattened(tmp_path):
    from pxr import Sdf, Usd, UsdUtils

    clip = movie("a")
    references = {k: schema.ExternalReference(f"/m/{k}.usda", span(0, 90)) for k in ("one", "two")}
    clip.set_media_references(references, "one")
    desk = desk_of(cut("shot", schema.Track("V1", [clip, movie("b")])), tmp_path / "cut.usda")
    above = Sdf.Layer.CreateNew(str(tmp_path / "above.usda"))
    above.subLayerPaths = ["./cut.usda"]
    stage = Usd.Stage.Open(above)
    prim = stage.GetPrimAtPath("/Timeline/tracks/track_0_V1/clip_0_a")
    prim.GetAttribute(layout.NAME).Set("hero")
    prim.GetVariantSet("take").SetVariantSelection("two")
    stage.GetPrimAtPath("/Timeline/tracks/track_0_V1/clip_1_b").SetActive(False)
    above.Save()
    with pytest.raises(UnreadableFileError, match="usdcat --flattenLayerStack"):
        read(tmp_path / "above.usda")
    for suffix in SUFFIXES:
        UsdUtils.FlattenLayerStack(stage).Export(str(tmp_path / f"flat.{suffix}"))
        found = read(tmp_path / f"flat.{suffix}")
        expected = desk.timeline.deepcopy()
        switch_take(expected.tracks[0][0], "two")
        expected.tracks[0][0].name = "hero"
        expected.tracks[0][1].enabled = False
        assert text_of(found) == text_of(expected)


def test_prims_in_another_order_are_items_in_another_order(folder):
    timeline = cut("order", schema.Track("V1", [movie(n) for n in "abcd"]))
    desk = desk_of(timeline, folder / "order.usda")
    track = desk.layer.GetPrimAtPath("/Timeline/tracks/track_0_V1")
    names = [child.name for child in track.nameChildren]
    track.nameChildrenOrder = [names[2], names[0]]
    found = desk.read()
    assert [item.name for item in found.tracks[0]] == ["c", "d", "a", "b"]  # as USD orders them
    assert sorted(item.name for item in found.tracks[0]) == list("abcd")
    assert {text_of(item) for item in found.tracks[0]} == {
        text_of(item) for item in timeline.tracks[0]
    }


def test_a_prim_that_is_gone_is_an_item_less_and_a_copy_is_one_more(folder):
    from pxr import Sdf

    timeline = cut("copies", schema.Track("V1", [movie(n) for n in "abc"]))
    desk = desk_of(timeline, folder / "copies.usda")
    track = desk.layer.GetPrimAtPath("/Timeline/tracks/track_0_V1")
    del track.nameChildren["clip_1_b"]
    found = desk.read()
    assert [type(item).__name__ for item in found.tracks[0]] == ["Clip", "Gap", "Clip"]
    assert ranges(found.tracks[0]) == {"a": (0, 1), "c": (2, 3)}
    copy_path = track.path.AppendChild("clip_0_a1")
    Sdf.CopySpec(desk.layer, track.path.AppendChild("clip_0_a"), desk.layer, copy_path)
    copied = desk.layer.GetAttributeAtPath(copy_path.AppendProperty(layout.NAME))
    copied.default = "again"
    found = desk.read()
    assert [item.name for item in found.tracks[0]] == ["a", "", "c", "again"]
    assert found.tracks[0][3].source_range == found.tracks[0][0].source_range


def _rename(desk: Desk, prim: Any, name: str) -> None:
    from pxr import Sdf

    edit = Sdf.BatchNamespaceEdit()
    edit.Add(Sdf.NamespaceEdit.Rename(prim.path, name))
    assert desk.layer.Apply(edit)


@pytest.mark.parametrize("renamed", "abcd")
def test_a_prim_with_another_name_is_the_same_item(tmp_path, renamed):
    timeline = cut("renamed", schema.Track("V1", [movie(n) for n in "abcd"]))
    desk = desk_of(timeline, tmp_path / "cut.usda")
    track = desk.layer.GetPrimAtPath("/Timeline/tracks/track_0_V1")
    prim = next(p for p in track.nameChildren if p.name.endswith(renamed))
    order = [p.name for p in track.nameChildren]
    order[order.index(prim.name)] = "hero"
    _rename(desk, prim, "hero")
    track.nameChildrenOrder = order
    assert text_of(desk.read()) == text_of(timeline)


def test_a_prim_on_another_track_is_an_item_there(tmp_path):
    from pxr import Sdf

    tracks = [schema.Track(t, [movie(f"{t}{n}") for n in "abc"]) for t in ("one", "two")]
    desk = desk_of(cut("moved", *tracks), tmp_path / "cut.usda")
    tracks_path = "/Timeline/tracks/track_{}"
    edit = Sdf.BatchNamespaceEdit()
    target = tracks_path.format("1_two")
    edit.Add(Sdf.NamespaceEdit.Reparent(tracks_path.format("0_one/clip_1_oneb"), target, -1))
    assert desk.layer.Apply(edit)
    found = desk.read()
    assert [i.name for i in found.tracks[0]] == ["onea", "", "onec"]
    assert ranges(found.tracks[0]) == {"onea": (0, 1), "onec": (2, 3)}
    assert [i.name for i in found.tracks[1]] == ["twoa", "twob", "twoc", "oneb"]
    assert starts(found) == starts(desk.timeline)


def test_a_prim_that_is_switched_off_is_a_clip_that_is(tmp_path):
    desk = desk_of(cut("off", schema.Track("V1", [movie("a"), movie("b")])), tmp_path / "c.usda")
    desk.layer.GetPrimAtPath("/Timeline/tracks/track_0_V1/clip_1_b").active = False
    expected = desk.timeline.deepcopy()
    expected.tracks[0][1].enabled = False
    assert text_of(desk.read()) == text_of(expected)


@pytest.mark.parametrize("name", ["clip_3_b", "clip_7_b", "clip_1_b1"])
def test_a_copy_under_any_name_is_one_more(tmp_path, name):
    from pxr import Sdf

    timeline = cut("copies", schema.Track("V1", [movie(n) for n in "abc"]))
    desk = desk_of(timeline, tmp_path / "cut.usda")
    track = desk.layer.GetPrimAtPath("/Timeline/tracks/track_0_V1")
    source, target = (track.path.AppendChild(n) for n in ("clip_1_b", name))
    Sdf.CopySpec(desk.layer, source, desk.layer, target)
    found = desk.read()
    assert [item.name for item in found.tracks[0]] == ["a", "b", "c", "b"]
    assert all(item.source_range == span(10, 24) for item in found.tracks[0])


def test_labels_are_whom_the_slot_expects(folder):
    desk = written("characters", "usda", folder)
    path = "/Timeline/tracks/track_0_V1/clip_0_sh000"
    labels = list(desk.layer.GetAttributeAtPath(f"{path}.{layout.LABELS}").default)
    assert labels == ["Mira", "雪"]
    for wanted, ids in (
        (["雪", "Mira"], ["yūki", "mira"]),
        (["Mira"], ["mira"]),
        (["Mira", "雪", "A stranger"], ["mira", "yūki", "A stranger"]),
        ([], []),
    ):
        found = desk.edited((f"{path}.{layout.LABELS}", wanted))
        slot = get_slot(found.tracks[0][0])
        assert [e.character_id for e in slot.expected] == ids
        looks = {e.character_id: e.look_id for e in slot.expected}
        assert looks.get("mira", "coat") == "coat"
        expected = desk.timeline.deepcopy()
        data = copy.deepcopy(json.loads(found.tracks[0][0].to_json_string())["metadata"])
        expected.tracks[0][0].metadata.clear()
        expected.tracks[0][0].metadata.update(data)
        assert text_of(found) == text_of(expected)


def test_a_labelled_clip_becomes_a_slot_with_an_id_of_its_own(tmp_path):
    from pxr import Sdf, Vt

    first, second = movie("sh010"), movie("sh010")
    first.metadata["castline"] = {"version": 1, "slot_id": "sh010"}
    desk = desk_of(cut("slots", schema.Track("V1", [first, second])), tmp_path / "cut.usda")
    prim = desk.layer.GetPrimAtPath("/Timeline/tracks/track_0_V1/clip_1_sh010")
    kind = Sdf.ValueTypeNames.TokenArray
    Sdf.AttributeSpec(prim, layout.LABELS, kind).default = Vt.TokenArray(["Mira"])
    found = desk.read()
    slot = get_slot(found.tracks[0][1])
    assert (slot.slot_id, slot.expected[0].character_id) == ("sh010-2", "Mira")


def test_a_name_for_people_is_a_name(folder):
    desk = written("rich", "usda", folder)
    path, item = next((p, t) for p, t in desk.objects.items() if getattr(t, "name", "") == "last")
    prim = desk.layer.GetPrimAtPath(path)
    prim.SetInfo("displayName", "The last 雨")
    expected = desk.timeline.deepcopy()
    next(c for c in expected.find_clips() if c.name == item.name).name = "The last 雨"
    try:
        assert text_of(desk.read()) == text_of(expected)
    finally:
        prim.ClearInfo("displayName")


def test_an_attribute_that_is_gone_or_blocked_says_nothing(folder, tmp_path):
    from pxr import Sdf

    desk = desk_of(rich(), tmp_path / "cut.usda")
    for path, _, _, _ in attributes(desk):
        desk.layer.GetAttributeAtPath(path).default = Sdf.ValueBlock()
    assert text_of(desk.read()) == text_of(desk.timeline)
    for path, _, _, _ in attributes(desk):
        spec = desk.layer.GetAttributeAtPath(path)
        spec.owner.RemoveProperty(spec)
    assert text_of(desk.read()) == text_of(desk.timeline)


def test_edits_come_together(folder):
    desk = written("rich", "usdc", folder)
    clip = next(c for c in desk.timeline.find_clips() if c.name == "last")
    path = next(p for p, thing in desk.objects.items() if thing is clip)
    found = desk.edited((f"{path}.{layout.NAME}", "new"), (f"{path}.{layout.SOURCE_END}", 50.0))
    edited = found.tracks[0][-1]
    assert (edited.name, edited.source_range) == ("new", span(5, 45))


REFUSED = [
    (layout.SOURCE_END, -5.0, "an end that is not before the start"),
    (layout.RATE, 0.0, "frames a second, above 0"),
    (layout.RATE, -24.0, "frames a second, above 0"),
    (layout.START, 90000.0, "expected an end after the start"),
    (layout.END, 0.0, "expected an end after the start"),
]


@pytest.mark.parametrize(("attribute", "value", "words"), REFUSED)
def test_what_no_cut_can_follow_is_one_line(attribute, value, words, folder):
    desk = written("rich", "usda", folder)
    path = next(
        f"{p}.{attribute}"
        for p, _, name, _ in ((prim, path, n, v) for path, prim, n, v in attributes(desk))
        if name == attribute and isinstance(desk.objects[p], schema.Clip)
    )
    with pytest.raises(UnreadableFileError, match=words) as caught:
        desk.edited((path, value))
    assert "\n" not in str(caught.value)
    assert "edited.usda" in str(caught.value) and attribute[:18] in str(caught.value)


TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=60)
AWKWARD = st.sampled_from(
    ["\r", "\r\n", "a\rb", "\x01", '"""', "'''\"\"\"", "\\", "a\\", "\u2028"]
)
RATES = st.sampled_from([24.0, 25.0, 23.976, 24000 / 1001, 30000 / 1001, 59.94, 0.1, 1e6])
TIMES = st.floats(-1e9, 1e9) | st.integers(-(10**7), 10**7).map(float)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    name=TEXT | AWKWARD,
    other=TEXT | AWKWARD,
    rate=RATES,
    start=TIMES,
    length=TIMES.map(abs),
    suffix=st.sampled_from(SUFFIXES),
)
def test_a_stage_that_nobody_touched_has_no_edits(
    tmp_path, name, other, rate, start, length, suffix
):
    from pxr import Sdf

    clip = schema.Clip(name, schema.ExternalReference(f"{other}.usda"), span(start, length, rate))
    clip.markers.append(schema.Marker(other, span(start, length, rate), comment=name))
    track = schema.Track(other, [clip, schema.Gap(name, duration=time(5)), movie("b")])
    timeline = schema.Timeline(name, global_start_time=time(start, rate))
    timeline.tracks.append(track)
    path = tmp_path / f"cut.{suffix}"
    usd.write(timeline, path)
    assert text_of(read(path)) == text_of(timeline)
    again = tmp_path / "again.usda"
    Sdf.Layer.OpenAsAnonymous(str(path)).Export(str(again))
    assert text_of(read(again)) == text_of(timeline)


def test_a_take_that_is_read_back_is_still_one(folder):
    desk = written("characters", "usda", folder)
    found = desk.read()
    assert get_take(found.tracks[0][0].media_reference).take_id == "t1"


def test_clips_that_are_grouped_are_still_on_their_track(tmp_path):
    from pxr import Sdf

    timeline = cut("grouped", schema.Track("V1", [movie(n) for n in "abc"]))
    desk = desk_of(timeline, tmp_path / "cut.usda")
    track = desk.layer.GetPrimAtPath("/Timeline/tracks/track_0_V1")
    group = Sdf.PrimSpec(track, "group", Sdf.SpecifierDef, "Xform")
    edit = Sdf.BatchNamespaceEdit()
    for name in ("clip_1_b", "clip_2_c"):
        edit.Add(Sdf.NamespaceEdit.Reparent(track.path.AppendChild(name), group.path, -1))
    assert desk.layer.Apply(edit)
    assert text_of(desk.read()) == text_of(timeline)
