"""Record what people decided, on which take, file and frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from opentimelineio import schema

from castline.adapters import guard
from castline.schemas.decisions import shown_range
from castline.schemas.errors import InvalidValueError, NeedsPersonError
from castline.schemas.places import get_slot, set_slot
from castline.schemas.slots import slots_of
from castline.schemas.takes import choose_take, switch_take, takes_of
from castline.schemas.values import Decision

_KEYS = frozenset({"slot", "take", "verdict", "by", "at", "character", "note", "show"})


def decide(
    cut: schema.Timeline, decisions: Sequence[Mapping[str, Any]], *, by: str | None = None
) -> schema.Timeline:
    """Return the cut with the decisions added to its slots; the cut given stays as it is.

    A decision has the keys `slot`, `take` (an id, `latest` or `temp`; without it the take shown),
    `verdict` (approved, rejected, hold, omit), `by`, and if wanted `at` (ISO 8601, else now),
    `character`, `note` and `show` (true: the clip shows this take from now on). What was decided
    before stays. Raises `InvalidValueError` for what the cut does not have, and
    `NeedsPersonError` where nobody is named.
    """
    result = cut.deepcopy()
    slots = slots_of(result)
    for number, said in enumerate(decisions, 1):
        _record(slots, said, f"decision {number}", by)
    return result


def read_decisions(path: str | Path) -> list[Mapping[str, Any]]:
    """Return the decisions of a JSON file: a list, or a dict with the list under `decisions`."""
    found = guard.check_json(guard.read_text(Path(path)), str(path))
    if isinstance(found, dict):
        found = found.get("decisions")
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise InvalidValueError(
            f"{path}: expected a list of decisions, each with slot and verdict"
        )
    return found


def _record(
    slots: dict[str, schema.Clip], said: Mapping[str, Any], where: str, by: str | None
) -> None:
    unknown = sorted(set(said) - _KEYS)
    if unknown:
        known = ", ".join(sorted(_KEYS))
        raise InvalidValueError(f"{where}: found {', '.join(unknown)}, expected {known}")
    if not isinstance(said.get("show", False), bool):
        raise InvalidValueError(f"{where}: found show {said['show']!r}, expected true or false")
    if said.get("at") is not None:
        _check_time(said["at"], where)
    clip = slots.get(str(said.get("slot")))
    if clip is None:
        raise InvalidValueError(f"{where}: found slot {said.get('slot')!r}, no slot of the cut")
    person = said.get("by") or by
    if not person:
        raise NeedsPersonError(f"{where}: nobody is named; add `by` or pass --by")
    key = _key(clip, said, where)
    take = takes_of(clip)[key]
    data = {
        "verdict": said.get("verdict"),
        "by": person,
        "at": said.get("at") or datetime.now(UTC).isoformat(timespec="seconds"),
        "take_id": take.take_id,
        "character_id": said.get("character"),
        "sha256": take.sha256,
        "media_range": shown_range(clip, take),
        "note": said.get("note"),
    }
    present = {name: value for name, value in data.items() if value is not None}
    decision = Decision.from_data(present, where)
    slot = get_slot(clip)
    if slot is not None:
        set_slot(clip, slot.replace(decisions=(*slot.decisions, decision)))
    if said.get("show"):
        switch_take(clip, key)


def _check_time(text: Any, where: str) -> None:
    try:
        datetime.fromisoformat(text)
    except (TypeError, ValueError):
        raise InvalidValueError(f"{where}: found at {text!r}, expected ISO 8601") from None


def _key(clip: schema.Clip, said: Mapping[str, Any], where: str) -> str:
    takes = takes_of(clip)
    wanted = said.get("take")
    key = choose_take(clip, str(wanted)) if wanted else clip.active_media_reference_key
    if key is None or key not in takes:
        known = ", ".join(take.take_id for take in takes.values()) or "none"
        raise InvalidValueError(
            f"{where}: found take {wanted or key!r}, slot {said['slot']} has {known}"
        )
    return key
