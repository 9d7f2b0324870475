"""The face networks in torch see what dlib's own see, on real faces."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from trip import CORPUS

from castline.inference import packages
from castline.inference.embed.chips import MIN_FRONT, ChipCutter
from castline.inference.embed.face import DIMENSIONS, FaceEmbedder
from castline.inference.find.box import Box
from castline.inference.find.cnn import CnnFinder
from castline.inference.find.hog import HogFinder
from castline.inference.find.pyramid import pyramid_of
from castline.inference.frames import Footage, decode, read_picture
from castline.schemas.errors import UnreadableFileError

np = pytest.importorskip("numpy")
dlib = pytest.importorskip("dlib", reason="dlib is not installed")
pytest.importorskip("torch", reason="torch is not installed")


FACES = CORPUS / "faces"
CLIP = Footage("", FACES / "short_hamilton_clip.mp4", Fraction(2997, 100), 275)


@pytest.fixture(scope="module")
def finder():
    return CnnFinder(packages.weights(packages.FACE_DETECTOR))


@pytest.fixture(scope="module")
def embedder():
    return FaceEmbedder(packages.weights(packages.FACE_NETWORK))


@pytest.fixture(scope="module")
def cutter():
    return ChipCutter(packages.weights(packages.FACE_LANDMARKS))


@pytest.fixture(scope="module")
def frames():
    """Return some frames of the clip."""
    return [frame.pixels for frame in decode(CLIP, range(36, 275, 48))]


def theirs(found) -> list[Box]:
    boxes = [each.rect for each in sorted(found, key=lambda each: -each.confidence)]
    return [Box(box.left(), box.top(), box.right(), box.bottom()) for box in boxes]


@pytest.mark.corpus
def test_the_finder_finds_the_boxes_that_dlib_finds(finder, frames):
    oracle = dlib.cnn_face_detection_model_v1(str(packages.weights(packages.FACE_DETECTOR)))
    expected = [theirs(oracle(pixels, 0)) for pixels in frames]
    found = [[each.box for each in boxes] for boxes in finder.find(frames)]
    assert found == expected  # to the pixel; the bar is an overlap of 0.9 for 98 of 100
    assert sum(map(len, expected)) > 6
    one_by_one = [[each.box for each in finder.find([pixels])[0]] for pixels in frames]
    assert one_by_one == found


@pytest.mark.corpus
def test_faces_from_the_side_are_found_by_the_cnn_alone(finder, frames):
    hog = sum(map(len, HogFinder(0).find(frames)))
    assert 0 < hog < sum(map(len, finder.find(frames)))


@pytest.mark.corpus
def test_the_embedding_is_dlibs(finder, embedder, cutter, frames):
    oracle = dlib.face_recognition_model_v1(str(packages.weights(packages.FACE_NETWORK)))
    chips = [
        chip.pixels
        for pixels, found in zip(frames, finder.find(frames), strict=True)
        for chip in cutter.cut(pixels, [each.box for each in found])
    ]
    vectors = embedder.embed(chips)
    assert vectors.shape == (len(chips), DIMENSIONS) and vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    for chip, vector in zip(chips, vectors, strict=True):
        expected = np.array(oracle.compute_face_descriptor(chip))
        assert vector @ expected / np.linalg.norm(expected) > 0.999_999
    for size in (1, 3):
        parts = [embedder.embed(chips[n : n + size]) for n in range(0, len(chips), size)]
        assert np.abs(np.concatenate(parts) - vectors).max() < 1e-5


@pytest.mark.corpus
def test_one_person_is_closer_than_any_two(finder, embedder, cutter):
    vectors = {}
    for path in sorted([*FACES.glob("*.jpg"), *FACES.glob("*.png")]):
        picture = _smaller(read_picture(path))
        (face,) = finder.find([picture])[0]
        (chip,) = cutter.cut(picture, [face.box])
        assert chip.front > MIN_FRONT
        vectors[path.stem] = embedder.embed([chip.pixels])[0]
    names = sorted(vectors)
    pairs = {(a, b): float(vectors[a] @ vectors[b]) for a in names for b in names if a < b}
    same = pairs.pop(("obama", "obama2"))
    assert same > 0.95 > 0.9 > max(pairs.values())


def _smaller(picture):
    from PIL import Image

    image = Image.fromarray(picture)
    image.thumbnail((800, 800))
    return np.asarray(image)


def test_nothing_in_is_nothing_out(finder, embedder, cutter):
    assert finder.find([]) == []
    assert finder.find([np.zeros((90, 120, 3), np.uint8)]) == [[]]
    assert embedder.embed([]).shape == (0, DIMENSIONS)
    assert cutter.cut(np.zeros((90, 120, 3), np.uint8), []) == []


@pytest.mark.parametrize("size", [(1, 1), (3, 400), (5, 5), (40, 30), (360, 640), (1080, 1920)])
def test_levels_lie_apart_on_their_canvas(size, finder):
    pyramid = pyramid_of(*size)
    taken = np.zeros((pyramid.height, pyramid.width), bool)
    for level in pyramid.levels:
        place = taken[level.top : level.top + level.height, level.left : level.left + level.width]
        assert place.shape == (level.height, level.width) and not place.any()
        place[:] = True
    assert (pyramid.levels[0].height, pyramid.levels[0].width) == size
    if size[0] < 100:
        assert finder.find([np.zeros((*size, 3), np.uint8)]) == [[]]


def test_the_wrong_network_is_named(tmp_path):
    with pytest.raises(UnreadableFileError, match="another network than dlib's face detector"):
        CnnFinder(packages.weights(packages.FACE_NETWORK))
    with pytest.raises(UnreadableFileError, match="another network than dlib's for faces"):
        FaceEmbedder(packages.weights(packages.FACE_DETECTOR))
    with pytest.raises(UnreadableFileError, match="No such file"):
        FaceEmbedder(Path(tmp_path / "none.dat"))
