"""What people see of our data in a comment or a marker: one short line each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import isfinite
from typing import Any, get_args

from castline.adapters.carrier import codec
from castline.adapters.carrier.document import Node, active_reference_of, data_of, schema_of
from castline.schemas import names
from castline.schemas.values import WARNING_STATES
from castline.schemas.values.appearance import State

_MAX_LINE = 160
_STATES = frozenset(get_args(State))
_COLORS = {"drift": "YELLOW", "missing": "RED", "unexpected": "RED"}


def summarise(clip: Node) -> str:
    """Return the line for people that goes with a clip's payload."""
    slot = data_of(clip)
    parts = [str(slot["slot_id"])] if isinstance(slot, dict) and "slot_id" in slot else []
    reference = active_reference_of(clip)
    take = data_of(reference) if reference else None
    if isinstance(take, dict) and "take_id" in take:
        parts.append(f"{take.get('role', 'take')} {take['take_id']}")
    parts += [seen.verdict for seen in _appearances(take)]
    text = " | ".join(parts) or "data attached"
    return codec.seal(_one_line(text)[:_MAX_LINE].rstrip())


def post_markers(clip: Node) -> list[str]:
    """Add a marker for each character warning of the active take; return their names.

    The verdict stands in the name, since most formats lose a marker's comment. What a person has
    approved since needs nobody's eye again, and gets none.
    """
    reference = active_reference_of(clip)
    take = data_of(reference) if reference else None
    is_approved = _approvals(data_of(clip), take)
    posted = []
    there = {_flagged(marker) for marker in clip.get("markers") or []}
    for seen in _appearances(take):
        if seen.character in there:  # by a delivery that this cut has come back from
            continue
        if seen.state in WARNING_STATES and not is_approved(seen.character):
            marker = _marker(clip, seen)
            clip.setdefault("markers", []).append(marker)
            posted.append(marker["name"])
    return posted


def _flagged(marker: Any) -> str | None:
    """Return the character whom a marker of an earlier delivery flags."""
    note = data_of(marker) if isinstance(marker, dict) else None
    if not isinstance(note, dict) or note.get("posted") is not True:
        return None
    return str(note.get("character_id"))


def _approvals(slot: Any, take: Any) -> Callable[[str], bool]:
    """Return what says of a character whether a person, last of all, approved this very take.

    Who approves a take without naming anybody approves all who are in it.
    """
    decisions = slot.get("decisions") if isinstance(slot, dict) else None
    whole: Any = None
    last: dict[str, Any] = {}
    for said in decisions if isinstance(decisions, list) else []:
        if (
            isinstance(said, dict)
            and isinstance(take, dict)
            and said.get("take_id") == take.get("take_id")
            and said.get("sha256") in (None, take.get("sha256"))
        ):
            character = said.get("character_id")
            if isinstance(character, str):
                last[character] = said.get("verdict")
            else:
                whole, last = said.get("verdict"), {}
    return lambda character: last.get(character, whole) == "approved"


@dataclass(frozen=True)
class _Seen:
    """What a line or a marker says of one appearance."""

    character: str
    state: str
    score: float | None
    worst: Node | None
    note: str

    @property
    def verdict(self) -> str:
        score = "" if self.score is None else f" {self.score:.2f}"
        return f"{self.character.upper()}{score} {self.state.upper()}"


def _appearances(take: Any) -> Iterator[_Seen]:
    """Yield the appearances that have our shape.

    Read by hand, not through the values: this is asked of every clip of every write. A foreign
    shape rides along all the same; it has no line for people.
    """
    found = take.get("appearances") if isinstance(take, dict) else None
    for data in found if isinstance(found, list) else []:
        if not isinstance(data, dict) or not isinstance(data.get("character_id"), str):
            continue
        state, score = data.get("state", "expected"), data.get("score")
        if state not in _STATES:
            continue
        value = score.get("value") if isinstance(score, dict) else None
        worst = score.get("worst_time") if isinstance(score, dict) else None
        yield _Seen(
            data["character_id"],
            state,
            float(value) if isinstance(value, (int, float)) and isfinite(value) else None,
            worst if isinstance(worst, dict) and schema_of(worst) == "RationalTime" else None,
            str(data.get("note") or ""),
        )


def _marker(clip: Node, seen: _Seen) -> Node:
    slot = data_of(clip)
    about = slot.get("slot_id") if isinstance(slot, dict) else None
    start = _start_of(clip, seen)
    return {
        "OTIO_SCHEMA": "Marker.2",
        "metadata": {
            names.METADATA_KEY: {
                "version": names.PAYLOAD_VERSION,
                "about": about or clip.get("name") or "",
                "character_id": seen.character,
                "posted": True,
            }
        },
        "name": _one_line(seen.verdict + (f" - {seen.note}" if seen.note else "")),
        "color": _COLORS[seen.state],
        "comment": seen.note,
        "marked_range": {
            "OTIO_SCHEMA": "TimeRange.1",
            "start_time": start,
            "duration": {"OTIO_SCHEMA": "RationalTime.1", "rate": start["rate"], "value": 1.0},
        },
    }


def _start_of(clip: Node, seen: _Seen) -> Node:
    source_range = clip.get("source_range") or {}
    start = seen.worst or source_range.get("start_time") or {"rate": 24.0, "value": 0.0}
    return {"OTIO_SCHEMA": "RationalTime.1", "rate": start["rate"], "value": start["value"]}


def _one_line(text: str) -> str:
    text = text.replace("%", "pct")
    if not text.isprintable():
        text = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(text.split())
