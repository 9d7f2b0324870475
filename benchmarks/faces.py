"""What finding and comparing faces costs, against dlib's own, in CPU seconds of one thread."""

from __future__ import annotations

import resource
from collections.abc import Callable
from typing import Any

import dlib
import numpy as np
import torch

from castline.inference import packages
from castline.inference.embed.face import SIDE, FaceEmbedder
from castline.inference.find.cnn import CnnFinder

FRAME = (360, 640, 3)
FRAMES = 4
CHIPS = 25
BARS = {"find": 12.0, "embed": 2.0}
"""How many times less than dlib each takes, at least."""
FIND_SECONDS = 0.120


def cpu(call: Callable[[], Any], repeats: int = 3) -> float:
    """Return the fewest CPU seconds of a few calls."""
    best = float("inf")
    for _ in range(repeats):
        before = resource.getrusage(resource.RUSAGE_SELF)
        call()
        after = resource.getrusage(resource.RUSAGE_SELF)
        spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        best = min(best, spent)
    return best


def _says(value: float, bar: float) -> str:
    return f"{value:.1f} times less ({'within' if value >= bar else 'UNDER'} {bar:g})"


def main() -> None:
    """Print a line for finding and one for embedding."""
    torch.set_num_threads(1)
    chance = np.random.default_rng(1)
    frames = list(chance.integers(0, 256, (FRAMES, *FRAME), np.uint8))
    chips = list(chance.integers(0, 256, (CHIPS, SIDE, SIDE, 3), np.uint8))
    detector = packages.weights(packages.FACE_DETECTOR)
    network = packages.weights(packages.FACE_NETWORK)
    finder, peer = CnnFinder(detector), dlib.cnn_face_detection_model_v1(str(detector))
    ours = cpu(lambda: finder.find(frames)) / FRAMES
    theirs = cpu(lambda: peer(frames[0], 0), 1)
    within = "within" if ours <= FIND_SECONDS else "OVER"
    print(f"find   {ours * 1000:6.1f} ms a frame of 640x360 ({within} {FIND_SECONDS * 1000:g}); "
          f"dlib {theirs * 1000:.0f}: {_says(theirs / ours, BARS['find'])}")  # fmt: skip
    embedder = FaceEmbedder(network)
    old = dlib.face_recognition_model_v1(str(network))
    ours = cpu(lambda: embedder.embed(chips)) / CHIPS
    theirs = cpu(lambda: old.compute_face_descriptor(chips[0]), 1)
    print(f"embed  {ours * 1000:6.1f} ms a face; "
          f"dlib {theirs * 1000:.0f}: {_says(theirs / ours, BARS['embed'])}")  # fmt: skip


if __name__ == "__main__":
    main()
