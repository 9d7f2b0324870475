"""Names as people mean them: programs change case, blanks and dots on the way into USD."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

_COPY = re.compile(r"[._]\d{3}$")  # Blender's MARA.001, in USD MARA_001


def plain(name: str) -> str:
    """Return a name without case, blanks and punctuation: `SH 010` is `sh010`, as is `sh_010`."""
    return "".join(_words(name))


def _words(text: str) -> list[str]:
    text = unicodedata.normalize("NFKC", text).casefold()
    return "".join(char if _is_fit(char) else " " for char in text).split()


def _is_fit(char: str) -> bool:
    """Say whether a character tells names apart: letters, digits, vowel signs of scripts."""
    return char.isalnum() or unicodedata.category(char).startswith("M")


def plain_set(names: Iterable[str | None]) -> set[str]:
    """Return the plain names of those that are any."""
    return {found for name in names if name and (found := plain(name))}


def names_in(text: str) -> set[str]:
    """Return the plain names that words of a text stand for, one alone or up to four together.

    In `SQ010_SH010_anim_v003` are `sq010`, `sq010sh010`, `sh010`, `sh010anim` and others.
    """
    words = _words(text)
    return {
        "".join(words[start:end])
        for start in range(len(words))
        for end in range(start + 1, min(start + 4, len(words)) + 1)
    }


def without_copy(name: str) -> str:
    """Return a name without the number that a program gave to a copy of an object."""
    return _COPY.sub("", name)
