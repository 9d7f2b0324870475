"""What became of a cut in a file: everything that differs between what was written and read.

Nothing is listed by hand: every field of every object is compared, so a difference cannot be
forgotten. Objects are told apart by slot id, else by track and place.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import opentimelineio as otio

from castline.adapters.carrier.document import (
    Node,
    children_of,
    data_of,
    each_clip,
    references_of,
    schema_of,
    take_out,
)
from castline.schemas import names
from castline.schemas.values import Loss

Facts = dict[str, Any]
_STRUCTURE = frozenset({"children", "tracks", "OTIO_SCHEMA"})
_NOTHING: tuple[Any, ...] = (None, "", [], {})


def compare(before: otio.schema.Timeline, after: otio.schema.Timeline) -> list[Loss]:
    """Return every difference, an object and a field each, in the cut's order."""
    written, read = _objects(take_out(before)), _objects(take_out(after))
    losses: list[Loss] = []
    for key, (where, facts) in written.items():
        if key not in read:
            losses.append(Loss(where=where, field="object", reason="not returned", before=key))
        else:
            losses.extend(_differences(where, facts, read[key][1]))
    losses.extend(
        Loss(where=where, field="object", reason="added", after=key)
        for key, (where, _) in read.items()
        if key not in written
    )
    return losses


def count_carried(before: otio.schema.Timeline, after: otio.schema.Timeline) -> int:
    """Return how many clips came back with everything of ours: their own and their references'."""
    written, read = _data_by_slot(take_out(before)), _data_by_slot(take_out(after))
    return sum(slot_id in read and read[slot_id] == data for slot_id, data in written.items())


def _data_by_slot(document: Node) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for clip in each_clip(document):
        slot = data_of(clip)
        if isinstance(slot, dict) and isinstance(slot.get("slot_id"), str):
            takes = {key: data_of(item) for key, item in references_of(clip).items()}
            active = clip.get("active_media_reference_key")
            found.setdefault(slot["slot_id"], _comparable([slot, takes, active]))
    return found


def _objects(document: Node) -> dict[str, tuple[str, Facts]]:
    """Return every object's facts by a key that is the same before and after the trip."""
    found: dict[str, tuple[str, Facts]] = {"timeline": ("timeline", _facts(document))}
    tracks = document.get("tracks") or {}
    stack_facts = {f"tracks.{name}": value for name, value in _facts(tracks).items()}
    found["timeline"][1].update(stack_facts)
    _add_stack(tracks, "", found)
    return found


def _add_stack(stack: Node, prefix: str, found: dict[str, tuple[str, Facts]]) -> None:
    kinds: dict[str, int] = {}
    for track in children_of(stack):
        kind = str(track.get("kind", schema_of(track)))[:1].upper() or "?"
        kinds[kind] = kinds.get(kind, 0) + 1
        label = f"{prefix}{kind}{kinds[kind]}"
        if schema_of(track) == "Track":
            _put(found, label, label, _facts(track))
            _add_items(track, label, found)
        else:
            _add_item(track, label, len(found), 0.0, found)


def _add_items(track: Node, label: str, found: dict[str, tuple[str, Facts]]) -> None:
    start = 0.0
    counts: dict[str, int] = {}
    for item in children_of(track):
        kind = schema_of(item)
        counts[kind] = counts.get(kind, 0) + 1
        _add_item(item, label, counts[kind], start, found)
        if kind != "Transition":
            start += _length(item)


def _add_item(
    item: Node, label: str, number: int, start: float, found: dict[str, tuple[str, Facts]]
) -> None:
    slot = data_of(item)
    slot_id = slot.get("slot_id") if isinstance(slot, dict) else None
    kind = schema_of(item)
    where = f"{label} {kind.lower()} {number}" + (f" {item['name']}" if item.get("name") else "")
    key = f"slot {slot_id}" if isinstance(slot_id, str) else f"{label} {kind} {number}"
    facts = _facts(item)
    facts["track"] = label
    facts["start"] = round(start, 4)
    key = _put(found, key, where, facts)
    if kind == "Stack":
        _add_stack(item, f"{key}/", found)
    elif kind == "Track":
        _add_items(item, key, found)


def _put(found: dict[str, tuple[str, Facts]], key: str, where: str, facts: Facts) -> str:
    number = 2
    unique = key
    while unique in found:
        unique, number = f"{key} #{number}", number + 1
    found[unique] = (where, facts)
    return unique


def _facts(node: Node) -> Facts:
    facts: Facts = {"kind": schema_of(node)}
    for name, value in node.items():
        if name in _STRUCTURE:
            continue
        if name == "metadata":
            facts.update(_metadata_facts(value or {}))
        elif name == "media_references":
            for key, reference in references_of(node).items():
                facts.update({f"media {key}.{n}": v for n, v in _facts(reference).items()})
        elif name in ("markers", "effects"):
            for label, part in _labelled(name[:-1], value or []):
                facts.update({f"{label}.{n}": v for n, v in _facts(part).items()})
        else:
            facts[name] = _comparable(value)
    return facts


def _labelled(kind: str, parts: list[Node]) -> Iterator[tuple[str, Node]]:
    """Yield markers or effects with labels that do not depend on their order."""
    counts: dict[str, int] = {}
    for part in parts:
        name = " ".join(str(part.get("name") or part.get("effect_name") or "").split())
        label = f"{kind} {name.upper().replace('.', '_') or '?'}"
        counts[label] = counts.get(label, 0) + 1
        yield (label if counts[label] == 1 else f"{label} #{counts[label]}"), part


def _metadata_facts(metadata: Node) -> Iterator[tuple[str, Any]]:
    for namespace, value in metadata.items():
        if namespace == names.METADATA_KEY and isinstance(value, dict):
            for key, part in value.items():
                yield f"castline.{key}", _comparable(part)
        else:
            yield f"metadata.{namespace}", _comparable(value)


def _differences(where: str, before: Facts, after: Facts) -> Iterator[Loss]:
    gone = {name[:-5] for name in before if name.endswith(".kind") and name not in after}
    come = {name[:-5] for name in after if name.endswith(".kind") and name not in before}
    yield from (
        Loss(where=where, field=part, reason="not returned", before=before[f"{part}.kind"])
        for part in sorted(gone)
    )
    yield from (
        Loss(where=where, field=part, reason="added", after=after[f"{part}.kind"])
        for part in sorted(come)
    )
    whole = tuple(f"{part}." for part in gone | come)
    for name in [*before, *(name for name in after if name not in before)]:
        if name.startswith(whole):
            continue  # the marker, effect or reference itself is listed
        old, new = before.get(name), after.get(name)
        if old == new or (old in _NOTHING and new in _NOTHING):
            continue
        reason = "not returned" if new in _NOTHING else "changed"
        if old in _NOTHING:
            reason = "added"
        yield Loss(where=where, field=name, reason=reason, before=old, after=new)


def _comparable(value: Any) -> Any:
    """Return the value as it is compared and shown: a time as `value @ rate`, to 5 places."""
    if isinstance(value, dict):
        kind = schema_of(value)
        if kind == "RationalTime":
            return f"{_number(value.get('value'))} @ {_number(value.get('rate'))}"
        if kind == "TimeRange":
            start, length = _comparable(value["start_time"]), _comparable(value["duration"])
            return f"{start} for {length}"
        return {key: _comparable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_comparable(item) for item in value]
    if isinstance(value, float) and math.isnan(value):
        return "NaN"
    return value


def _number(value: Any) -> str:
    return f"{float(value):.5f}".rstrip("0").rstrip(".")


def _length(item: Node) -> float:
    span = item.get("source_range")
    if span is None:
        reference = references_of(item).get(item.get("active_media_reference_key", ""))
        span = (reference or {}).get("available_range")
    if span is None:
        return max((sum(map(_length, children_of(t))) for t in children_of(item)), default=0.0)
    return float(span["duration"]["value"]) / float(span["duration"]["rate"] or 1)
