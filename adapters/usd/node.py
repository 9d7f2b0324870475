"""The objects of a cut as documents, each apart from its children."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from castline.adapters.usd import layout


@dataclass(slots=True)
class Node:
    """One object: its document without children, and those children in order."""

    document: dict[str, Any]
    name: str
    depth: int = 1  # levels of JSON around the document, itself included
    children: list[Node] = field(default_factory=list)
    path: str = ""  # of its prim, once it stands
    start: float | None = None  # in the stage's frames, as are the next two
    end: float | None = None
    duration: float | None = None


@dataclass(slots=True)
class Stored:
    """One object as it was found, with its children in order."""

    document: dict[str, Any]
    floats: list[float]
    """The floats of many digits in the document."""

    size: int
    children: list[Stored] = field(default_factory=list)


def split(document: dict[str, Any]) -> Node:
    """Take the children out of OTIO's document of an object, all the way down.

    The document is changed: `"children"` becomes empty, a timeline's `"tracks"` None.
    """
    root = Node(document, layout.ROOT_NAME)
    waiting = [root]
    while waiting:
        node = waiting.pop()
        field_name = layout.child_field(node.document)
        if field_name == layout.TRACKS_NAME:
            _take_tracks(node)
        elif field_name:
            _take_children(node)
        waiting.extend(node.children)
    return root


def walk(root: Node) -> Iterator[Node]:
    """Yield every node, each before its children, in order."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(reversed(node.children))


def _take_tracks(node: Node) -> None:
    tracks = node.document[layout.TRACKS_NAME]
    if _is_object(tracks):
        node.document[layout.TRACKS_NAME] = None
        node.children = [Node(tracks, layout.TRACKS_NAME, node.depth + 1)]


def _take_children(node: Node) -> None:
    children = node.document["children"]
    if not all(_is_object(child) for child in children):
        return  # None in a collection; OTIO reads no such thing back, so writing refuses it
    node.document["children"] = []
    node.children = [
        Node(child, layout.prim_name(child, index), node.depth + 2)
        for index, child in enumerate(children)
    ]


def _is_object(value: Any) -> bool:
    return isinstance(value, dict) and "OTIO_SCHEMA" in value
