"""Thresholds keep what they promise, and bounds are exact."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from castline.inference.calibration import calibrate, from_data
from castline.inference.statistics import per_comparison, roc, upper_bound
from castline.schemas.errors import InvalidValueError

np = pytest.importorskip("numpy")


LIKENESS = st.lists(st.integers(0, 20).map(lambda n: n / 20), min_size=1, max_size=30)


@given(LIKENESS, LIKENESS)
def test_the_area_is_the_chance_of_the_right_order(same, other):
    wins = sum((a > b) + (a == b) / 2 for a in same for b in other)
    curve = roc(same, other)
    assert curve.area == pytest.approx(wins / (len(same) * len(other)))
    assert curve.hits[0] == curve.alarms[0] == 0
    assert curve.hits[-1] == curve.alarms[-1] == 1
    assert (np.diff(curve.hits) >= 0).all() and (np.diff(curve.alarms) >= 0).all()


def test_a_curve_by_hand():
    curve = roc([0.9, 0.8, 0.6, 0.55], [0.7, 0.5, 0.4, 0.1])
    assert curve.area == pytest.approx(14 / 16)
    assert curve.equal_error == pytest.approx(0.25)
    assert (curve.hits_at(0.0), curve.hits_at(0.25), curve.hits_at(0.9)) == (0.5, 1.0, 1.0)
    perfect = roc([0.9, 0.8], [0.2, 0.1])
    assert (perfect.area, perfect.equal_error) == (1.0, 0.0)
    with pytest.raises(ValueError, match="pairs of two"):
        roc([0.5], [])


@pytest.mark.parametrize(
    ("count", "trials", "bound"),
    # Clopper and Pearson's upper limits at 95 %, one-sided, from published tables.
    [(0, 10, 0.2589), (0, 59, 0.0495), (0, 300, 0.0099), (1, 20, 0.2161), (5, 100, 0.1023),
     (10, 10, 1.0), (0, 0, 1.0)],
)  # fmt: skip
def test_bounds_are_the_exact_ones(count, trials, bound):
    assert upper_bound(count, trials) == pytest.approx(bound, abs=5e-4)


def test_a_rate_for_a_cut_is_shared_among_its_comparisons():
    assert per_comparison(0.05, 1) == pytest.approx(0.05)
    chance = per_comparison(0.05, 200)
    assert 1 - (1 - chance) ** 200 == pytest.approx(0.05)


def test_the_threshold_promises_no_more_than_the_pairs_show():
    chance = np.random.default_rng(1)
    same = chance.normal(0.95, 0.01, 20_000)
    other = chance.normal(0.80, 0.03, 5_000)
    found = calibrate([same], other, model="m", rate=0.05, comparisons=10)
    assert found.is_promised
    assert found.bound <= per_comparison(0.05, 10)
    assert found.stranger <= found.threshold < 0.95
    # Of people who had no part in it, over 1,000 cuts: no more false flags than asked for.
    flags = chance.normal(0.95, 0.01, (1000, 10)) < found.threshold
    assert upper_bound(int(flags.any(axis=1).sum()), 1000) < 0.08
    assert flags.any(axis=1).mean() <= 0.05
    assert flags.any(axis=1).sum() > 5  # nor is it so low that it never speaks


def test_the_one_who_is_least_like_themselves_sets_the_threshold():
    """Pooled, one person of five would be flagged in a quarter of their shots."""
    chance = np.random.default_rng(2)
    people = [chance.normal(0.95, 0.01, 4000) for _ in range(4)] + [chance.normal(0.9, 0.01, 4000)]
    other = chance.normal(0.6, 0.03, 4000)
    found = calibrate(people, other, model="m", rate=0.05, comparisons=1)
    pooled = calibrate([np.concatenate(people)], other, model="m", rate=0.05, comparisons=1)
    flagged = [float((each < found.threshold).mean()) for each in people]
    assert max(flagged) <= 0.05 < float((people[-1] < pooled.threshold).mean())
    assert found.people == 5 and pooled.people == 1
    assert 1 / 6 <= found.elsewhere < 1 / 6 + 0.06
    assert calibrate(people[:1], other, model="m").elsewhere >= 0.5


def test_few_pairs_promise_little_and_say_so():
    same, other = np.linspace(0.9, 0.99, 30), np.linspace(0.5, 0.85, 30)
    found = calibrate([same], other, model="m", rate=0.01, comparisons=1000)
    assert found.threshold == pytest.approx(0.9)
    assert not found.is_promised
    assert found.bound == pytest.approx(upper_bound(0, 30))


@pytest.mark.parametrize(
    ("same", "other", "words"),
    [
        ([0.9] * 19, [0.5] * 40, "found 19 pairs of one person"),
        ([0.9] * 40, [], "and 0 of two"),
        ([0.5] * 40, [0.9] * 40, "does not tell these people apart"),
        ([0.5] * 40, [0.5] * 40, "does not tell these people apart"),
    ],
)
def test_what_proves_nothing_is_no_calibration(same, other, words):
    with pytest.raises(InvalidValueError, match=words):
        calibrate([same], other, model="m")


def test_a_calibration_comes_back_from_its_data():
    found = calibrate([np.linspace(0.9, 0.99, 40)], np.linspace(0.5, 0.9, 40), model="m")
    data = found.to_data()
    assert from_data(data, "cut") == found
    for name, value in data.items():
        less = {key: item for key, item in data.items() if key != name}
        with pytest.raises(InvalidValueError, match="cut: found"):
            from_data(less, "cut")
        for bad in ([], None, True, "x" if not isinstance(value, str) else 5):
            with pytest.raises(InvalidValueError):
                from_data({**data, name: bad}, "cut")
