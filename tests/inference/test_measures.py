"""Published measures, against values computed by hand."""

from __future__ import annotations

import itertools
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from castline.inference.assignment import assign
from castline.inference.measures.vbench import (
    human_identity,
    over_videos,
    subject_consistency,
)
from castline.inference.measures.vistory import Shot, cids, copy_paste, occm

np = pytest.importorskip("numpy")
FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"


def at(*degrees: float):
    """Return vectors in a plane, of odd lengths; their cosines are those of the differences."""
    return np.array(
        [[(n + 2) * math.cos(math.radians(d)), (n + 2) * math.sin(math.radians(d))]
         for n, d in enumerate(degrees)]
    )  # fmt: skip


def cos(degrees: float) -> float:
    return math.cos(math.radians(degrees))


@given(
    st.integers(0, 5).flatmap(
        lambda rows: st.integers(0, 5).flatmap(
            lambda columns: st.lists(
                st.lists(st.floats(-1, 1), min_size=columns, max_size=columns),
                min_size=rows,
                max_size=rows,
            ).map(lambda table: np.array(table).reshape(rows, columns))
        )
    )
)
def test_the_assignment_is_the_best_of_all(table):
    rows, columns = table.shape
    found = assign(table)
    taken = [column for column in found if column is not None]
    assert len(taken) == len(set(taken)) == min(rows, columns)
    total = sum(table[row, column] for row, column in enumerate(found) if column is not None)
    wide = table if rows <= columns else table.T
    best = max(
        (
            sum(wide[row, column] for row, column in enumerate(order))
            for order in itertools.permutations(range(wide.shape[1]), wide.shape[0])
        ),
        default=0.0,
    )
    assert total == pytest.approx(best, abs=1e-9)


def test_cids_of_a_story_is_what_its_definition_gives():
    references = {"mira": at(0, 10), "tom": at(90)}
    shots = [
        Shot(("mira",), at(4)),
        Shot(("mira", "tom"), at(80, 20, 200)),  # the surer pair: tom 80, mira 20
        Shot(("tom",), np.zeros((0, 2))),  # nobody was found
        Shot((), at(45)),
    ]
    found = cids(shots, references)
    assert found.shots == (
        {"mira": round((cos(4) + cos(6)) / 2, 4)},
        {"mira": round((cos(20) + cos(10)) / 2, 4), "tom": round(cos(10), 4)},
        {"tom": 0.0},
        {},
    )
    mira = (cos(4) + cos(6) + cos(20) + cos(10)) / 4
    assert found.cross["mira"] == pytest.approx(mira, abs=1e-9)
    assert found.within["mira"] == pytest.approx(cos(16), abs=1e-9)
    assert found.cross["tom"] == pytest.approx(cos(10), abs=1e-9)
    assert found.within["tom"] == 1.0
    assert found.cross_mean == pytest.approx((mira + cos(10)) / 2, abs=1e-9)
    assert found.within_mean == pytest.approx((cos(16) + 1) / 2, abs=1e-9)


def test_who_is_never_seen_counts_as_nothing():
    found = cids([Shot(("mira", "ghost"), at(0))], {"mira": at(0), "tom": at(90)})
    assert found.shots == ({"mira": 1.0},)
    assert (found.cross["tom"], found.within["tom"]) == (0.0, 0.0)
    assert found.cross_mean == pytest.approx(0.5)


def test_two_are_matched_for_the_most_in_all_not_one_after_the_other():
    references = {"a": at(0), "b": at(30)}
    # Both are nearest to the first; giving it to `b` is worse in all.
    found = cids([Shot(("a", "b"), at(14, 70))], references)
    assert found.shots[0] == {"a": round(cos(14), 4), "b": round(cos(40), 4)}


@pytest.mark.parametrize(
    ("detected", "expected", "value"),
    [(1, 2, 60.6531), (0, 1, 36.7880), (2, 2, 100.0), (3, 1, 13.5336), (1, 0, 0.0)],
)
def test_occm_is_the_published_one(detected, expected, value):
    assert occm(detected, expected) == pytest.approx(value, abs=5e-4)


def test_a_copy_is_told_from_somebody_alike():
    # .80 against .79 gives .731: the example of the definition's authors.
    angles = [math.degrees(math.acos(0.80)), -math.degrees(math.acos(0.79))]
    assert copy_paste(at(0), at(angles[0]), at(angles[1])) == pytest.approx(0.7311, abs=5e-5)
    assert copy_paste(at(0, 0), at(10), at(-10)) == pytest.approx(0.5)
    assert copy_paste(np.zeros((0, 2)), at(0), at(1)) == 0.0


def test_subject_consistency_looks_back_and_to_the_first():
    expected = ((cos(10) + cos(10)) / 2 + (cos(20) + cos(30)) / 2 + (0 + 0) / 2) / 3
    assert subject_consistency(at(0, 10, 30, 150)) == pytest.approx(expected, abs=1e-9)
    assert subject_consistency(at(5, 5, 5)) == pytest.approx(1.0)
    assert subject_consistency(at(5)) == subject_consistency(np.zeros((0, 2))) == 0.0


def test_videos_weigh_by_their_frames_or_alike():
    assert over_videos([1.0, 0.4], [11, 31]) == pytest.approx((10 + 0.4 * 30) / 40)
    assert over_videos([1.0, 0.4], [11, 31], by_frame=False) == pytest.approx(0.7)
    assert over_videos([], []) == 0.0


def test_identity_is_the_share_of_faces_like_the_first():
    faces = [*at(*[0] * 15, *[66] * 4, *[67] * 5)]
    assert human_identity([None, *faces, None]) == pytest.approx(19 / 24)
    assert human_identity(faces[:19]) == -1.0
    assert human_identity([None] * 40) == -1.0


def test_nonsense_ends_too():
    """No likeness is a likeness that is lower than all."""
    nan = math.nan
    assert sorted(assign([[nan, nan], [nan, nan]])) == [0, 1]
    assert assign([[nan, 0.5], [0.9, nan]]) == [1, 0]


# Of recorded features: the published formulas once more, in plain Python, without any of ours.


def cosine(one, other) -> float:
    dot = sum(a * b for a, b in zip(one, other, strict=True))
    return dot / math.sqrt(sum(a * a for a in one)) / math.sqrt(sum(b * b for b in other))


@pytest.fixture(scope="module")
def recorded():
    """Return the demo's references of two characters, and the faces of its shots' first frames."""
    from castline.inference.features import read

    found = read(FIXTURES / "features" / "demo.safetensors")
    references: dict[str, list] = {"mira": [], "jon": []}
    shots = []
    for media, footage in sorted(found.footage.items(), key=lambda pair: pair[1].path.name):
        sights = found.sights[media]
        vectors = [s.vector.astype(float).tolist() for s in sights[min(sights)].subjects]
        who = footage.path.name.partition("_")[0]
        if who in references:
            references[who] += vectors
        else:
            shots.append((vectors, [each.subjects for each in sights.values()]))
    assert len(shots) == 9 and {len(each) for each in references.values()} == {8}
    return references, shots


def test_cids_of_recorded_features_is_the_published_one(recorded):
    references, shots = recorded
    both = [len(vectors) == 2 for vectors, _ in shots]
    assert sum(both) == 2
    expected = [
        ("mira", "jon") if pair else ("mira",) if number % 2 else ("jon",)
        for number, pair in enumerate(both)
    ]
    found = cids(
        [Shot(who, np.array(vectors)) for who, (vectors, _) in zip(expected, shots, strict=True)],
        {name: np.array(rows) for name, rows in references.items()},
    )
    taken: dict[str, list] = {"mira": [], "jon": []}
    for values, who, (vectors, _) in zip(found.shots, expected, shots, strict=True):
        orders = itertools.permutations(range(len(vectors)), len(who))
        best = max(
            orders,
            key=lambda order: sum(
                max(cosine(vectors[place], r) for r in references[name])
                for name, place in zip(who, order, strict=True)
            ),
        )
        for name, place in zip(who, best, strict=True):
            mean = sum(cosine(vectors[place], r) for r in references[name]) / 8
            assert values[name] == round(mean, 4)
            taken[name].append(vectors[place])
    for name, crops in taken.items():
        cross = [cosine(crop, r) for crop in crops for r in references[name]]
        assert found.cross[name] == pytest.approx(sum(cross) / len(cross), abs=5e-5)
        within = [cosine(a, b) for a, b in itertools.combinations(crops, 2)]
        assert found.within[name] == pytest.approx(sum(within) / len(within), abs=5e-5)
    crops, first, second = taken["mira"], references["mira"][0], references["mira"][1]
    shares = []
    for crop in crops:
        one, other = math.exp(cosine(crop, first) / 0.01), math.exp(cosine(crop, second) / 0.01)
        shares.append(one / (one + other))
    assert copy_paste(np.array(crops), np.array([first]), np.array([second])) == pytest.approx(
        sum(shares) / len(shares), abs=5e-5
    )


def test_vbench_of_recorded_features_is_the_published_one(recorded):
    _, shots = recorded
    frames = [each[0].vector.astype(float).tolist() for each in shots[0][1]]
    assert len(frames) >= 4
    values = [
        (max(0, cosine(frames[n - 1], frames[n])) + max(0, cosine(frames[0], frames[n]))) / 2
        for n in range(1, len(frames))
    ]
    found = subject_consistency(np.array(frames))
    assert found == pytest.approx(sum(values) / len(values), abs=5e-5)
    many = [np.array(frame) for frame in (frames * 20)[:40]]
    same = sum(cosine(frame, many[0]) >= 0.4 for frame in many)
    assert human_identity(many) == same / len(many)
