"""The appearance: one character in one take, and how well it scored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from opentimelineio.opentime import RationalTime, TimeRange

from castline.schemas.values.record import Record

State = Literal["expected", "ok", "drift", "not_visible", "not_scorable", "missing", "unexpected"]
WARNING_STATES: tuple[State, ...] = ("drift", "missing", "unexpected")
"""The states that a person should look at; they become markers."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Score(Record):
    """How much like the references a character is in one take, by one model."""

    value: Annotated[float, "median over frames of the best likeness over references, cosine"]
    worst: Annotated[float | None, "the lowest frame's likeness"] = None
    worst_time: Annotated[RationalTime | None, "that frame, in media time"] = None
    spread: Annotated[float | None, "interquartile range over frames"] = None
    frames: Annotated[int | None, "how many frames were scored"] = None
    model: Annotated[str | None, "hash of the model's specification"] = None
    neighbours: Annotated[float | None, "likeness to the shots beside, same character"] = None
    anchor: Annotated[float | None, "likeness to the first approved shots"] = None
    threshold: Annotated[float | None, "the calibrated threshold it was held against"] = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Appearance(Record):
    """One character in one take, in media time."""

    character_id: Annotated[str, "who"]
    look_id: Annotated[str | None, "in which look"] = None
    state: Annotated[State, "what is known; `expected`: declared, not yet measured"] = "expected"
    media_range: Annotated[TimeRange | None, "where in the media; none: somewhere in it"] = None
    score: Annotated[Score | None, "the measurement, when there is one"] = None
    figure: Annotated[Score | None, "the whole figure in its look, when it was asked for"] = None
    note: Annotated[str | None, "a few words for people"] = None
