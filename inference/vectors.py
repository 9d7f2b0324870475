"""Vectors that are compared by their angle."""

from __future__ import annotations

from typing import Any


def unit(vectors: Any) -> Any:
    """Return the rows at length 1, as float64; a row of zeros stays one."""
    import numpy as np

    rows = np.atleast_2d(np.asarray(vectors, np.float64))
    lengths = np.linalg.norm(rows, axis=-1, keepdims=True)
    return rows / np.where(lengths > 0, lengths, 1.0)


def cosines(one: Any, other: Any) -> Any:
    """Return the cosine of each row of one with each row of the other."""
    return unit(one) @ unit(other).T
