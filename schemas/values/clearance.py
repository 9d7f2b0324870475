"""Clearance: who allowed what, as references to papers, never as a legal judgement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from castline.schemas.values.record import Record

Use = Literal["temp", "final"]
Likeness = Literal[
    "none",
    "synthetic_performer",
    "employment_based_replica",
    "independently_created_replica",
    "background_replica",
]
Tristate = Literal["yes", "no", "unknown"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Consent(Record):
    """A performer's consent, by reference."""

    ref: Annotated[str, "where the paper is: a contract number, a URL"]
    scope: Annotated[str | None, "what it covers"] = None
    project: Annotated[str | None, "the production it is for"] = None
    valid_until: Annotated[str | None, "date, ISO 8601"] = None
    status: Annotated[str | None, "given, asked, refused, withdrawn"] = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Approval(Record):
    """Somebody's written yes."""

    by: Annotated[str, "who"]
    at: Annotated[str, "when, ISO 8601"]
    ref: Annotated[str | None, "where the paper is"] = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Clearance(Record):
    """What a take, or a character's likeness, may be used for."""

    use: Annotated[Use, "temporary, or cleared for the final film"] = "temp"
    likeness: Annotated[Likeness, "whose likeness, in the words of the 2023 agreement"] = "none"
    performer_ref: Annotated[str | None, "identifier of the performer, never a name"] = None
    consent: Annotated[Consent | None, "the consent"] = None
    approvals: Annotated[tuple[Approval, ...], "approvals given"] = ()
    disclosure_required: Annotated[Tristate, "must the audience be told"] = "unknown"
