"""Verdicts on those who are expected in a take, and on those who are not."""

from __future__ import annotations

import math

import pytest

from castline.inference.calibration import Calibration
from castline.inference.find.box import Box
from castline.inference.score import NOBODY, Known, score_take
from castline.inference.subject import Clarity, Sight, Subject

np = pytest.importorskip("numpy")


def at(degrees: float):
    """Return a vector in a plane; its cosine with another is that of the difference."""
    return np.array([math.cos(math.radians(degrees)), math.sin(math.radians(degrees)), 0])


def cos(degrees: float) -> float:
    return math.cos(math.radians(degrees))


def face(degrees: float, clarity: Clarity = Clarity.CLEAR) -> Subject:
    return Subject(Box(0, 0, 99, 99), 1.0, clarity, at(degrees))


def sights(*frames) -> list[Sight]:
    return [Sight(n, tuple(faces)) for n, faces in enumerate(frames)]


CAST = {"mira": Known(np.stack([at(0), at(4)])), "tom": Known(np.stack([at(60)]))}
CALIBRATED = Calibration(
    model="m",
    threshold=cos(15),
    stranger=cos(30),
    people=9,
    same=99,
    other=99,
    area=1.0,
    equal_error=0.0,
    rate=0.05,
    comparisons=10,
    bound=0.03,
    elsewhere=0.1,
)
MIRA = {"mira": None}


def states(*frames, expected=MIRA, calibration=CALIBRATED):
    found = score_take(sights(*frames), expected, CAST, calibration)
    return {verdict.character: verdict.state for verdict in found}


def test_the_likeness_is_the_nearest_references_and_its_median_over_frames():
    (found,) = score_take(sights([face(-2)], [face(9)], [face(14)]), MIRA, CAST, CALIBRATED)
    assert found.state == "ok"
    assert found.value == pytest.approx(cos(5))
    assert found.worst.likeness == pytest.approx(cos(10))
    assert (found.worst.sight.number, found.frames) == (2, 3)
    assert found.spread == pytest.approx((cos(2) - cos(5)) / 2 + (cos(5) - cos(10)) / 2)


@pytest.mark.parametrize(
    ("frames", "expected"),
    [
        ([[face(5)]], {"mira": "ok"}),
        ([[face(25)], [face(26)]], {"mira": "drift"}),
        ([[face(5)], [face(6)], [face(26)]], {"mira": "ok"}),  # one bad frame is the worst one
        ([[], []], {"mira": "not_visible"}),
        ([[face(5, Clarity.FAIR)]], {"mira": "not_scorable"}),
        ([[face(33, Clarity.POOR)]], {"mira": "not_scorable"}),  # never a drift
        ([[face(5, Clarity.POOR)]], {"mira": "not_scorable"}),
        ([[face(5, Clarity.POOR)], [face(7)]], {"mira": "ok"}),
        ([[face(200)]], {"mira": "missing", NOBODY: "unexpected"}),
        (
            [[face(200)], [face(201)], [face(9, Clarity.FAIR)]],
            {"mira": "missing", NOBODY: "unexpected"},
        ),
        ([[face(200)], [face(8, Clarity.FAIR)]], {"mira": "not_scorable", NOBODY: "unexpected"}),
        ([[face(200)], [], [], []], {"mira": "not_visible", NOBODY: "unexpected"}),
        ([[face(5), face(200)]], {"mira": "ok", NOBODY: "unexpected"}),
        ([[face(5), face(200, Clarity.POOR)]], {"mira": "ok"}),
        ([[face(200, Clarity.FAIR)]], {"mira": "not_scorable", NOBODY: "unexpected"}),
        ([[face(5), face(62, Clarity.FAIR)]], {"mira": "ok"}),  # too dim to be sure it is tom
        ([[face(5), face(62)]], {"mira": "ok", "tom": "unexpected"}),
        ([[face(5), face(85)]], {"mira": "ok"}),  # neither tom nor surely somebody else
    ],
)
def test_states(frames, expected):
    assert states(*frames) == expected


def test_two_faces_are_given_to_two_people():
    both = {"mira": None, "tom": None}
    assert states([face(58), face(8)], expected=both) == {"mira": "ok", "tom": "ok"}
    assert states([face(58)], expected=both) == {"mira": "missing", "tom": "ok"}


def test_without_a_calibration_there_are_scores_and_no_flags():
    found = score_take(sights([face(200), face(80)], []), MIRA, CAST, None)
    assert [(verdict.state, verdict.value) for verdict in found] == [
        ("expected", pytest.approx(cos(76)))
    ]
    assert states([], calibration=None) == {"mira": "not_visible"}


def test_looks_are_kept_apart():
    known = Known(np.stack([at(0), at(40), at(80)]), ("day", "storm", None))
    cast = {"mira": known}
    for look, degrees, value in (
        ("day", 40, cos(40)), ("storm", 41, cos(1)), (None, 41, cos(1)), ("day", 79, cos(1)),
        ("new", 39, cos(41)),
    ):  # fmt: skip
        (found,) = score_take(sights([face(degrees)]), {"mira": look}, cast, None)
        assert found.value == pytest.approx(value), look
    assert Known(known.vectors, ("day", "day", "day")).of_look("storm").shape == (3, 3)


def test_the_flag_comes_at_the_threshold_as_a_face_is_blended_into_another():
    """From one direction to another step by step: the score falls, and is flagged once."""
    found = [
        score_take(sights(*[[face(step)]] * 3), MIRA, CAST, CALIBRATED)[0] for step in range(4, 34)
    ]
    values = [verdict.value for verdict in found]
    assert values == sorted(values, reverse=True)
    flagged = [verdict.state == "drift" for verdict in found]
    assert flagged == [value < CALIBRATED.threshold for value in values]
    assert any(flagged) and not all(flagged)


def test_the_worst_frame_is_the_worst_one():
    frames = [[face(5 + (9 if n == 13 else 0))] for n in range(24)]
    (found,) = score_take(sights(*frames), MIRA, CAST, CALIBRATED)
    assert found.worst.sight.number == 13
