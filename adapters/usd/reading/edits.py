"""What artists changed in a stage that holds a cut: found by comparing, put into the documents.

The writer's own arithmetic says what each attribute would be if nobody had touched it. Where a
stage says something else, somebody did, and the hand wins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from castline.adapters.usd import layout, placement, timecodes
from castline.adapters.usd.characters import cast_of
from castline.adapters.usd.node import Node
from castline.adapters.usd.payload import data_of
from castline.adapters.usd.reading.arrange import Wanted, arrange
from castline.adapters.usd.reading.document import long_floats
from castline.adapters.usd.reading.edit import Edit, edit_object, make_gap
from castline.adapters.usd.reading.stored import Stored, walk
from castline.adapters.usd.reading.switch import switch_take, wanted_take
from castline.adapters.usd.reading.trim import Trim
from castline.adapters.usd.views import display_name_of, views_of
from castline.schemas.values import Cast

_Moves = dict[int, tuple[Stored, dict[int, Wanted]]]
"""What lies on each track or stack, by its identity, and the edges that somebody gave to whom."""


@dataclass
class _Frame:
    """What is known of the whole stage."""

    file: str
    rate: float
    cast: Cast
    slot_ids: set[str]


def apply_edits(root: Stored, file: str) -> None:
    """Change the documents as their prims say.

    Raises `UnreadableFileError` for an edit that no cut can follow.
    """
    if root.found.get(layout.LAYOUT_VERSION) != layout.VERSION:
        return
    nodes: dict[int, Node] = {}
    top = _node_of(root, nodes, _as_written_below)
    rate = placement.rate_of(top)
    placement.place(top, rate)
    if _fill_holes(root, nodes, rate):
        nodes.clear()
        top = _node_of(root, nodes, _as_written_below)
        placement.place(top, rate)
    frame = _Frame(file, rate, cast_of(top), set(_slot_ids(root)))
    moved: _Moves = {}
    written = {_said(item) for item in walk(root) if id(item) in nodes}
    for above, item in _with_parents(root):
        has_place = layout.has_place(item.document, above.document if above else None)
        node = nodes.get(id(item))
        edits = _edits_of(item, node, frame, has_place)
        key = wanted_take(item, file)
        if key is not None:  # before all else, which is said of the take that is shown
            switch_take(item.document, key)
        for edit in edits:
            if edit.name not in (layout.START, layout.END):
                edit_object(item, edit, frame.cast, rate, frame.slot_ids)
        if edits or key is not None:
            item.floats = long_floats(item.document)
        edges = {edit.name: edit.value for edit in edits}
        wanted = edges.get(layout.START), edges.get(layout.END)
        # What somebody added lies where it stands in the order, unless its edges are its own: a
        # copy says where the other one is, and what came from another track where it was.
        is_told = node is not None or (_index(item) is None and wanted not in written)
        if above is not None and wanted != (None, None) and is_told:
            moved.setdefault(id(above), (above, {}))[1][id(item)] = wanted
    if moved:
        _move(root, moved, frame)


def _move(root: Stored, moved: _Moves, frame: _Frame) -> None:
    """Move edges on the timeline, where all lies by now: what was trimmed moved what follows."""
    nodes: dict[int, Node] = {}
    placement.place(_node_of(root, nodes, lambda item: item.children), frame.rate)
    lengths = {key: node.duration for key, node in nodes.items() if node.duration is not None}
    places = {
        key: (node.start, node.end)
        for key, node in nodes.items()
        if node.start is not None and node.end is not None
    }
    trim = Trim(frame.file, frame.rate, lengths)
    for above, wanted in moved.values():
        arrange(above, wanted, places, trim)
        for child in above.children:
            child.floats = long_floats(child.document)


def _fill_holes(root: Stored, nodes: dict[int, Node], rate: float) -> bool:
    """Put gaps where prims are gone from tracks; return whether there were any.

    What is left stays where it says it is.
    """
    filled = False
    for track in walk(root):
        if layout.kind_of(track.document) != "Track":
            continue
        known = _as_written(track.items)
        if len(known) == max(known, default=-1) + 1:
            continue
        shift, last = 0.0, -1
        for index in sorted(known):
            child = known[index]
            said, start = child.found.get(layout.START), nodes[id(child)].start
            if index > last + 1 and said is not None and start is not None:
                if said - start > shift:
                    gap = make_gap(said - start - shift, rate)
                    gap.path = f"{track.path}/{layout.prim_name(gap.document, index - 1)}"
                    track.children.insert(track.children.index(child), gap)
                    filled = True
                shift = said - start
            last = index
    return filled


def _node_of(
    root: Stored, nodes: dict[int, Node], children_of: Callable[[Stored], list[Stored]]
) -> Node:
    """Return the tree of the objects' nodes; put each into `nodes` by its object's identity."""
    top = Node(root.document, layout.ROOT_NAME, layout.kind_of(root.document))
    nodes[id(root)] = top
    waiting = [(root, top)]
    while waiting:
        stored, node = waiting.pop()
        for child in children_of(stored):
            name = child.path.rpartition("/")[2]
            below = Node(child.document, name, layout.kind_of(child.document))
            nodes[id(child)] = below
            (node.markers if stored.is_marker(child) else node.children).append(below)
            waiting.append((child, below))
    return top


def _as_written_below(stored: Stored) -> list[Stored]:
    """Return the objects right below as they were written: by the indices of their names.

    What an artist added is not among them.
    """
    found: list[Stored] = []
    for children in (stored.items, stored.markers):
        known = _as_written(children)
        found += [known[index] for index in sorted(known)]
    return found


def _as_written(children: list[Stored]) -> dict[int, Stored]:
    """Return the children that were written, by the index of each; the others were added.

    One that was renamed since stands between two whose indices leave room for it. Of two with one
    index the second was brought here from elsewhere.
    """
    known: dict[int, Stored] = {}
    places: dict[tuple[Any, Any], Stored] = {}
    for child in sorted(children, key=lambda child: _index(child) or 0):
        index = _index(child)
        start, end = place = _said(child)
        other = places.get(place)
        if index is None or (other is not None and other.document == child.document):
            continue  # a copy says where the other one is
        if known.setdefault(index, child) is child and start is not None and end != start:
            places[place] = child
    last = max(known, default=-1)
    before = -1
    for child in children:
        index = _index(child)
        if index is not None and known.get(index) is child:
            before = index
        elif index is None and before + 1 < last and before + 1 not in known:
            before += 1
            known[before] = child
    return known


def _said(item: Stored) -> tuple[Any, Any]:
    """Return the edges that an object's prim says."""
    return item.found.get(layout.START), item.found.get(layout.END)


def _index(child: Stored) -> int | None:
    """Return the place that a prim was written at; None for one that castline did not name so."""
    name = child.path.rpartition("/")[2]
    if name == layout.TRACKS_NAME:
        return 0
    digits = name.split("_", 2)[1] if "_" in name else ""
    if not digits.isdigit():
        return None
    index = int(digits)
    return index if layout.prim_name(child.document, index, len(digits)) == name else None


def _slot_ids(root: Stored) -> Iterator[str]:
    for item in walk(root):
        data = data_of(item.document)
        if data and isinstance(data.get("slot_id"), str):
            yield data["slot_id"]


def _with_parents(root: Stored) -> Iterator[tuple[Stored | None, Stored]]:
    yield None, root
    for item in walk(root):
        for child in item.children:
            yield item, child


def _edits_of(item: Stored, node: Node | None, frame: _Frame, has_place: bool) -> list[Edit]:
    """Return how the attributes of a prim differ from what its document says."""
    if node is None:
        node = Node(item.document, "", layout.kind_of(item.document))
        placement.measure(node, frame.rate)
    expected = views_of(node, frame.rate, has_place)
    if item.path.count("/") == 1:
        expected[layout.RATE] = frame.rate
    edits = [
        Edit(name, value, f"{frame.file}: {item.path}: {name}")
        for name, value in item.found.items()
        if value is not None
        and name in layout.TYPES
        and name != layout.LAYOUT_VERSION
        and not _is_as_expected(name, value, expected.get(name))
        and (has_place or name not in (layout.START, layout.END))
    ]
    shown = display_name_of(node)
    if item.display_name and item.display_name != shown and layout.NAME not in _names(edits):
        place = f"{frame.file}: {item.path}: displayName"
        edits.append(Edit(layout.NAME, item.display_name, place))
    if item.labels is not None:
        edits.append(Edit(layout.LABELS, item.labels, f"{frame.file}: {item.path}"))
    edits += [
        Edit(name, value, f"{frame.file}: {item.path}: {name}")
        for name, value in item.found.items()
        if value is not None and name.startswith(f"{layout.APPEARANCE}:")
    ]
    return edits


def _is_as_expected(name: str, value: Any, expected: Any) -> bool:
    """Say whether nobody touched a value; programs that save USD text round time codes."""
    if value == expected:
        return True
    is_time = layout.TYPES[name] == "timecode" and expected is not None
    return is_time and value == timecodes.written(expected)


def _names(edits: list[Edit]) -> set[str]:
    return {edit.name for edit in edits}
