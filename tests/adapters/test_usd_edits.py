"""What an artist edits on a stage is in the cut that is read, and nothing else is changed."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import opentimelineio as otio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentimelineio import schema
from usd_cuts import characters, cut, movie, nested, span, time
from usd_reads import read

from castline.adapters import usd
from castline.adapters.usd import layout
from castline.schemas.errors import UnreadableFileError
from castline.schemas.places import get_slot, get_take, set_take
from castline.schemas.takes import switch_take
from castline.schemas.values import Placement, Take

pytest.importorskip("pxr")

SUFFIXES = ("usda", "usdc")
APART = {layout.JSON, layout.LAYOUT_VERSION}


def rich() -> schema.Timeline:
    """Everything that has an attribute of its own, under names that are all different."""
    timeline = nested()
    video = timeline.tracks[0]
    shown = schema.Clip("shown", schema.ExternalReference("/m/sh.usda", span(0, 90)))
    ntsc = schema.Clip("ntsc", schema.ExternalReference("/m/n.mov"), span(1001, 48, 24000 / 1001))
    back = movie("back", 40, 30)
    back.effects.append(schema.LinearTimeWarp("b", time_scalar=-1))
    video.extend([shown, schema.Gap("hole", duration=time(36)), ntsc, back, movie("last", 5, 40)])
    video[0].markers[0].comment = "one\ntwo: é"
    for item in characters().tracks[0]:
        timeline.tracks[1].append(item.deepcopy())
    cast = characters()
    timeline.metadata["castline"] = json.loads(cast.to_json_string())["metadata"]["castline"]
    timeline.tracks[0].source_range = span(0, 400)
    timeline.tracks[1].append(schema.Stack("bare stack", [movie("in a stack", 7, 20)]))
    return timeline


CUTS = {"rich": rich, "nested": nested, "characters": characters}


@dataclass(frozen=True)
class Desk:
    """A written cut: its file's layer, and OTIO's objects by the paths of their prims."""

    timeline: schema.Timeline
    path: Path
    layer: Any
    objects: dict[str, Any]

    def edited(self, *edits: tuple[str, Any]) -> schema.Timeline:
        """Return the cut as it is read after these attributes were given these values."""
        before = [(path, self.layer.GetAttributeAtPath(path).default) for path, _ in edits]
        try:
            for path, value in edits:
                self.layer.GetAttributeAtPath(path).default = value
            return self.read()
        finally:
            for path, value in before:
                self.layer.GetAttributeAtPath(path).default = value

    def read(self) -> schema.Timeline:
        """Return the cut as it is read from the layer as it stands."""
        target = self.path.with_stem("edited")
        self.layer.Export(str(target))
        return read(target)


@cache
def _written(name: str, suffix: str, folder: Path) -> Desk:
    timeline = CUTS[name]()
    return desk_of(timeline, folder / f"{name}.{suffix}")


def desk_of(timeline: Any, path: Path) -> Desk:
    from pxr import Sdf

    usd.write(timeline, path)
    layer = Sdf.Layer.OpenAsAnonymous(str(path))
    objects = dict(_objects(layer.GetPrimAtPath("/Timeline"), timeline))
    return Desk(timeline, path, layer, objects)


def _objects(prim: Any, thing: Any) -> Iterator[tuple[str, Any]]:
    yield str(prim.path), thing
    prims = [p for p in prim.nameChildren if p.attributes.get(layout.JSON) is not None]
    markers = [p for p in prims if p.name.startswith("marker_")]
    if isinstance(thing, schema.Timeline):
        inside = [thing.tracks]
    else:
        inside = list(thing) if isinstance(thing, otio.core.Composition) else []
    rest = [p for p in prims if p not in markers]
    for below, child in zip(rest, inside, strict=True):
        yield from _objects(below, child)
    for below, marker in zip(
        markers, getattr(thing, "markers", []) if markers else [], strict=True
    ):
        yield str(below.path), marker


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("edits")


def text_of(thing: Any) -> str:
    return json.dumps(json.loads(thing.to_json_string()), sort_keys=True)


def attributes(desk: Desk) -> list[tuple[str, str, Any]]:
    """Return prim path, name and value of each of our own attributes in the layer."""
    found = []

    def look(path: Any) -> None:
        spec = desk.layer.GetAttributeAtPath(path) if path.IsPropertyPath() else None
        if spec is not None and spec.name.startswith("castline:") and spec.name not in APART:
            value = spec.default
            if value is None:  # samples alone
                return
            value = value.GetValue() if type(value).__name__ == "TimeCode" else value
            prim = str(path.GetPrimPath().StripAllVariantSelections())
            found.append((str(path), prim, spec.name, value))

    desk.layer.Traverse("/", look)
    return found


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


def ranges(track: Any) -> dict[str, tuple[float, float]]:
    """Return start and end, in seconds, of all on a track but gaps and transitions, by name."""
    found = {}
    at = 0.0
    for item in track:
        if isinstance(item, schema.Transition):
            continue
        length = item.duration().to_seconds()
        if not isinstance(item, schema.Gap):
            found[item.name] = (round(at, 6), round(at + length, 6))
        at += length
    return found


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("name", CUTS)
def test_each_attribute_edited_alone_is_that_edit_and_no_other(name, suffix, folder):
    desk = _written(name, suffix, folder)
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
            twin = dict(_objects(desk.layer.GetPrimAtPath("/Timeline"), expected))
            expect(twin[prim], attribute, other, expected)
            found = desk.edited((path, other))
            assert text_of(found) == text_of(expected), (path, other)
            assert text_of(found) != untouched
            tried += 1
    print(f"{name}.{suffix}: {tried} edits")
    assert tried > 15


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("name", ["rich", "nested"])
@pytest.mark.parametrize("by", [-3, 4])
def test_an_edge_moves_and_all_else_stays_where_it_is(name, suffix, by, folder):
    desk = _written(name, suffix, folder)
    rate = desk.layer.timeCodesPerSecond
    tried = 0
    for path, prim, attribute, value in attributes(desk):
        if "timelineRange" not in attribute:
            continue
        item = desk.objects[prim]
        track = item.parent()
        is_start = attribute == layout.START
        if isinstance(item, (schema.Gap, schema.Transition)) or not isinstance(
            track, schema.Track
        ):
            continue
        before = ranges(track)
        own = before[item.name]
        wanted = value + by
        if suffix == "usda":
            wanted = float(f"{wanted:g}")  # which is what USD's own writer makes of it
        shift = (wanted - value) / rate
        moved = (own[0] + shift, own[1]) if is_start else (own[0], own[1] + shift)
        if moved[0] < 0:
            with pytest.raises(UnreadableFileError, match="found no room"):
                desk.edited((path, value + by))
            continue
        found = desk.edited((path, value + by))
        place = prim.rpartition("/")[0]
        after = ranges(_track_of(found, desk, place))
        expected = {key: _less(other, moved) for key, other in before.items()}
        expected[item.name] = moved
        assert after.keys() == expected.keys()
        for key in expected:
            assert after[key] == pytest.approx(expected[key], abs=1e-5), (path, by, key)
        tried += 1
    assert tried > 8


def _track_of(timeline: Any, desk: Desk, place: str) -> Any:
    """Return the track at a prim's path, found by its place among its parents."""
    found: Any = timeline
    for name in place.split("/")[2:]:
        if name == layout.TRACKS_NAME:
            found = found.tracks
        else:
            label = desk.objects[place[: place.index(name) + len(name)]].name
            found = next(child for child in found if child.name == label)
    return found


def _less(one: tuple[float, float], other: tuple[float, float]) -> tuple[float, float]:
    """Return what is left of a range that another covers at an edge."""
    if other[0] < one[0] < other[1]:
        return other[1], one[1]
    if other[0] < one[1] < other[1]:
        return one[0], other[0]
    return one


def test_what_both_show_is_the_same_picture(folder):
    desk = _written("nested", "usda", folder)
    clip = next(c for c in desk.timeline.find_clips() if c.name == "c")
    path = next(p for p, thing in desk.objects.items() if thing is clip)
    start = desk.layer.GetAttributeAtPath(f"{path}.{layout.START}").default.GetValue()
    found = desk.edited((f"{path}.{layout.START}", start + 5))
    trimmed = next(c for c in found.find_clips() if c.name == "c")
    assert trimmed.source_range == span(5, 55)
    before = next(c for c in found.tracks[0] if isinstance(c, schema.Gap))
    assert before.source_range.duration == time(5)


def test_both_edges_move_an_item_as_it_is(folder):
    desk = _written("rich", "usdc", folder)
    item = next(c for c in desk.timeline.find_clips() if c.name == "shown")
    path = next(p for p, thing in desk.objects.items() if thing is item)
    edges = [f"{path}.{layout.START}", f"{path}.{layout.END}"]
    values = [desk.layer.GetAttributeAtPath(edge).default.GetValue() for edge in edges]
    found = desk.edited(*((edge, value + 6) for edge, value in zip(edges, values, strict=True)))
    moved = next(c for c in found.find_clips() if c.name == "shown")
    assert moved.source_range is None
    before, after = ranges(desk.timeline.tracks[0]), ranges(found.tracks[0])
    assert after["shown"] == pytest.approx([edge + 6 / 24 for edge in before["shown"]])
    assert {k: v for k, v in after.items() if k != "shown"} == {
        k: v for k, v in before.items() if k != "shown"
    }


def edges_of(desk: Desk, name: str) -> tuple[list[str], list[float]]:
    """Return the attributes of a clip's edges on the timeline, and their values."""
    item = next(c for c in desk.timeline.find_clips() if c.name == name)
    path = next(p for p, thing in desk.objects.items() if thing is item)
    paths = [f"{path}.{layout.START}", f"{path}.{layout.END}"]
    return paths, [desk.layer.GetAttributeAtPath(p).default.GetValue() for p in paths]


@pytest.fixture(scope="module")
def row(folder) -> Desk:
    """Four clips one after the other, a second each."""
    return desk_of(cut("row", schema.Track("V1", [movie(n) for n in "abcd"])), folder / "row.usdc")


def starts(timeline: Any) -> dict[str, tuple[float, float]]:
    """Return where each clip starts in its media, and how long it is, in frames."""
    found = {}
    for clip in timeline.find_clips():
        own = clip.source_range
        found[clip.name] = (own.start_time.value, own.duration.value)
    return found


@pytest.mark.parametrize("by", [5, -5])
def test_a_cut_that_is_rolled_is_rolled(row, by):
    (_, a_end), (_, end) = edges_of(row, "a")
    (b_start, _), (start, _) = edges_of(row, "b")
    found = row.edited((a_end, end + by), (b_start, start + by))
    assert starts(found) == {
        "a": (10, 24 + by), "b": (10 + by, 24 - by), "c": (10, 24), "d": (10, 24),
    }  # fmt: skip
    assert len(found.tracks[0]) == 4


@pytest.mark.parametrize("by", [5, -5])
def test_a_shot_that_is_slid_between_two_is_slid(row, by):
    (_, a_end), (_, end) = edges_of(row, "a")
    b, b_values = edges_of(row, "b")
    (c_start, _), (start, _) = edges_of(row, "c")
    found = row.edited(
        (a_end, end + by),
        (b[0], b_values[0] + by),
        (b[1], b_values[1] + by),
        (c_start, start + by),
    )
    assert starts(found) == {
        "a": (10, 24 + by), "b": (10, 24), "c": (10 + by, 24 - by), "d": (10, 24),
    }  # fmt: skip
    assert len(found.tracks[0]) == 4


def test_all_that_is_moved_together_is_moved_as_it_is(row):
    edits = []
    for name in "abcd":
        paths, values = edges_of(row, name)
        edits += [(path, value + 7) for path, value in zip(paths, values, strict=True)]
    found = row.edited(*edits)
    assert starts(found) == starts(row.timeline)
    assert [type(item).__name__ for item in found.tracks[0]] == ["Gap", *["Clip"] * 4]
    assert found.tracks[0][0].source_range.duration == time(7)


def test_a_transition_reaches_as_far_as_its_edges(folder):
    desk = _written("nested", "usda", folder)
    path = next(p for p, t in desk.objects.items() if isinstance(t, schema.Transition))
    start = desk.layer.GetAttributeAtPath(f"{path}.{layout.START}").default.GetValue()
    found = desk.edited((f"{path}.{layout.START}", start - 3))
    assert (found.tracks[0][1].in_offset, found.tracks[0][1].out_offset) == (time(7), time(5))
    with pytest.raises(UnreadableFileError, match="beside its cut"):
        desk.edited((f"{path}.{layout.START}", start + 5))


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_appearance_is_edited_field_by_field(suffix, folder):
    desk = _written("characters", suffix, folder)
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


def test_the_tail_of_what_runs_backwards_is_the_start_of_its_range(tmp_path):
    back = movie("back", 100)
    back.effects.append(schema.LinearTimeWarp(time_scalar=-2))
    desk = desk_of(cut("back", schema.Track("V1", [back, movie("b")])), tmp_path / "cut.usdc")
    paths, values = edges_of(desk, "back")
    assert starts(desk.edited((paths[1], values[1] - 5)))["back"] == (110, 19)
    assert starts(desk.edited((paths[0], values[0] + 5)))["back"] == (100, 19)


def test_a_cut_is_rolled_with_its_dissolve(tmp_path):
    dissolve = schema.Transition("x", "SMPTE_Dissolve", time(4), time(4))
    track = schema.Track("V1", [movie("a"), dissolve, movie("b"), movie("c")])
    desk = desk_of(cut("rolled", track), tmp_path / "cut.usdc")
    (_, end), (_, a_end) = edges_of(desk, "a")
    (start, _), (b_start, _) = edges_of(desk, "b")
    path = next(p for p, t in desk.objects.items() if isinstance(t, schema.Transition))
    moved = [(f"{path}.{layout.START}", a_end + 6.0), (f"{path}.{layout.END}", a_end + 14.0)]
    found = desk.edited((end, a_end + 10), (start, b_start + 10), *moved)
    assert starts(found)["a"] == (10, 34) and starts(found)["b"] == (20, 14)
    assert (found.tracks[0][1].in_offset, found.tracks[0][1].out_offset) == (time(4), time(4))


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
    desk = _written("characters", "usda", folder)
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
    desk = _written("rich", "usda", folder)
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
    desk = _written("rich", "usdc", folder)
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
    desk = _written("rich", "usda", folder)
    path = next(
        f"{p}.{attribute}"
        for p, _, name, _ in ((prim, path, n, v) for path, prim, n, v in attributes(desk))
        if name == attribute and isinstance(desk.objects[p], schema.Clip)
    )
    with pytest.raises(UnreadableFileError, match=words) as caught:
        desk.edited((path, value))
    assert "\n" not in str(caught.value)
    assert "edited.usda" in str(caught.value) and attribute[:18] in str(caught.value)


def test_a_clip_on_a_stack_begins_with_its_stack(folder):
    desk = _written("rich", "usda", folder)
    path = next(
        p for p, thing in desk.objects.items() if getattr(thing, "name", "") == "in a stack"
    )
    start = desk.layer.GetAttributeAtPath(f"{path}.{layout.START}").default.GetValue()
    end = desk.layer.GetAttributeAtPath(f"{path}.{layout.END}").default.GetValue()
    with pytest.raises(UnreadableFileError, match="where its stack starts"):
        desk.edited((f"{path}.{layout.START}", start + 1))
    found = desk.edited((f"{path}.{layout.END}", end + 1))
    assert found.tracks[1][-1][0].source_range == span(7, 21)


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
    desk = _written("characters", "usda", folder)
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


def test_an_edit_that_is_said_in_both_views_is_one(row):
    paths, values = edges_of(row, "a")
    source = paths[1].replace(layout.END, layout.SOURCE_END)
    found = row.edited((paths[1], values[1] - 10), (source, 24.0))
    assert starts(found)["a"] == (10, 14)
    rolled = edges_of(row, "b")
    found = row.edited(
        (paths[1], values[1] + 5),
        (source, 39.0),
        (rolled[0][0], rolled[1][0] + 5),
        (rolled[0][0].replace(layout.START, layout.SOURCE_START), 15.0),
    )
    assert starts(found) == {"a": (10, 29), "b": (15, 19), "c": (10, 24), "d": (10, 24)}
