"""Names as people mean them: programs change case, spaces and dots on the way into USD."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

_UNFIT = re.compile(r"[\W_]+")
_COPY = re.compile(r"_\d{3}$")  # Blender's MARA.001 is MARA_001 in USD


def plain(name: str) -> str:
    """Return a name without case, blanks and punctuation; empty where nothing is left."""
    return _UNFIT.sub("_", unicodedata.normalize("NFKC", name).casefold()).strip("_")


def without_copy(name: str) -> str:
    """Return a plain name without the number that a program gave to a copy of an object."""
    return _COPY.sub("", name)


def plain_set(names: Iterable[str | None]) -> set[str]:
    """Return the plain names of those that are any."""
    return {found for name in names if name and (found := plain(name))}
