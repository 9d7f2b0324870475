"""Pictures out of media: which frames to look at, and those frames decoded.

A frame is named by its number: 0 is the first that is shown, and a movie's frame n is the one
that is shown n/rate seconds after it. Colours are RGB, 8 bits a channel.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from castline.schemas.errors import MissingDependencyError, UnreadableFileError

MAX_PIXELS = 64 << 20
"""Of one picture, at most."""
_SEEK_BEYOND = Fraction(2)  # seconds; nearer frames are reached by decoding on
_FORMATS = "mov,matroska,webm,avi,mxf,mpegts,mpeg,gif"  # a playlist names other files


@dataclass(frozen=True)
class Footage:
    """Media whose pictures can be decoded."""

    sha256: str
    """Hash of its bytes, by which what was measured is found again."""
    path: Path
    rate: Fraction
    """Frames a second."""
    count: int
    """How many frames there are."""
    pictures: tuple[Path | None, ...] = field(default=(), repr=False)
    """The file of each frame, where they are files; None where one is missing."""


@dataclass(frozen=True)
class Frame:
    """One decoded picture."""

    number: int
    time: Fraction
    """When it is shown, in seconds after the first; exact."""
    pixels: Any
    """uint8 array, height x width x RGB."""


def spread(numbers: Sequence[int], count: int) -> list[int]:
    """Return `count` of the numbers, evenly from first to last, each in the middle of its share.

    The numbers are ascending and differ; with no more than `count` of them all are returned.
    """
    if len(numbers) <= count:
        return list(numbers)
    return [numbers[(2 * place + 1) * len(numbers) // (2 * count)] for place in range(count)]


def decode(footage: Footage, numbers: Iterable[int]) -> Iterator[Frame]:
    """Yield the frames with these numbers, in ascending order; those that are not there are left.

    Raises `UnreadableFileError` for media that cannot be decoded, `MissingDependencyError`
    without the package for it.
    """
    wanted = sorted({number for number in numbers if 0 <= number < footage.count})
    if footage.pictures:
        yield from _from_pictures(footage, wanted)
    elif wanted:
        yield from _from_movie(footage, wanted)


def read_picture(path: Path) -> Any:
    """Return a picture file as a uint8 array, height x width x RGB, turned as its camera was held.

    Raises `UnreadableFileError` for what is no picture, or one of more than `MAX_PIXELS`.
    """
    try:
        from PIL import Image, ImageOps
    except ImportError:
        raise MissingDependencyError("pip install 'castline[media]'") from None
    import numpy as np

    try:
        with Image.open(path) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                raise UnreadableFileError(
                    f"{path}: found {picture.width} x {picture.height} pixels, "
                    f"expected at most {MAX_PIXELS}"
                )
            return np.asarray(ImageOps.exif_transpose(picture).convert("RGB"))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise UnreadableFileError(f"{path}: found no readable picture: {error}") from None


def _from_pictures(footage: Footage, wanted: list[int]) -> Iterator[Frame]:
    for number in wanted:
        path = footage.pictures[number]
        if path is not None:
            yield Frame(number, number / footage.rate, read_picture(path))


def _from_movie(footage: Footage, wanted: list[int]) -> Iterator[Frame]:
    try:
        import av
    except ImportError:
        raise MissingDependencyError("pip install 'castline[media]'") from None
    try:
        with av.open(
            str(footage.path),
            options={"format_whitelist": _FORMATS, "protocol_whitelist": "file"},
        ) as container:
            yield from _decoded(container, footage, wanted)
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise UnreadableFileError(f"{footage.path}: found no readable movie: {error}") from None


def _decoded(container: Any, footage: Footage, wanted: list[int]) -> Iterator[Frame]:
    stream = next(iter(container.streams.video), None)
    if stream is None:
        raise UnreadableFileError(f"{footage.path}: found no picture in it")
    if stream.width * stream.height > MAX_PIXELS:
        raise UnreadableFileError(f"{footage.path}: found {stream.width} x {stream.height} pixels")
    base = Fraction(stream.time_base)
    origin = _first_time(container, stream, base)
    left = deque(wanted)
    at: Fraction | None = None
    while left:
        time = left[0] / footage.rate
        if at is None or time - at > _SEEK_BEYOND:
            container.seek(int((origin + time) / base), stream=stream, backward=True)
        shown = None
        before = len(left)
        for frame in container.decode(stream):
            if frame.pts is None:
                continue
            at = frame.pts * base - origin
            number = round(at * footage.rate)
            # Frames need not be as far apart as the rate says: the one before is shown till now.
            # Without one before, seeking led too far, and what was asked for is not there.
            while left and left[0] < number:
                missed = left.popleft()
                if shown is not None:
                    yield _frame(missed, shown, base, origin)
            if left and left[0] == number:
                yield _frame(left.popleft(), frame, base, origin)
            shown = frame
            # Only on from one that was asked for: a keyframe may lie far before the next.
            if len(left) < before and (not left or left[0] / footage.rate - at > _SEEK_BEYOND):
                break
        else:  # nothing more to come; the last one is shown as long as it says
            if shown is not None:
                end = (shown.pts + (shown.duration or 0)) * base - origin
                while left and left[0] / footage.rate < end:
                    yield _frame(left.popleft(), shown, base, origin)
            return


def _frame(number: int, frame: Any, base: Fraction, origin: Fraction) -> Frame:
    return Frame(number, frame.pts * base - origin, frame.to_ndarray(format="rgb24"))


def _first_time(container: Any, stream: Any, base: Fraction) -> Fraction:
    """Return when the first picture is shown."""
    for frame in container.decode(stream):
        if frame.pts is not None:
            return Fraction(frame.pts * base)
    raise UnreadableFileError("found no picture in it")
