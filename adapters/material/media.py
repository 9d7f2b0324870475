"""Media as castline sees it: what it is, how long, how large, and what is written in it.

The one module through which castline looks at media files. It reads headers and counts packets;
it decodes no picture, follows no address and opens nothing but regular files.
"""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

from opentimelineio.opentime import RationalTime

from castline.adapters import paths
from castline.adapters.material import sequence, stills
from castline.schemas.errors import MissingDependencyError, UnreadableFileError
from castline.schemas.exact import exact_rate

Kind = Literal["movie", "still", "sequence", "audio"]

MOVIE_SUFFIXES = frozenset(
    {".avi", ".gif", ".m4v", ".mkv", ".mov", ".mp4", ".mpg", ".mxf", ".ts", ".webm"}
)
AUDIO_SUFFIXES = frozenset({".aif", ".aiff", ".flac", ".m4a", ".mp3", ".ogg", ".wav"})
STILL_SUFFIXES = sequence.SUFFIXES | {".apng"}
STILL_RATE = 24.0
"""Frames a second of stills and sequences that say nothing of it."""
FILE_LIMIT = 100_000
DEPTH_LIMIT = 16

# Containers only: a playlist names other files and must not be followed.
_FORMATS = "mov,matroska,webm,avi,mxf,mpegts,mpeg,gif,wav,aiff,flac,mp3,ogg,aac"
_USUAL_RATES = (24, 25, 30, 48, 50, 60)


@dataclass(frozen=True, kw_only=True)
class Media:
    """One media file, or one image sequence."""

    path: Path
    kind: Kind
    rate: float
    """Frames a second; of audio, samples a second."""
    exact_rate: Fraction
    frames: int
    """Frames from first to last, gaps of a sequence included; of audio, samples."""
    duration: RationalTime
    width: int = 0
    height: int = 0
    pixel_aspect: float = 1.0
    has_audio: bool = False
    timecode: str | None = None
    """Start timecode as written in the file."""
    tags: Mapping[str, str] = field(default_factory=dict, repr=False)
    sequence: sequence.Sequence | None = None


def probe(path: Path | str, rate: float | None = None) -> Media:
    """Return what a media file, a folder of frames or a written sequence is.

    Sequences are written `shot.[1001-1099].exr`, `shot.%04d.exr` or `shot.####.exr`. `rate` is for
    stills and sequences that say none; without it they are taken at 24 frames a second. Raises
    `UnreadableFileError` for anything that is no media, `MissingDependencyError` without the
    packages for it.
    """
    path = Path(path)
    if path.is_dir() or sequence.is_pattern(path):
        return _probe_sequence(path, rate)
    paths.require_file(path)
    if path.suffix.lower() in STILL_SUFFIXES:
        return _probe_still(path, rate)
    return _probe_container(path)


def read_tags(path: Path | str) -> dict[str, str]:
    """Return the texts written in a media file, by the names they have there.

    For a sequence they are those of its first frame. Raises as `probe` does.
    """
    path = Path(path)
    if path.is_dir() or sequence.is_pattern(path):
        path = next(sequence.read(path).frame_paths())
    paths.require_file(path)
    if path.suffix.lower() in STILL_SUFFIXES:
        return stills.read_header(path).tags
    with open_container(path) as container:
        return _container_tags(container)


def find_takes(folder: Path | str) -> list[Path]:
    """Return the media under a folder, sorted; numbered stills become one sequence each.

    Hidden files, lists and records are passed over, and so is a still that a program laid beside
    a movie of the same name to hold its record. Links that lead out of the folder are not
    followed, nor links to folders. Raises `UnreadableFileError` past `FILE_LIMIT` files or
    `DEPTH_LIMIT` levels.
    """
    root = Path(folder)
    if not root.is_dir():
        raise UnreadableFileError(f"{root}: found no such folder")
    files = list(_walk(root))
    movies = {_movie_stem(path) for path in files if path.suffix.lower() in MOVIE_SUFFIXES}
    rest = [
        path
        for path in files
        if path.suffix.lower() != ".png" or path.with_suffix("") not in movies
    ]
    sequences, singles = sequence.group(rest)
    return sorted([*(item.path for item in sequences), *singles])


def hash_file(path: Path | str) -> str:
    """Return the SHA-256 of a file's bytes, as hexadecimal text.

    A sequence's is the hash of the lines `hash of frame, space, name of frame`, in order. Raises
    `UnreadableFileError`.
    """
    path = Path(path)
    if not path.is_dir() and not sequence.is_pattern(path):
        return _hash_one(path)
    total = hashlib.sha256()
    for frame in sequence.read(path).frame_paths():
        total.update(f"{_hash_one(frame)} {frame.name}\n".encode())
    return total.hexdigest()


def _probe_sequence(path: Path, rate: float | None) -> Media:
    found = sequence.read(path)
    first = next(found.frame_paths())
    header = stills.read_header(first)
    exact = _still_rate(header, rate)
    return _from_header(found.path, "sequence", header, exact, found.frames, found)


def _probe_still(path: Path, rate: float | None) -> Media:
    header = stills.read_header(path)
    if header.frame_ms and header.frames > 1:
        return _from_header(path, "movie", header, _rate_of(header.frame_ms), header.frames)
    return _from_header(path, "still", header, _still_rate(header, rate), 1)


def _from_header(
    path: Path,
    kind: Kind,
    header: stills.Header,
    exact: Fraction,
    frames: int,
    found: sequence.Sequence | None = None,
) -> Media:
    return Media(
        path=path,
        kind=kind,
        rate=float(exact),
        exact_rate=exact,
        frames=frames,
        duration=RationalTime(frames, float(exact)),
        width=header.width,
        height=header.height,
        pixel_aspect=header.pixel_aspect,
        timecode=header.timecode,
        tags=header.tags,
        sequence=found,
    )


def _still_rate(header: stills.Header, rate: float | None) -> Fraction:
    return exact_rate(float(rate or header.rate or STILL_RATE))


def _movie_rate(given: Fraction) -> Fraction:
    """Return the rate that was meant; clocks that count milliseconds miss whole rates slightly."""
    whole = Fraction(round(given))
    if abs(given - whole) * 2500 < whole:
        return whole
    return exact_rate(float(given))


def _rate_of(frame_ms: Fraction) -> Fraction:
    """Return the rate of an animation whose delays were cut to whole milliseconds.

    41 ms is 24 frames a second to the programs that write them, not 24.39.
    """
    fastest = 1000 / frame_ms
    slowest = 1000 / (frame_ms + 1)
    if fastest.denominator == 1:
        return fastest
    usual = [rate for rate in _USUAL_RATES if slowest < rate < fastest]
    whole = math.floor(fastest)
    if usual or whole > slowest:
        return Fraction(usual[0] if usual else whole)
    return fastest


@contextmanager
def open_container(path: Path) -> Iterator[Any]:
    """Open a movie or sound with PyAV, following nothing that it names.

    Raises `UnreadableFileError` for what is no such file, also for damage met while it is open,
    and `MissingDependencyError` without PyAV.
    """
    try:
        import av
    except ImportError:
        raise MissingDependencyError(
            f"{path}: looking at movies needs PyAV: pip install 'castline[media]'"
        ) from None
    options = {"format_whitelist": _FORMATS, "protocol_whitelist": "file"}
    try:
        with av.open(f"file:{path.absolute()}", options=options, metadata_errors="replace") as it:
            yield it
    except (av.error.FFmpegError, OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise UnreadableFileError(f"{path}: found no readable media: {reason}") from None


def main_picture(container: Any) -> Any | None:
    """Return the stream of pictures that plays; a cover is none."""
    return next((s for s in container.streams.video if not _is_cover(s)), None)


def _probe_container(path: Path) -> Media:
    with open_container(path) as container:
        pictures = main_picture(container)
        main = pictures if pictures is not None else next(iter(container.streams.audio), None)
        if main is not None and main.codec_context is None:
            raise UnreadableFileError(f"{path}: found a coding that this PyAV does not know")
        if pictures is not None:
            return _probe_movie(path, container, main)
        if main is not None:
            return _probe_audio(path, container, main)
    raise UnreadableFileError(f"{path}: found neither picture nor sound")


def _probe_movie(path: Path, container: Any, stream: Any) -> Media:
    width, height = stream.codec_context.width, stream.codec_context.height
    if width <= 0 or height <= 0 or width * height > stills.PIXEL_LIMIT:
        raise UnreadableFileError(f"{path}: found pictures of {width}x{height}")
    given = stream.average_rate or stream.guessed_rate or stream.base_rate
    if not given or given <= 0:
        raise UnreadableFileError(f"{path}: found no frame rate")
    exact = _movie_rate(Fraction(given))
    tags = _container_tags(container)
    frames = _count_frames(container, stream, exact)
    if not frames:
        raise UnreadableFileError(f"{path}: found a movie without a frame")
    return Media(
        path=path,
        kind="movie",
        rate=float(exact),
        exact_rate=exact,
        frames=frames,
        duration=RationalTime(frames, float(exact)),
        width=width,
        height=height,
        pixel_aspect=float(stream.sample_aspect_ratio or 1) or 1.0,
        has_audio=bool(container.streams.audio),
        timecode=_timecode(container),
        tags=tags,
    )


def _probe_audio(path: Path, container: Any, stream: Any) -> Media:
    rate = stream.codec_context.sample_rate or 0
    if stream.duration and stream.time_base:
        seconds = stream.duration * Fraction(stream.time_base)
    else:
        seconds = Fraction(container.duration or 0, 1_000_000)
    if rate <= 0 or seconds <= 0:
        raise UnreadableFileError(f"{path}: found sound of no length")
    samples = round(seconds * rate)
    return Media(
        path=path,
        kind="audio",
        rate=float(rate),
        exact_rate=Fraction(rate),
        frames=samples,
        duration=RationalTime(samples, rate),
        has_audio=True,
        timecode=_timecode(container),
        tags=_container_tags(container),
    )


def _count_frames(container: Any, stream: Any, rate: Fraction) -> int:
    """Return the frames that play.

    The head's own count is taken when the duration agrees; an edit list hides frames, fragments
    and Matroska count none, and then the packets are counted.
    """
    if stream.frames and stream.duration and stream.time_base:
        by_time = stream.duration * Fraction(stream.time_base) * rate
        if abs(by_time - stream.frames) < Fraction(1, 2):
            return int(stream.frames)
    return sum(1 for packet in container.demux(stream) if packet.size and not packet.is_discard)


def _container_tags(container: Any) -> dict[str, str]:
    tags: dict[str, str] = {}
    for source in (container, *container.streams):
        for key, value in source.metadata.items():
            tags.setdefault(key, value)
    return tags


def _timecode(container: Any) -> str | None:
    for source in (container, *container.streams):
        for key, value in source.metadata.items():
            if key.lower() == "timecode":
                return str(value)
    return None


def _is_cover(stream: Any) -> bool:
    return bool(stream.disposition & type(stream.disposition).attached_pic)


def _walk(root: Path) -> Iterator[Path]:
    home = root.resolve()
    known = MOVIE_SUFFIXES | AUDIO_SUFFIXES | STILL_SUFFIXES
    seen = 0
    for folder, folders, names in os.walk(root, onerror=_refuse):
        here = Path(folder)
        folders[:] = sorted(n for n in folders if not n.startswith((".", "__MACOSX")))
        if len(here.relative_to(root).parts) > DEPTH_LIMIT:
            raise UnreadableFileError(f"{here}: found folders nested beyond {DEPTH_LIMIT} levels")
        seen += len(names)
        if seen > FILE_LIMIT:
            raise UnreadableFileError(f"{root}: found more than {FILE_LIMIT} files")
        for name in names:
            path = here / name
            if name.startswith(".") or path.suffix.lower() not in known or not path.is_file():
                continue
            if not path.is_symlink() or path.resolve().is_relative_to(home):
                yield path


def _refuse(error: OSError) -> None:
    raise UnreadableFileError(f"{error.filename}: {error.strerror}")


def _movie_stem(path: Path) -> Path:
    return path.with_name(path.stem.removesuffix("-audio"))


def _hash_one(path: Path) -> str:
    paths.require_file(path)
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise UnreadableFileError(f"{path}: {error.strerror or error}") from None
