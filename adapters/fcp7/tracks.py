"""Tracks, names and ids of a timeline as the stock Final Cut Pro 7 XML writer wants them."""

from __future__ import annotations

import itertools
import re
from typing import Any

from castline.adapters.carrier.document import (
    Node,
    active_reference_of,
    children_of,
    each_clip,
    metadata_of,
    references_of,
    schema_of,
    walk,
)
from castline.adapters.carrier.mend import Mends, range_node
from castline.adapters.fcp7.timing import rate_of, seconds_of

KEY = "fcp_xml"

_TEXTS = {"name", "target_url", "generator_kind"}
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def arrange_tracks(document: Node) -> None:
    """Give stacks only tracks and tracks only what the writer takes, video before audio.

    The reader looks at video first, and finds a file only where it is first mentioned.
    """
    for _, node in walk(document):
        if schema_of(node) == "Stack":
            tracks = [_track_around(child) for child in children_of(node)]
            node["children"] = sorted(tracks, key=lambda track: track.get("kind") == "Audio")
            for track in tracks:
                if track.get("name"):
                    _own(track)["name"] = track["name"]
        elif schema_of(node) == "Track":
            node["children"] = [_stack_around(child) for child in children_of(node)]
    for _, node in walk(document):
        if schema_of(node) == "Track":
            for stack in children_of(node):
                if schema_of(stack) == "Stack" and stack.get("source_range") is None:
                    rate = rate_of(stack)
                    stack["source_range"] = range_node(0, seconds_of(stack) * rate, rate)


def say_enabled(document: Node) -> None:
    """Write a disabled clip, stack or track as disabled."""
    for _, node in walk(document):
        if node.get("enabled") is False and schema_of(node) in ("Clip", "Stack", "Track"):
            _own(node)["enabled"] = "FALSE"


def read_enabled(document: Node) -> None:
    """Disable what the file says is disabled."""
    for _, node in walk(document):
        own = (node.get("metadata") or {}).get(KEY)
        if isinstance(own, dict) and own.get("enabled") == "FALSE" and "enabled" in node:
            node["enabled"] = False


def write_legal_text(document: Node, mends: Mends) -> None:
    """Put blanks for characters that no XML file can hold: the writer breaks off at them."""
    for clip in each_clip(document):
        if (name := _legal(clip.get("name"))) != clip.get("name"):
            mends.set_name(clip, name)
        reference = active_reference_of(clip) or {}
        legal = {
            **reference,
            **{key: _legal(reference.get(key)) for key in _TEXTS & set(reference)},
        }
        if legal != reference:
            mends.set_reference(clip, legal)
    for _, node in walk(document):
        for part in (node, *(node.get("markers") or []), *references_of(node).values()):
            if isinstance(part.get("name"), str):
                part["name"] = _legal(part["name"])
            if isinstance((own := (part.get("metadata") or {}).get(KEY)), dict):
                part["metadata"] = {**part["metadata"], KEY: _legal(own)}


def tell_apart(document: Node) -> None:
    """Give every clip item and sequence an id of its own.

    The writer writes an equal one as a mere mention of the first, which is then read with the
    first one's place in the track.
    """
    tags = {"Clip": "clipitem", "Stack": "clipitem", "Timeline": "sequence"}
    everything = [node for _, node in walk(document) if schema_of(node) in tags]
    roots = {id(node["tracks"]) for node in everything if node.get("tracks")}
    nodes = [(node, tags[schema_of(node)]) for node in everything if id(node) not in roots]
    taken = {str(_own(node).get("@id")) for node, _ in nodes}
    numbers = {tag: itertools.count(1) for tag in tags.values()}
    seen: set[str] = set()
    for node, tag in nodes:
        own = _own(node)
        if own.get("@id") is None or own["@id"] in seen:
            free = (f"{tag}-{number}" for number in numbers[tag])
            own["@id"] = next(name for name in free if name not in taken)
        seen.add(own["@id"])


def _track_around(item: Node) -> Node:
    if schema_of(item) == "Track":
        return item
    return {
        "OTIO_SCHEMA": "Track.1",
        "metadata": {},
        "name": "",
        "source_range": None,
        "effects": [],
        "markers": [],
        "enabled": True,
        "kind": "Video",
        "children": [item],
    }


def _stack_around(item: Node) -> Node:
    if schema_of(item) != "Track":
        return item
    return {
        "OTIO_SCHEMA": "Stack.1",
        "metadata": {},
        "name": item.get("name") or "",
        "source_range": item.get("source_range"),
        "effects": [],
        "markers": [],
        "enabled": True,
        "children": [item],
    }


def _legal(value: Any) -> Any:
    if isinstance(value, str):
        return _ILLEGAL.sub(" ", value)
    if isinstance(value, dict):
        return {key: _legal(item) for key, item in value.items()}
    return [_legal(item) for item in value] if isinstance(value, list) else value


def _own(node: Node) -> Node:
    own: Node = metadata_of(node).setdefault(KEY, {})
    return own
