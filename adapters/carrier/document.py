"""A timeline as plain JSON: what the carriers work on.

OTIO's Python views of nested metadata cost 0.4 ms for each kilobyte set or read; its JSON costs
a tenth of that, and plain dicts cannot die with their owner. So a carrier takes the whole
timeline out as JSON once, works on dicts, and puts it back once.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import opentimelineio as otio

from castline.adapters.carrier.numbers import write_exactly
from castline.schemas import names
from castline.schemas.revive import revive

Node = dict[str, Any]
"""One OTIO object as its JSON: a dict with an `OTIO_SCHEMA` label."""

DEFAULT_MEDIA_KEY = "DEFAULT_MEDIA"


def take_out(root: otio.core.SerializableObject) -> Node:
    """Return the JSON tree of an OTIO object."""
    document: Node = json.loads(root.to_json_string(indent=-1))
    return document


def put_back(document: Node) -> otio.core.SerializableObject:
    """Return the OTIO object of a JSON tree; raises `InvalidValueError` for what is none."""
    text = write_exactly(json.dumps(document, separators=(",", ":")))
    return revive(document, text=text)


def schema_of(node: Node) -> str:
    """Return the schema's name without its version: `Clip`, `Stack`."""
    return _name_of(str(node.get("OTIO_SCHEMA", "")))


@lru_cache(maxsize=256)
def _name_of(label: str) -> str:
    return label.partition(".")[0]


def children_of(node: Node) -> list[Node]:
    """Return the children of a timeline (its stack), a composition or a collection."""
    if schema_of(node) == "Timeline":
        return [node["tracks"]] if node.get("tracks") else []
    return node.get("children") or []


def walk(node: Node, address: str = "") -> Iterator[tuple[str, Node]]:
    """Yield every object of the tree with its address, parents first.

    The address is the chain of child positions below the timeline's stack: `0/3` is the fourth
    item of the first track. The root's and the stack's address is the empty string.
    """
    waiting = [(address, node)]
    while waiting:
        place, current = waiting.pop()
        yield place, current
        if schema_of(current) == "Timeline":
            below = [(place, child) for child in children_of(current)]
        else:
            prefix = f"{place}/" if place else ""
            below = [(f"{prefix}{n}", child) for n, child in enumerate(children_of(current))]
        waiting.extend(reversed(below))


def each_clip(node: Node) -> Iterator[Node]:
    """Yield every clip in order, without addresses, which cost more than the walk itself."""
    waiting = [node]
    while waiting:
        current = waiting.pop()
        if schema_of(current) == "Clip":
            yield current
        else:
            waiting.extend(reversed(children_of(current)))


def clips_of(node: Node) -> Iterator[tuple[str, Node]]:
    """Yield every clip with its address, in order."""
    return ((address, item) for address, item in walk(node) if schema_of(item) == "Clip")


def data_of(node: Node) -> Any:
    """Return what castline says about the object, or None."""
    return (node.get("metadata") or {}).get(names.METADATA_KEY)


def set_data(node: Node, data: Any) -> None:
    """Let castline say this about the object."""
    metadata_of(node)[names.METADATA_KEY] = data


def pop_data(node: Node) -> Any:
    """Take away and return what castline says about the object."""
    return (node.get("metadata") or {}).pop(names.METADATA_KEY, None)


def metadata_of(node: Node) -> Node:
    """Return the object's metadata, made if there is none."""
    if not isinstance(node.get("metadata"), dict):
        node["metadata"] = {}
    return node["metadata"]  # type: ignore[no-any-return]


def references_of(clip: Node) -> dict[str, Node]:
    """Return the clip's media references by key."""
    references = clip.get("media_references")
    return references if isinstance(references, dict) else {}


def active_reference_of(clip: Node) -> Node | None:
    """Return the reference that the clip shows now."""
    return references_of(clip).get(clip.get("active_media_reference_key", DEFAULT_MEDIA_KEY))


def url_of(reference: Node | None) -> str | None:
    """Return where the media is, a sequence's as `folder/name.[first-last].ext`."""
    if reference is None:
        return None
    if schema_of(reference) == "ImageSequenceReference":
        return _sequence_url(reference)
    return reference.get("target_url")


def _sequence_url(reference: Node) -> str:
    folder = reference.get("target_url_base") or ""
    if folder and not folder.endswith("/"):
        folder += "/"
    first = int(reference.get("start_frame", 1))
    step = int(reference.get("frame_step", 1)) or 1
    length = (reference.get("available_range") or {}).get("duration") or {}
    frames = int(float(length.get("value", 1)) * _sequence_ratio(reference, length)) or 1
    last = first + ((frames - 1) // step) * step
    digits = int(reference.get("frame_zero_padding", 0))
    span = f"[{first:0{digits}d}-{last:0{digits}d}]"
    return f"{folder}{reference.get('name_prefix', '')}{span}{reference.get('name_suffix', '')}"


def _sequence_ratio(reference: Node, length: Node) -> float:
    rate, media_rate = float(reference.get("rate") or 0), float(length.get("rate") or 0)
    return rate / media_rate if rate > 0 and media_rate > 0 else 1.0
