"""dlib's face network in torch: 128 numbers a face, close for one person, apart for two.

A ResNet of 29 convolutions, trained by dlib's author; same weights, same numbers to 1e-6. Compare
vectors by their cosine, after they are brought to unit length.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from castline.inference import networks
from castline.inference.layers import batch_of, layers_of
from castline.inference.packages import require_dlib, require_torch
from castline.inference.vectors import unit
from castline.schemas.errors import UnreadableFileError

SIDE = 150
"""Of a face chip, in pixels."""
DIMENSIONS = 128
_LAYERS = 29


class FaceEmbedder:
    """Embeds face chips, with the weights of dlib's network."""

    def __init__(self, path: Path) -> None:
        """Read the weights from dlib's own file.

        Raises `UnreadableFileError` for another file.
        """
        network = networks.read(path)
        if len(network.convolutions) != _LAYERS or network.head is None:
            raise UnreadableFileError(f"{path}: found another network than dlib's for faces")
        self._layers = layers_of(network)
        self._head = require_torch().from_numpy(network.head.copy())

    def embed(self, chips: Sequence[Any]) -> Any:
        """Return a float32 array, chips x 128, of vectors of unit length.

        The chips are uint8 arrays of 150 x 150 x RGB, upright, as dlib cuts them out.
        """
        import numpy as np
        import torch

        if not chips:
            return _none()
        with torch.inference_mode():
            vectors = self._run(batch_of(np.stack(chips))).mean((2, 3)) @ self._head
            return torch.nn.functional.normalize(vectors).numpy()

    def _run(self, x: Any) -> Any:
        from torch.nn import functional

        first, *blocks = self._layers
        x = functional.max_pool2d(functional.relu_(first.run(x)), 3, 2)
        for inner, outer in zip(blocks[::2], blocks[1::2], strict=True):
            y = outer.run(functional.relu_(inner.run(x)))
            if inner.stride == 2:
                x = functional.avg_pool2d(x, 2, 2)
            x = functional.relu_(padded_sum(x, y))
        return x


class DlibEmbedder:
    """Embeds face chips with dlib itself: the same vectors, many times slower, without torch."""

    def __init__(self, path: Path) -> None:
        """Load dlib's own file."""
        self._network = require_dlib().face_recognition_model_v1(str(path))

    def embed(self, chips: Sequence[Any]) -> Any:
        """Return what `FaceEmbedder.embed` returns."""
        import numpy as np

        vectors = [np.array(self._network.compute_face_descriptor(chip)) for chip in chips]
        return unit(np.stack(vectors)).astype(np.float32) if chips else _none()


def _none() -> Any:
    import numpy as np

    return np.zeros((0, DIMENSIONS), np.float32)


def padded_sum(one: Any, other: Any) -> Any:
    """Return the sum; what one has more of, in channels, rows or columns, meets zeros."""
    from torch.nn import functional

    shape = [max(a, b) for a, b in zip(one.shape[1:], other.shape[1:], strict=True)]

    def grown(x: Any) -> Any:
        channels, rows, columns = (a - b for a, b in zip(shape, x.shape[1:], strict=True))
        return (
            functional.pad(x, (0, columns, 0, rows, 0, channels))
            if channels + rows + columns
            else x
        )

    return grown(one) + grown(other)
