"""One person is told from others, on real faces of people who had no part in the calibration.

Calibrated on five people's photographs; tested on the corpus's people and the crops of a real
shot. What is no measure of identity must fail the same test.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache

import pytest
from trip import CORPUS

from castline.inference.calibration import calibrate
from castline.inference.find.box import Box
from castline.inference.score import NOBODY, Known, score_take
from castline.inference.statistics import roc, upper_bound
from castline.inference.subject import Clarity, Sight, Subject

np = pytest.importorskip("numpy")
pytest.importorskip("dlib", reason="dlib is not installed")
torch = pytest.importorskip("torch", reason="torch is not installed")
labelled = pytest.importorskip("labelled")

pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(
        not labelled.PEOPLE.is_dir(), reason="dlib's example photographs could not be fetched"
    ),
]
CUTS = 1000
RATE = 0.05


@pytest.fixture(scope="module")
def calibrated():
    return lambda comparisons: calibrate(
        *labelled.pairs(labelled.johns()), model="m", rate=RATE, comparisons=comparisons
    )


def others() -> list:
    """Return the faces of those who had no part in the calibration."""
    return [*labelled.portraits(), *labelled.lead()]


def test_every_pair_of_one_person_is_above_every_pair_of_two(calibrated):
    known = calibrated(10)
    assert (known.people, known.area, known.equal_error) == (5, 1.0, 0.0)
    assert known.same >= 200 and known.other >= 900
    same, other = labelled.pairs(others())
    same = np.concatenate(same)
    assert len(same) + len(other) >= 200 and len(same) >= 50
    assert same.min() > other.max()
    everybody, strangers = labelled.pairs([*labelled.johns(), *others()])
    assert np.concatenate(everybody).min() > strangers.max()  # nobody is like anybody else


def test_the_figures_that_are_told_are_those_that_are_measured():
    """The table of docs/score.md, to three places."""
    groups = {
        "five": labelled.johns(),
        "four": others(),
        "both": [*labelled.johns(), *others()],
        "bald": labelled.heads(),
    }
    told = {
        "five": (229, 996, 0.928, 0.893),
        "four": (52, 213, 0.928, 0.922),
        "both": (281, 4009, 0.928, 0.922),
        "bald": (50, 181, 0.911, 0.918),
    }
    for name, faces in groups.items():
        same, other = labelled.pairs(faces)
        same = np.concatenate(same)
        found = (len(same), len(other), round(same.min(), 3), round(other.max(), 3))
        assert found == pytest.approx(told[name], abs=1.1e-3), name


def test_people_who_look_much_alike_are_told_apart_but_for_a_few():
    """Four bald men: what a threshold can be asked, and where it ends."""
    same, other = labelled.pairs(labelled.heads())
    curve = roc(np.concatenate(same), other)
    assert curve.area > 0.999 and curve.equal_error < 0.02
    assert curve.hits_at(0.0) > 0.95


def histogram(face) -> object:
    """Return the colours of a face, which say nothing of who it is."""
    counts, _ = np.histogramdd(face.chip.reshape(-1, 3), bins=(6, 6, 6), range=[(0, 256)] * 3)
    return counts.ravel() / np.linalg.norm(counts)


@lru_cache(maxsize=1)
def network_by_chance():
    """Return the same network with weights by chance."""
    from castline.inference.embed.face import FaceEmbedder
    from castline.inference.layers import Layer
    from castline.inference.packages import FACE_NETWORK, weights

    torch.manual_seed(1)
    made = FaceEmbedder(weights(FACE_NETWORK))
    made._layers = [
        Layer(
            torch.randn_like(layer.weights) * (2 / layer.weights[0].numel()) ** 0.5,
            torch.zeros_like(layer.bias),
            layer.stride,
            layer.padding,
        )
        for layer in made._layers
    ]
    return made


def chance(face) -> object:
    """Return what the same network says with weights by chance."""
    return network_by_chance().embed([face.chip])[0]


@pytest.mark.parametrize("control", [histogram, chance])
def test_what_is_no_measure_of_identity_fails(control):
    faces = [*labelled.johns(), *others()[::3]]
    same, other = labelled.pairs(faces, control)
    same = np.concatenate(same)
    assert same.min() < other.max()
    assert roc(same, other).area < 0.9


def test_the_clip_has_its_lead_and_its_stranger(calibrated):
    """The lead is ok, the audience is unexpected, and nobody from the side is a drift."""
    from castline.inference.faces import FaceModel
    from castline.inference.frames import Footage, decode, read_picture

    model = FaceModel()
    cast = {}
    for name in ("lin-manuel-miranda", "alex-lacamoire"):
        ((reference,),) = model.look([read_picture(labelled.FACES / f"{name}.png")])
        cast[name] = Known(reference.vector[None])
    clip = Footage("", CORPUS / "faces" / "short_hamilton_clip.mp4", Fraction(2997, 100), 275)
    frames = list(decode(clip, range(0, 275, 6)))
    looks = model.look([frame.pixels for frame in frames])
    seen = [Sight(f.number, subjects) for f, subjects in zip(frames, looks, strict=True)]
    known = calibrated(10)

    def states(sights, *names) -> dict[str, str]:
        expected = dict.fromkeys(names)
        return {v.character: v.state for v in score_take(sights, expected, cast, known)}

    lead, pianist = "lin-manuel-miranda", "alex-lacamoire"
    assert states(seen, lead) == {lead: "ok", NOBODY: "unexpected"}
    # The pianist, in full profile, alone.
    aside = [sight for sight in seen if sight.number < 82]
    assert sum(len(sight.subjects) for sight in aside) >= 3
    assert states(aside, pianist) == {pianist: "not_scorable"}
    late = [sight for sight in seen if sight.number >= 211]  # the audience, most from the side
    assert states(late, lead) == {lead: "not_scorable", NOBODY: "unexpected"}
    shown = [sight for sight in seen if 84 <= sight.number < 211]
    assert states(shown, lead) == {lead: "ok"}
    assert states(shown, pianist) == {pianist: "missing", lead: "unexpected"}


def sight(number: int, face) -> Sight:
    subject = Subject(Box(0, 0, 99, 99), 1.0, Clarity.CLEAR, face.vector)
    return Sight(number, (subject,))


def a_take(chance, photos, shot):
    """Return references and frames of one person, by chance, none in both."""
    order = chance.permutation(len(photos))
    held = min(3, len(photos) if shot else len(photos) - 1)
    references = [photos[n] for n in order[:held]]
    if shot:
        start = chance.integers(0, len(shot) - 8)
        return references, [shot[start + n] for n in range(0, 8, 2)]
    return references, [photos[n] for n in order[held : held + 5]]


def false_flags(people, known, comparisons: int) -> int:
    """Return in how many simulated cuts somebody unchanged was flagged."""
    chance = np.random.default_rng(comparisons)
    names = sorted(people)
    flagged = 0
    for _ in range(CUTS):
        states = set()
        for _ in range(comparisons):
            who = names[chance.integers(len(names))]
            references, frames = a_take(chance, *people[who])
            cast = {who: Known(np.stack([face.vector for face in references]))}
            seen = [sight(number, face) for number, face in enumerate(frames)]
            states |= {verdict.state for verdict in score_take(seen, {who: None}, cast, known)}
        flagged += states != {"ok"}
    return flagged


def by_person(faces) -> dict[str, tuple[list, list]]:
    found: dict[str, tuple[list, list]] = {}
    for face in faces:
        found.setdefault(face.who, ([], []))[face.source == "shot"].append(face)
    return {who: each for who, each in found.items() if each[1] or len(each[0]) > 1}


@pytest.mark.parametrize("comparisons", [1, 10])
def test_unchanged_people_are_flagged_no_more_often_than_was_asked_for(calibrated, comparisons):
    """Those who had no part in the calibration, in a thousand simulated cuts, at 95 %."""
    people = by_person([*labelled.heads(), *others()])
    assert len(people) >= 6
    flagged = false_flags(people, calibrated(comparisons), comparisons)
    assert upper_bound(flagged, CUTS) <= RATE
    other_way = calibrate(
        *labelled.pairs(labelled.heads()), model="m", rate=RATE, comparisons=comparisons
    )
    people = by_person([*labelled.johns(), *others()])
    assert upper_bound(false_flags(people, other_way, comparisons), CUTS) <= RATE


def test_a_threshold_for_pairs_as_if_they_were_one_persons_would_flag_too_often():
    """Why each person is looked at alone: pairs of one are alike, and people differ."""
    same, other = labelled.pairs(labelled.johns())
    pooled = calibrate([np.concatenate(same)], other, model="m", rate=RATE, comparisons=1)
    people = by_person([*labelled.heads(), *others()])
    assert false_flags(people, pooled, 1) > RATE * CUTS
