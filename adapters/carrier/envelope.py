"""Envelopes: what rides with each object of a cut, and putting them where a format keeps them."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from typing import Any, Protocol

from castline.adapters.carrier.document import (
    DEFAULT_MEDIA_KEY,
    Node,
    active_reference_of,
    children_of,
    data_of,
    pop_data,
    references_of,
    schema_of,
    url_of,
    walk,
)
from castline.adapters.carrier.mend import Mends
from castline.adapters.carrier.summary import post_markers, summarise

_LOG = logging.getLogger("castline")

Envelope = dict[str, Any]
"""A payload: `kind`, `id`, the object's data, and what tells its object from another."""


class Carrier(Protocol):
    """What a format's module knows about its own comment fields; all work on plain JSON."""

    @property
    def KEY(self) -> str | None:  # noqa: N802 - a constant of the format's module
        """The metadata key that all of the format's own fields are under; None: there are more."""

    @property
    def SHARES(self) -> bool:  # noqa: N802 - a constant of the format's module
        """Whether clips share places, so that those without data must be told from the others."""

    @property
    def MARKERS(self) -> bool:  # noqa: N802 - a constant of the format's module
        """Whether the format hands back the markers of clips."""

    def mend_copy(self, document: Node, mends: Mends) -> None:
        """Change on this copy what would make the stock writer refuse; note it in `mends`."""

    def returned(self, document: Node) -> Iterable[tuple[str, Node]]:
        """Return the clips, with addresses, that a write and a read give back.

        And the nested stacks, where the format has a place for each.
        """

    def put(self, clip: Node, envelope: Envelope, line: str) -> None:
        """Put a clip's envelope and the line for people into the clip's own place."""

    def put_whole(self, timeline: Node, envelope: Envelope) -> bool:
        """Put the envelope of the timeline itself where it comes back; say if there is a place."""

    def take(self, document: Node) -> Iterator[tuple[Node | list[Node], list[str]]]:
        """Take out the texts of ours, with the object they were found on.

        Or with the clips that share the place, all at once.
        """


def has_data(document: Node) -> bool:
    """Say whether anything in the tree is ours."""
    return any(data_of(node) is not None for node in _everything(document))


def embed(document: Node, carrier: Carrier, *, move: bool = True, mending: bool = True) -> None:
    """Put all of our data in the tree into the format's own fields.

    With `move` it is taken away from our key, so that a second call finds nothing to do (OTIO
    runs a writer's hooks twice); without, it stays there too, for a format that keeps metadata.
    """
    mends = Mends()
    for _ in carrier.take(document):
        pass  # frames of an earlier write; what we hold now is newer
    if mending:
        try:
            carrier.mend_copy(document, mends)
        except Exception as error:  # noqa: BLE001 - the data rides even where a mend fails
            _LOG.warning("castline: not everything was mended for the writer: %s", error)
    timelines = [node for _, node in walk(document) if schema_of(node) == "Timeline"]
    outside = list(_outside_envelopes(document)) if timelines else []
    for timeline in timelines or [document]:
        _embed_timeline(timeline, carrier, mends, outside)
        outside = []
    if move:
        for node in _everything(document):
            pop_data(node)


def _embed_timeline(
    timeline: Node, carrier: Carrier, mends: Mends, outside: list[Envelope]
) -> None:
    returned = {id(clip) for _, clip in carrier.returned(timeline)}
    homeless = [*outside, *_other_envelopes(timeline, returned), *_removed_envelopes(mends)]
    for address, clip in walk(timeline):
        if schema_of(clip) != "Clip" and id(clip) not in returned:
            continue
        envelope = clip_envelope(clip, address, mends)
        if envelope is None and carrier.SHARES and id(clip) in returned:
            envelope = _bare_envelope(clip, address)
        if envelope is None:
            continue
        if id(clip) not in returned:
            homeless.append(envelope)
            continue
        try:
            _put(carrier, clip, envelope)
        except Exception as error:  # noqa: BLE001 - one odd clip must not cost the others
            _LOG.warning("castline: %s %s: %s", address, clip.get("name"), error)
            homeless.append(envelope)
    data = data_of(timeline)
    if data is not None or homeless:
        whole: Envelope = {"kind": "timeline", "id": "timeline", "name": timeline.get("name")}
        if data is not None:
            whole["data"] = data
        if homeless:
            whole["objects"] = homeless
        if not carrier.put_whole(timeline, whole):
            _LOG.warning("castline: %s: no clip can carry its data", timeline.get("name"))


def _bare_envelope(clip: Node, address: str) -> Envelope:
    """Return what says that a clip has no data, where it may share a place with one that has."""
    return {
        "kind": "clip",
        "id": f"@{address}",
        "name": clip.get("name"),
        "range": clip.get("source_range"),
        "url": url_of(active_reference_of(clip)),
        "bare": True,
    }


def _put(carrier: Carrier, clip: Node, envelope: Envelope) -> None:
    line = "" if envelope.get("bare") else summarise(clip)
    posted = post_markers(clip) if carrier.MARKERS else []
    if posted:
        envelope["posted"] = posted
    carrier.put(clip, envelope, line)


def clip_envelope(clip: Node, address: str, mends: Mends | None = None) -> Envelope | None:
    """Return what must ride with a clip, or None where nothing must."""
    data = data_of(clip)
    references = references_of(clip)
    undo = mends.undo_of(clip) if mends else None
    kept = {key: reference for key, reference in references.items() if data_of(reference)}
    noted = [marker for marker in clip.get("markers") or [] if data_of(marker) is not None]
    if data is None and not kept and not noted and undo is None and len(references) < 2:
        return None
    envelope: Envelope = {
        "kind": schema_of(clip).lower(),
        "id": _identity(data, address),
        "name": clip.get("name"),
        "range": clip.get("source_range"),
        "url": url_of(active_reference_of(clip)),
    }
    if data is not None:
        envelope["data"] = data
    active = clip.get("active_media_reference_key", DEFAULT_MEDIA_KEY)
    envelope["references"] = {
        key: _active_part(reference, undo or {}) if key == active else reference
        for key, reference in references.items()
    }
    envelope["active"] = active
    if undo is not None:
        envelope["undo"] = undo
    if noted:
        envelope["markers"] = noted
    return envelope


def _active_part(reference: Node, undo: Node) -> Node:
    # The format itself says the rest, should it keep the reference.
    data = data_of(reference)
    part: Node = {key: reference.get(key) for key in ("name", "available_range")}
    if data is not None and not undo.get("reference"):  # which holds it already
        part["data"] = data
    return part


def _identity(data: Any, address: str) -> str:
    slot_id = data.get("slot_id") if isinstance(data, dict) else None
    return slot_id if isinstance(slot_id, str) and slot_id else f"@{address}"


def _outside_envelopes(document: Node) -> Iterator[Envelope]:
    """Yield envelopes of what stands beside or around the timelines of a collection."""
    waiting = [("", document)]
    while waiting:
        address, node = waiting.pop()
        if schema_of(node) == "Timeline":
            continue
        envelope = clip_envelope(node, address) if schema_of(node) == "Clip" else None
        if envelope is not None:
            yield envelope
        elif data_of(node) is not None:
            yield _object_envelope(node, address)
        prefix = f"{address}/" if address else ""
        waiting.extend((f"{prefix}{n}", child) for n, child in enumerate(children_of(node)))


def _other_envelopes(timeline: Node, returned: set[int]) -> Iterator[Envelope]:
    for address, node in walk(timeline):
        if schema_of(node) == "Timeline":
            continue
        if schema_of(node) != "Clip" and id(node) not in returned:
            if data_of(node) is not None:
                yield _object_envelope(node, address)
            for marker in node.get("markers") or []:
                if data_of(marker) is not None:
                    yield {**_object_envelope(marker, address), "object": marker}
        for effect in node.get("effects") or []:
            if data_of(effect) is not None:
                yield {**_object_envelope(effect, address), "object": effect}


def _removed_envelopes(mends: Mends) -> Iterator[Envelope]:
    """Yield envelopes of what a mend took out of the tree altogether."""
    for address, node in mends.removed:
        for below, item in walk(node, address):
            envelope = clip_envelope(item, below) if schema_of(item) == "Clip" else None
            if envelope is not None:
                yield envelope
            elif data_of(item) is not None:
                yield _object_envelope(item, below)


def _object_envelope(node: Node, address: str) -> Envelope:
    data = data_of(node)
    return {
        "kind": schema_of(node).lower(),
        "id": _identity(data, address),
        "at": address,
        "name": node.get("name"),
        "data": data,
    }


def _everything(document: Node) -> Iterator[Node]:
    waiting = [document]
    while waiting:
        node = waiting.pop()
        yield node
        yield from node.get("markers") or ()
        yield from node.get("effects") or ()
        yield from references_of(node).values()
        waiting.extend(children_of(node))
