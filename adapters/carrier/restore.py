"""Putting what came back with a file onto its objects again: the editor's hand wins."""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Iterable
from typing import Any

import opentimelineio as otio

from castline.adapters.carrier import codec
from castline.adapters.carrier.document import (
    Node,
    active_reference_of,
    data_of,
    put_back,
    schema_of,
    set_data,
    walk,
)
from castline.adapters.carrier.envelope import Carrier, Envelope
from castline.adapters.carrier.match import describe, equal_ranges, match
from castline.adapters.carrier.references import restore_references
from castline.adapters.carrier.trust import is_envelope
from castline.schemas import names

_LOG = logging.getLogger("castline")
_COPY_NAMESPACE = uuid.UUID("6f0f6f4e-6a53-5d0e-8f6e-0c5a3d1c7b11")


def extract(document: Node, carriers: Iterable[Carrier], *, careful: bool = True) -> list[str]:
    """Take our texts out of the format's fields and put the data where it belongs.

    With `careful` each object that a payload holds is tried on OTIO first, which costs time.
    Returns what a person should know, a line each; the same is in the timeline's `unplaced`.
    Data that the tree already holds under our key is left as it is: it is nearer to the truth
    than a copy in a comment. Nothing is changed where nothing of ours is found.
    """
    timelines = [node for _, node in walk(document) if schema_of(node) == "Timeline"]
    warnings: list[str] = []
    for timeline in timelines or [document]:
        for carrier in carriers:
            try:
                _Restoration(timeline, carrier, careful).run(warnings)
            except Exception as error:  # noqa: BLE001 - one format's trouble is not another's
                warnings.append(f"data not restored: {error!r}")
    return warnings


class _Restoration:
    """One carrier's data in one timeline."""

    def __init__(self, timeline: Node, carrier: Carrier, careful: bool) -> None:
        self.careful = careful
        self.timeline = timeline
        self.carrier = carrier
        self.addresses: dict[int, str] = {}
        self.pools: dict[tuple[str, ...], tuple[list[Node], list[Envelope]]] = {}
        self.wholes: list[Envelope] = []
        self.unplaced: list[Node] = []
        self.by_name: dict[tuple[Any, Any], list[Node]] | None = None

    def run(self, warnings: list[str]) -> None:
        found = list(self.carrier.take(self.timeline))
        if not found:
            return
        self.addresses = {id(node): address for address, node in walk(self.timeline)}
        for owner, texts in found:
            self._read(owner, texts)
        answer = match(list(self.pools.values()))
        for clip, envelope in answer.placed:
            self._apply(clip, envelope)
        for clip, envelope in answer.copies:
            self._apply_copy(clip, envelope)
        for envelope in answer.left:
            if envelope.get("bare"):
                continue
            self._leave("no_clip", str(envelope.get("name") or envelope["id"]), payload=envelope)
        self._apply_wholes()
        self._note(warnings)
        if settle := getattr(self.carrier, "settle", None):
            settle(self.timeline, [*answer.placed, *answer.copies])

    def _read(self, owner: Node | list[Node], texts: list[str]) -> None:
        owners = owner if isinstance(owner, list) else [owner]
        unpacked = codec.unpack(texts)
        place = self._where(owners[0])
        for reason, text in unpacked.damaged:
            self._leave(reason, place, text=text)
        envelopes: list[Envelope] = []
        for payload in unpacked.payloads:
            if not is_envelope(payload, self.careful):
                self._leave("damaged", place, text=codec.encode(payload))
            elif payload["kind"] == "timeline":
                if payload not in self.wholes:
                    self.wholes.append(payload)
            else:
                envelopes.append(payload)
        kind = schema_of(owners[0]).lower()
        fitting = [item for item in envelopes if item["kind"] == kind in ("clip", "stack")]
        key = tuple(sorted(str(envelope["id"]) for envelope in fitting))
        if fitting:
            # An own place holds one clip's payload; only equal shared places make one pool.
            own = (str(id(owner)),) if len(fitting) == len(owners) == 1 else ()
            self.pools.setdefault((*key, *own), ([], fitting))[0].extend(owners)
        for envelope in envelopes if len(fitting) < len(envelopes) else []:
            if envelope not in fitting:
                self._leave("no_clip", place, payload=envelope)

    def _apply(self, clip: Node, envelope: Envelope) -> None:
        if envelope.get("data") is not None and data_of(clip) is None:
            set_data(clip, envelope["data"])
        if data_of(active_reference_of(clip) or {}) is None:
            restore_references(clip, envelope)
        undo = envelope.get("undo") or {}
        if "range" in undo and equal_ranges(clip.get("source_range"), undo.get("written_range")):
            clip["source_range"] = undo["range"]
        if "name" in undo and clip.get("name") == undo.get("written_name"):
            clip["name"] = undo["name"]
        self._restore_markers(clip, envelope)

    def _apply_copy(self, clip: Node, envelope: Envelope) -> None:
        before = data_of(clip)
        self._apply(clip, envelope)
        data = data_of(clip)
        if before is None and isinstance(data, dict) and isinstance(data.get("slot_id"), str):
            origin = data["slot_id"]
            number = f"{origin}/{self.addresses.get(id(clip), '')}"
            copied = f"{origin}-{uuid.uuid5(_COPY_NAMESPACE, number).hex[:6]}"
            set_data(clip, {**data, "slot_id": copied, "derived_from": origin})

    def _restore_markers(self, clip: Node, envelope: Envelope) -> None:
        posted = {_fold(name) for name in envelope.get("posted") or []}
        markers = clip.get("markers") or []
        clip["markers"] = markers = [m for m in markers if _fold(m.get("name")) not in posted]
        free = {_fold(marker.get("name")): marker for marker in reversed(markers)}
        for marker in envelope.get("markers") or []:
            twin = free.pop(_fold(marker.get("name")), None)
            if twin is not None:
                set_data(twin, data_of(marker))
            elif self.carrier.MARKERS:
                self._leave("no_clip", f"marker {marker.get('name')!r}", payload=marker)
            else:
                markers.append(marker)

    def _apply_wholes(self) -> None:
        for number, whole in enumerate(self.wholes):
            if number and whole.get("data") != self.wholes[0].get("data"):
                self._leave("conflict", "timeline", payload=whole)
                continue
            if number == 0 and whole.get("data") is not None and data_of(self.timeline) is None:
                set_data(self.timeline, whole["data"])
            for envelope in whole.get("objects") or []:
                if is_envelope(envelope, self.careful) and not self._place_object(envelope):
                    where = f"{envelope.get('kind')} {envelope.get('name') or ''}".strip()
                    at = envelope.get("at", str(envelope.get("id", "")).lstrip("@"))
                    self._leave("not_returned", f"{where} at {at}", payload=envelope)

    def _place_object(self, envelope: Envelope) -> bool:
        """Put data back on the one object that is unmistakably the same."""
        if "object" in envelope:
            return self._is_kept(envelope)
        twins = self._named().get((envelope.get("kind"), envelope.get("name")), [])
        if any(data_of(node) == envelope.get("data") for node in twins):
            return True  # the format kept it by itself
        depth = str(envelope.get("at", "")).count("/")
        free = [
            node
            for node in twins
            if data_of(node) is None
            and ("at" not in envelope or self.addresses.get(id(node), "").count("/") == depth)
        ]
        if len(free) != 1 or not envelope.get("name"):
            return False
        if envelope["kind"] == "clip":
            span = describe({"source_range": envelope.get("range")})[1]
            if describe(free[0])[1] != span:
                return False
            self._apply(free[0], envelope)
        else:
            set_data(free[0], envelope.get("data"))
        return True

    def _is_kept(self, envelope: Envelope) -> bool:
        """Say whether the format kept a marker's or effect's data by itself."""
        parts = (
            part
            for _, node in walk(self.timeline)
            for part in (*(node.get("markers") or ()), *(node.get("effects") or ()))
        )
        return any(data_of(part) == envelope.get("data") for part in parts)

    def _named(self) -> dict[tuple[Any, Any], list[Node]]:
        """Return the timeline's objects by kind and name, looked at once."""
        if self.by_name is None:
            self.by_name = {}
            for _, node in walk(self.timeline):
                key = (schema_of(node).lower(), node.get("name"))
                self.by_name.setdefault(key, []).append(node)
        return self.by_name

    def _leave(self, reason: str, where: str, **what: Any) -> None:
        entry = {"reason": reason, "where": where, **what}
        if entry not in self.unplaced:
            self.unplaced.append(entry)

    def _note(self, warnings: list[str]) -> None:
        if not self.unplaced:
            return
        data = data_of(self.timeline)
        if data is None:
            data = {"version": names.PAYLOAD_VERSION}
        if not isinstance(data, dict):  # somebody keeps a bare value under our key
            data = {"version": names.PAYLOAD_VERSION, "value": data}
        before = data.get("unplaced") if isinstance(data.get("unplaced"), list) else []
        fresh = [entry for entry in self.unplaced if entry not in (before or [])]
        set_data(self.timeline, {**data, "unplaced": [*(before or []), *fresh]})
        warnings.extend(f"{entry['where']}: payload {entry['reason']}" for entry in fresh)

    def _where(self, owner: Node) -> str:
        address = self.addresses.get(id(owner), "")
        return " ".join(part for part in (address, str(owner.get("name") or "")) if part)


def restore_timeline(
    root: otio.core.SerializableObject, carriers: Iterable[Carrier]
) -> otio.core.SerializableObject:
    """Return the object with our data back in its place, or itself where there is none.

    Whatever a payload holds, the cut itself is not lost: what OTIO refuses is left out.
    """
    text = root.to_json_string(indent=-1)
    if not codec.holds_ours(text):
        return root
    # A format whose key is not in the text has nothing to take out.
    carriers = tuple(c for c in carriers if c.KEY is None or f'"{c.KEY}"' in text)
    try:
        restored, warnings = _restore(text, carriers, careful=False)
    except Exception:  # noqa: BLE001 - OTIO raises whatever the content provokes
        try:
            restored, warnings = _restore(text, carriers, careful=True)
        except Exception as error:  # noqa: BLE001
            _LOG.warning("castline: payloads left out: OTIO refuses them: %s", error)
            return root
    for warning in warnings:
        _LOG.warning("castline: %s", warning)
    return restored


def _restore(
    text: str, carriers: tuple[Carrier, ...], *, careful: bool
) -> tuple[otio.core.SerializableObject, list[str]]:
    document = json.loads(text)
    warnings = extract(document, carriers, careful=careful)
    return put_back(document), warnings


def _fold(name: Any) -> str:
    return " ".join(str(name or "").split()).casefold()
