"""Looking at the frames that are asked for, and at none twice.

What a cache knows is taken from it; the rest is decoded in one pass a file, looked at in batches
and kept at once, so that who stops in the middle goes on there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from castline.inference.cache import Cache
from castline.inference.frames import Footage, Frame, decode
from castline.inference.given import Boxes
from castline.inference.subject import Model, Sight, Subject
from castline.schemas.errors import UnreadableFileError

BATCH = 8
"""Frames that are looked at and kept together."""


@dataclass(frozen=True)
class Asked:
    """Which frames of which media somebody wants looked at."""

    footage: Footage
    numbers: tuple[int, ...]
    boxes: Boxes | None = None
    """Where to look in this file, instead of searching."""


@dataclass
class Count:
    """How much was done, and how much was there already."""

    looked: int = 0
    known: int = 0
    failed: dict[str, str] = field(default_factory=dict)
    """Why media could not be decoded, to the end or at all, by their hash."""

    def add(self, other: Count) -> None:
        """Count what was done besides."""
        self.looked += other.looked
        self.known += other.known
        self.failed |= other.failed


@dataclass(frozen=True)
class Done:
    """What was seen in some frames of one file, and why no further, where something failed."""

    media: str
    seen: dict[int, tuple[Subject, ...]]
    failed: str | None = None


Engine = Callable[[Sequence[Asked]], Iterator[Done]]
"""Looks at the frames of files, somewhere; several answers a file, in any order."""


def look_at(
    asked: Iterable[Asked],
    model: Model,
    cache: Cache,
    *,
    engine: Engine | None = None,
    tell: Callable[[int], None] | None = None,
) -> tuple[dict[str, dict[int, Sight]], Count]:
    """Return what is seen in the frames, by the hash of the media and the frame's number.

    Several that ask for one file are answered in one pass; without an engine the model looks
    here. `tell` is called with the number of frames that are done. Frames that are not there have
    no sight, nor have those that cannot be decoded; the count says why.
    """
    wanted: dict[str, Asked] = {}
    numbers: dict[str, set[int]] = {}
    for each in asked:
        first = wanted.setdefault(each.footage.sha256, each)
        if first.boxes is None:  # the same bytes by two names are looked at in the same boxes
            wanted[each.footage.sha256] = each
        numbers.setdefault(each.footage.sha256, set()).update(each.numbers)
    count = Count()
    found: dict[str, dict[int, Sight]] = {}
    left: list[Asked] = []
    for media, job in wanted.items():
        known = cache.get(media, numbers[media], key_of(model, job))
        found[media] = {n: Sight(n, seen) for n, seen in known.items()}
        count.known += len(known)
        if tell:
            tell(len(known))
        if rest := numbers[media] - known.keys():
            left.append(Asked(job.footage, tuple(sorted(rest)), job.boxes))
    for done in (engine or here(model))(left) if left else ():
        job = wanted[done.media]
        if done.failed:
            count.failed[done.media] = done.failed
        cache.put(done.media, done.seen, key_of(model, job))
        found[done.media] |= {n: Sight(n, seen) for n, seen in done.seen.items()}
        count.looked += len(done.seen)
        if tell:
            tell(len(done.seen))
    return found, count


def here(model: Model) -> Engine:
    """Return the engine that looks in this process, one file after the other."""

    def run(jobs: Sequence[Asked]) -> Iterator[Done]:
        for job in jobs:
            yield from look(model, job)

    return run


def look(model: Model, job: Asked) -> Iterator[Done]:
    """Look at the frames of one file, and yield what is seen in some of them at a time."""
    why: list[str] = []
    left = {number for number in job.numbers if 0 <= number < job.footage.count}
    for frames in _batches(_decoded(job, why)):
        boxes = [job.boxes.at(frame.number) for frame in frames] if job.boxes else None
        looks = model.look([frame.pixels for frame in frames], boxes)
        seen = {frame.number: each for frame, each in zip(frames, looks, strict=True)}
        left -= seen.keys()
        yield Done(job.footage.sha256, seen)
    if left and not why:
        why.append(f"{job.footage.path}: {len(left)} of its frames are not there")
    if why:
        yield Done(job.footage.sha256, {}, why[0])


def key_of(model: Model, asked: Asked) -> str:
    """Return under which name what the model sees in this file is kept."""
    specification = model.specification
    boxes = asked.boxes
    return (specification.within(boxes=boxes.hash) if boxes else specification).hash


def _decoded(job: Asked, why: list[str]) -> Iterator[Frame]:
    """Yield the frames as far as the media can be decoded, and note why not further."""
    try:
        yield from decode(job.footage, job.numbers)
    except UnreadableFileError as error:
        why.append(str(error))


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
