"""Looking at the frames that are asked for, and at none twice.

What a cache knows is taken from it; the rest is decoded in one pass a file, looked at in batches
and kept at once, so that who stops in the middle goes on there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from castline.inference.cache import Cache
from castline.inference.faces import BATCH, Face
from castline.inference.frames import Footage, Frame, decode
from castline.inference.score import Sight
from castline.inference.specification import Specification
from castline.schemas.errors import UnreadableFileError


class Model(Protocol):
    """Sees faces in pictures."""

    specification: Specification

    def look(self, pictures: Sequence[Any]) -> list[tuple[Face, ...]]:
        """Return the faces of pictures of one size."""


@dataclass(frozen=True)
class Asked:
    """Which frames of which media somebody wants looked at."""

    footage: Footage
    numbers: tuple[int, ...]


@dataclass
class Count:
    """How much was done, and how much was there already."""

    looked: int = 0
    known: int = 0
    failed: dict[str, str] = field(default_factory=dict)
    """Why media could not be decoded, to the end or at all, by their hash."""


def look_at(
    asked: Iterable[Asked],
    model: Model,
    cache: Cache,
    *,
    tell: Callable[[int], None] | None = None,
) -> tuple[dict[str, dict[int, Sight]], Count]:
    """Return what is seen in the frames, by the hash of the media and the frame's number.

    Several that ask for one file are answered in one pass. `tell` is called with the number of
    frames that are done. Frames that are not there have no sight, nor have those that cannot be
    decoded; the count says why.
    """
    wanted: dict[str, tuple[Footage, set[int]]] = {}
    for each in asked:
        wanted.setdefault(each.footage.sha256, (each.footage, set()))[1].update(each.numbers)
    count = Count()
    found: dict[str, dict[int, Sight]] = {}
    for media, (footage, numbers) in wanted.items():
        known = cache.get(media, numbers, model.specification.hash)
        sights = {n: Sight(n, n / footage.rate, faces) for n, faces in known.items()}
        count.known += len(known)
        if tell:
            tell(len(known))
        found[media] = sights
        for frames in _batches(_decoded(footage, numbers - known.keys(), count)):
            looks = model.look([frame.pixels for frame in frames])
            seen = {f.number: faces for f, faces in zip(frames, looks, strict=True)}
            cache.put(media, seen, model.specification.hash)
            sights |= {n: Sight(n, n / footage.rate, faces) for n, faces in seen.items()}
            count.looked += len(frames)
            if tell:
                tell(len(frames))
    return found, count


def _decoded(footage: Footage, numbers: Iterable[int], count: Count) -> Iterator[Frame]:
    """Yield the frames as far as the media can be decoded, and note why not further."""
    try:
        yield from decode(footage, numbers)
    except UnreadableFileError as error:
        count.failed[footage.sha256] = str(error)


def _batches(frames: Iterator[Frame]) -> Iterator[list[Frame]]:
    """Yield the frames some at a time, those of one batch of one size."""
    batch: list[Frame] = []
    for frame in frames:
        if batch and (len(batch) == BATCH or frame.pixels.shape != batch[0].pixels.shape):
            yield batch
            batch = []
        batch.append(frame)
    if batch:
        yield batch
