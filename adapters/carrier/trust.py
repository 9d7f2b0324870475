"""Whether a payload may be put into a cut: it may be somebody else's, or made to harm."""

from __future__ import annotations

import logging
from typing import Any

from castline.adapters.carrier.document import DEFAULT_MEDIA_KEY, Node, put_back, schema_of
from castline.adapters.carrier.envelope import Envelope

_LOG = logging.getLogger("castline")
_KEY = DEFAULT_MEDIA_KEY
_BARE_CLIP: Node = {
    "OTIO_SCHEMA": "Clip.2",
    "active_media_reference_key": _KEY,
    "media_references": {},
}


def is_envelope(payload: Any, careful: bool) -> bool:
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
