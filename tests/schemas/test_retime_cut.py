"""Retimes of whole cuts: nested stacks, trims, transitions, gaps, and OTIO's own answer."""

from fractions import Fraction

import opentimelineio as otio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from castline.schemas.errors import InvalidValueError
from castline.schemas.retime_cut import cut_time_map, cut_time_maps
from castline.schemas.retime_effect import UnsupportedRetimeError


def time_range(start, count, rate=24):
    return otio.opentime.TimeRange(
        otio.opentime.RationalTime(start, rate), otio.opentime.RationalTime(count, rate)
    )


def clip_of(name, start, count, *speeds, rate=24):
    effects = [otio.schema.LinearTimeWarp(time_scalar=speed) for speed in speeds]
    return otio.schema.Clip(name, source_range=time_range(start, count, rate), effects=effects)


def cut_of(*tracks):
    timeline = otio.schema.Timeline("cut")
    for track in tracks:
        timeline.tracks.append(track)
    return timeline


def track_of(*children, **more):
    return otio.schema.Track(children=list(children), **more)


def seen(timeline, **more):
    """What every clip shows, as {name: {cut frame: media frame}}."""
    return {f.clip.name: dict(f.time_map.frames()) for f in cut_time_maps(timeline, **more)}


def test_clips_follow_one_another_and_gaps_take_time():
    gap = otio.schema.Gap(source_range=time_range(0, 3))
    assert seen(cut_of(track_of(clip_of("a", 10, 2), gap, clip_of("b", 50, 2)))) == {
        "a": {0: 10, 1: 11},
        "b": {5: 50, 6: 51},
    }


def test_a_transition_overlaps_its_neighbours_and_moves_nothing():
    two = otio.opentime.RationalTime(2, 24)
    dissolve = otio.schema.Transition(in_offset=two, out_offset=two)
    cut = cut_of(track_of(clip_of("a", 10, 4), dissolve, clip_of("b", 50, 4)))
    assert seen(cut)["b"] == {4: 50, 5: 51, 6: 52, 7: 53}
    later = cut_time_map(cut.tracks[0][2], cut)
    assert [later.media_frame(n) for n in (2, 3)] == [48, 49], "its handle, while a dissolves"


def test_a_retime_leaves_the_place_of_the_next_clip_alone():
    cut = cut_of(track_of(clip_of("fast", 0, 4, 3.0), clip_of("b", 50, 1)))
    assert seen(cut) == {"fast": {0: 0, 1: 3, 2: 6, 3: 9}, "b": {4: 50}}


def test_clips_of_another_rate_are_placed_by_their_seconds():
    cut = cut_of(track_of(clip_of("a", 0, 50, rate=25), clip_of("b", 100, 2)))
    assert list(seen(cut, rate=24)["b"].items()) == [(48, 100), (49, 101)]
    a = seen(cut, rate=24)["a"]
    assert (len(a), a[47]) == (48, 48), (
        "cut frame 47 begins at 1.958 s, in frame 48 of 25 a second"
    )


def test_a_trimmed_track_hides_and_cuts_its_clips():
    track = track_of(clip_of("hidden", 0, 5), clip_of("cut", 10, 5), source_range=time_range(7, 2))
    assert seen(cut_of(track)) == {"hidden": {}, "cut": {0: 12, 1: 13}}


def test_the_cut_can_count_from_its_global_start():
    cut = cut_of(track_of(clip_of("a", 10, 1)))
    cut.global_start_time = otio.opentime.RationalTime(86400, 24)
    assert seen(cut, global_start=True) == {"a": {86400: 10}}
    assert seen(cut) == {"a": {0: 10}}


def nest_of(*speeds, start=0, count=6):
    """A stack of two three-frame clips, trimmed and sped as a whole, after a clip of two."""
    stack = otio.schema.Stack("nest", source_range=time_range(start, count))
    stack.append(track_of(clip_of("a", 100, 3), clip_of("b", 200, 3)))
    for speed in speeds:
        stack.effects.append(otio.schema.LinearTimeWarp(time_scalar=speed))
    return cut_of(track_of(clip_of("before", 0, 2), stack))


def test_a_nested_stack_is_entered_at_its_source_range():
    found = seen(nest_of(start=2, count=3))
    assert found["a"] == {2: 102}
    assert found["b"] == {3: 200, 4: 201}


def test_a_nested_stack_at_double_speed_shows_every_second_frame():
    found = seen(nest_of(2.0, count=3))
    assert found["a"] == {2: 100, 3: 102}
    assert found["b"] == {4: 201}


def test_a_nested_stack_backwards_shows_its_last_clip_first():
    found = seen(nest_of(-1.0))
    assert found["b"] == {2: 202, 3: 201, 4: 200}
    assert found["a"] == {5: 102, 6: 101, 7: 100}


def test_a_nested_stack_backwards_at_double_speed_steps_from_its_lowest_frame():
    # Three frames: the nest's frames 4, 2, 0, of which 4 is b's second and 2 a's third.
    found = seen(nest_of(-2.0, count=3))
    assert found["b"] == {2: 201}
    assert found["a"] == {3: 102, 4: 100}


def test_a_frozen_nested_stack_shows_one_frame_of_one_clip():
    found = seen(nest_of(0.0, start=4, count=2))
    assert found["a"] == {}
    assert found["b"] == {2: 201, 3: 201}


def test_a_freeze_around_a_reversed_clip_shows_the_frame_that_runs_there():
    stack = otio.schema.Stack("nest", source_range=time_range(1, 3))
    stack.append(track_of(clip_of("a", 100, 4, -1.0)))
    stack.effects.append(otio.schema.FreezeFrame())
    assert seen(cut_of(track_of(stack)))["a"] == {0: 102, 1: 102, 2: 102}


def test_a_track_with_a_retime_of_its_own_runs_its_clips_through_it():
    track = track_of(clip_of("a", 0, 4, 2.0), clip_of("b", 50, 4), source_range=time_range(0, 4))
    track.effects.append(otio.schema.LinearTimeWarp(time_scalar=2.0))
    assert seen(cut_of(track)) == {"a": {0: 0, 1: 4}, "b": {2: 50, 3: 52}}


def test_a_warp_table_around_a_stack_can_show_a_clip_twice():
    cut = nest_of(count=6)
    table = {"lookup": [0.0, 0.0, 2.0, -2.0, 0.0, 0.0]}
    cut.tracks[0][1].effects.append(otio.schema.TimeEffect(effect_name="TimeWarp", metadata=table))
    found = seen(cut)
    # The nest's frames are asked for as 0, 1, 4, 1, 4, 5.
    assert found["a"] == {2: 100, 3: 101, 5: 101}
    assert found["b"] == {4: 201, 6: 201, 7: 202}


def test_what_cannot_be_mapped_comes_with_its_reason_and_stops_nothing_else():
    strange = clip_of("strange", 0, 2)
    strange.effects.append(otio.schema.TimeEffect(name="Curve"))
    endless = otio.schema.Clip("endless")
    broken = track_of(strange, clip_of("b", 5, 1), endless, clip_of("after", 0, 1))
    cut = cut_of(broken, track_of(clip_of("other", 7, 1)))
    found = {item.clip.name: item for item in cut_time_maps(cut)}
    assert isinstance(found["strange"].error, UnsupportedRetimeError)
    assert dict(found["b"].time_map.frames()) == {2: 5}
    assert "'endless'" in str(found["endless"].error)
    assert found["after"].time_map is None
    assert "'endless'" in str(found["after"].error)
    assert dict(found["other"].time_map.frames()) == {0: 7}
    with pytest.raises(UnsupportedRetimeError):
        cut_time_map(strange, cut)


def test_a_strange_effect_on_a_stack_is_told_for_every_clip_in_it():
    cut = nest_of()
    cut.tracks[0][1].effects.append(otio.schema.TimeEffect(name="Curve"))
    found = {item.clip.name: item.error for item in cut_time_maps(cut)}
    assert found["before"] is None
    assert "stack 'nest'" in str(found["a"])
    assert "stack 'nest'" in str(found["b"])


def test_a_clip_of_another_cut_is_refused():
    with pytest.raises(InvalidValueError, match="expected in the timeline"):
        cut_time_map(clip_of("stranger", 0, 1), cut_of(track_of(clip_of("a", 0, 1))))


def test_an_empty_cut_has_no_clips():
    assert list(cut_time_maps(otio.schema.Timeline())) == []
    assert list(cut_time_maps(cut_of(track_of()))) == []


@st.composite
def plain_tracks(draw, depth=1):
    """Tracks without retimes: clips, gaps, and stacks of the same."""
    children = []
    for number in range(draw(st.integers(1, 4))):
        kind = draw(st.sampled_from(["clip", "gap", "stack"] if depth else ["clip", "gap"]))
        start, count = draw(st.integers(0, 500)), draw(st.integers(1, 30))
        if kind == "clip":
            children.append(clip_of(f"{depth}-{number}", start, count))
        elif kind == "gap":
            children.append(otio.schema.Gap(source_range=time_range(0, count)))
        else:
            stack = otio.schema.Stack(children=[draw(plain_tracks(depth - 1))])
            whole = int(stack.duration().value)
            first = draw(st.integers(0, whole - 1))
            stack.source_range = time_range(first, draw(st.integers(1, whole - first)))
            children.append(stack)
    return track_of(*children)


@settings(deadline=None)
@given(st.lists(plain_tracks(), min_size=1, max_size=3))
def test_without_retimes_the_linear_pass_says_what_otio_says(tracks):
    cut = cut_of(*tracks)
    placed = {id(item): span for track in cut.tracks for item, span in _ranges(track)}
    for found in cut_time_maps(cut, rate=24):
        if id(found.clip) in placed and found.clip.parent().parent() is cut.tracks:
            span = placed[id(found.clip)]
            start, end = found.time_map.cut_range
            assert (start * 24, end * 24) == (
                span.start_time.value,
                span.end_time_exclusive().value,
            )
        for frame, media in found.time_map.frames():
            time = otio.opentime.RationalTime(frame, 24)
            assert cut.tracks.transformed_time(time, found.clip).value == media


def _ranges(track):
    spans = track.range_of_all_children()
    return [(child, spans[child]) for child in track]


@settings(deadline=None)
@given(plain_tracks(), st.sampled_from([1.0, 2.0, 0.5, -1.0, -0.5, 0.0]))
def test_one_clip_and_all_clips_say_the_same(track, speed):
    track.effects.append(otio.schema.LinearTimeWarp(time_scalar=speed))
    cut = cut_of(track)
    for found in cut_time_maps(cut, rate=24):
        assert cut_time_map(found.clip, cut, rate=24) == found.time_map


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 99), st.integers(1, 9)), min_size=1, max_size=5),
    st.sampled_from([1.0, 2.0, 0.5, -1.0, -2.0, -0.7]),
    st.sampled_from([1.0, -1.0, 3.0, -0.5]),
)
def test_a_nest_shows_what_stepping_through_it_frame_by_frame_shows(clips, outer, inner):
    track = track_of(*[clip_of(str(n), *c, inner) for n, c in enumerate(clips)])
    whole = sum(count for _, count in clips)
    inside = {}
    for found in cut_time_maps(cut_of(track)):
        inside |= {n: (found.clip.name, media) for n, media in found.time_map.frames()}
    # As many frames as the nest holds at this speed, so that each asks for one that is there.
    count = max(int((whole - 1) / abs(outer)) + 1, 1)
    stack = otio.schema.Stack(source_range=time_range(0, count), children=[track.clone()])
    stack.effects.append(otio.schema.LinearTimeWarp(time_scalar=outer))
    asked = otio.schema.Clip(
        source_range=time_range(0, count), effects=[e.clone() for e in stack.effects]
    )
    steps = dict(next(iter(cut_time_maps(cut_of(track_of(asked))))).time_map.frames())
    shown = {}
    for found in cut_time_maps(cut_of(track_of(stack))):
        shown |= {n: (found.clip.name, media) for n, media in found.time_map.frames()}
    if outer in (-0.7, 0.5, -0.5) or inner == -0.5:
        # Between whole frames the nest's clips run on, so only which clip is seen is the same.
        assert {n: name for n, (name, _) in shown.items()} == {
            n: inside[step][0] for n, step in steps.items()
        }
    else:
        assert shown == {n: inside[step] for n, step in steps.items()}


def test_many_clips_are_placed_without_a_rounding_error():
    # 2,000 clips of 10 frames at 23.976: float seconds would have drifted, these are exact.
    track = track_of(*[clip_of(str(n), n, 10, -0.7, rate=23.976) for n in range(2_000)])
    found = list(cut_time_maps(cut_of(track)))
    assert len(found) == 2_000
    start, end = found[-1].time_map.cut_range
    assert (start, end) == (Fraction(19_990 * 1001, 24_000), Fraction(20_000 * 1001, 24_000))
