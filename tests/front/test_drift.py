"""A character who is drawn ever less like themselves: the score falls, and the flag comes in time.

Through pixels: faces are drawn, put into movies, found, embedded and scored by the whole way.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from opentimelineio import schema
from opentimelineio.opentime import RationalTime, TimeRange
from trip import CORPUS

import castline
from castline.demo.drawing import Figure, draw_cast, scene
from castline.demo.faces import Face
from castline.schemas.places import get_take, set_slot
from castline.schemas.values import Expected, Slot

np = pytest.importorskip("numpy")
pytest.importorskip("dlib", reason="dlib is not installed")
pytest.importorskip("torch", reason="torch is not installed")
av = pytest.importorskip("av", reason="PyAV is not installed")

RATE = 24
SHOT = 12
"""Frames of a shot."""
MIRA = Face()
OTHER = Face((235, 200, 180), (190, 140, 70), width=0.58, height=0.8, gap=0.25, nose=0.33)
TOM = Face((175, 125, 95), (30, 26, 26), width=0.66, height=0.84, gap=0.29, nose=0.27, mouth=0.3)
ANN = Face((190, 140, 120), (90, 60, 30), width=0.64, height=0.78, gap=0.25, nose=0.25, mouth=0.2)


def write_movie(path: Path, pictures) -> None:
    """Write pictures as a movie of a quality that takes have."""
    with av.open(str(path), "w") as movie:
        stream = movie.add_stream("mpeg4", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
        stream.bit_rate = 6_000_000
        for picture in pictures:
            movie.mux(stream.encode(av.VideoFrame.from_image(picture)))
        movie.mux(stream.encode())


def drawn(face: Face, turn: float):
    return scene((Figure("mira", face, "#d8a21b"),), turn, "#2e4756")


def cut_of(path: Path, shots: int, length: int = SHOT) -> schema.Timeline:
    """Return a cut whose clips show the movie part by part, and expect mira."""
    timeline = schema.Timeline("cut")
    track = schema.Track("V1")
    whole = TimeRange(RationalTime(0, RATE), RationalTime(shots * length, RATE))
    for number in range(shots):
        media = schema.ExternalReference(path.name, whole)
        start = RationalTime(number * length, RATE)
        clip = schema.Clip(f"{number}", media, TimeRange(start, RationalTime(length, RATE)))
        set_slot(clip, Slot(slot_id=f"s{number}", expected=(Expected(character_id="mira"),)))
        track.append(clip)
    timeline.tracks.append(track)
    return timeline


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("drift")
    coat = "#d8a21b"
    faces = {"mira": MIRA, "tom": TOM, "ann": ANN}
    draw_cast(folder / "cast", tuple(Figure(name, face, coat) for name, face in faces.items()))
    return folder


@pytest.fixture(scope="module")
def calibration(folder):
    cast = castline.read_cast(folder / "cast")
    return castline.calibrate(cast, folder / "cast", cache=folder / "c.sqlite", comparisons=10)


def measured(folder, cut, calibration, **options):
    cast = castline.read_cast(folder / "cast")
    options = {
        "cache": folder / "c.sqlite",
        "folder": folder,
        "calibration": calibration,
    } | options
    return castline.score(cut, cast, folder / "cast", **options)


def appearances(scored) -> list:
    found = []
    for clip in scored.cut.find_clips():
        take = get_take(clip.media_reference)
        found.append(next(a for a in take.appearances if a.character_id == "mira"))
    return found


def test_the_score_falls_as_a_face_is_mixed_with_another_and_is_flagged_at_the_threshold(
    folder, calibration
):
    shares = np.linspace(0, 1, 11)
    pictures = [
        drawn(MIRA.mixed(OTHER, float(share)), 0.4 + 0.2 * frame / SHOT)
        for share in shares
        for frame in range(SHOT)
    ]
    write_movie(folder / "drift.mp4", pictures)
    scored = measured(folder, cut_of(folder / "drift.mp4", len(shares)), calibration)
    found = appearances(scored)
    values = [each.score.value for each in found if each.score]
    assert values == sorted(values, reverse=True) and len(values) >= 8
    states = [each.state for each in found]
    assert states[0] == "ok" and states[-1] in ("drift", "missing")
    for each in found:
        if each.score:
            wanted = "ok" if each.score.value >= calibration.threshold else "drift"
            assert each.state == wanted
    flags = [state != "ok" for state in states]
    assert flags == sorted(flags) and flags.index(True) >= 1
    # From shot to shot, and against how the story began, it falls as well.
    line = scored.stories["mira"]
    anchors = [value for value in line.anchor if value is not None]
    assert anchors[3:] == sorted(anchors[3:], reverse=True)
    assert line.neighbours[0] > calibration.threshold
    table = line.matrix(range(len(shares)))
    assert np.isnan(table).sum() == 0 or "missing" in states
    assert table[0, 1] > table[0, 6]


@pytest.mark.parametrize("worst", [3, 22, 41])
def test_the_worst_frame_is_the_true_one(folder, calibration, worst):
    length = 48
    pictures = [
        drawn(MIRA.mixed(OTHER, max(0.0, 0.9 - abs(frame - worst) / 14)), 0.5)
        for frame in range(length)
    ]
    write_movie(folder / f"worst{worst}.mp4", pictures)
    cut = cut_of(folder / f"worst{worst}.mp4", 1, length)
    (found,) = appearances(measured(folder, cut, calibration))
    assert abs(found.score.worst_time.value - worst) <= 1
    assert found.score.worst < calibration.threshold


@pytest.mark.corpus
def test_a_real_face_is_blended_into_another(tmp_path):
    """Photographs of two people, upright and in place, one dissolved into the other."""
    from PIL import Image

    from castline.inference import packages
    from castline.inference.embed.chips import ChipCutter
    from castline.inference.faces import FaceModel
    from castline.inference.find.cnn import CnnFinder
    from castline.inference.frames import read_picture

    finder = CnnFinder(packages.weights(packages.FACE_DETECTOR))
    cutter = ChipCutter(packages.weights(packages.FACE_LANDMARKS))

    def chip(name: str):
        picture = Image.fromarray(read_picture(CORPUS / "faces" / name))
        picture.thumbnail((800, 800))
        pixels = np.asarray(picture)
        (face,) = finder.find([pixels])[0]
        return cutter.cut(pixels, [face.box])[0].pixels.astype(float)

    one, other = chip("obama.jpg"), chip("biden.jpg")
    model = FaceModel()

    def vector(pixels):
        whole = np.full((360, 640, 3), 90, np.uint8)
        face = Image.fromarray(pixels.astype(np.uint8)).resize(
            (300, 300), Image.Resampling.BICUBIC
        )
        whole[30:330, 170:470] = np.asarray(face)
        return model.look([whole])[0][0].vector

    reference = vector(one)
    values = [
        float(vector(one + (other - one) * share) @ reference) for share in np.linspace(0, 1, 9)
    ]
    assert values == sorted(values, reverse=True)
    assert values[0] > 0.99 and values[-1] < 0.87


def test_no_vector_leaves_the_cache(folder, calibration):
    cut = cut_of(folder / "worst22.mp4", 1, 48)
    if not (folder / "worst22.mp4").exists():
        write_movie(folder / "worst22.mp4", [drawn(MIRA, 0.5)] * 48)
    scored = measured(folder, cut, calibration)
    castline.write(scored.cut, folder / "scored.otio", overwrite=True)
    text = (folder / "scored.otio").read_text()
    assert scored.features is None
    longest = max(len(each) for each in _lists(json.loads(text)))
    assert longest < 100


def _lists(value):
    if isinstance(value, list):
        yield value
    for each in value if isinstance(value, list) else getattr(value, "values", list)():
        yield from _lists(each)
