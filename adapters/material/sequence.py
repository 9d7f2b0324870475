"""Image sequences: stills that are frames of one shot, by the numbers in their names."""

from __future__ import annotations

import itertools
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from castline.schemas.errors import UnreadableFileError

SUFFIXES = frozenset(
    {".bmp", ".dpx", ".exr", ".jpeg", ".jpg", ".png", ".tga", ".tif", ".tiff", ".webp"}
)
"""Suffixes of stills that may be frames of a sequence."""

_NUMBERED = re.compile(r"(?P<prefix>.*?)(?P<number>[0-9]{1,10})", re.DOTALL)
_WRITTEN = re.compile(
    r"(?P<prefix>.*?)"
    r"(?:\[(?P<first>[0-9]{1,10})-(?P<last>[0-9]{1,10})\]|%(?P<printf>0[0-9]+)?d|(?P<marks>#+|@+))"
    r"(?P<suffix>\.[^.]+)",
    re.DOTALL,
)
_LONE_FRAMES = 8
"""Frames from which `name_0001.png` or `0001.png` are a shot: stills are numbered so too."""


@dataclass(frozen=True, kw_only=True)
class Sequence:
    """Stills in one folder that are frames of one shot."""

    folder: Path
    prefix: str
    suffix: str
    padding: int
    first: int
    last: int
    gaps: tuple[tuple[int, int], ...] = ()
    """First and last number of each stretch of frames that is not there."""

    @property
    def path(self) -> Path:
        """The sequence as one path: `shot.[1001-1099].exr`."""
        first, last = (f"{number:0{self.padding}d}" for number in (self.first, self.last))
        return self.folder / f"{self.prefix}[{first}-{last}]{self.suffix}"

    @property
    def frames(self) -> int:
        """How many frames it spans, gaps included."""
        return self.last - self.first + 1

    @property
    def present(self) -> int:
        """How many frames are there."""
        return self.frames - sum(last - first + 1 for first, last in self.gaps)

    def frame_path(self, number: int) -> Path:
        """Return the path of one frame, whether or not it is there."""
        return self.folder / f"{self.prefix}{number:0{self.padding}d}{self.suffix}"

    def frame_paths(self) -> Iterator[Path]:
        """Yield the paths of the frames that are there, in order."""
        number = self.first
        for gap_first, gap_last in (*self.gaps, (self.last + 1, self.last + 1)):
            yield from (self.frame_path(n) for n in range(number, gap_first))
            number = gap_last + 1


def is_pattern(path: Path) -> bool:
    """Return whether the name is written as a sequence: `[1001-1099]`, `%04d` or `####`."""
    return _WRITTEN.fullmatch(path.name) is not None and not path.exists()


def read(path: Path) -> Sequence:
    """Return the sequence that a folder or a written pattern names.

    A pattern with a range spans that range, and what is not on disk is a gap. Raises
    `UnreadableFileError` when no frame is there, or a folder holds more than one sequence.
    """
    if path.is_dir():
        found, _ = group(child for child in path.iterdir() if child.is_file())
        if len(found) != 1:
            names = ", ".join(item.path.name for item in found[:3])
            raise UnreadableFileError(
                f"{path}: found {len(found)} image sequences {names}; expected one".replace(
                    "  ", " "
                )
            )
        return found[0]
    written = _WRITTEN.fullmatch(path.name)
    if written is None:
        raise UnreadableFileError(f"{path}: found no frame numbers in the name")
    return _read_pattern(path, written)


def group(paths: Iterable[Path]) -> tuple[list[Sequence], list[Path]]:
    """Return the sequences among these files, and the files that are in none.

    Numbers stand right before the suffix: after a dot two frames are enough; after an underscore,
    or alone, it takes eight. `v001` is a version and `seed-123` a single still. Numbers with more
    gaps than frames are names, not frames.
    """
    numbered: dict[tuple[Path, str, str], list[tuple[str, Path]]] = defaultdict(list)
    single: list[Path] = []
    for path in paths:
        match = _NUMBERED.fullmatch(path.stem)
        if match and path.suffix.lower() in SUFFIXES and match["prefix"][-1:] in ("", ".", "_"):
            key = (path.parent, match["prefix"], path.suffix)
            numbered[key].append((match["number"], path))
        else:
            single.append(path)
    found: list[Sequence] = []
    for (folder, prefix, suffix), entries in numbered.items():
        least = 2 if prefix.endswith(".") else _LONE_FRAMES
        for padding, members in _by_padding(entries).items():
            numbers = sorted(int(number) for number, _ in members)
            span = numbers[-1] - numbers[0] + 1
            if len(numbers) < least or span > 2 * len(numbers):
                single.extend(path for _, path in members)
                continue
            found.append(_sequence(folder, prefix, suffix, padding, numbers))
    return sorted(found, key=lambda item: item.path), sorted(single)


def _by_padding(entries: list[tuple[str, Path]]) -> dict[int, list[tuple[str, Path]]]:
    """Sort numbers by how they are padded: `0999` and `1000` belong together, `9` and `10` too."""
    widths = {len(number) for number, _ in entries if number.startswith("0") and number != "0"}
    result: dict[int, list[tuple[str, Path]]] = defaultdict(list)
    for number, path in entries:
        if len(number) in widths:
            result[len(number)].append((number, path))
        elif len(widths) == 1 and len(number) > min(widths):
            result[min(widths)].append((number, path))
        else:
            result[1].append((number, path))
    return result


def _read_pattern(path: Path, written: re.Match[str]) -> Sequence:
    if not path.parent.is_dir():
        raise UnreadableFileError(f"{path}: found no folder {path.parent}")
    prefix, suffix = written["prefix"], written["suffix"]
    padding = _padding(written)
    numbers = sorted(_numbers(path.parent, prefix, suffix, padding))
    if written["first"]:
        first, last = int(written["first"]), int(written["last"])
        numbers = [number for number in numbers if first <= number <= last]
    if not numbers:
        raise UnreadableFileError(f"{path}: found no frame of this sequence")
    if not written["first"]:
        first, last = numbers[0], numbers[-1]
    return _sequence(path.parent, prefix, suffix, padding, numbers, first, last)


def _padding(written: re.Match[str]) -> int:
    if written["first"]:
        return len(written["first"])
    if written["marks"]:
        return len(written["marks"])
    return int(written["printf"] or 1)


def _numbers(folder: Path, prefix: str, suffix: str, padding: int) -> Iterator[int]:
    shape = re.compile(f"{re.escape(prefix)}([0-9]{{1,10}}){re.escape(suffix)}")
    for child in folder.iterdir():
        match = shape.fullmatch(child.name)
        if match and f"{int(match[1]):0{padding}d}" == match[1] and child.is_file():
            yield int(match[1])


def _sequence(
    folder: Path,
    prefix: str,
    suffix: str,
    padding: int,
    numbers: list[int],
    first: int | None = None,
    last: int | None = None,
) -> Sequence:
    first = numbers[0] if first is None else first
    last = numbers[-1] if last is None else last
    edges = [first - 1, *numbers, last + 1]
    gaps = tuple(
        (before + 1, after - 1)
        for before, after in itertools.pairwise(edges)
        if after - before > 1
    )
    return Sequence(
        folder=folder,
        prefix=prefix,
        suffix=suffix,
        padding=padding,
        first=first,
        last=last,
        gaps=gaps,
    )
