"""Retimes of one clip: the arithmetic, on clips made here and with properties."""

from fractions import Fraction

import opentimelineio as otio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from castline.schemas.errors import InvalidValueError
from castline.schemas.exact import exact_number, exact_rate, exact_seconds
from castline.schemas.retime import clip_time_map, file_frame, media_range
from castline.schemas.retime_effect import UnsupportedRetimeError
from castline.schemas.retime_program import Convention, ReverseStart, Step
from castline.schemas.timemap import Piece, TimeMap

FIRST = Convention(reverse_start=ReverseStart.FIRST)


def time_range(start, count, rate=24):
    return otio.opentime.TimeRange(
        otio.opentime.RationalTime(start, rate), otio.opentime.RationalTime(count, rate)
    )


def warp(speed):
    return otio.schema.LinearTimeWarp(time_scalar=speed)


def table(lookup):
    return otio.schema.TimeEffect(effect_name="TimeWarp", metadata={"lookup": lookup})


def clip_of(start, count, *effects, rate=24, available=None):
    reference = otio.schema.ExternalReference("a.mov", available_range=available)
    source = None if start is None else time_range(start, count, rate)
    return otio.schema.Clip("shot", reference, source, effects=list(effects))


def shown(clip, convention=None):
    return [media for _, media in clip_time_map(clip, convention).frames()]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (24.0, Fraction(24)),
        (23.976, Fraction(24000, 1001)),
        (23.98, Fraction(24000, 1001)),
        (23.976024627685547, Fraction(24000, 1001)),
        (29.97, Fraction(30000, 1001)),
        (59.94, Fraction(60000, 1001)),
        (47.952, Fraction(48000, 1001)),
        (119.88, Fraction(120000, 1001)),
        (12.5, Fraction(25, 2)),
        (48000, Fraction(48000)),
        (0.001, Fraction(1, 1000)),
        (0.0041, Fraction(41, 10_000)),
    ],
)
def test_a_written_rate_is_the_exact_rate_it_means(written, meant):
    assert exact_rate(written) == meant


@pytest.mark.parametrize("rate", [0.0, -24.0, 1e-9, float("nan"), float("inf")])
def test_a_rate_that_is_none_is_refused(rate):
    with pytest.raises(InvalidValueError):
        exact_rate(rate)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (0.7, Fraction(7, 10)),
        (-0.699999988079071, Fraction(-7, 10)),
        (1 / 3, Fraction(1, 3)),
        (35.1 / 24, Fraction(117, 80)),
        (-2.0, Fraction(-2)),
        (0.0, Fraction(0)),
        (0.0625, Fraction(1, 16)),
        (1.0427083333333333, Fraction(1001, 960)),
    ],
)
def test_a_written_speed_is_the_fraction_it_means(written, meant):
    assert exact_number(written) == meant


@given(st.fractions(min_value=-100, max_value=100, max_denominator=1000))
def test_every_small_fraction_survives_being_written_as_a_double(value):
    assert exact_number(float(value)) == value


def test_float_noise_in_a_frame_number_is_not_a_time():
    assert exact_seconds(otio.opentime.RationalTime(20.000000000000004, 24)) == Fraction(20, 24)


def test_a_clip_without_effects_shows_its_source_range():
    assert shown(clip_of(100, 4)) == [100, 101, 102, 103]


def test_media_that_starts_at_one_hour_keeps_its_timecode():
    clip = clip_of(86412, 3, available=time_range(86400, 100))
    assert shown(clip) == [86412, 86413, 86414]
    assert clip_time_map(clip).to_media(Fraction(0)) == Fraction(86412, 24)


def test_a_clip_without_source_range_shows_all_its_media():
    assert media_range(clip_of(None, 0, available=time_range(86400, 100))).highest == 86499


def test_a_clip_without_any_range_is_refused_by_name():
    with pytest.raises(InvalidValueError, match=r"clip 'shot': found no source_range"):
        clip_time_map(clip_of(None, 0))


def test_a_speed_up_skips_and_a_slow_down_repeats():
    assert shown(clip_of(0, 4, warp(2.0))) == [0, 2, 4, 6]
    assert shown(clip_of(0, 5, warp(0.5))) == [0, 0, 1, 1, 2]
    # Avid's rendering of 99 % (otio-time-warp-test-suite): frame 0 twice, then every frame.
    assert shown(clip_of(0, 5, warp(0.99))) == [0, 0, 1, 2, 3]


def test_a_freeze_shows_one_frame_however_it_is_written():
    freeze = otio.schema.FreezeFrame()
    for effects in ([freeze], [warp(0.0)], [warp(3.0), warp(0.0)]):
        clip = clip_of(50, 3, *[effect.clone() for effect in effects])
        assert shown(clip) == [50, 50, 50]
        assert clip_time_map(clip).to_cut(Fraction(51, 24)) is None
        assert clip_time_map(clip).cut_frames(50) == (0, 1, 2)
        assert clip_time_map(clip).cut_frames(51) == ()


def test_chained_warps_multiply():
    assert clip_time_map(clip_of(7, 9, warp(2.0), warp(0.7), warp(-0.5))) == clip_time_map(
        clip_of(7, 9, warp(-0.7))
    )
    assert clip_time_map(clip_of(7, 9, warp(-2.0), warp(-0.5))) == clip_time_map(clip_of(7, 9))


def test_a_disabled_effect_does_nothing():
    for effect in (warp(2.0), otio.schema.FreezeFrame(), otio.schema.TimeEffect()):
        effect.enabled = False
        assert shown(clip_of(10, 3, effect)) == [10, 11, 12]


def test_an_effect_that_does_not_touch_time_does_nothing():
    blur = otio.schema.Effect(effect_name="Blur", metadata={"lookup": [1.0, 2.0, 3.0]})
    resolve = otio.schema.Effect(effect_name="Resolve Effect", name="Retime and Scaling")
    assert shown(clip_of(10, 3, blur, resolve)) == [10, 11, 12]


def test_a_reversed_clip_starts_at_its_highest_frame():
    assert shown(clip_of(10, 4, warp(-1.0))) == [13, 12, 11, 10]
    assert shown(clip_of(10, 4, warp(-2.0))) == [16, 14, 12, 10]


def test_a_reversed_clip_may_be_told_to_start_at_its_first_frame():
    assert shown(clip_of(13, 4, warp(-1.0)), FIRST) == [13, 12, 11, 10]
    assert shown(clip_of(16, 4, warp(-2.0)), FIRST) == [16, 14, 12, 10]


def test_a_reversed_clip_runs_over_whole_frames_but_shows_their_beginnings():
    clip_map = clip_time_map(clip_of(10, 4, warp(-2.0)))
    assert clip_map.covered == (Fraction(10, 24), Fraction(18, 24))
    assert clip_map.to_media(Fraction(0)) == Fraction(18, 24)
    assert clip_map.sampled().to_media(Fraction(0)) == Fraction(16, 24)
    assert clip_map.sampled().to_media(Fraction(3, 24)) == Fraction(10, 24)


def test_media_of_another_rate_runs_in_real_time_or_frame_for_frame():
    clip = clip_of(0, 4, rate=25, available=time_range(0, 100, 50))
    assert shown(clip) == [0, 2, 4, 6]
    assert shown(clip, Convention(step=Step.FRAMES)) == [0, 1, 2, 3]


def test_a_table_of_offsets_moves_every_frame_by_its_own():
    assert shown(clip_of(100, 4, table([0.0, 2.0, -1.0, 0.5]))) == [100, 103, 101, 103]


def test_a_table_over_a_speed_is_scaled_by_it():
    assert shown(clip_of(100, 3, warp(2.0), table([2.0, 0.0, -2.0]))) == [104, 102, 100]
    assert shown(clip_of(100, 3, warp(-1.0), table([2.0, 0.0, -2.0]))) == [100, 101, 102]


def test_tables_are_asked_from_the_last_to_the_first():
    # The last one asks for frames 1, 2, 0; the first shows 11, 22, 0 for them.
    clip = clip_of(100, 3, table([0.0, 10.0, 20.0]), table([1.0, 1.0, -2.0]))
    assert shown(clip) == [111, 122, 100]


@pytest.mark.parametrize(
    "effects",
    [
        [otio.schema.TimeEffect(name="Speed curve")],
        [otio.schema.TimeEffect(metadata={"Resolve_OTIO": {"Key Frames": [[0.0, 0.0]]}})],
        [otio.schema.Effect(effect_name="Time Warp")],
        [otio.schema.TimeEffect(effect_name="TimeWarp", metadata={"lookup": 12.0})],
        [table([0.0, 1.0])],
        [table([0.0, 1.0, 5.0]), table([0.0, 0.0, 1.0])],
        [warp(float("nan"))],
    ],
)
def test_a_retime_that_cannot_be_read_is_never_taken_as_normal_speed(effects):
    clip = clip_of(0, 3, *[effect.clone() for effect in effects])
    with pytest.raises(UnsupportedRetimeError, match=r"clip 'shot'"):
        clip_time_map(clip)


def test_a_range_counted_from_the_first_image_is_read_from_the_first_image():
    reference = otio.schema.ImageSequenceReference(
        start_frame=1000, rate=24, available_range=time_range(1000, 101)
    )
    assert media_range(otio.schema.Clip("a", reference, time_range(0, 51))).lowest == 1000
    # Reaching a little before the media is a missing handle, not another way to count.
    assert media_range(otio.schema.Clip("a", reference, time_range(990, 51))).lowest == 990


def test_the_file_of_an_image_counts_from_the_start_of_its_available_range():
    reference = otio.schema.ImageSequenceReference(
        start_frame=1001, rate=24, available_range=time_range(86400, 10)
    )
    assert file_frame(reference, 86403) == 1004
    reference.frame_step = 2
    assert [file_frame(reference, 86400 + n) for n in range(4)] == [1001, 1001, 1003, 1003]


def test_a_map_without_pieces_says_so():
    empty = clip_time_map(clip_of(0, 0))
    assert not empty.is_seen
    with pytest.raises(InvalidValueError, match="expected media that is seen"):
        empty.to_media(Fraction(0))
    with pytest.raises(InvalidValueError, match="found no frame"):
        media_range(clip_of(0, 0))


rates = st.sampled_from([23.976, 24.0, 25.0, 29.97, 30.0, 60.0])
speeds = st.fractions(min_value=-8, max_value=8, max_denominator=60)
moving = speeds.filter(lambda speed: speed != 0)
times = st.fractions(min_value=-1000, max_value=1000, max_denominator=2000)
conventions = st.builds(Convention, st.sampled_from(ReverseStart), st.sampled_from(Step))


@st.composite
def clips(draw, speed=speeds):
    media_rate = draw(rates)
    return clip_of(
        draw(st.integers(0, 100_000)),
        draw(st.integers(1, 60)),
        warp(float(draw(speed))),
        rate=draw(rates),
        available=time_range(0, 1000, media_rate),
    )


@given(clips(moving), conventions, times)
def test_there_and_back_is_the_same_time(clip, convention, time):
    clip_map = clip_time_map(clip, convention)
    assert clip_map.to_cut(clip_map.to_media(time)) == time


@given(st.lists(speeds, min_size=1, max_size=4), st.integers(1, 40))
def test_a_chain_of_effects_is_one_effect_of_their_product(chain, count):
    product = Fraction(1)
    for speed in chain:
        product *= speed
    whole = clip_of(100, count, *[warp(float(speed)) for speed in chain])
    frame = Fraction(1, 24)
    [piece] = clip_time_map(whole).pieces
    assert piece.speed == product
    assert piece.shown(piece.end - frame if product < 0 else piece.start) == 100 * frame


@given(clips(), conventions)
def test_every_frame_shown_lies_in_the_media_range_and_both_ends_are_shown(clip, convention):
    found = media_range(clip, convention)
    frames = shown(clip, convention)
    assert (found.lowest, found.highest) == (min(frames), max(frames))
    assert (found.first, found.last) == (frames[0], frames[-1])


@given(clips(), conventions)
def test_the_frames_that_show_a_media_frame_are_exactly_those(clip, convention):
    clip_map = clip_time_map(clip, convention)
    by_media = {}
    for cut, media in clip_map.frames():
        assert clip_map.media_frame(cut) == media
        by_media.setdefault(media, []).append(cut)
    for media in range(min(by_media) - 1, max(by_media) + 2):
        assert list(clip_map.cut_frames(media)) == by_media.get(media, [])


def linear(start, length, media, speed, lag):
    piece = Piece(start, start + length, media, speed, lag)
    return TimeMap((piece,), Fraction(24), Fraction(24))


small = st.fractions(min_value=0, max_value=20, max_denominator=24)
maps = st.builds(
    linear, small, st.fractions(1, 20, max_denominator=24), small, moving, st.just(Fraction(0))
)


@settings(max_examples=200)
@given(maps, maps, small)
def test_a_composed_map_gives_what_one_map_after_the_other_gives(outer, inner, time):
    both = outer.then(inner)
    for piece in both.pieces:
        assert outer.cut_range[0] <= piece.start < piece.end <= outer.cut_range[1]
        assert piece.at(time) == inner.to_media(outer.to_media(time))
        low, high = sorted((outer.to_media(piece.start), outer.to_media(piece.end)))
        assert inner.cut_range[0] <= low
        assert high <= inner.cut_range[1]


@given(maps, maps, maps)
def test_composing_does_not_depend_on_the_brackets(first, second, third):
    assert first.then(second).then(third) == first.then(second.then(third))
