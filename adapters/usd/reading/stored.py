"""The objects of a cut as they were found in a stage, and the document that they make."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson

from castline.adapters.usd import layout
from castline.adapters.usd.reading.document import parse
from castline.schemas.errors import UnreadableFileError

_NO_TRACKS = {"OTIO_SCHEMA": "Stack.1", "name": "tracks", "metadata": {}, "children": []}


@dataclass(slots=True, eq=False)
class Stored:
    """One object as it was found, with its children in order."""

    document: dict[str, Any]
    """OTIO's, without the children."""

    floats: list[float]
    """The floats of many digits in the document."""

    is_plain: bool = True
    """Whether the fast codec keeps all of the document."""

    path: str = ""
    """Of its prim."""

    found: dict[str, Any] = field(default_factory=dict)
    """The other `castline:*` values on its prim, by attribute; NaN and infinity are None."""

    selections: dict[str, str] = field(default_factory=dict)
    """The variants that its prim selects, by variant set."""

    labels: list[str] | None = None
    """The characters that its prim is labelled with, where it is."""

    display_name: str | None = None
    children: list[Stored] = field(default_factory=list)

    def is_marker(self, child: Stored) -> bool:
        """Say whether an object below stands among this one's markers, not among its children."""
        return layout.kind_of(child.document) == "Marker" and "markers" in self.document

    @property
    def items(self) -> list[Stored]:
        """The objects below but markers, in order."""
        return [child for child in self.children if not self.is_marker(child)]

    @property
    def markers(self) -> list[Stored]:
        """The markers that have prims, in order."""
        return [child for child in self.children if self.is_marker(child)]


def gather(objects: Any, file: str) -> Stored:
    """Return the tree of the objects that `extract` listed.

    The list may come from a process that damage confused. Raises `UnreadableFileError` for what
    is no such list, and for JSON text that is damaged, nests too deep or is no OTIO object.
    """
    stored: list[Stored] = []
    levels: list[int] = []  # of JSON around the children of each
    try:
        for name, above, text, found, selections, labels, shown in objects:
            if above is None and stored:
                raise ValueError("a second root")
            path = f"{stored[above].path}/{name}" if stored else f"/{name}"
            depth = levels[above] if stored else 1
            document, floats, is_plain = _document_in(
                text, layout.MAX_DEPTH - depth + 1, f"{file}: {path}: {layout.JSON}"
            )
            item = Stored(document, floats, is_plain, path, found, selections, labels, shown)
            if stored:
                stored[above].children.append(item)
            stored.append(item)
            is_timeline = layout.child_field(document) == layout.TRACKS_NAME
            levels.append(depth + (1 if is_timeline else 2))
        return stored[0]
    except (IndexError, TypeError, ValueError, AttributeError):
        raise UnreadableFileError(f"{file}: found damage that confuses USD") from None


def single(document: Any, file: str) -> Stored:
    """Return an object whose children are in its document, known to be sound."""
    text = orjson.dumps(document, option=orjson.OPT_SORT_KEYS).decode()
    return Stored(*_document_in(text, layout.MAX_DEPTH, file))


def walk(root: Stored) -> Iterator[Stored]:
    """Yield every object, each before its children, in order."""
    waiting = [root]
    while waiting:
        item = waiting.pop()
        yield item
        waiting.extend(reversed(item.children))


def join(root: Stored, file: str) -> dict[str, Any]:
    """Return the whole document: each object's with its children in place.

    The objects' own documents are not changed. Raises `UnreadableFileError` where one has
    children and no room for them.
    """
    whole: dict[int, dict[str, Any]] = {}
    for item in reversed(list(walk(root))):
        document = item.document
        if layout.child_field(document) == layout.TRACKS_NAME and not document[layout.TRACKS_NAME]:
            document = {**document, layout.TRACKS_NAME: _NO_TRACKS}
        if item.children:
            items = [whole.pop(id(child)) for child in item.items]
            markers = [whole.pop(id(child)) for child in item.markers]
            document = _filled(item, items, markers, file)
        whole[id(item)] = document
    return whole[id(root)]


def _document_in(text: str, limit: int, place: str) -> tuple[dict[str, Any], list[float], bool]:
    if layout.is_deeper(text, limit):
        raise UnreadableFileError(f"{place}: found more than {layout.MAX_DEPTH} levels of JSON")
    return parse(text, place)


def _filled(
    item: Stored, items: list[dict[str, Any]], markers: list[dict[str, Any]], file: str
) -> dict[str, Any]:
    document = item.document
    name = layout.child_field(document)
    room: dict[str, Any] = {}
    if markers and document["markers"] == []:
        room["markers"] = markers
    if items and name == layout.TRACKS_NAME and document[name] is None and len(items) == 1:
        room[name] = items[0]
    if items and name == "children" and document[name] == []:
        room[name] = items
    if len(room) != bool(items) + bool(markers):
        found = document["OTIO_SCHEMA"][:60]
        raise UnreadableFileError(
            f"{file}: {item.path}: found {len(items) + len(markers)} objects under a {found} "
            "that has no room for them"
        )
    return {**document, **room}
