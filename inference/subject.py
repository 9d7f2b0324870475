"""What a model sees in a picture: a face or a figure, and how to tell it from another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Protocol

from castline.inference.find.box import Box
from castline.inference.specification import Specification


class Clarity(IntEnum):
    """How well somebody is seen, and so what may be said of them."""

    POOR = 0
    """From the side, or hardly at all: it says nothing."""
    FAIR = 1
    """Well enough to see that it is nobody of the cast, no more."""
    CLEAR = 2
    """Well enough to be told from another."""


@dataclass(frozen=True, eq=False)
class Subject:
    """One face or figure in one picture."""

    box: Box
    confidence: float
    """On the finder's own scale; higher is surer."""
    clarity: Clarity
    vector: Any
    """Float32 array of unit length."""

    @property
    def is_scorable(self) -> bool:
        """Say whether it is seen well enough to be told from another."""
        return self.clarity is Clarity.CLEAR


@dataclass(frozen=True)
class Sight:
    """What was seen in one frame of a take."""

    number: int
    subjects: tuple[Subject, ...]


class Model(Protocol):
    """The whole way from pictures to subjects that can be compared."""

    specification: Specification
    kinds: frozenset[str]
    """Of a cast's references, those that it can be compared with."""

    def look(
        self, pictures: Sequence[Any], boxes: Sequence[Sequence[Box] | None] | None = None
    ) -> list[tuple[Subject, ...]]:
        """Return the subjects of each picture, the surest first.

        The pictures are uint8 arrays of one size, height x width x RGB. Where `boxes` holds some
        for a picture, those are taken, in their order, and nothing is looked for.
        """
