"""What a measurement was made with, in words that can be hashed.

Likeness from two models cannot be compared. So every score, threshold and cached vector carries
the hash of the model's specification: where its weights are from, which bytes they are, and how
pictures are brought to it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

_LENGTH = 16  # hexadecimal digits; enough to tell models apart, short enough to read


@dataclass(frozen=True)
class Specification:
    """How something is found and embedded."""

    parts: tuple[tuple[str, str | int | float], ...]
    """Names and values, sorted by name."""
    known: str | None = None
    """The hash, where the parts are known elsewhere."""

    @classmethod
    def of(cls, **parts: str | int | float) -> Specification:
        """Return the specification of these parts."""
        return cls(tuple(sorted(parts.items())))

    @classmethod
    def known_as(cls, known: str) -> Specification:
        """Return a specification of which only the hash is known."""
        return cls((), known)

    def within(self, **parts: str | int | float) -> Specification:
        """Return the specification with more parts."""
        return self.of(**dict(self.parts), **parts)

    @property
    def hash(self) -> str:
        """Return a short hash of all parts."""
        if self.known is not None:
            return self.known
        text = json.dumps(dict(self.parts), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:_LENGTH]

    def to_data(self) -> Mapping[str, Any]:
        """Return the parts as plain data."""
        return dict(self.parts)


def hash_of(path: Path) -> str:
    """Return the SHA-256 of a weights file, as hexadecimal text; read again when it changed."""
    state = path.stat()
    return _hash_of(path, state.st_size, state.st_mtime_ns, state.st_ino)


@lru_cache(maxsize=64)
def _hash_of(path: Path, *_: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
