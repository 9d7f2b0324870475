"""What a media reference can be in a stage: a scene, a plate of pictures, a sound, a movie."""

from __future__ import annotations

import os
import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from fractions import Fraction
from math import floor
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from castline.adapters.material import sequence
from castline.adapters.material.media import AUDIO_SUFFIXES, MOVIE_SUFFIXES, STILL_SUFFIXES
from castline.adapters.usd.layout import SUFFIXES, kind_of
from castline.schemas.errors import CastlineError
from castline.schemas.exact import exact_frames, exact_rate

_SCENE_SUFFIXES = frozenset(f".{suffix}" for suffix in SUFFIXES)
_KNOWN = _SCENE_SUFFIXES | AUDIO_SUFFIXES | MOVIE_SUFFIXES | STILL_SUFFIXES
DEFAULT_RATE = Fraction(24)
"""Frames a second of pictures that say nothing of it."""

_DRIVE = re.compile(r"/?[A-Za-z]:[/\\]")


@dataclass(frozen=True)
class Scene:
    """A USD file."""

    path: Path


@dataclass(frozen=True)
class Sound:
    """A sound file; `start` is the media time of its first sample, in seconds."""

    path: Path
    start: Fraction


@dataclass(frozen=True)
class Movie:
    """A movie file: a plate once its frames are extracted."""

    path: Path
    start: Fraction


@dataclass(frozen=True)
class Plate:
    """Pictures by media frame: one still for all, or numbered files of which some may miss."""

    folder: Path
    still: str | None = None
    prefix: str = ""
    suffix: str = ""
    padding: int = 0
    first_number: int = 0
    start: Fraction = Fraction(0)
    """The media time of the first picture, in seconds."""
    rate: Fraction = Fraction(24)
    """Numbers a second."""
    step: int = 1
    """Numbers from one picture to the next."""
    numbers: tuple[int, ...] = field(default=(), repr=False)
    """The numbers that are there, in order."""

    def picture(self, time: Fraction) -> tuple[Path, bool]:
        """Return the picture at a media time in seconds, and whether it is the one asked for.

        Where that one is not there, it is the one before, or else the first.
        """
        if self.still is not None:
            return self.folder / self.still, True
        steps = floor((time - self.start) * self.rate / self.step)
        wanted = self.first_number + steps * self.step
        number = self.numbers[max(bisect_right(self.numbers, wanted) - 1, 0)]
        sign = "-" if number < 0 else ""
        name = f"{self.prefix}{sign}{abs(number):0{self.padding}d}{self.suffix}"
        return self.folder / name, number == wanted


Offer = Scene | Sound | Movie | Plate


class Library:
    """Finds out what references are; looks into each folder once."""

    def __init__(
        self,
        folder: Path,
        *,
        movies: bool = False,
        only: frozenset[str] | None = None,
        barred: str | None = None,
        target: Path | None = None,
    ) -> None:
        """Relative media paths begin at `folder`; `target` is the stage that is written.

        `movies` says that their frames are wanted, `only` which suffixes may be brought in, and
        `barred` why nothing may.
        """
        self._folder = folder
        self._movies = movies
        self._only = only
        self._barred = barred
        self._target = target.resolve() if target else None
        self._names: dict[Path, list[str]] = {}

    def offer(self, reference: dict[str, Any], *, is_picture: bool = True) -> Offer | str:
        """Return what the document of a media reference stands for, or why it is nothing here."""
        try:
            found = self._offer(reference, is_picture)
        except (CastlineError, ValueError, OSError) as error:  # times that are none, odd names
            return f"its media cannot be told: {error}"
        if isinstance(found, (str, Movie)):
            return found
        if self._barred:
            return self._barred
        suffix = found.suffix if isinstance(found, Plate) else found.path.suffix
        if self._only is not None and suffix.lower() not in self._only:
            return f"no usdz may hold a {suffix}"
        return found

    def _offer(self, reference: dict[str, Any], is_picture: bool) -> Offer | str:
        kind = kind_of(reference)
        if kind == "ImageSequenceReference":
            return self._sequence(reference)
        url = reference.get("target_url")
        if kind != "ExternalReference" or not isinstance(url, str) or not url:
            return f"a {kind} has no picture in USD"
        suffix = os.path.splitext(url)[1].lower()  # noqa: PTH122 - called for each clip
        if suffix in MOVIE_SUFFIXES or suffix not in _KNOWN:
            return self._movie(url, suffix, reference, is_picture)
        path = path_of(url, self._folder)
        if path is None:
            return "an address on a network is not opened"
        if sequence.is_pattern(path):
            return self._pattern(path, reference)
        if not path.is_file():
            return "the file is not there"
        if suffix in _SCENE_SUFFIXES:
            is_itself = self._target is not None and path.resolve() == self._target
            return "it is the stage itself" if is_itself else Scene(path)
        if suffix in AUDIO_SUFFIXES:
            return Sound(path, _start_of(reference))
        return Plate(path.parent, still=path.name, suffix=path.suffix)

    def _movie(
        self, url: str, suffix: str, reference: dict[str, Any], is_picture: bool
    ) -> Offer | str:
        if suffix not in MOVIE_SUFFIXES:
            return f"media of the kind {suffix or 'without a suffix'} has no place in USD"
        if not is_picture:
            return "the sound of a movie has no place in USD"
        if not self._movies:
            return "a movie; its frames become a plate with --plates FOLDER"
        path = path_of(url, self._folder)
        if path is None or not path.is_file():
            return "the file is not there"
        return Movie(path, _start_of(reference))

    def _sequence(self, reference: dict[str, Any]) -> Offer | str:
        base = str(reference.get("target_url_base") or "")
        folder = path_of(base, self._folder) if base else self._folder
        if folder is None:
            return "an address on a network is not opened"
        number = int(reference.get("start_frame") or 0)
        rate = _rate_of(reference)
        return self._with_numbers(
            Plate(
                folder,
                prefix=str(reference.get("name_prefix") or ""),
                suffix=str(reference.get("name_suffix") or ""),
                padding=int(reference.get("frame_zero_padding") or 0),
                first_number=number,
                start=_start_of(reference, number / rate),
                rate=rate,
                step=max(int(reference.get("frame_step") or 1), 1),
            )
        )

    def _pattern(self, path: Path, reference: dict[str, Any]) -> Offer | str:
        try:
            found = sequence.read(path)
        except (CastlineError, OSError):
            return "none of its pictures is there"
        rate = _rate_of(reference)
        return self._with_numbers(
            Plate(
                found.folder,
                prefix=found.prefix,
                suffix=found.suffix,
                padding=found.padding,
                first_number=found.first,
                start=_start_of(reference, found.first / rate),
                rate=rate,
            )
        )

    def _with_numbers(self, plate: Plate) -> Offer | str:
        if plate.folder not in self._names:
            try:
                self._names[plate.folder] = os.listdir(plate.folder)  # noqa: PTH208
            except OSError:
                self._names[plate.folder] = []
        numbers = numbers_among(self._names[plate.folder], plate)
        return replace(plate, numbers=numbers) if numbers else "none of its pictures is there"


def numbers_among(names: Iterable[str], plate: Plate) -> tuple[int, ...]:
    """Return the numbers of the plate's pictures among names of files, in order."""
    shape = re.compile(
        rf"{re.escape(plate.prefix)}(-?[0-9]{{{max(plate.padding, 1)},}}){re.escape(plate.suffix)}"
    )
    return tuple(sorted(int(found[1]) for name in names if (found := shape.fullmatch(name))))


def path_of(url: str, folder: Path) -> Path | None:
    """Return the path that a media URL names, relative ones from `folder`; None for addresses."""
    if not url.isprintable() or not unquote(url).isprintable():
        return None  # USD has no asset paths with control characters
    if _DRIVE.match(url):
        return Path(url)
    parts = urlsplit(url)
    if not parts.scheme:
        path = Path(url)
        if path.is_absolute():
            return path
        path = folder / (path if path.suffix else unquote(url))
        return path if folder.exists() else Path(os.path.normpath(path))  # `..` leads out of none
    if parts.scheme != "file" or parts.netloc not in ("", "localhost"):
        return None
    text = unquote(parts.path)
    return Path(text[1:] if _DRIVE.match(text) else text)


def _start_of(reference: dict[str, Any], otherwise: Fraction = Fraction(0)) -> Fraction:
    """Return the media time at which the media begins, in seconds."""
    available = reference.get("available_range")
    if not isinstance(available, dict):
        return otherwise
    start = available["start_time"]
    return exact_frames(start["value"]) / exact_rate(start["rate"])


def _rate_of(reference: dict[str, Any]) -> Fraction:
    """Return the frames a second of the media's own times."""
    available = reference.get("available_range")
    if isinstance(available, dict):
        return exact_rate(available["start_time"]["rate"])
    rate = reference.get("rate")
    return exact_rate(rate) if rate else DEFAULT_RATE
