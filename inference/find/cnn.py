"""dlib's face detector (mmod) in torch: the same boxes, at a fraction of the time.

King, Max-Margin Object Detection (arXiv 1502.00046). The network looks at a canvas with the
picture at many sizes; where its answer is above the threshold, a face of 80 x 80 pixels of the
canvas has its centre.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from castline.inference import networks
from castline.inference.find.box import Box, Found, surest
from castline.inference.find.pyramid import Pyramid, pyramid_of
from castline.inference.layers import batch_of, layers_of
from castline.schemas.errors import UnreadableFileError

WINDOW = 80
"""Side of the square that is looked for, in pixels of the canvas."""
SAME = 0.3382761351109955
"""Boxes that overlap more are one face, the surer one (`overlaps_nms` in the detector's file)."""
_LAYERS = 7
_SMALLEST = 29  # canvas; of less, the strided layers leave nothing


class CnnFinder:
    """Finds faces, from the front and from the side, with the weights of dlib's detector."""

    def __init__(self, path: Path) -> None:
        """Read the weights from dlib's own file.

        Raises `UnreadableFileError` for another file.
        """
        network = networks.read(path)
        if len(network.convolutions) != _LAYERS or network.head is not None:
            raise UnreadableFileError(f"{path}: found another network than dlib's face detector")
        self._layers = layers_of(network)

    def find(self, pictures: Sequence[Any], *, threshold: float = 0.0) -> list[list[Found]]:
        """Return the faces in each picture, the surest first.

        The pictures are uint8 arrays of one size, height x width x RGB.
        """
        import numpy as np
        import torch

        if not pictures:
            return []
        pyramid = pyramid_of(*pictures[0].shape[:2])
        if min(pyramid.height, pyramid.width) < _SMALLEST:
            return [[] for _ in pictures]
        batch = batch_of(np.stack(pictures))
        with torch.inference_mode():
            answer = self._look(_canvas(batch, pyramid))
            places = (answer > threshold).nonzero()
            scores = answer[tuple(places.T)].tolist()
        found: list[list[Found]] = [[] for _ in pictures]
        for (picture, row, column), score in zip(places.tolist(), scores, strict=True):
            y, x = self._to_canvas(row), self._to_canvas(column)
            edges = pyramid.to_picture(y, x, (WINDOW - 1) / 2)
            box = Box(*(math.floor(edge + 0.5) for edge in edges))
            found[picture].append(Found(box, score))
        return [surest(each, SAME) for each in found]

    def _look(self, x: Any) -> Any:
        """Return the answer at every place that the strides leave, one plane a picture."""
        from torch.nn import functional

        for layer in self._layers[:-1]:
            x = functional.relu_(layer.run(x))
        return self._layers[-1].run(x)[:, 0]

    def _to_canvas(self, place: float) -> float:
        """Return where on the canvas an answer's place has its centre."""
        for layer in reversed(self._layers):
            place = place * layer.stride - layer.padding + layer.side // 2
        return place


def _canvas(level: Any, pyramid: Pyramid) -> Any:
    """Return a batch of pictures on canvases; what holds no picture is 0."""
    import torch
    from torch.nn import functional

    shape = (len(level), 3, pyramid.height, pyramid.width)
    canvas = torch.zeros(shape).contiguous(memory_format=torch.channels_last)
    for place in pyramid.levels:
        size = (place.height, place.width)
        if tuple(level.shape[-2:]) != size:
            level = functional.interpolate(level, size, mode="bilinear", align_corners=True)
        rows = slice(place.top, place.top + place.height)
        canvas[:, :, rows, place.left : place.left + place.width] = level
    return canvas
