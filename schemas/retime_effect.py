"""What a time effect does: a speed, a table of frames, or something that cannot be read."""

from __future__ import annotations

import math
import numbers
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import opentimelineio as otio

from castline.schemas.errors import CastlineError
from castline.schemas.exact import exact_number

_TABLE_STEPS = 10_000


class UnsupportedRetimeError(CastlineError):
    """A retime whose frames cannot be told from what the file says."""


@dataclass(frozen=True, slots=True)
class FrameTable:
    """A warp curve: at frame n of the item, the frame that far (in frames) away is asked for."""

    offsets: tuple[Fraction, ...]

    def frame_at(self, frame: Fraction) -> Fraction | None:
        """Give the frame asked for, between two entries on the line; None outside the table."""
        if not 0 <= frame <= len(self.offsets) - 1:
            return None
        whole = math.floor(frame)
        low = self.offsets[whole]
        high = self.offsets[min(whole + 1, len(self.offsets) - 1)]
        return frame + low + (frame - whole) * (high - low)


@dataclass(frozen=True, slots=True)
class Warp:
    """All enabled time effects of one item, the one nearest to the media first."""

    steps: tuple[Fraction | FrameTable, ...]

    @property
    def speed(self) -> Fraction:
        """The product of all speeds; negative when reversed, 0 when frozen."""
        return math.prod((s for s in self.steps if isinstance(s, Fraction)), start=Fraction(1))

    @property
    def tables(self) -> tuple[FrameTable, ...]:
        """The warp curves alone."""
        return tuple(step for step in self.steps if isinstance(step, FrameTable))

    def frame_at(self, frame: Fraction) -> Fraction | None:
        """Give the media frames run through since the item's first; None where it is unknown."""
        found: Fraction | None = frame
        for step in reversed(self.steps):
            if found is not None:
                found = step.frame_at(found) if isinstance(step, FrameTable) else step * found
        return found


def read_warp(effects: Iterable[otio.schema.Effect], place: str) -> Warp:
    """Read an item's effects; those that are disabled or do not touch time are passed over.

    Raises:
        UnsupportedRetimeError: an enabled time effect says neither a speed nor a usable table.

    """
    steps = (_step(effect, place) for effect in effects if effect.enabled)
    return Warp(tuple(step for step in steps if step is not None))


def _step(effect: otio.schema.Effect, place: str) -> Fraction | FrameTable | None:
    if isinstance(effect, otio.schema.FreezeFrame):
        return Fraction(0)
    if isinstance(effect, otio.schema.LinearTimeWarp):
        if not math.isfinite(effect.time_scalar):
            raise _unsupported(effect, place, f"speed {effect.time_scalar}", "a finite speed")
        return exact_number(effect.time_scalar)
    if not _touches_time(effect):
        return None
    lookup = effect.metadata.get("lookup")
    if _is_table(lookup):
        return FrameTable(tuple(_offset(entry) for entry in lookup))
    found = f"{effect.schema_name()} with metadata {sorted(effect.metadata)}"
    raise _unsupported(effect, place, found, "a LinearTimeWarp or a table 'lookup' of frames")


def _touches_time(effect: otio.schema.Effect) -> bool:
    if isinstance(effect, otio.schema.TimeEffect):
        return True
    names = f"{effect.effect_name} {effect.schema_name()}".lower()
    return any(word in names.replace(" ", "") for word in ("timewarp", "timeeffect", "retime"))


def _is_table(lookup: object) -> bool:
    return (
        isinstance(lookup, Sequence)
        and not isinstance(lookup, str)
        and len(lookup) > 0
        and all(_is_number(entry) for entry in lookup)
    )


def _is_number(entry: object) -> bool:
    return isinstance(entry, numbers.Real) and math.isfinite(entry)


def _offset(entry: float) -> Fraction:
    """Clean a table entry: programs write differences of single-precision frame numbers."""
    return Fraction(round(Fraction(entry) * _TABLE_STEPS), _TABLE_STEPS)


def _unsupported(
    effect: otio.schema.Effect, place: str, found: str, expected: str
) -> UnsupportedRetimeError:
    name = effect.name or effect.effect_name or effect.schema_name()
    return UnsupportedRetimeError(f"{place}, effect {name!r}: found {found}, expected {expected}")
