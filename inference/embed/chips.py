"""Faces cut out upright, as the face network wants them, and how far each is turned away."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from castline.inference.embed.face import SIDE
from castline.inference.find.box import Box
from castline.inference.packages import require_dlib


@dataclass(frozen=True)
class Chip:
    """One face, 150 x 150 pixels, eyes level."""

    pixels: Any
    """uint8 array, height x width x RGB."""
    turn: float
    """How far the nose lies beside the middle of the eyes, in distances between them: 0 from the
    front, beyond some 0.4 from the side."""
    eyes: float
    """Distance between the eyes over the width of the box: 0.4 from the front, less from the
    side."""


class ChipCutter:
    """Cuts faces out by five landmarks: the corners of the eyes, and the nose."""

    def __init__(self, path: Path) -> None:
        """Load the landmarks' model from dlib's file."""
        self._dlib = require_dlib()
        self._landmarks = self._dlib.shape_predictor(str(path))

    def cut(self, picture: Any, boxes: Sequence[Box]) -> list[Chip]:
        """Return the faces in the boxes; the picture is a uint8 array, height x width x RGB."""
        return [self._cut(picture, box) for box in boxes]

    def _cut(self, picture: Any, box: Box) -> Chip:
        rectangle = self._dlib.rectangle(box.left, box.top, box.right, box.bottom)
        shape = self._landmarks(picture, rectangle)
        corners = [(point.x, point.y) for point in shape.parts()]
        one, other = _middle(*corners[:2]), _middle(*corners[2:4])
        apart = math.dist(one, other)
        axis = ((one[0] - other[0]) / (apart or 1.0), (one[1] - other[1]) / (apart or 1.0))
        nose, eyes = corners[4], _middle(one, other)
        beside = (nose[0] - eyes[0]) * axis[0] + (nose[1] - eyes[1]) * axis[1]
        pixels = self._dlib.get_face_chip(picture, shape, size=SIDE)
        return Chip(pixels, beside / (apart or 1.0), apart / (box.right - box.left + 1))


def _middle(one: tuple[float, float], other: tuple[float, float]) -> tuple[float, float]:
    return (one[0] + other[0]) / 2, (one[1] + other[1]) / 2
