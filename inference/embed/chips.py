"""Faces cut out upright, as the face network wants them, and how clearly each is seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from castline.inference.embed.face import SIDE
from castline.inference.find.box import Box
from castline.inference.packages import require_dlib

UNSEEN = -1.0
"""Where the frontal detector sees nothing at all."""
MIN_FRONT = 0.9
"""`Chip.front` of a face that can be told from another, at least."""
FAIR_FRONT = -0.5
"""`Chip.front` of a face that is seen from the front at all, sharp or not."""
_NEAR = SIDE / 6  # of a chip's middle; what is found further off is something else


@dataclass(frozen=True)
class Chip:
    """One face, 150 x 150 pixels, eyes level."""

    pixels: Any
    """uint8 array, height x width x RGB."""
    front: float
    """How surely dlib's frontal detector sees a face in the chip: some 1 to 3 for a sharp one from
    the front, about 0 for a blurred one, -1 (`UNSEEN`) from the side."""


class ChipCutter:
    """Cuts faces out by five landmarks: the corners of the eyes, and the nose."""

    def __init__(self, path: Path) -> None:
        """Load the landmarks' model from dlib's file."""
        self._dlib = require_dlib()
        self._landmarks = self._dlib.shape_predictor(str(path))
        self._frontal = self._dlib.get_frontal_face_detector()

    def cut(self, picture: Any, boxes: Sequence[Box]) -> list[Chip]:
        """Return the faces in the boxes; the picture is a uint8 array, height x width x RGB."""
        return [self._cut(picture, box) for box in boxes]

    def _cut(self, picture: Any, box: Box) -> Chip:
        rectangle = self._dlib.rectangle(box.left, box.top, box.right, box.bottom)
        shape = self._landmarks(picture, rectangle)
        pixels = self._dlib.get_face_chip(picture, shape, size=SIDE)
        return Chip(pixels, self._front(pixels))

    def _front(self, pixels: Any) -> float:
        """Return how surely there is a face from the front in the middle of a chip."""
        boxes, scores, _ = self._frontal.run(pixels, 0, UNSEEN)
        return max(
            (score for box, score in zip(boxes, scores, strict=True) if _is_central(box.center())),
            default=UNSEEN,
        )


def _is_central(point: Any) -> bool:
    return bool(max(abs(point.x - SIDE / 2), abs(point.y - SIDE / 2)) < _NEAR)
