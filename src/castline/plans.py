"""Plans as files and as tables."""

from __future__ import annotations

import json
from pathlib import Path

import opentimelineio as otio

from castline.adapters import guard
from castline.adapters.output import write_text
from castline.schemas.errors import InvalidValueError, NewerVersionError
from castline.schemas.revive import revive
from castline.schemas.values import Offer, Plan
from castline.schemas.values.record import plain

VERSION = 1
_KEY = "castline_plan"


def as_json(plan: Plan) -> str:
    """Return the plan as JSON text; times are written as OTIO writes them."""
    data = {_KEY: VERSION, **plan.to_data()}
    compact = otio.core.serialize_json_to_string(data, indent=-1)
    return json.dumps(json.loads(compact), indent=1, ensure_ascii=False)


def write(plan: Plan, path: Path, *, overwrite: bool = False) -> None:
    """Write the plan, whole or not at all."""
    write_text(path, as_json(plan) + "\n", overwrite=overwrite)


def read(path: str | Path) -> Plan:
    """Return the plan of a file.

    Raises `UnreadableFileError` for what is no JSON, `InvalidValueError` for what is no plan and
    `NewerVersionError` for a plan of a later castline.
    """
    text = guard.read_text(Path(path))
    found = guard.check_json(text, str(path))
    if not isinstance(found, dict) or not isinstance(found.get(_KEY), int):
        raise InvalidValueError(f"{path}: expected a plan that castline wrote")
    if found[_KEY] > VERSION:
        raise NewerVersionError(f"{path}: found plan version {found[_KEY]}, expected {VERSION}")
    try:
        data = plain(revive(found, text=text))
    except InvalidValueError as error:
        raise InvalidValueError(f"{path}: {error}") from None
    data.pop(_KEY)
    return Plan.from_data(data, str(path))


def as_table(plan: Plan) -> str:
    """Return the plan as lines for people: takes, then questions, then open slots."""
    rows = [("take", "slot", "", "why")]
    rows += [(o.file, o.slot_id or "?", _state(o), _why(o)) for o in plan.offers]
    widths = [max(len(row[n]) for row in rows) for n in range(3)]
    lines = ["  ".join([*(row[n].ljust(widths[n]) for n in range(3)), row[3]]) for row in rows]
    lines.append("")
    lines += [f"decide  {question.where}: {question.message}" for question in plan.questions]
    if plan.open_slots:
        lines.append(
            f"open    {len(plan.open_slots)} of {plan.slots}: {', '.join(plan.open_slots)}"
        )
    return "\n".join(lines).rstrip()


def _state(offer: Offer) -> str:
    if offer.show:
        return "show"
    return "attach" if offer.attach else "-"


def _why(offer: Offer) -> str:
    notes = [check.message for check in offer.checks if check.verdict != "ok"]
    return "; ".join([offer.reason, *notes])
