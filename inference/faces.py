"""Faces of pictures: found, cut out upright, and embedded."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, Protocol

from castline.inference import packages
from castline.inference.embed.chips import FAIR_FRONT, MIN_FRONT, ChipCutter
from castline.inference.embed.face import DlibEmbedder, FaceEmbedder
from castline.inference.find.box import Box, Found
from castline.inference.find.cnn import CnnFinder
from castline.inference.find.hog import HogFinder
from castline.inference.pictures import within
from castline.inference.specification import Specification, hash_of
from castline.inference.subject import Clarity, Subject

LONGEST = 1280
"""Pixels of a picture's longer side; larger ones are made smaller first. Finding costs by the
pixel, and a face of 80 pixels at this size is a small one on any screen."""
MIN_SIDE = 40
"""Pixels of a face, at least."""
BATCH = 4
"""Pictures that are looked at together; more take more memory and no less time."""


class Finder(Protocol):
    """Finds faces in pictures of one size."""

    def find(self, pictures: Sequence[Any]) -> list[list[Found]]:
        """Return the faces in each picture, the surest first."""


class FaceModel:
    """The whole way from pictures to faces that can be compared."""

    kinds = frozenset({"face"})

    def __init__(self, *, light: bool = False) -> None:
        """Name the models; the light one finds faces from the front alone, and needs no torch.

        They are loaded when there is something to look at: who knows it all already waits for
        nothing. Raises `MissingDependencyError` where the package with the weights is missing.
        """
        self._light = light
        self.specification = Specification.of(
            kind="face",
            finder="dlib hog, one upsampling" if light else _hash(packages.FACE_DETECTOR),
            landmarks=_hash(packages.FACE_LANDMARKS),
            network=_hash(packages.FACE_NETWORK),
            clear=MIN_FRONT,
            fair=FAIR_FRONT,
            side=MIN_SIDE,
            pooling="mean",
            longest=LONGEST,
            precision="float32",
        )

    @cached_property
    def _finder(self) -> Finder:
        if self._light:
            return HogFinder()
        return CnnFinder(packages.weights(packages.FACE_DETECTOR))

    @cached_property
    def _cutter(self) -> ChipCutter:
        return ChipCutter(packages.weights(packages.FACE_LANDMARKS))

    @cached_property
    def _embedder(self) -> FaceEmbedder | DlibEmbedder:
        network = packages.weights(packages.FACE_NETWORK)
        is_torch = not self._light or packages.has_torch()
        return FaceEmbedder(network) if is_torch else DlibEmbedder(network)

    def look(
        self, pictures: Sequence[Any], boxes: Sequence[Sequence[Box] | None] | None = None
    ) -> list[tuple[Subject, ...]]:
        """Return the faces of each picture, the surest first: see `Model.look`."""
        faces: list[tuple[Subject, ...]] = []
        for start in range(0, len(pictures), BATCH):
            batch, scale = within(LONGEST, pictures[start : start + BATCH])
            given = boxes[start : start + BATCH] if boxes else [None] * len(batch)
            faces += self._look(batch, self._found(batch, given, scale), scale)
        return faces

    def _found(
        self, batch: Sequence[Any], given: Sequence[Sequence[Box] | None], scale: float
    ) -> list[list[Found]]:
        """Return the faces of pictures that were made smaller, where none are given."""
        rest = [picture for picture, boxes in zip(batch, given, strict=True) if boxes is None]
        found = iter(self._finder.find(rest) if rest else [])
        return [
            next(found) if boxes is None else [Found(box.scaled(1 / scale), 1.0) for box in boxes]
            for boxes in given
        ]

    def _look(
        self, pictures: Sequence[Any], found: list[list[Found]], scale: float
    ) -> list[tuple[Subject, ...]]:
        chips = [
            self._cutter.cut(picture, [each.box for each in boxes])
            for picture, boxes in zip(pictures, found, strict=True)
        ]
        flat = [chip.pixels for each in chips for chip in each]
        vectors = iter(self._embedder.embed(flat))
        return [
            tuple(
                Subject(
                    box.box.scaled(scale),
                    box.confidence,
                    _clarity(chip.front, box.box.side * scale),
                    next(vectors),
                )
                for box, chip in zip(boxes, cut, strict=True)
            )
            for boxes, cut in zip(found, chips, strict=True)
        ]


def _clarity(front: float, side: float) -> Clarity:
    if front >= MIN_FRONT and side >= MIN_SIDE:
        return Clarity.CLEAR
    return Clarity.FAIR if front >= FAIR_FRONT else Clarity.POOR


def _hash(name: str) -> str:
    return hash_of(packages.weights(name))
