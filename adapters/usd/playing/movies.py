"""The frames of movies as pictures in a folder, for plates; decoded once, then kept."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from math import floor
from pathlib import Path
from typing import Any

from castline.adapters.material import media
from castline.adapters.output import scratch_folder
from castline.adapters.usd.playing.media import Movie, Plate, numbers_among
from castline.schemas.errors import CastlineError, UnwritableFileError

_SUFFIX = ".jpg"
_QUALITY = 95
_PADDING = 6


def extract(movie: Movie, times: set[Fraction], folder: Path) -> Plate | str:
    """Write the pictures at these media times, in seconds, into the folder; return a plate.

    A picture that is there already is kept: its name holds a hash of the movie's path, size and
    time. Returns why there is no plate where the movie cannot be read or has none of the frames.
    Raises `UnwritableFileError` where the folder cannot be written to and `MissingDependencyError`
    without PyAV or Pillow.
    """
    try:
        facts = media.probe(movie.path)
    except CastlineError as error:
        return f"the movie cannot be read: {error}"
    prefix = f"{movie.path.stem}-{_mark(movie.path)}."
    plate = Plate(
        folder.absolute(),
        prefix=prefix,
        suffix=_SUFFIX,
        padding=_PADDING,
        start=movie.start,
        rate=facts.exact_rate,
    )
    asked = {floor((time - movie.start) * facts.exact_rate) for time in times}
    wanted = {number for number in asked if 0 <= number < facts.frames}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        missing = {n for n in wanted if not (folder / _name(prefix, n)).is_file()}
        if missing:
            with scratch_folder(folder) as scratch:  # of our own: others may extract the same
                for number, picture in _pictures(movie.path, facts.exact_rate, missing):
                    made = scratch / _name(prefix, number)
                    picture.save(made, format="JPEG", quality=_QUALITY, subsampling=0)
                    made.replace(folder / made.name)
        numbers = numbers_among(os.listdir(folder), plate)  # noqa: PTH208
    except OSError as error:
        raise UnwritableFileError(f"{folder}: {error.strerror or error}") from None
    except UnwritableFileError:
        raise
    except CastlineError as error:
        return f"the movie cannot be read: {error}"
    if not numbers:
        return "the movie has none of the frames that are shown"
    return replace(plate, numbers=numbers)


def _pictures(path: Path, rate: Fraction, wanted: set[int]) -> Iterator[tuple[int, Any]]:
    """Yield the wanted frames by their number in the movie, in order, and stop after the last."""
    last = max(wanted)
    with media.open_container(path) as container:
        stream = media.main_picture(container)
        if stream is None:
            return
        origin: Fraction | None = None
        for frame in container.decode(stream):
            if frame.pts is None:
                continue
            time = frame.pts * Fraction(stream.time_base)
            origin = time if origin is None else origin
            number = round((time - origin) * rate)
            if number in wanted:
                yield number, frame.to_image()
            if number >= last:
                return


def _name(prefix: str, number: int) -> str:
    return f"{prefix}{number:0{_PADDING}d}{_SUFFIX}"


def _mark(path: Path) -> str:
    """Return a short hash that changes with the movie."""
    found = path.stat()
    text = f"{path.resolve()} {found.st_size} {found.st_mtime_ns}"
    return hashlib.sha256(text.encode()).hexdigest()[:8]
