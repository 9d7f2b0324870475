"""What castline has to say about a file: losses and problems."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from castline.schemas.values.record import Record

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Loss(Record):
    """One thing that one delivery could not carry."""

    where: Annotated[str, "the object: track, clip, marker, by its place in the cut"]
    field: Annotated[str, "what of it"]
    reason: Annotated[str, "what became of it, for people"]
    before: Annotated[Any, "what was written, as text"] = None
    after: Annotated[Any, "what came back, as text"] = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Problem(Record):
    """One broken rule that `check` found."""

    rule: Annotated[str, "name of the rule"]
    where: Annotated[str, "the object it is about"]
    message: Annotated[str, "what is wrong and what to do"]
    severity: Annotated[Severity, "error: must not go out; warning: look at it; note"] = "error"
