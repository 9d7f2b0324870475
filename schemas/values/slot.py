"""What castline says about a clip, a marker and the whole cut."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from castline.schemas.values.cast import Cast
from castline.schemas.values.decision import Decision
from castline.schemas.values.record import Record
from castline.schemas.values.scene import Prim, Scene

UnplacedReason = Literal["not_returned", "no_clip", "conflict", "damaged", "newer"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Expected(Record):
    """A character that the story wants in a slot."""

    character_id: Annotated[str, "who"]
    look_id: Annotated[str | None, "in which look"] = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Slot(Record):
    """A clip of the cut as a place to be filled: what editorial asked for."""

    slot_id: Annotated[str, "identifier, unique in the cut"]
    derived_from: Annotated[str | None, "the slot that a tool split or copied this from"] = None
    expected: Annotated[tuple[Expected, ...], "who should be seen"] = ()
    decisions: Annotated[tuple[Decision, ...], "what people said, oldest first"] = ()
    prim: Annotated[Prim | None, "the shot or camera of a scene that it is"] = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Note(Record):
    """What one of our markers points at."""

    about: Annotated[str, "slot, take or character id"]
    take_id: Annotated[str | None, "the take"] = None
    character_id: Annotated[str | None, "the character"] = None
    prim: Annotated[Prim | None, "the prim of a scene, where it points at one"] = None
    posted: Annotated[bool, "a flag, made anew by each delivery; nobody's own marker"] = False


@dataclass(frozen=True, kw_only=True, eq=False)
class Unplaced(Record):
    """Data that a file brought back and that found no place in the cut."""

    reason: Annotated[
        UnplacedReason,
        "the format kept no such object, no clip fits, two clips claim it, or it is unreadable",
    ]
    where: Annotated[str, "where it was, or was found"]
    payload: Annotated[Mapping[str, Any] | None, "the data, when it can be read"] = None
    text: Annotated[str | None, "the text as found, when it cannot"] = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Sequence(Record):
    """What castline says about the whole cut."""

    cast: Annotated[Cast | None, "who is in the story"] = None
    calibration: Annotated[Mapping[str, Any], "thresholds, by hash of the model"] = field(
        default_factory=dict
    )
    unplaced: Annotated[tuple[Unplaced, ...], "data that found no clip"] = ()
    scene: Annotated[Scene | None, "the stage it was read from, where it was no cut"] = None
