"""The plan: which take goes where, and why; people read it, change it and carry it out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from opentimelineio.opentime import RationalTime

from castline.schemas.values.clearance import Clearance
from castline.schemas.values.record import Record
from castline.schemas.values.take import Generation, Placement

Verdict = Literal["ok", "note", "decide"]
MediaKind = Literal["movie", "sequence", "still", "audio"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Check(Record):
    """One comparison of a take with its slot."""

    what: Annotated[str, "length, handles, rate, size"]
    verdict: Annotated[Verdict, "ok, worth knowing, or a person must decide"]
    message: Annotated[str, "have and need, in frames and words"]


@dataclass(frozen=True, kw_only=True, eq=False)
class OfferedMedia(Record):
    """What a take's file is, as measured."""

    url: Annotated[str, "where it is"]
    kind: Annotated[MediaKind, "movie, image sequence, still or sound"]
    sha256: Annotated[str, "hash of its bytes"]
    frames: Annotated[int, "length in frames"]
    rate: Annotated[float, "frames a second"]
    start: Annotated[RationalTime | None, "its first frame's time"] = None
    width: Annotated[int | None, "pixels"] = None
    height: Annotated[int | None, "pixels"] = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Offer(Record):
    """One take and the slot proposed for it."""

    file: Annotated[str, "the file, relative to the folder of takes"]
    media: Annotated[OfferedMedia, "what it is"]
    take_id: Annotated[str, "its identifier"]
    slot_id: Annotated[str | None, "the slot; none: nothing fits, or several do"] = None
    reason: Annotated[str, "why this slot"] = ""
    candidates: Annotated[tuple[str, ...], "slots that fit equally well"] = ()
    attach: Annotated[bool, "conform attaches it"] = False
    show: Annotated[bool, "conform lets the clip show it"] = False
    placement: Annotated[Placement | None, "how it would sit in the clip"] = None
    checks: Annotated[tuple[Check, ...], "how it compares with the slot"] = ()
    characters: Annotated[tuple[str, ...], "who is in it, by character id"] = ()
    characters_reason: Annotated[str, "how that is known"] = ""
    generation: Annotated[Generation | None, "how it was made"] = None
    clearance: Annotated[Clearance | None, "what it may be used for"] = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Question(Record):
    """One thing that a person must decide."""

    where: Annotated[str, "the take or the slot"]
    message: Annotated[str, "what is open and how to settle it in the plan"]
    candidates: Annotated[tuple[str, ...], "the choices, where there are some"] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class Plan(Record):
    """What `plan` proposes and `conform` carries out."""

    cut: Annotated[str, "name of the cut it was made for"]
    slots: Annotated[int, "how many slots the cut has"] = 0
    offers: Annotated[tuple[Offer, ...], "the takes, in order of their files"] = ()
    questions: Annotated[tuple[Question, ...], "what a person must decide"] = ()
    open_slots: Annotated[tuple[str, ...], "slots that no take is for"] = ()
