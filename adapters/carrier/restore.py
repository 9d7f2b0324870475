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
    DEFAULT_MEDIA_KEY,
    Node,
    active_reference_of,
    data_of,
    put_back,
    references_of,
    schema_of,
    set_data,
    url_of,
    walk,
)
from castline.adapters.carrier.envelope import Carrier, Envelope
from castline.adapters.carrier.match import describe, match, media_name
from castline.schemas import names

_LOG = logging.getLogger("castline")
_KEY = DEFAULT_MEDIA_KEY
_BARE_CLIP: Node = {
    "OTIO_SCHEMA": "Clip.2",
    "active_media_reference_key": _KEY,
    "media_references": {},
}
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
            _Restoration(timeline, carrier, careful).run(warnings)
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
            self._leave("no_clip", str(envelope.get("name") or envelope["id"]), payload=envelope)
        if settle := getattr(self.carrier, "settle", None):
            settle(self.timeline, [*answer.placed, *answer.copies])
        self._apply_wholes()
        self._note(warnings)

    def _read(self, owner: Node | list[Node], texts: list[str]) -> None:
        owners = owner if isinstance(owner, list) else [owner]
        unpacked = codec.unpack(texts)
        place = self._where(owners[0])
        for reason, text in unpacked.damaged:
            self._leave(reason, place, text=text)
        envelopes: list[Envelope] = []
        for payload in unpacked.payloads:
            if not _is_envelope(payload, self.careful):
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
            _restore_references(clip, envelope)
        undo = envelope.get("undo") or {}
        if "range" in undo and _equal_ranges(clip.get("source_range"), undo.get("written_range")):
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
                if _is_envelope(envelope, self.careful) and not self._place_object(envelope):
                    where = f"{envelope.get('kind')} {envelope.get('name') or ''}".strip()
                    at = envelope.get("at", str(envelope.get("id", "")).lstrip("@"))
                    self._leave("not_returned", f"{where} at {at}", payload=envelope)

    def _place_object(self, envelope: Envelope) -> bool:
        """Put data back on the one object that is unmistakably the same."""
        if "object" in envelope:
            return False
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


def _restore_references(clip: Node, envelope: Envelope) -> None:
    kept = envelope.get("references")
    if not isinstance(kept, dict) or not kept:
        return
    returned = active_reference_of(clip)
    undo = envelope.get("undo") or {}
    active = str(envelope.get("active") or DEFAULT_MEDIA_KEY)
    url = url_of(returned)
    written = undo.get("written_url") or envelope.get("url")
    dropped = returned is None or schema_of(returned) == "MissingReference"
    if not dropped and (
        not _same_media(url, written) or _other_generator(returned, undo.get("reference"))
    ):
        relinked = next(
            (k for k, r in kept.items() if k != active and _same_media(url, url_of(r))), None
        )
        if relinked is None:
            _add_new_media(clip, kept, active, returned, envelope)
            return
        _set_references(
            clip, {**_whole_references(kept, active, envelope), relinked: kept[relinked]}, relinked
        )
        return
    original = undo.get("reference") if "reference" in undo else None
    part = kept.get(active) or {}
    if original is not None:
        current = _with_media_range(original, returned, undo.get("written_available"))
    elif returned is None or (dropped and envelope.get("url")):
        current = _whole_references(kept, active, envelope)[active]
    else:
        current = returned
        for key in ("name", "available_range"):
            current[key] = current.get(key) or part.get(key)
        if part.get("data") is not None:
            set_data(current, part["data"])
    others = {key: reference for key, reference in kept.items() if key != active}
    native = references_of(clip) if len(references_of(clip)) > 1 else {}
    _set_references(clip, {**others, **native, active: current}, active)


def _with_media_range(original: Node, returned: Node | None, written: Any) -> Node:
    """Return the original reference, with the range that the editor gave its media meanwhile."""
    now = (returned or {}).get("available_range")
    if written is None or now is None or _equal_ranges(now, written):
        return original
    return {**original, "available_range": now}


def _add_new_media(
    clip: Node, kept: Node, active: str, returned: Node, envelope: Envelope
) -> None:
    """The editor put other media there: it stands, and what was there stays an alternate."""
    references = _whole_references(kept, active, envelope)
    key = "editorial"
    number = 2
    while key in references:
        key, number = f"editorial_{number}", number + 1
    _set_references(clip, {**references, key: returned}, key)


def _whole_references(kept: Node, active: str, envelope: Envelope) -> Node:
    undo = envelope.get("undo") or {}
    references = {key: reference for key, reference in kept.items() if key != active}
    part = kept.get(active) or {}
    original = undo.get("reference")
    if original is None:
        original = {
            "OTIO_SCHEMA": "ExternalReference.1",
            "metadata": {},
            "name": part.get("name") or "",
            "available_range": part.get("available_range"),
            "available_image_bounds": None,
            "target_url": envelope.get("url") or "",
        }
        if part.get("data") is not None:
            set_data(original, part["data"])
    return {**references, active: original}


def _set_references(clip: Node, references: Node, active: str) -> None:
    clip["media_references"] = references
    clip["active_media_reference_key"] = active


def restore_timeline(
    root: otio.core.SerializableObject, carriers: Iterable[Carrier]
) -> otio.core.SerializableObject:
    """Return the object with our data back in its place, or itself where there is none.

    Whatever a payload holds, the cut itself is not lost: what OTIO refuses is left out.
    """
    text = root.to_json_string(indent=-1)
    if not codec.holds_ours(text):
        return root
    carriers = tuple(carriers)
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


def _is_envelope(payload: Any, careful: bool) -> bool:
    """Say whether a payload has our shape and holds objects that OTIO can read.

    A payload may be somebody else's, or made to harm: what OTIO refuses must not cost the cut.
    """
    if not isinstance(payload, dict) or not isinstance(payload.get("kind"), str):
        return False
    if not isinstance(payload.get("id"), str):
        return False
    shapes = {"references": dict, "undo": dict, "markers": list, "posted": list, "objects": list}
    if any(not isinstance(payload.get(key, kind()), kind) for key, kind in shapes.items()):
        return False
    return _is_readable(payload, careful)


def _is_readable(payload: Envelope, careful: bool) -> bool:
    references = payload.get("references") or {}
    active = payload.get("active")
    nodes = [node for key, node in references.items() if key != active]
    nodes += [n for n in ((payload.get("undo") or {}).get("reference"),) if n is not None]
    nodes += payload.get("markers") or []
    return all(isinstance(node, dict) for node in [*references.values(), *nodes]) and (
        not careful or (_otio_holds(payload) and all(_otio_reads(node) for node in nodes))
    )


def _otio_holds(payload: Envelope) -> bool:
    """Say whether OTIO takes everything in the payload as somebody's metadata."""
    try:
        put_back({**_BARE_CLIP, "metadata": {"payload": payload}})
    except Exception as error:  # noqa: BLE001 - OTIO raises whatever the content provokes
        _LOG.debug("payload refused: %s", error)
        return False
    return True


def _otio_reads(node: Node) -> bool:
    kind = schema_of(node)
    if not (kind.endswith("Reference") or kind == "Marker"):
        return False
    try:
        # In a clip of its own: OTIO checks the type of a part only there.
        part = {"markers": [node]} if kind == "Marker" else {"media_references": {_KEY: node}}
        put_back({**_BARE_CLIP, **part})
    except Exception as error:  # noqa: BLE001 - OTIO raises whatever the content provokes
        _LOG.debug("payload object refused: %s", error)
        return False
    return True


def _same_media(one: str | None, other: str | None) -> bool:
    return media_name(one) == media_name(other)


def _other_generator(returned: Node | None, original: Node | None) -> bool:
    """Say whether a generator, which has no URL, was replaced by another."""
    kinds = [(node or {}).get("generator_kind") for node in (returned, original)]
    return None not in kinds and kinds[0] != kinds[1]


def _equal_ranges(one: Any, other: Any) -> bool:
    span = describe({"source_range": one})[1]
    return span is not None and span == describe({"source_range": other})[1]


def _fold(name: Any) -> str:
    return " ".join(str(name or "").split()).casefold()
