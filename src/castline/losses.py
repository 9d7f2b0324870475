"""The losses of a delivery, for machines and for people."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from castline.schemas.values import Loss

_VERSION = 1
_EXAMPLES = 2


@dataclass(frozen=True)
class Delivery:
    """What became of a cut in one format."""

    format: str
    file: str
    clips: int
    """Clips of the cut."""
    returned: int
    """Clips that came back with all of castline's data."""
    losses: tuple[Loss, ...] = ()
    error: str | None = None
    """Why there is no file, in the writer's or the reader's words."""


def as_json(cut: str, deliveries: Iterable[Delivery]) -> str:
    """Return the losses as JSON text: each format's file, error and every loss."""
    formats = {
        delivery.format: {
            "file": delivery.file,
            "clips": delivery.clips,
            "clips_with_data": delivery.returned,
            "error": delivery.error,
            "losses": [loss.to_data() for loss in delivery.losses],
        }
        for delivery in deliveries
    }
    document = {"version": _VERSION, "cut": cut, "formats": formats}
    return json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True, default=str) + "\n"


def as_markdown(cut: str, deliveries: Sequence[Delivery]) -> str:
    """Return the losses as a page for people: a table of the formats, then what each lost."""
    lines = [f"# {cut}: what was delivered, and what each format could not carry", ""]
    lines += ["| format | file | clips with data | differences |", "|---|---|---|---|"]
    for delivery in deliveries:
        state = delivery.error or str(len(delivery.losses))
        count = f"{delivery.returned} of {delivery.clips}"
        lines.append(f"| {delivery.format} | {delivery.file} | {count} | {_cell(state)} |")
    for delivery in deliveries:
        if delivery.losses:
            lines += ["", f"## {delivery.format}", ""]
            lines += ["| what | became | how often | for example |", "|---|---|---|---|"]
            lines += [
                f"| {_cell(field)} | {reason} | {count} | {_cell(example)} |"
                for field, reason, count, example in grouped(delivery.losses)
            ]
    return "\n".join(lines) + "\n"


def as_table(deliveries: Sequence[Delivery], folder: Path) -> str:
    """Return a line for each format: the file, the clips that came back, what was lost."""
    rows = [("format", "clips", "differences", "file")]
    for delivery in deliveries:
        clips = f"{delivery.returned} of {delivery.clips}"
        rows.append((delivery.format, clips, _differences(delivery), _place(delivery, folder)))
    widths = [max(len(row[n]) for row in rows) for n in range(3)]
    return "\n".join(
        "  ".join([*(row[n].ljust(widths[n]) for n in range(3)), row[3]]) for row in rows
    )


def _differences(delivery: Delivery) -> str:
    return "not written" if delivery.error else str(len(delivery.losses))


def _place(delivery: Delivery, folder: Path) -> str:
    return delivery.error or str(folder / delivery.file)


def grouped(losses: Iterable[Loss]) -> list[tuple[str, str, int, str]]:
    """Return field, reason, count and an example for each kind of loss, the frequent first."""
    groups: dict[tuple[str, str], list[Loss]] = defaultdict(list)
    for loss in losses:
        groups[loss.field, loss.reason].append(loss)
    rows = [
        (field, reason, len(found), "; ".join(map(_example, found[:_EXAMPLES])))
        for (field, reason), found in groups.items()
    ]
    return sorted(rows, key=lambda row: (-row[2], row[0]))


def _example(loss: Loss) -> str:
    if loss.reason == "changed":
        return f"{loss.where}: {_short(loss.before)} -> {_short(loss.after)}"
    return f"{loss.where}: {_short(loss.before if loss.before is not None else loss.after)}"


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 48 else f"{text[:45]}..."


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())
