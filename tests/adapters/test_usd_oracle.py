"""The oracle's own arithmetic, against values worked out by hand."""

from __future__ import annotations

import ast
import itertools
import math
from fractions import Fraction
from pathlib import Path

import pytest
import usd_clips as clips
import usd_features as cuts
import usd_oracle
from opentimelineio import schema
from usd_chance import by_chance
from usd_oracle import Cut, Frame
from usd_scenes import NTSC, SOUND_RATE

pytest.importorskip("pxr")
pytest.importorskip("PIL")
pytest.importorskip("av")

HALF = Fraction(1, 2)


@pytest.fixture(scope="module")
def m(tmp_path_factory) -> Path:
    from usd_scenes import make_all

    return make_all(tmp_path_factory.mktemp("usd") / "media")


def asked(*tracks, start=None, plates=False) -> Cut:
    return Cut(clips.cut(*tracks, start=start), Path(), plates)


def seen(cut: Cut, time, rate=24) -> tuple[tuple[int, ...], Fraction] | None:
    """Return the chain, and the media time in frames."""
    found = cut.shown(Fraction(time))
    return None if found is None else (found.chain, found.media * rate)


def test_the_oracle_knows_nothing_of_castline():
    tree = ast.parse(Path(usd_oracle.__file__).read_text(encoding="utf-8"))
    names = {n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    names |= {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
    assert not [name for name in names if name and name.startswith("castline")]


def test_a_clip_is_seen_from_its_first_frame_to_before_its_end(m):
    cut = asked(clips.video(clips.gap(5), clips.scene(m / "moving.usda", 1011, 24)))
    assert seen(cut, Fraction("4.99")) is None
    assert seen(cut, 5) == ((0, 1), 1011)
    assert seen(cut, Fraction("10.5")) == ((0, 1), Fraction("1016.5"))
    assert seen(cut, Fraction("28.75")) == ((0, 1), Fraction("1034.75"))
    assert seen(cut, 29) is None
    assert cut.edges == [0, 5, 29]


@pytest.mark.parametrize(
    ("start", "length", "speed", "expected"),
    [
        (1011, 24, 2.0, {0: 1011, 5: 1021, HALF: 1012, 23: 1057}),
        (1011, 24, 0.5, {0: 1011, 5: Fraction("1013.5"), HALF: Fraction("1011.25")}),
        (1011, 24, -1.0, {0: 1034, 23: 1011, HALF: Fraction("1033.5")}),
        (30, 11, -2.0, {0: 50, 10: 30, 3: 44}),
        (1040, 41, -0.7, {0: 1068, 40: 1040, 10: 1061}),
        (1013, 10, 0, {0: 1013, 9: 1013, HALF: 1013}),
    ],
)
def test_a_retime_shows(m, start, length, speed, expected):
    cut = asked(clips.video(clips.scene(m / "moving.usda", start, length, speed=speed)))
    for time, media in expected.items():
        assert seen(cut, time) == ((0, 0), media)


def test_two_retimes_multiply_and_a_disabled_one_does_nothing(m):
    cut = Cut(cuts.double_warp(m), Path())
    assert seen(cut, 4) == ((0, 0), 1015)
    assert seen(cut, 24) == ((0, 1), 1045)


@pytest.mark.parametrize(
    ("back", "ahead", "middle"), [(6, 6, 24), (4, 8, 26), (8, 4, 22), (4, 5, Fraction("24.5"))]
)
def test_a_dissolve_is_cut_in_its_middle(m, back, ahead, middle):
    one, two = clips.scene(m / "moving.usda", 1011), clips.scene(m / "moving.usda", 1051)
    cut = asked(clips.video(one, clips.dissolve(back, ahead), two))
    just = Fraction(1, 2**20)
    assert seen(cut, middle - just) == ((0, 0), 1011 + middle - just)
    assert seen(cut, middle) == ((0, 2), 1051 + middle - 24)
    assert cut.edges == [0, middle, 48]


def test_a_dissolve_with_nothing_or_a_gap_leaves_the_edges(m):
    cut = Cut(cuts.dissolves_at_edges(m), Path())
    assert cut.edges == [0, 24, 34, 58]
    assert seen(cut, 0) == ((0, 1), 1011)
    assert seen(cut, 23) == ((0, 1), 1034)
    assert seen(cut, 24) is None
    assert seen(cut, 34) == ((0, 5), 1011)


def test_the_topmost_that_has_something_is_seen(m):
    cut = Cut(cuts.layers(m), Path())
    chains = [cut.shown(Fraction(n)).chain for n in (5, 6, 11, 12, 14, 16, 24, 32, 38, 44)]
    assert chains == [
        (0, 0),  # nothing above yet
        (1, 1),
        (1, 1),
        (2, 1),
        (1, 1),
        (0, 0),  # no media above
        (0, 1),  # media that are not there
        (0, 1),  # a movie without frames
        (1, 5),
        (0, 1),
    ]
    assert Cut(cuts.layers(m), Path(), plates=True).shown(Fraction(32)).chain == (1, 4)


def test_what_is_switched_off_covers_nothing(m):
    cut = Cut(cuts.disabled(m), Path())
    chains = [cut.shown(Fraction(n)).chain for n in (9, 10, 20, 29, 30, 35)]
    assert chains == [(1, 0), (0, 0), (0, 0), (0, 0), (1, 3), (0, 0)]


def test_a_nest_is_trimmed_and_goes_on_where_it_is_in_the_parent(m):
    cut = Cut(cuts.nests(m), Path())
    assert seen(cut, 7) == ((0, 1, 0, 0), 1008)
    assert seen(cut, 13) == ((0, 1, 0, 0), 1014)
    assert seen(cut, 14) == ((0, 1, 1, 1), 1011)
    assert seen(cut, 22) == ((0, 1, 0, 1), 1011)
    assert seen(cut, 38) is None
    assert seen(cut, 39) == ((0, 2, 0, 1, 0, 0), 1015)
    assert seen(cut, 45) == ((0, 2, 0, 1, 0, 1), 1021)
    # A dissolve of 4 and 8 into a nest that is trimmed by 8: the nest begins at 10.
    assert seen(cut, 93) == ((0, 4), 1052)
    assert seen(cut, 94) == ((0, 6, 0, 0), 1051)
    assert seen(cut, 104) == ((0, 6, 0, 1), 1011)


def test_retimes_of_clip_and_nest_multiply(m):
    def nested(one, two, trim, speed):
        pair = clips.video(
            clips.scene(m / "moving.usda", 1003, 20, speed=one),
            clips.scene(m / "moving.usda", 1021, 20, speed=two),
        )
        return asked(clips.video(clips.nest(pair, trim=trim, speed=speed)))

    cut = nested(None, 2.0, clips.span(4, 18), 2.0)
    assert seen(cut, 0) == ((0, 0, 0, 0), 1007)
    assert seen(cut, 7) == ((0, 0, 0, 0), 1021)
    assert seen(cut, 8) == ((0, 0, 0, 1), 1021)
    assert seen(cut, Fraction("9.5")) == ((0, 0, 0, 1), 1027)
    cut = nested(2.0, None, clips.span(4, 32), 0.5)
    assert seen(cut, 1) == ((0, 0, 0, 0), 1012)
    assert seen(cut, 31) == ((0, 0, 0, 0), 1042)
    # Twice backwards is forwards: 39 - n is asked of the clip, whose first frame is its last.
    cut = nested(None, -1.0, clips.span(0, 40), -1.0)
    assert seen(cut, 0) == ((0, 0, 0, 1), 1021)
    assert seen(cut, Fraction("3.5")) == ((0, 0, 0, 1), Fraction("1024.5"))
    assert seen(cut, 20) == ((0, 0, 0, 0), 1022)
    cut = nested(None, None, clips.span(21, 10), 0)
    assert seen(cut, 0) == seen(cut, 9) == ((0, 0, 0, 1), 1022)
    assert cut.edges == [0, 10]


def test_a_change_inside_a_reversed_nest_waits_for_the_frame(m):
    pair = clips.video(
        clips.scene(m / "moving.usda", 1011, 10), clips.scene(m / "moving.usda", 1051, 10)
    )
    cut = asked(clips.video(clips.nest(pair, speed=-1.0)))
    assert seen(cut, 0) == ((0, 0, 0, 1), 1060)
    assert seen(cut, 9) == ((0, 0, 0, 1), 1051)
    assert seen(cut, Fraction("9.5")) == ((0, 0, 0, 1), Fraction("1050.5"))
    assert seen(cut, 10) == ((0, 0, 0, 0), 1020)
    assert seen(cut, 19) == ((0, 0, 0, 0), 1011)
    assert 10 in cut.edges


def test_tracks_and_timelines_are_trimmed(m):
    cut = Cut(cuts.trimmed_track(m), Path())
    assert (cut.start, cut.end) == (0, 40)
    assert seen(cut, 0) == ((1, 0), 1019)
    assert seen(cut, 12) == ((1, 1), 1011)
    assert seen(cut, 25) == ((1, 1), 1024)
    assert seen(cut, 26) == ((0, 0), 1039)
    assert seen(cut, 40) is None


def test_stage_time_starts_where_the_timeline_does(m):
    cut = Cut(cuts.late_start(m), Path())
    assert seen(cut, 86399) is None
    assert seen(cut, 86400) == ((0, 0), 1011)
    assert seen(cut, 86424) == ((0, 1), 1026)


def test_slower_clips_take_their_own_seconds_in_a_cut_at_24(m):
    """48 frames at 24000/1001 are 2.002 seconds, which are 48.048 frames of the cut."""
    cut = asked(
        clips.video(
            clips.scene(m / "ntsc.usda", 1011, 48, NTSC), clips.scene(m / "moving.usda", 1011, 24)
        ),
        start=clips.time(0),
    )
    assert cut.edges == [0, Fraction("48.048"), Fraction("72.048")]
    found = cut.shown(Fraction(24))
    code = usd_oracle.scene_code(m / "ntsc.usda", found.media)
    assert math.isclose(code, 1011 + 24000 / 1001)
    assert seen(cut, 49) == ((0, 1), 1011 + Fraction("0.952"))


def test_a_cut_at_24000_1001_is_counted_in_its_own_frames(m):
    cut = Cut(cuts.ntsc_cut(m), Path())
    assert cut.rate == Fraction(24000, 1001)
    assert cut.edges[:3] == [43200, 43224, 43224 + Fraction(24000, 1001)]
    assert seen(cut, 43200, Fraction(24000, 1001)) == ((0, 0), 1011)
    assert seen(cut, 43225) == ((0, 1), 1012 + Fraction(1001, 1000))


def test_a_scene_with_two_codes_a_frame_is_asked_for_them(m):
    cut = asked(clips.video(clips.scene(m / "fast.usda", 1011, 24)))
    found = cut.shown(Fraction("2.5"))
    assert usd_oracle.scene_code(m / "fast.usda", found.media) == 2027


def test_cameras_are_where_the_scene_says(m):
    cut = Cut(cuts.cameras(m), Path())
    static = cut.camera(Fraction(3))
    assert static.matrix[3][:3] == pytest.approx((6, 2, 3 + 10 * math.cos(math.radians(30))))
    assert static.lens["focalLength"] == 35
    assert static.lens["focusDistance"] == 12.5
    assert tuple(static.lens["clippingPlanes"][0]) == (0, 0, 1, 4)
    assert static.lens["exposure:iso"] == 800
    moving = cut.camera(Fraction(24))
    assert moving.lens["focalLength"] == 30
    assert moving.lens["horizontalAperture"] == 30
    bare = cut.camera(Fraction(50))
    assert bare.lens["focalLength"] == 50
    assert bare.matrix[3] == (0, 0, 0, 1)
    turning = cut.camera(Fraction(72))  # ten frames on: twenty degrees
    sine, cosine = math.sin(math.radians(20)), math.cos(math.radians(20))
    assert turning.matrix[3][:3] == pytest.approx((10 * sine, 1, 10 * cosine))


def test_the_named_camera_is_followed_else_the_first(m):
    cut = Cut(cuts.named_camera(m), Path())
    assert cut.camera(Fraction(0)).path == "/World/Right"
    assert cut.camera(Fraction(0)).matrix[3] == pytest.approx((0, 10, 5, 1))
    assert cut.camera(Fraction(24)).path == "/World/Left"
    plain = asked(clips.video(clips.scene(m / "two_cameras.usda")))
    assert plain.camera(Fraction(0)).path == "/World/Left"


def test_no_camera_is_followed_in_gaps_plates_and_scenes_without(m):
    cut = Cut(cuts.gaps(m), Path())
    assert [cut.camera(Fraction(n)) is None for n in (0, 5, 29, 37, 46)] == [
        True,
        False,
        True,
        True,
        False,
    ]


def test_plates_name_the_picture_of_the_frame(m):
    cut = Cut(cuts.plates(m), Path())

    def at(time) -> str | None:
        found = cut.plate(Fraction(time))
        return found and f"{found.path.parent.name}/{found.path.name}"

    assert at(0) == "plates/sh.1003.png"
    assert at(Fraction("7.5")) == "plates/sh.1010.png"
    assert at(8) is None
    assert [at(14 + n) for n in range(3)] == [f"plates/sh.{n}.png" for n in (1001, 1003, 1005)]
    assert [at(20 + n) for n in range(4)] == [
        f"plates/sh.{n}.png" for n in (1001, 1001, 1002, 1002)
    ]
    assert at(32) is None
    assert [at(35 + n) for n in (0, 1, 7)] == [f"plates/sh.{n}.png" for n in (1009, 1008, 1002)]
    assert at(Fraction("35.75")) == "plates/sh.1009.png"
    assert at(43) == at(47) == "plates/sh.1005.png"
    assert [at(48 + n)[9:13] for n in range(12)] == [
        *("1001", "1002", "1002", "1002", "1005", "1006", "1006", "1006"),
        *("1009", "1009", "1009", "1009"),
    ]
    assert [at(60 + n) for n in range(4)] == [f"twos/sh.{n:04d}.png" for n in (1, 1, 3, 3)]
    assert at(84) == at(93) == "media/still_0007.png"
    assert at(94) == "plates/sh.1005.png"
    assert [at(100 + n) for n in range(5)] == [
        f"plates/sh.{n}.png" for n in (1008, 1007, 1006, 1005, 1004)
    ]


def test_a_movie_is_a_plate_once_it_has_frames(m):
    track = clips.video(clips.movie(m / "movie.mp4", 4, 10, speed=-1.0))
    assert asked(track.deepcopy()).plate(Fraction(0)) is None
    cut = asked(track, plates=True)
    assert cut.plate(Fraction(0)) == Frame(m / "movie.mp4", 13)
    assert cut.plate(Fraction("9.5")) == Frame(m / "movie.mp4", 4)


def test_sounds_say_where_they_are_heard(m):
    found = Cut(cuts.sounds(m), Path()).sounds()
    said = [(s.chain, s.start, s.end, s.offset, s.gain) for s in found]
    assert said == [
        ((1, 0), 100, 124, HALF, 1),
        ((1, 2), 130, 154, HALF, 1),
        ((1, 3), 154, 160, 0, 0),
        ((2, 0), 100, 120, Fraction(5, 4), 0),
        ((3, 1, 0, 0), 105, 112, Fraction(7, 24), 1),
        ((3, 1, 0, 1), 112, 121, 2, 1),
    ]


def test_a_sound_is_counted_from_the_start_of_its_file():
    """A file that starts at 00:00:10:00 and is used from 00:00:12:00 on."""
    clip = clips.sound(Path(__file__), 288, 24)
    clip.media_reference.available_range = clips.span(10 * SOUND_RATE, SOUND_RATE, SOUND_RATE)
    found = asked(clips.video(clips.gap(24)), clips.audio(clip), start=clips.time(0)).sounds()
    assert [s.offset for s in found] == [2]


def test_edges_hold_all_changes(m):
    """Between two edges one and the same clip is seen, at any time."""
    for made in (*cuts.FEATURES, *(lambda m, n=n: by_chance(m, n) for n in range(40))):
        cut = Cut(made(m), m)
        edges = cut.edges
        for low, high in itertools.pairwise(edges):
            times = [low + (high - low) * Fraction(n, 7) for n in range(7)]
            chains = {(found := cut.shown(t)) and found.chain for t in times}
            assert len(chains) == 1, (made, low, high)


def test_a_range_that_is_none_is_all_the_media(m):
    clip = clips.scene(m / "moving.usda")
    clip.source_range = None
    cut = asked(clips.video(clip), start=clips.time(0))
    assert cut.end == clips.SCENE_LENGTH
    assert seen(cut, 2) == ((0, 0), 1003)
    assert isinstance(clip, schema.Clip)
