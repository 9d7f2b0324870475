"""The decision: what a person said, never overwritten by a score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from opentimelineio.opentime import TimeRange

from castline.schemas.values.record import Record

Verdict = Literal["approved", "rejected", "hold", "omit"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Decision(Record):
    """What somebody said about a take or an appearance, and about which bytes and frames."""

    verdict: Annotated[Verdict, "what was decided"]
    by: Annotated[str, "who decided"]
    at: Annotated[str, "when, ISO 8601"]
    take_id: Annotated[str, "the take it is about"]
    character_id: Annotated[str | None, "the appearance it is about; none: the take"] = None
    sha256: Annotated[str | None, "hash of the media file that was looked at"] = None
    media_range: Annotated[TimeRange | None, "the part of the media that was in the cut"] = None
    note: Annotated[str | None, "why"] = None
