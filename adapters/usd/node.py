"""The objects of a cut as documents, each apart from those that have prims of their own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from castline.adapters.usd import layout


@dataclass(slots=True)
class Node:
    """One object: its document, and below it the objects that were taken out of it, in order."""

    document: dict[str, Any]
    name: str
    kind: str  # the schema's name without its version
    depth: int = 1  # levels of JSON around the document, itself included
    children: list[Node] = field(default_factory=list)
    markers: list[Node] = field(default_factory=list)
    path: str = ""  # of its prim, once it stands
    rate: float | None = None  # of its own times
    source: tuple[float, float] | None = None  # start and end at that rate
    start: float | None = None  # in the stage's frames, as are the next two
    end: float | None = None
    duration: float | None = None


def split(document: dict[str, Any]) -> Node:
    """Take children, tracks and markers out of OTIO's document of an object, all the way down.

    The document is changed: `"children"` and `"markers"` become empty, a timeline's `"tracks"`
    None.
    """
    root = Node(document, layout.ROOT_NAME, layout.kind_of(document))
    waiting = [root]
    while waiting:
        node = waiting.pop()
        document = node.document
        field_name = layout.child_field(document)
        if field_name == layout.TRACKS_NAME:
            _take_tracks(node)
        elif field_name:
            _take_children(node)
        if document.get("markers"):
            _take_markers(node)
        waiting.extend(node.children)
    return root


def walk(root: Node) -> Iterator[Node]:
    """Yield every node but markers, each before its children, in order."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(reversed(node.children))


def _take_tracks(node: Node) -> None:
    tracks = node.document[layout.TRACKS_NAME]
    if _is_object(tracks):
        node.document[layout.TRACKS_NAME] = None
        kind = layout.kind_of(tracks)
        node.children = [Node(tracks, layout.TRACKS_NAME, kind, node.depth + 1)]


def _take_children(node: Node) -> None:
    children = node.document["children"]
    if not all(_is_object(child) for child in children):
        return  # None in a collection; OTIO reads no such thing back, so writing refuses it
    node.document["children"] = []
    digits = len(str(len(children) - 1))
    node.children = [_below(node, child, index, digits) for index, child in enumerate(children)]


def _take_markers(node: Node) -> None:
    markers = node.document["markers"]
    if not isinstance(markers, list) or not all(
        _is_object(marker) and layout.kind_of(marker) == "Marker" for marker in markers
    ):
        return
    node.document["markers"] = []
    digits = len(str(len(markers) - 1))
    node.markers = [_below(node, marker, index, digits) for index, marker in enumerate(markers)]


def _below(node: Node, document: dict[str, Any], index: int, digits: int) -> Node:
    kind = layout.kind_of(document)
    return Node(document, layout.prim_name(document, index, digits), kind, node.depth + 2)


def _is_object(value: Any) -> bool:
    return isinstance(value, dict) and "OTIO_SCHEMA" in value
