"""dlib's face network says the same by the common way as by its own."""

from __future__ import annotations

import json

import pytest
from trip import CORPUS

from castline.inference import packages
from castline.inference.embed import facecheckpoint
from castline.inference.embed.checkpoint import CheckpointEmbedder
from castline.inference.embed.face import DIMENSIONS, SIDE, FaceEmbedder
from castline.inference.layers import batch_of
from castline.schemas.errors import InvalidValueError, MissingDependencyError, UnwritableFileError

np = pytest.importorskip("numpy")
torch = pytest.importorskip("torch", reason="torch is not installed")
transformers = pytest.importorskip("transformers", reason="transformers is not installed")
pytestmark = pytest.mark.usefixtures("alone")

FACES = CORPUS / "faces"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("face") / "checkpoint"
    facecheckpoint.save(folder)
    return folder


@pytest.fixture(scope="module")
def embedder(folder):
    return CheckpointEmbedder(str(folder), pooling="pooler")


@pytest.fixture(scope="module")
def own():
    return FaceEmbedder(packages.weights(packages.FACE_NETWORK))


def test_the_vectors_are_those_of_the_network_itself(embedder, own):
    chance = np.random.default_rng(0)
    slope = np.linspace(0, 255, SIDE, dtype=np.uint8)
    chips = [
        *chance.integers(0, 256, (9, SIDE, SIDE, 3), np.uint8),
        np.broadcast_to(slope[:, None, None], (SIDE, SIDE, 3)),
        np.zeros((SIDE, SIDE, 3), np.uint8),
    ]
    vectors = embedder.embed(chips)
    assert vectors.shape == (len(chips), DIMENSIONS)
    assert (vectors * own.embed(chips)).sum(1).min() > 0.999_99
    taken, expected = embedder.prepare(chips)["pixel_values"], batch_of(np.stack(chips))
    assert (taken - expected).abs().max() < 1e-6
    assert vectors[0] @ vectors[-1] < 0.99  # and they are not all one


@pytest.mark.corpus
def test_real_faces_are_told_apart(embedder, own):
    pytest.importorskip("dlib", reason="dlib is not installed")
    from castline.inference.embed.chips import ChipCutter
    from castline.inference.find.cnn import CnnFinder
    from castline.inference.frames import read_picture

    finder = CnnFinder(packages.weights(packages.FACE_DETECTOR))
    cutter = ChipCutter(packages.weights(packages.FACE_LANDMARKS))
    names, chips = [], []
    for path in sorted([*FACES.glob("*.jpg"), *FACES.glob("*.png")]):
        picture = _smaller(read_picture(path))
        (face,) = finder.find([picture])[0]
        names.append(path.stem)
        chips += [chip.pixels for chip in cutter.cut(picture, [face.box])]
    vectors = embedder.embed(chips)
    assert (vectors * own.embed(chips)).sum(1).min() > 0.999_99
    pairs = {
        (a, b): float(vectors[n] @ vectors[m])
        for n, a in enumerate(names)
        for m, b in enumerate(names)
        if a < b
    }
    same = pairs.pop(("obama", "obama2"))
    assert len(pairs) == 9 and same > 0.95 > 0.9 > max(pairs.values())


def _smaller(picture):
    from PIL import Image

    image = Image.fromarray(picture)
    image.thumbnail((800, 800))
    return np.asarray(image)


def test_a_face_of_another_size_is_brought_to_its_own(embedder):
    taken = embedder.prepare([np.zeros((1, 1, 3), np.uint8), np.zeros((400, 30, 3), np.uint8)])
    assert tuple(taken["pixel_values"].shape) == (2, 3, SIDE, SIDE)


def test_the_automatic_classes_know_it_once_registered(folder):
    facecheckpoint.register()
    facecheckpoint.register()
    model = transformers.AutoModel.from_pretrained(folder)
    assert type(model.config).model_type == facecheckpoint.MODEL_TYPE
    assert sum(weight.numel() for weight in model.parameters()) == 5_607_488


def test_two_writings_are_one_checkpoint(folder, embedder, tmp_path):
    facecheckpoint.save(tmp_path / "again")
    again = CheckpointEmbedder(str(tmp_path / "again"), pooling="pooler")
    assert again.specification == embedder.specification
    assert json.loads((folder / "config.json").read_text())["model_type"] == "castline_face"
    assert not list(folder.glob("*.bin"))


def test_a_network_that_is_not_whole_is_refused(folder, tmp_path):
    facecheckpoint.save(tmp_path / "cut")
    config = json.loads((tmp_path / "cut" / "config.json").read_text())
    config["convolutions"] += [[256, 256, 3, 1, 1]] * 2
    (tmp_path / "cut" / "config.json").write_text(json.dumps(config))
    with pytest.raises(InvalidValueError, match="weights missing"):
        CheckpointEmbedder(str(tmp_path / "cut"), pooling="pooler")
    with pytest.raises(InvalidValueError, match="pooling cls"):
        CheckpointEmbedder(str(folder), pooling="cls")


def test_where_nothing_can_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UnwritableFileError, match="file"):
        facecheckpoint.save(tmp_path / "file" / "folder")
    with pytest.raises(UnwritableFileError, match="file"):
        facecheckpoint.save(tmp_path / "file")


def test_without_the_weights_their_package_is_named(tmp_path, monkeypatch):
    def missing(_name):
        raise MissingDependencyError("pip install 'castline[faces]'")

    monkeypatch.setattr(packages, "weights", missing)
    with pytest.raises(MissingDependencyError, match="faces"):
        facecheckpoint.save(tmp_path / "none")
    assert not (tmp_path / "none").exists()
