"""Labelled faces for the tests of identity: photographs, and crops of a real shot.

Each face is looked at once in a run; vectors stay in memory.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from trip import CORPUS

from castline.inference import packages
from castline.inference.embed.chips import MIN_FRONT, ChipCutter
from castline.inference.embed.face import FaceEmbedder
from castline.inference.find.box import Box
from castline.inference.find.cnn import CnnFinder
from castline.inference.frames import Footage, decode, read_picture
from castline.inference.pictures import within

FACES = CORPUS / "faces"
PEOPLE = Path(__file__).resolve().parents[2] / ".peers" / "people"
"""What `tests/people.py` fetched."""
PADDING = 75
"""Pixels around photographs that are nothing but a face, so that it can be found."""

# Four people in one picture, six faces each, told apart by eye: left, top and side of the heads.
HEADS = {
    "a": [(45, 40, 218), (330, 202, 129), (532, 40, 242), (32, 347, 218), (532, 379, 234),
          (56, 1249, 226)],
    "b": [(327, 27, 129), (858, 40, 201), (314, 411, 153), (854, 358, 218), (48, 653, 210),
          (351, 758, 299)],
    "c": [(1435, 97, 354), (1809, 403, 137), (1625, 677, 126), (1072, 1298, 210),
          (1435, 1290, 161), (1781, 1306, 178)],
    "d": [(19, 943, 194), (745, 774, 217), (1037, 717, 233), (1109, 1032, 161),
          (339, 1177, 274), (742, 1185, 225)],
}  # fmt: skip
LEAD = range(84, 211, 2)
"""Frames of the corpus's clip in which its lead is the only face: seen by eye."""
COPIES = ("000378_03227610", "000376_02340068", "000192_02159531")
"""Photographs that are others once more."""


@dataclass(frozen=True)
class Labelled:
    """One face, and who it is."""

    who: str
    source: str
    """`photo` or `shot`."""
    front: float
    chip: Any
    vector: Any


class Eyes:
    """What finds, cuts and embeds."""

    def __init__(self) -> None:
        self.finder = CnnFinder(packages.weights(packages.FACE_DETECTOR))
        self.cutter = ChipCutter(packages.weights(packages.FACE_LANDMARKS))
        self.embedder = FaceEmbedder(packages.weights(packages.FACE_NETWORK))

    def see(self, picture: Any) -> list[tuple[Box, Any]]:
        (smaller,), scale = within(1280, [picture])
        boxes = [each.box for each in self.finder.find([smaller])[0]]
        chips = self.cutter.cut(smaller, boxes)
        return [(box.scaled(scale), chip) for box, chip in zip(boxes, chips, strict=True)]

    def label(self, found: list[tuple[str, str, Any]]) -> list[Labelled]:
        """Return faces with their vectors, those that are clearly seen."""
        clear = [each for each in found if each[2].front >= MIN_FRONT]
        vectors = self.embedder.embed([chip.pixels for _, _, chip in clear])
        return [
            Labelled(who, source, chip.front, chip.pixels, vector)
            for (who, source, chip), vector in zip(clear, vectors, strict=True)
        ]


@lru_cache(maxsize=1)
def eyes() -> Eyes:
    return Eyes()


@lru_cache(maxsize=1)
def johns() -> list[Labelled]:
    """Return five people with some eleven photographs each."""
    found = []
    for path in sorted(PEOPLE.glob("johns/*/*.jpg")):
        if path.stem not in COPIES:
            edges = ((PADDING, PADDING), (PADDING, PADDING), (0, 0))
            ((_, chip),) = eyes().see(np.pad(read_picture(path), edges, mode="edge"))
            found.append((path.parent.name, "photo", chip))
    return eyes().label(found)


@lru_cache(maxsize=1)
def heads() -> list[Labelled]:
    """Return four people who look much alike, six faces each."""
    found = []
    for box, chip in eyes().see(read_picture(PEOPLE / "faces" / "bald_guys.jpg")):
        (who,) = {who for who, places in HEADS.items() if any(_holds(p, box) for p in places)}
        found.append((who, "photo", chip))
    return eyes().label(found)


@lru_cache(maxsize=1)
def portraits() -> list[Labelled]:
    """Return the corpus's photographs: four people, one of them twice."""
    found = []
    for path in sorted([*FACES.glob("*.jpg"), *FACES.glob("*.png")]):
        ((_, chip),) = eyes().see(read_picture(path))
        found.append((path.stem.rstrip("2"), "photo", chip))
    return eyes().label(found)


@lru_cache(maxsize=1)
def lead() -> list[Labelled]:
    """Return crops of the lead of the corpus's clip."""
    clip = Footage("", FACES / "short_hamilton_clip.mp4", Fraction(2997, 100), 275)
    found = []
    for frame in decode(clip, LEAD):
        found += [("lin-manuel-miranda", "shot", chip) for _, chip in eyes().see(frame.pixels)]
    return eyes().label(found)


def pairs(
    faces: list[Labelled], vector: Callable[[Labelled], Any] = lambda face: face.vector
) -> tuple[list[Any], Any]:
    """Return the likeness of pairs of one person, an array each, and of pairs of two.

    A crop of a shot is held against photographs, as a take is against references, and not against
    its neighbours in the same shot.
    """
    rows = np.stack([vector(face) for face in faces])
    likeness = rows @ rows.T
    one, two = np.triu_indices(len(faces), 1)
    both = [(faces[a], faces[b]) for a, b in zip(one.tolist(), two.tolist(), strict=True)]
    keep = np.array(["photo" in (a.source, b.source) for a, b in both])
    whose = np.array([a.who if a.who == b.who else "" for a, b in both])
    found, whose = likeness[one, two][keep], whose[keep]
    return [found[whose == who] for who in sorted({*whose} - {""})], found[whose == ""]


def _holds(place: tuple[int, int, int], box: Box) -> bool:
    left, top, side = place
    x, y = (box.left + box.right) / 2, (box.top + box.bottom) / 2
    return left <= x <= left + side and top <= y <= top + side
