"""VBench's measures of consistency within a video, from one feature a frame (commit 45e79ec).

Features are rows in the order of the frames; they are brought to unit length here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from castline.inference.vectors import unit

SAME_FACE = 0.4
"""Cosine from which VBench-2.0 takes a face for the first frame's."""
MIN_FRAMES = 20
"""Frames with exactly one face that VBench-2.0 asks for."""


def subject_consistency(features: Any) -> float:
    """Return how much each frame is like the one before and like the first, 0 to 1.

    The mean over all frames but the first of `(max(0, cos(before)) + max(0, cos(first))) / 2`; 0
    for fewer than two. Of CLIP features this is VBench's background consistency.
    """
    import numpy as np

    rows = unit(features) if len(features) else np.zeros((0, 1))
    if len(rows) < 2:
        return 0.0
    before = np.clip((rows[1:] * rows[:-1]).sum(axis=1), 0, None)
    first = np.clip(rows[1:] @ rows[0], 0, None)
    return float(((before + first) / 2).mean())


def over_videos(values: Sequence[float], frames: Sequence[int], *, by_frame: bool = True) -> float:
    """Return the benchmark's value: the mean over videos, by frames or each alike.

    VBench weighs by frames in one process and takes the plain mean in several; they differ.
    """
    weights = [max(count - 1, 0) if by_frame else 1 for count in frames]
    total = sum(weights)
    return sum(v * w for v, w in zip(values, weights, strict=True)) / total if total else 0.0


def human_identity(faces: Sequence[Any | None]) -> float:
    """Return the share of frames whose face is the first one's, by VBench-2.0; -1 for too few.

    `faces` holds the feature of each frame that shows exactly one face, and None for the others.
    """
    import numpy as np

    known = [face for face in faces if face is not None]
    if len(known) < MIN_FRAMES:
        return -1.0
    rows = unit(np.stack(known))
    return float((rows @ rows[0] >= SAME_FACE).mean())
