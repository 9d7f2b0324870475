"""Retimes as real programs write them; every figure is from the file's own record of them.

docs/retime.md says which record that is.
"""

import warnings
from fractions import Fraction
from pathlib import Path

import opentimelineio as otio
import pytest

from castline.schemas.retime import clip_time_map, media_range
from castline.schemas.retime_cut import cut_time_maps
from castline.schemas.retime_program import (
    Convention,
    Program,
    ReverseStart,
    Step,
    program_of,
    program_of_timeline,
)

CORPUS = Path(__file__).resolve().parents[2] / "../shared/corpus"


@pytest.fixture
def corpus():
    if not CORPUS.is_dir():
        pytest.skip("the corpus of real files is not here")
    return CORPUS


def clip_in(path):
    return otio.schema.Clip.from_json_file(str(path))


def read(path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return otio.adapters.read_from_file(str(path))


def test_each_program_has_its_convention_and_none_starts_at_the_first_frame():
    assert Program.OTHER.convention == Convention(ReverseStart.LOWEST, Step.SECONDS)
    assert {p.convention.reverse_start for p in Program} == {ReverseStart.LOWEST}
    frame_for_frame = {p for p in Program if p.convention.step is Step.FRAMES}
    assert frame_for_frame == {Program.HIERO, Program.FLAME}


@pytest.mark.parametrize(
    ("metadata", "program"),
    [
        ({"Resolve_OTIO": {}}, Program.RESOLVE),
        ({"hiero_source_type": "TrackItem"}, Program.HIERO),
        ({"Hiero": {"tags": []}}, Program.HIERO),
        ({"flame_sub_products": {}}, Program.FLAME),
        ({"ayon.flame.colour": "x"}, Program.FLAME),
        ({"AAF": {}}, Program.AVID),
        ({"castline": {}, "cmx_3600": {}}, None),
    ],
)
def test_a_program_is_told_by_the_keys_it_leaves(metadata, program):
    assert program_of(otio.schema.Clip(metadata=metadata)) is program
    assert program_of_timeline(otio.schema.Timeline(metadata=metadata)) is program


def test_a_clip_says_its_program_over_its_timeline_and_switching_the_take_changes_nothing():
    temp = otio.schema.ExternalReference(metadata={"foundry.source.framerate": "25"})
    clip = otio.schema.Clip("a", temp)
    clip.set_media_references({"temp": temp, "take": otio.schema.ExternalReference()}, "take")
    assert program_of(clip) is Program.HIERO


def test_the_timelines_program_is_for_clips_that_do_not_say_theirs():
    def time_range(count, rate):
        start = otio.opentime.RationalTime(0, rate)
        return otio.opentime.TimeRange(start, otio.opentime.RationalTime(count, rate))

    media = otio.schema.ExternalReference(available_range=time_range(100, 50))
    clip = otio.schema.Clip("a", media, time_range(3, 25))
    timeline = otio.schema.Timeline(metadata={"ayon.flame.policy": "x"})
    timeline.tracks.append(otio.schema.Track(children=[clip]))
    [found] = cut_time_maps(timeline)
    assert [m for _, m in found.time_map.frames()] == [0, 1, 2]
    [found] = cut_time_maps(timeline, convention=Convention())
    assert [m for _, m in found.time_map.frames()] == [0, 2, 4]


@pytest.mark.corpus
def test_flame_names_the_lowest_frame_of_a_reversed_clip(corpus):
    """Flame says sourceIn 1068, sourceOut 1040 for 41 frames at -0.7: 1040 + 40 * 0.7 = 1068."""
    clip = clip_in(corpus / "otio/img_seq_reverse_speed_0_7.json")
    found = media_range(clip)
    assert program_of(clip) is Program.FLAME
    assert (found.first, found.last) == (1068, 1040)
    assert clip_time_map(clip).speed == Fraction(-7, 10)
    # The first four pictures: 1068, 1067.3, 1066.6, 1065.9.
    assert [m for _, m in clip_time_map(clip).frames()][:4] == [1068, 1067, 1066, 1065]


@pytest.mark.corpus
def test_hiero_names_the_lowest_frame_of_a_reversed_clip_and_steps_by_frames(corpus):
    """Hiero says sourceIn 50, sourceOut 30 for 11 frames at -2: 30 + 10 * 2 = 50.

    The start is written as 29.97003 at 23.976024, which is frame 30 of the 24 fps media rescaled;
    a step is two media frames although cut and media differ in rate.
    """
    clip = clip_in(corpus / "otio/qt_reverse_speed_2x.json")
    found = media_range(clip)
    assert program_of(clip) is Program.HIERO
    assert (found.first, found.last, found.rate) == (50, 30, 24)
    assert [m for _, m in clip_time_map(clip).frames()] == list(range(50, 28, -2))


@pytest.mark.corpus
def test_hiero_puts_a_warp_table_over_the_speed(corpus):
    """Speed 2 from frame 948850 and the table 2, 1.704, 1.432 ... 1 ... 1.704, 2 in cut frames.

    Frame n shows 948850 + 2 * (n + table[n]): 4, 5.408, 6.864, 8.416, 10.112, 12, 14.112, 16.416,
    18.864, 21.408 and 24 frames on. Without the table Hiero says sourceIn 176, sourceOut 196,
    counted from 948674: 948850 to 948870, ten steps of two, 25 fps media in a 23.976 cut.
    """
    clip = clip_in(corpus / "otio/img_seq_2x_time_warp.json")
    base = 948850
    assert [m - base for _, m in clip_time_map(clip).frames()] == [
        4, 5, 6, 8, 10, 12, 14, 16, 18, 21, 24
    ]  # fmt: skip
    clip.effects.pop()
    found = media_range(clip)
    assert (found.first - 948674, found.last - 948674) == (176, 196)


@pytest.mark.corpus
def test_hieros_older_exporters_count_sequences_from_their_first_image(corpus):
    """51 frames from 0 of images 997-1055; and 101 cut frames at 25 that use up 101 at 24 fps."""
    found = media_range(clip_in(corpus / "otio/img_seq_23.976_metadata.json"))
    assert (found.first, found.last, found.rate) == (997, 1047, Fraction(24000, 1001))
    track = otio.core.deserialize_json_from_file(str(corpus / "otio/multiple_review_clips.json"))
    ranges = [media_range(clip) for clip in track.find_clips()]
    assert {r.rate for r in ranges} == {24, 25}
    assert {(r.first, r.last) for r in ranges[:-1]} == {(1000, 1100)}
    assert (ranges[-1].first, ranges[-1].last) == (1000, 1030)


@pytest.mark.corpus
def test_resolve_writes_the_start_in_media_frames_and_the_length_in_cut_frames(corpus):
    """Eleven frames at double speed from frame 39: Resolve's own left offset is 19 (19.5 * 2)."""
    clip = clip_in(corpus / "otio/img_seq_2x_speed_resolve.json")
    assert program_of(clip) is Program.RESOLVE
    assert [m for _, m in clip_time_map(clip).frames()] == list(range(39, 60, 2))
    found = media_range(clip_in(corpus / "otio/movie_with_handles.json"))
    assert (found.first, found.last) == (0, 170)


def test_resolve_names_the_lowest_frame_of_a_reversed_clip():
    """The figures of a Resolve export: 100 frames of media, source range 20 + 41, speed -1.

    Resolve's left offset for it is 39: counted along the reversed media, from frame 99 down, the
    clip begins at 99 - 39 = 60 and ends 40 frames on, at 20. The 20 carries float noise.
    """
    media = otio.schema.ExternalReference(
        available_range=otio.opentime.TimeRange(
            otio.opentime.RationalTime(0, 24), otio.opentime.RationalTime(100, 24)
        )
    )
    source = otio.opentime.TimeRange(
        otio.opentime.RationalTime(20.000000000000004, 24), otio.opentime.RationalTime(41, 24)
    )
    reverse = otio.schema.LinearTimeWarp(time_scalar=-1.0)
    clip = otio.schema.Clip("a", media, source, {"Resolve_OTIO": {}}, effects=[reverse])
    found = media_range(clip)
    assert (found.first, found.last) == (99 - 39, 20)


@pytest.mark.corpus
def test_resolves_effects_without_a_retime_leave_time_alone(corpus):
    timeline = read(corpus / "otio/effects.otio")
    assert program_of_timeline(timeline) is Program.RESOLVE
    found = list(cut_time_maps(timeline, global_start=True))
    assert len(found) == 37
    assert {item.time_map.speed for item in found} == {1}
    assert min(item.time_map.cut_range[0] for item in found) == 3600


@pytest.mark.corpus
def test_linear_time_warps_of_toucan(corpus):
    fast, slow = cut_time_maps(read(corpus / "otio/LinearTimeWarp.otio"))
    assert list(fast.time_map.frames()) == [(0, 0), (1, 2), (2, 4)]
    assert [m for _, m in slow.time_map.frames()] == [0, 0, 1, 1, 2, 2, 3, 3]


@pytest.mark.corpus
def test_avids_fit_to_fill_uses_whole_frames_exactly(corpus):
    """Each clip fits N whole media frames into its length, so speed * length is that N again.

    The names of the file are lost in reading; N are the numerators of the speeds as written:
    1 of 2, 3, 4; 2 of 1, 2, 3, 4; 3 of 1 to 4; and so on up to 5 of 1 to 4.
    """
    timeline = read(corpus / "aaf/linear_speed_effects.aaf")
    found = list(cut_time_maps(timeline))
    assert {program_of(item.clip) for item in found} == {Program.AVID}
    fitted = [item for item in found if item.clip.effects]
    used = [item.time_map.covered[1] * 24 for item in fitted]
    assert used == [1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5]
    assert [item.clip.duration().value for item in fitted] == [2, 3, 4, *[1, 2, 3, 4] * 4]


@pytest.mark.corpus
def test_avids_m2_events_use_the_source_length_that_the_event_states(corpus):
    """Length of the source side of each M2 event, as its timecodes say it (01:00:06:00 ...).

    47.6 fps over 36 frames shows frames 0 to floor(35 * 47.6 / 24) = 69: the event says 70 frames.
    Two events say one more: their speeds are rounded (47.75 is written 047.8) and Avid keeps a
    phase below a frame that an EDL does not state.
    """
    found = [
        item for item in cut_time_maps(read(corpus / "edl/speed_effects.edl")) if item.clip.effects
    ]
    lengths = []
    for item in found:
        used = media_range(item.clip)
        lengths.append(used.highest - used.lowest + 1)
    stated = [1, 70, 15, 37, 55, 23, 17, 64, 16, 200, 1, 1, 1, 1, 1, 57]
    off = {
        number: (a, b) for number, (a, b) in enumerate(zip(lengths, stated, strict=True)) if a != b
    }
    assert off == {3: (36, 37), 5: (22, 23)}


@pytest.mark.corpus
def test_the_stock_edl_readers_negative_trim_is_the_record_start(corpus):
    """The first event records at 01:00:00:00, and all 548 clips are seen."""
    found = list(cut_time_maps(read(corpus / "edl/speed_effects.edl")))
    assert len(found) == 548
    assert all(item.time_map.is_seen for item in found)
    assert found[0].time_map.cut_range[0] == 3600
    # Event 183: record 01:08:30:00, frozen on source 01:00:10:21.
    frozen = next(item for item in found if item.clip.effects)
    record, source = (8 * 60 + 30) * 24 + 86400, 10 * 24 + 21 + 86400
    assert frozen.time_map.media_frame(record) == source


@pytest.mark.corpus
@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("STEM2_4k_ctm_ACES_239", 198),
        ("nested_example", 5),
        ("multiple_track", 5),
        ("Transition", 2),
    ],
)
def test_real_cuts_agree_with_otio_wherever_nothing_is_retimed(corpus, name, plain):
    timeline = read(corpus / f"otio/{name}.otio")
    found = [item.time_map for item in cut_time_maps(timeline) if item.time_map.speed == 1]
    clips = [item.clip for item in cut_time_maps(timeline) if item.time_map.speed == 1]
    assert len(found) == plain
    for clip, time_map in zip(clips, found, strict=True):
        for cut, media in time_map.frame_ends():
            time = otio.opentime.RationalTime(cut, float(time_map.cut_rate))
            there = timeline.tracks.transformed_time(time, clip)
            assert int(there.rescaled_to(float(time_map.media_rate)).value) == media


@pytest.mark.corpus
def test_nests_of_a_real_cut_use_their_clips_from_end_to_end(corpus):
    """A stack of 29 frames at 0.8545 around a clip of 24, and a frozen track around one frame.

    The last of the 29 asks for frame floor(28 * 0.8545) = 23, which is the clip's last.
    """
    timeline = read(corpus / "otio/nested_example.otio")
    found = {item.clip.name: dict(item.time_map.frames()) for item in cut_time_maps(timeline)}
    sped = found["Clip Inside A Stack 2"]
    assert (min(sped), max(sped), len(sped)) == (302, 330, 29)
    assert sorted(set(sped.values())) == list(range(429, 429 + 24))
    assert found["Clip Inside A Track"] == dict.fromkeys(range(394, 398), 471)
