"""Whole figures: found by what they are called, or around a face, and embedded as they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from castline.inference.find.box import Box, Found
from castline.inference.pictures import crop, squared
from castline.inference.specification import Specification
from castline.inference.subject import Clarity, Subject

MIN_SIDE = 32
"""Pixels of a figure's shorter side, at least."""
_WIDE, _TALL = 3.0, 7.0  # of a standing figure, in heads (Loomis, Figure Drawing, 1943)


class Finder(Protocol):
    """Finds figures in pictures."""

    specification: Specification

    def find(self, pictures: Sequence[Any]) -> list[list[Found]]:
        """Return the figures in each picture, the surest first."""


class Embedder(Protocol):
    """Turns cut-out pictures of any size into vectors."""

    specification: Specification

    def embed(self, pictures: Sequence[Any]) -> Any:
        """Return a float32 array, pictures x dimensions, of vectors of unit length."""


class FigureModel:
    """The way from pictures to figures that can be compared."""

    kinds = frozenset({"figure", "other"})

    def __init__(self, embedder: Embedder, finder: Finder | None = None) -> None:
        """Take what finds and what embeds; without a finder the whole picture is the figure."""
        self._embedder = embedder
        self._finder = finder
        self.specification = Specification.of(
            kind="figure",
            finder=finder.specification.hash if finder else "whole picture",
            embedder=embedder.specification.hash,
            side=MIN_SIDE,
            square="grey beside it",
        )

    def look(
        self, pictures: Sequence[Any], boxes: Sequence[Sequence[Box] | None] | None = None
    ) -> list[tuple[Subject, ...]]:
        """Return the figures of each picture, the surest first: see `Model.look`."""
        given = boxes or [None] * len(pictures)
        found = [
            self._found(picture) if each is None else [Found(box, 1.0) for box in each]
            for picture, each in zip(pictures, given, strict=True)
        ]
        cut = [
            squared(crop(picture, each.box))
            for picture, figures in zip(pictures, found, strict=True)
            for each in figures
        ]
        vectors = iter(self._embedder.embed(cut))
        return [
            tuple(
                Subject(each.box, each.confidence, _clarity(each.box), next(vectors))
                for each in figures
            )
            for figures in found
        ]

    def _found(self, picture: Any) -> list[Found]:
        if self._finder is not None:
            return self._finder.find([picture])[0]
        height, width = picture.shape[:2]
        return [Found(Box(0, 0, width - 1, height - 1), 1.0)]


def around(face: Box) -> Box:
    """Return the box of a standing figure with this face; what lies outside is cut off later."""
    side = face.right - face.left + 1
    middle = (face.left + face.right) / 2
    top = face.top - side // 2
    return Box(
        round(middle - side * _WIDE / 2),
        top,
        round(middle + side * _WIDE / 2),
        round(top + side * _TALL),
    )


def _clarity(box: Box) -> Clarity:
    return Clarity.CLEAR if box.side >= MIN_SIDE else Clarity.POOR
