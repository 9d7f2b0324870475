"""Shots against shots and along the story, by hand."""

from __future__ import annotations

import math

import pytest

from castline.inference import story

np = pytest.importorskip("numpy")


def shot(*degrees: float):
    """Return vectors in a plane, one a frame; likeness is the cosine of their difference."""
    return np.array([[math.cos(math.radians(d)), math.sin(math.radians(d))] for d in degrees])


def cos(degrees: float) -> float:
    return math.cos(math.radians(degrees))


EMPTY = np.zeros((0, 2))


def test_likeness_is_the_median_over_frames_of_the_nearest_vector():
    assert story.likeness(shot(0, 10, 30), [shot(5, 40)]) == pytest.approx(cos(5))
    assert story.likeness(shot(0), [None, EMPTY, shot(60)]) == pytest.approx(cos(60))
    assert story.likeness(shot(0), [None, EMPTY]) is None
    assert story.likeness(None, [shot(0)]) is story.likeness(EMPTY, [shot(0)]) is None


def test_neighbours_are_the_nearest_shots_that_show_the_character():
    found = story.neighbours([shot(0), None, shot(10), shot(50), EMPTY])
    assert found == [
        pytest.approx(cos(10)),
        None,
        pytest.approx(cos(10)),
        pytest.approx(cos(40)),
        None,
    ]
    assert story.neighbours([None, shot(3)]) == [None, None]


def test_the_first_approved_shots_are_the_anchors():
    shots = [shot(n) for n in range(6)]
    assert story.anchors(shots, [False] * 6) == [0, 1, 2]
    assert story.anchors(shots, [False, True, False, True, True, True]) == [1, 3, 4]
    assert story.anchors([None, *shots], [True] + [False] * 6) == [1, 2, 3]


def test_drift_is_held_against_the_anchors_itself_left_out():
    shots = [shot(0), shot(2), shot(4), None, shot(30)]
    found = story.drift(shots, [0, 1, 2])
    wanted = [cos(2), cos(2), cos(2), None, cos(26)]
    assert found == [None if each is None else pytest.approx(each) for each in wanted]


def test_smoothing_by_hand():
    assert story.smoothed([1.0, None, 0.0, 0.0]) == [
        1.0,
        None,
        pytest.approx(0.7),
        pytest.approx(0.49),
    ]
    assert story.smoothed([]) == []


def test_the_matrix_is_symmetric_and_has_gaps():
    table = story.matrix([shot(0, 20), None, shot(10)])
    assert table.shape == (3, 3)
    assert table[0, 2] == table[2, 0] == pytest.approx(cos(10))
    assert (table[0, 0], table[2, 2]) == (1, 1)
    assert np.isnan(table[1]).all() and np.isnan(table[:, 1]).all()
    lopsided = story.matrix([shot(0, 90), shot(0)])
    assert lopsided[0, 1] == pytest.approx((cos(0) + cos(90)) / 2 / 2 + 1 / 2)
