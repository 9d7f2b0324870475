"""The payload's text survives what programs do to comments, and damage is named."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from castline.adapters.carrier import codec

letters = st.characters(codec="utf-8")
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.text(letters, max_size=30),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(letters, max_size=6), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(deadline=None)
@given(payload=values, limit=st.integers(60, 400), order=st.randoms())
@example(
    payload="a  b   c % \x7f \x00 castline: %CASTLINE1 00000000 1/1 {}%", limit=60, order=None
)
def test_payloads_come_back_whatever_the_order_of_their_lines(payload, limit, order):
    frames = codec.pack(payload, limit)
    if order:
        order.shuffle(frames)
    found = codec.unpack(["mine", *frames, *frames])
    assert found.payloads == [payload]
    assert found.damaged == []
    for frame in frames:
        assert len(frame) <= limit
        assert frame.isascii() and frame.isprintable()
        assert frame == " ".join(frame.split(" ")).strip()
        assert "  " not in frame and frame[0] != "*"


@given(payload=values)
def test_the_text_is_canonical(payload):
    assert codec.encode(codec.decode(codec.encode(payload))) == codec.encode(payload)


def test_text_around_the_frames_is_kept():
    (frame,) = codec.pack({"a": 1}, 400)
    line = codec.seal("sh010 | MIRA OK")
    assert codec.cut_out(f"a note\n{line}\n{frame}") == ([line, frame], "a note")
    assert codec.cut_out(f"{line}\n{frame}\nmine") == ([line, frame], "mine")
    assert codec.cut_out(f"{frame} EDITOR SAYS NO") == ([frame], " EDITOR SAYS NO")


@pytest.mark.parametrize(
    "text",
    [
        "castline: please regrade this shot",
        "other castline talk",
        codec.seal("sh010 | MIRA OK") + " -- EDITOR SAYS NO",
        codec.seal("sh010 | MIRA OK").replace("OK", "NO"),
        "castline: [ab12]",
    ],
)
def test_a_line_that_somebody_else_wrote_or_wrote_on_is_theirs(text):
    assert codec.cut_out(text) == ([], text)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda frames: frames[:-1],
        lambda frames: [frame.replace("mira", "jon!") for frame in frames],
        lambda frames: [frame[:-4] for frame in frames],
        lambda frames: [frame.upper() for frame in frames],
    ],
    ids=["a line lost", "a line changed", "lines cut short", "all in capitals"],
)
def test_a_damaged_payload_is_named_and_never_guessed(spoil):
    frames = codec.pack({"who": "mira " * 60}, 120)
    found = codec.unpack(spoil(frames))
    assert not found.payloads
    assert {reason for reason, _ in found.damaged} == {"damaged"}


def test_a_payload_of_a_newer_castline_is_kept_apart():
    (frame,) = codec.pack({"a": 1}, 400)
    found = codec.unpack([frame.replace("%CASTLINE1", "%CASTLINE2")])
    assert [reason for reason, _ in found.damaged] == ["newer"]


@pytest.mark.parametrize(
    "text",
    ["[" * 100_000 + "]" * 100_000, '{"a":1,"a":2}', "{", '{"a":1}{"b":2}'],
    ids=["nested deep", "a key twice", "cut short", "two values"],
)
def test_what_would_kill_otio_is_refused(text):
    with pytest.raises(codec.DamagedPayloadError):
        codec.decode(text)


def test_a_hostile_text_is_searched_in_linear_time():
    text = "%CASTLINE1 00000000 1/1 " * 40_000
    found = codec.unpack([text])
    assert found.damaged and not found.payloads


def test_many_frames_of_payloads_that_are_not_there_cost_little():
    frames = [f"%CASTLINE1 {n:08x} 1/999999 x%" for n in range(3000)]
    start = time.process_time()
    assert len(codec.unpack(frames).damaged) == 3000
    assert time.process_time() - start < 2


def test_a_limit_too_short_for_a_frame_is_refused():
    with pytest.raises(ValueError, match="too short"):
        codec.pack({}, 10)
