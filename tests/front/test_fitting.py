"""How a take fits its slot: never stretched, never looped, and said in frames."""

from __future__ import annotations

import pytest
from opentimelineio.opentime import RationalTime

from castline.fitting import Need, Wishes, fit, usual_size
from castline.schemas.values import OfferedMedia


def _media(frames=64, rate=24.0, width=1280, height=720, start=None):
    return OfferedMedia(
        url="/takes/a.mp4",
        kind="movie",
        sha256="0" * 64,
        frames=frames,
        rate=rate,
        width=width,
        height=height,
        start=start,
    )


def _need(frames=48, rate=24.0, lead=0, trail=0):
    return Need(RationalTime(frames, rate), lead, trail)


def _verdicts(fitted):
    return {check.what: check.verdict for check in fitted.checks}


def test_a_take_with_handles_begins_after_them():
    fitted = fit(_media(64), _need(48), Wishes(handles=8))
    assert fitted.placement.source_range.start_time == RationalTime(8, 24)
    assert fitted.placement.source_range.duration == RationalTime(48, 24)
    assert fitted.placement.effects == ()
    assert set(_verdicts(fitted).values()) == {"ok"}


def test_a_take_of_the_very_length_begins_at_its_first_frame():
    fitted = fit(_media(48), _need(48), Wishes(handles=8))
    assert fitted.placement.source_range.start_time == RationalTime(0, 24)
    assert _verdicts(fitted)["handles"] == "note"
    assert not fitted.needs_person


def test_a_take_that_is_too_short_has_no_placement():
    fitted = fit(_media(40), _need(48), Wishes())
    assert fitted.placement is None
    assert "40 frames, slot needs 48: 8 short" in fitted.checks[0].message
    assert fitted.needs_person


def test_a_short_surplus_is_shared_between_head_and_tail():
    fitted = fit(_media(54), _need(48), Wishes(handles=8))
    assert fitted.placement.source_range.start_time.value == 3
    assert (
        next(c for c in fitted.checks if c.what == "handles").message == "handles 3/3, wanted 8/8"
    )


def test_a_takes_own_timecode_is_where_it_begins():
    fitted = fit(_media(64, start=RationalTime(86400, 24)), _need(48), Wishes(handles=8))
    assert fitted.placement.source_range.start_time == RationalTime(86408, 24)


@pytest.mark.parametrize(
    ("frames", "lead", "trail", "start", "decides"),
    [
        (60, 0, 12, 0, False),
        (60, 12, 0, 12, False),
        (64, 12, 4, 12, False),
        (59, 0, 12, None, True),
    ],
)
def test_the_frames_of_a_dissolve_are_needed_too(frames, lead, trail, start, decides):
    fitted = fit(_media(frames), _need(48, lead=lead, trail=trail), Wishes())
    assert fitted.needs_person is decides
    if start is not None:
        assert fitted.placement.source_range.start_time.value == start


def test_another_rate_is_asked_about():
    fitted = fit(_media(120, rate=30), _need(48), Wishes())
    assert fitted.placement is None
    assert _verdicts(fitted)["rate"] == "decide"


def test_reinterpreted_frames_are_used_one_to_one():
    fitted = fit(_media(48, rate=30), _need(48), Wishes(rate_policy="reinterpret"))
    (effect,) = fitted.placement.effects
    assert effect["OTIO_SCHEMA"].startswith("LinearTimeWarp")
    assert effect["time_scalar"] == pytest.approx(24 / 30)
    assert not fitted.needs_person


def test_resampled_media_needs_its_own_number_of_frames():
    short = fit(_media(59, rate=30), _need(48), Wishes(rate_policy="resample"))
    enough = fit(_media(60, rate=30), _need(48), Wishes(rate_policy="resample"))
    assert short.placement is None
    assert enough.placement.effects == ()
    assert enough.placement.source_range.duration == RationalTime(48, 24)


def test_a_rejected_rate_is_never_placed():
    assert fit(_media(120, rate=30), _need(48), Wishes(rate_policy="reject")).placement is None


@pytest.mark.parametrize("rate", [23.976, 23.98, 24000 / 1001, 23.976024627685547])
def test_ntsc_rates_are_the_same_however_they_are_written(rate):
    assert _verdicts(fit(_media(64, rate=rate), _need(48, 24000 / 1001), Wishes()))["rate"] == "ok"


def test_twenty_four_is_not_twenty_three_nine_seven_six():
    assert _verdicts(fit(_media(64), _need(48, 24000 / 1001), Wishes()))["rate"] == "decide"


@pytest.mark.parametrize(
    ("size", "verdict"), [((1280, 720), "ok"), ((1920, 1080), "note"), ((720, 1280), "decide")]
)
def test_another_size_is_noted_and_another_shape_asked_about(size, verdict):
    assert _verdicts(fit(_media(), _need(), Wishes(size=size)))["size"] == verdict


def test_the_usual_size_is_that_of_most_takes():
    media = [_media(), _media(), _media(width=720, height=1280)]
    assert usual_size(media) == (1280, 720)
    assert usual_size([]) is None
