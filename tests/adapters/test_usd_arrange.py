"""Where an artist gives items other edges, the cut that is read lies as the stage says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import opentimelineio as otio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentimelineio import schema
from usd_cuts import cut, movie, span, time
from usd_desk import SUFFIXES, Desk, attributes, desk_of, edges_of, ranges, starts, written

from castline.adapters.usd import layout
from castline.schemas.errors import UnreadableFileError

pytest.importorskip("pxr")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("arrange")


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("name", ["rich", "nested"])
@pytest.mark.parametrize("by", [-3, 4])
def test_an_edge_moves_and_all_else_stays_where_it_is(name, suffix, by, folder):
    desk = written(name, suffix, folder)
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
        if by > 0 and not is_start and _is_open_nest(item) and track[-1] is item:
            assert found.is_equivalent_to(desk.timeline)  # there is nothing more in it to show
            continue
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


def _is_open_nest(item: Any) -> bool:
    return isinstance(item, otio.core.Composition) and item.source_range is None


def _less(one: tuple[float, float], other: tuple[float, float]) -> tuple[float, float]:
    """Return what is left of a range that another covers at an edge."""
    if other[0] < one[0] < other[1]:
        return other[1], one[1]
    if other[0] < one[1] < other[1]:
        return one[0], other[0]
    return one


def test_what_both_show_is_the_same_picture(folder):
    desk = written("nested", "usda", folder)
    clip = next(c for c in desk.timeline.find_clips() if c.name == "c")
    path = next(p for p, thing in desk.objects.items() if thing is clip)
    start = desk.layer.GetAttributeAtPath(f"{path}.{layout.START}").default.GetValue()
    found = desk.edited((f"{path}.{layout.START}", start + 5))
    trimmed = next(c for c in found.find_clips() if c.name == "c")
    assert trimmed.source_range == span(5, 55)
    before = next(c for c in found.tracks[0] if isinstance(c, schema.Gap))
    assert before.source_range.duration == time(5)


def test_both_edges_move_an_item_as_it_is(folder):
    desk = written("rich", "usdc", folder)
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


@pytest.fixture(scope="module")
def row(folder) -> Desk:
    """Four clips one after the other, a second each."""
    return desk_of(cut("row", schema.Track("V1", [movie(n) for n in "abcd"])), folder / "row.usdc")


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
    desk = written("nested", "usda", folder)
    path = next(p for p, t in desk.objects.items() if isinstance(t, schema.Transition))
    start = desk.layer.GetAttributeAtPath(f"{path}.{layout.START}").default.GetValue()
    found = desk.edited((f"{path}.{layout.START}", start - 3))
    assert (found.tracks[0][1].in_offset, found.tracks[0][1].out_offset) == (time(7), time(5))
    with pytest.raises(UnreadableFileError, match="beside its cut"):
        desk.edited((f"{path}.{layout.START}", start + 5))


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


def test_a_clip_on_a_stack_begins_with_its_stack(folder):
    desk = written("rich", "usda", folder)
    path = next(
        p for p, thing in desk.objects.items() if getattr(thing, "name", "") == "in a stack"
    )
    start = desk.layer.GetAttributeAtPath(f"{path}.{layout.START}").default.GetValue()
    end = desk.layer.GetAttributeAtPath(f"{path}.{layout.END}").default.GetValue()
    with pytest.raises(UnreadableFileError, match="where its stack starts"):
        desk.edited((f"{path}.{layout.START}", start + 1))
    found = desk.edited((f"{path}.{layout.END}", end + 1))
    assert found.tracks[1][-1][0].source_range == span(7, 21)


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


def move(desk: Desk, *moves: tuple[str, float | None, float | None]) -> schema.Timeline:
    """Return the cut as it is read after clips were given a start and an end, by their names."""
    edits = []
    for name, start, end in moves:
        paths, _ = edges_of(desk, name)
        edits += [(p, float(v)) for p, v in zip(paths, (start, end), strict=True) if v is not None]
    return desk.edited(*edits)


def line(timeline: Any) -> list[str]:
    """Return what is on the first track: names, and the frames of each gap."""
    return [
        str(int(item.duration().value)) if isinstance(item, schema.Gap) else item.name
        for item in timeline.tracks[0]
    ]


def test_two_that_change_places_have_changed_places(row):
    found = move(row, ("a", 48, 72), ("c", 0, 24))
    assert line(found) == ["c", "b", "a", "d"]
    assert starts(found) == starts(row.timeline)


def test_one_that_goes_to_the_end_leaves_its_place_behind(row):
    found = move(row, ("b", 96, 120))
    assert line(found) == ["a", "24", "c", "d", "b"]
    assert starts(found) == starts(row.timeline)
    assert line(move(row, ("d", 130, 154))) == ["a", "b", "c", "58", "d"]


def test_one_that_is_laid_over_others_covers_them(row):
    found = move(row, ("a", 40, 64))
    assert line(found) == ["24", "b", "a", "c", "d"]
    assert starts(found) == {"a": (10, 24), "b": (10, 16), "c": (26, 8), "d": (10, 24)}


@pytest.mark.parametrize(
    ("moves", "words"),
    [
        ([("a", 20, 100)], "it would cover .*clip_1_b"),
        ([("a", 30, 40)], "no room for it amid .*clip_1_b, expected some, or a cut there"),
        ([("a", 48, 72), ("b", 50, 74)], "where .*clip_0_a is too"),
        ([("a", -5, 19)], "no room before 0, where its track starts"),
        ([("b", 40, 30)], "expected an end after the start"),
    ],
)
def test_what_would_lose_something_is_one_line(row, moves, words):
    with pytest.raises(UnreadableFileError, match=words) as caught:
        move(row, *moves)
    assert "timelineRange" in str(caught.value) and len(str(caught.value).splitlines()) == 1


def test_gaps_that_say_more_than_time_are_not_covered(tmp_path):
    gap = schema.Gap(duration=time(30))
    gap.markers.append(schema.Marker("wait for it", span(0, 1)))
    track = schema.Track("V1", [movie("a"), gap, movie("b")])
    desk = desk_of(cut("gap", track), tmp_path / "cut.usdc")
    assert line(move(desk, ("a", None, 34))) == ["a", "20", "b"]
    with pytest.raises(UnreadableFileError, match="no room for its markers"):
        move(desk, ("a", None, 54))


def test_a_dissolve_stays_where_its_cut_was(tmp_path):
    dissolve = schema.Transition("x", "SMPTE_Dissolve", time(4), time(4))
    track = schema.Track("V1", [movie("a"), dissolve, movie("b"), movie("c"), movie("d")])
    desk = desk_of(cut("dissolve", track), tmp_path / "cut.usdc")
    assert line(move(desk, ("b", 96, 120))) == ["a", "x", "24", "c", "d", "b"]
    assert line(move(desk, ("b", 48, 72), ("c", 24, 48))) == ["a", "x", "c", "b", "d"]
    assert line(move(desk, ("c", 96, 120))) == ["a", "x", "b", "24", "d", "c"]
    assert line(move(desk, ("a", None, 20))) == ["a", "4", "x", "b", "c", "d"]
    with pytest.raises(UnreadableFileError, match="its two shots apart"):
        move(desk, ("a", None, 20), ("b", 30, None))


def test_a_copy_with_edges_of_its_own_lies_there(tmp_path):
    from pxr import Sdf

    track = schema.Track("V1", [movie(n) for n in "abc"])
    desk = desk_of(cut("copies", track), tmp_path / "cut.usda")
    above = desk.layer.GetPrimAtPath("/Timeline/tracks/track_0_V1").path
    target = above.AppendChild("clip_0_a_copy")
    Sdf.CopySpec(desk.layer, above.AppendChild("clip_0_a"), desk.layer, target)
    for name, value in ((layout.START, 80.0), (layout.END, 104.0)):
        desk.layer.GetAttributeAtPath(target.AppendProperty(name)).default = value
    assert line(desk.read()) == ["a", "b", "c", "8", "a"]


Painting = list[tuple[str, int] | None]
"""What each frame of a track shows: whose media, and which frame of them."""


def painted(track: schema.Track) -> Painting:
    """Return what a track of clips and gaps shows, frame by frame."""
    found: Painting = []
    for item in track:
        first, count = (int(t.value) for t in (item.source_range.start_time, item.duration()))
        is_gap = isinstance(item, schema.Gap)
        found += [None if is_gap else (item.name, first + n) for n in range(count)]
    return _without_tail(found)


def expected_painting(track: schema.Track, wanted: dict[str, tuple[Any, Any]]) -> Painting | None:
    """Return what is to be seen after the edits; None where they would lose or split a clip."""
    before: Painting = painted(track)
    over: Painting = [None] * 400
    for name, (start, end) in wanted.items():
        frames = [n for n, shown in enumerate(before) if shown and shown[0] == name]
        first = before[frames[0]][1]
        old = frames[0], frames[-1] + 1
        new = old[0] if start is None else start, old[1] if end is None else end
        if end is None:
            first += new[0] - old[0]
        if new[0] < 0 or any(over[new[0] : new[1]]):
            return None
        over[new[0] : new[1]] = [(name, first + n) for n in range(new[1] - new[0])]
    stays = [shown if shown and shown[0] not in wanted else None for shown in before]
    stays += [None] * (400 - len(stays))
    found = [one or other for one, other in zip(over, stays, strict=True)]
    for name in {shown[0] for shown in stays if shown}:
        places = [n for n, shown in enumerate(found) if shown and shown[0] == name]
        if not places or places[-1] - places[0] + 1 != len(places):
            return None
    return _without_tail(found)


def _without_tail(found: Painting) -> Painting:
    while found and found[-1] is None:
        found = found[:-1]
    return found


@st.composite
def rearranged(draw: st.DrawFn) -> tuple[list[int], dict[str, tuple[Any, Any]]]:
    """Draw the lengths of clips, and of gaps as their negatives, and edges for some clips."""
    lengths = draw(st.lists(st.integers(2, 12) | st.integers(-9, -1), min_size=1, max_size=8))
    places, at = [], 0
    for length in lengths:
        places.append((at, at + abs(length)))
        at += abs(length)
    clips = [n for n, length in enumerate(lengths) if length > 0]
    wanted: dict[str, tuple[Any, Any]] = {}
    for number in draw(st.lists(st.sampled_from(clips), unique=True)) if clips else ():
        start, end = places[number]
        way = draw(st.sampled_from(["start", "end", "both", "exchange"]))
        if way == "start":
            edges = draw(st.integers(-2, end - 1)), None
        elif way == "end":
            edges = None, draw(st.integers(start + 1, end + 12))
        elif way == "both":
            first = draw(st.integers(-2, at + 5))
            edges = first, first + (end - start) + draw(st.integers(1 - (end - start), 6))
        else:
            first, last = places[draw(st.sampled_from(clips))]
            edges = first, last
        edges = tuple(
            None if new is None or new == old else new
            for new, old in zip(edges, (start, end), strict=True)
        )
        if edges != (None, None):
            wanted[f"c{number}"] = edges
    return lengths, wanted


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rearranged())
def test_any_edges_show_what_they_say(tmp_path, drawn):
    lengths, wanted = drawn
    track = schema.Track("V1")
    for number, length in enumerate(lengths):
        track.append(
            schema.Gap(duration=time(-length))
            if length < 0
            else movie(f"c{number}", 100 * number, length)
        )
    desk = desk_of(cut("any", track), tmp_path / "cut.usdc")
    expected = expected_painting(track, wanted)
    moves = [(name, *edges) for name, edges in wanted.items()]
    if expected is None:
        with pytest.raises(UnreadableFileError, match="timelineRange: found"):
            move(desk, *moves)
        return
    found = move(desk, *moves).tracks[0]
    assert painted(found) == expected
    assert len({item.name for item in found.find_clips()}) == len(track.find_clips())
    if not wanted:
        assert found.is_equivalent_to(track)
