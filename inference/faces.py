"""Faces of pictures: found, cut out upright, and embedded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from castline.inference import packages
from castline.inference.embed.chips import ChipCutter
from castline.inference.embed.face import FaceEmbedder
from castline.inference.find.box import Box, Found
from castline.inference.find.cnn import CnnFinder
from castline.inference.find.hog import HogFinder
from castline.inference.specification import Specification, hash_of

LONGEST = 1280
"""Pixels of a picture's longer side; larger ones are made smaller first. Finding costs by the
pixel, and a face of 80 pixels at this size is a small one on any screen."""
BATCH = 4
"""Pictures that are looked at together; more take more memory and no less time."""


@dataclass(frozen=True, eq=False)
class Face:
    """One face in one picture."""

    box: Box
    confidence: float
    turn: float
    """How far it is turned away: see `Chip.turn`."""
    eyes: float
    """Distance between the eyes over the width of the box."""
    vector: Any
    """Float32 array of unit length."""


class Finder(Protocol):
    """Finds faces in pictures of one size."""

    def find(self, pictures: Sequence[Any], *, threshold: float = 0.0) -> list[list[Found]]:
        """Return the faces in each picture, the surest first."""


class FaceModel:
    """The whole way from pictures to faces that can be compared."""

    def __init__(self, *, light: bool = False) -> None:
        """Load the models; the light one finds faces from the front alone, and quicker.

        Raises `MissingDependencyError` where a package is missing.
        """
        network = packages.weights(packages.FACE_NETWORK)
        landmarks = packages.weights(packages.FACE_LANDMARKS)
        self._finder, finder = _finder(light)
        self._cutter = ChipCutter(landmarks)
        self._embedder = FaceEmbedder(network)
        self.specification = Specification.of(
            kind="face",
            finder=finder,
            landmarks=hash_of(landmarks),
            network=hash_of(network),
            pooling="mean",
            longest=LONGEST,
            precision="float32",
        )

    def look(self, pictures: Sequence[Any]) -> list[tuple[Face, ...]]:
        """Return the faces of each picture, the surest first.

        The pictures are uint8 arrays of one size, height x width x RGB.
        """
        faces: list[tuple[Face, ...]] = []
        for start in range(0, len(pictures), BATCH):
            batch, scale = _within_limit(pictures[start : start + BATCH])
            looked = self._look(batch, self._finder.find(batch))
            faces += [tuple(_enlarged(face, scale) for face in each) for each in looked]
        return faces

    def _look(self, pictures: Sequence[Any], found: list[list[Found]]) -> list[tuple[Face, ...]]:
        chips = [
            self._cutter.cut(picture, [each.box for each in boxes])
            for picture, boxes in zip(pictures, found, strict=True)
        ]
        flat = [chip.pixels for each in chips for chip in each]
        vectors = iter(self._embedder.embed(flat))
        return [
            tuple(
                Face(box.box, box.confidence, chip.turn, chip.eyes, next(vectors))
                for box, chip in zip(boxes, cut, strict=True)
            )
            for boxes, cut in zip(found, chips, strict=True)
        ]


def _within_limit(pictures: Sequence[Any]) -> tuple[Sequence[Any], float]:
    """Return the pictures no larger than the limit, and by how much they were made smaller."""
    longest = max(pictures[0].shape[:2])
    if longest <= LONGEST:
        return pictures, 1.0
    import numpy as np
    from PIL import Image

    scale = longest / LONGEST
    height, width = (max(1, round(side / scale)) for side in pictures[0].shape[:2])
    smaller = [
        np.asarray(Image.fromarray(each).resize((width, height), Image.Resampling.BOX))
        for each in pictures
    ]
    return smaller, scale


def _enlarged(face: Face, scale: float) -> Face:
    if scale == 1.0:
        return face
    box = face.box
    edges = (box.left, box.top, box.right, box.bottom)
    return replace(face, box=Box(*(round(edge * scale) for edge in edges)))


def _finder(light: bool) -> tuple[Finder, str]:
    if light:
        return HogFinder(), "dlib hog, one upsampling"
    path: Path = packages.weights(packages.FACE_DETECTOR)
    return CnnFinder(path), hash_of(path)
