"""What artists changed in a stage that holds a cut: found by comparing, put into the documents.

The writer's own arithmetic says what each attribute would be if nobody had touched it. Where a
stage says something else, somebody did, and the hand wins.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from castline.adapters.usd import layout, placement, timecodes
from castline.adapters.usd.characters import cast_of
from castline.adapters.usd.node import Node
from castline.adapters.usd.payload import data_of, references_of
from castline.adapters.usd.reading import moves
from castline.adapters.usd.reading.document import long_floats
from castline.adapters.usd.reading.edit import Edit, edit_object, make_gap
from castline.adapters.usd.reading.stored import Stored, walk
from castline.adapters.usd.views import display_name_of, views_of
from castline.schemas.values import Cast

_Move = tuple[Stored, Stored, moves.Wanted]
"""A track, an item on it, and the edges that somebody gave the item."""


@dataclass
class _Frame:
    """What is known of the whole stage."""

    file: str
    rate: float
    cast: Cast
    slot_ids: set[str]
    switches: list[tuple[Stored, str]] = field(default_factory=list)


def apply_edits(root: Stored, file: str) -> list[tuple[Stored, str]]:
    """Change the documents as their prims say; return the clips that are to show another take.

    Those are switched once they are OTIO's objects, with the key of the media reference. Raises
    `UnreadableFileError` for an edit that no cut can follow.
    """
    if root.found.get(layout.LAYOUT_VERSION) != layout.VERSION:
        return []
    nodes: dict[int, Node] = {}
    top = _node_of(root, layout.ROOT_NAME, nodes)
    rate = placement.rate_of(top)
    placement.place(top, rate)
    if _fill_holes(root, nodes, rate):
        nodes.clear()
        top = _node_of(root, layout.ROOT_NAME, nodes)
        placement.place(top, rate)
    frame = _Frame(file, rate, cast_of(top), set(_slot_ids(root)))
    moved: list[_Move] = []
    for above, item in _with_parents(root):
        has_place = layout.has_place(item.document, above.document if above else None)
        edits = _edits_of(item, nodes.get(id(item)), frame, has_place)
        places = {e.name: e.value for e in edits if e.name in (layout.START, layout.END)}
        for edit in edits:
            if edit.name not in places:
                edit_object(item, edit, frame.cast, rate, frame.slot_ids)
        if edits:
            item.floats = long_floats(item.document)
        if places and above is not None:
            moved.append((above, item, (places.get(layout.START), places.get(layout.END))))
        _note_switch(item, frame)
    if moved:
        placement.place(top, rate)  # what was trimmed in its media has moved what follows already
        _move(moved, nodes, frame)
    return frame.switches


def _move(moved: list[_Move], nodes: dict[int, Node], frame: _Frame) -> None:
    """Move edges on the timeline: whole items first, those before others that make room for them.

    So one that goes later comes after those behind it, and a cut that was rolled, or a shot that
    was slid between two, is what it looks like.
    """
    lengths = {key: node.duration for key, node in nodes.items() if node.duration is not None}
    edges = {
        key: (node.start, node.end)
        for key, node in nodes.items()
        if node.start is not None and node.end is not None
    }

    def turn(move: _Move) -> tuple[int, float]:
        _, item, (start, end) = move
        before = edges[id(item)][0]
        if layout.kind_of(item.document) == "Transition":
            return 2, before
        if start is None or end is None:
            return 1, before
        return 0, -before if start > before else before

    for above, item, wanted in sorted((m for m in moved if id(m[1]) in edges), key=turn):
        place = f"{frame.file}: {item.path}: castline:timelineRange"
        moves.Bench(above, lengths, frame.rate, edges, place).move(item, wanted)
    for above in {id(above): above for above, _, _ in moved}.values():
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


def _node_of(root: Stored, name: str, nodes: dict[int, Node]) -> Node:
    """Return the tree as it was written: the objects in the order of their names' indices.

    What an artist added has no place in it.
    """
    top = Node(root.document, name, layout.kind_of(root.document))
    nodes[id(root)] = top
    waiting = [(root, top)]
    while waiting:
        stored, node = waiting.pop()
        for child in _in_order(stored):
            name = child.path.rpartition("/")[2]
            below = Node(child.document, name, layout.kind_of(child.document))
            nodes[id(child)] = below
            (node.markers if stored.is_marker(child) else node.children).append(below)
            waiting.append((child, below))
    return top


def _in_order(stored: Stored) -> list[Stored]:
    """Return the objects right below as they were written."""
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
    places: set[tuple[str, Any, Any]] = set()
    for child in sorted(children, key=lambda child: _index(child) or 0):
        index = _index(child)
        start, end = child.found.get(layout.START), child.found.get(layout.END)
        place = (layout.kind_of(child.document), start, end)
        if index is None or place in places:  # a copy says where the other one is
            continue
        if known.setdefault(index, child) is child and start is not None and end != start:
            places.add(place)
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


def _note_switch(item: Stored, frame: _Frame) -> None:
    """Note a clip whose prim selects another take than its document shows."""
    chosen = item.selections.get(layout.TAKE_SET)
    if not chosen:
        return
    names = layout.variant_names(references_of(item.document))
    keys = {name: key for key, name in names.items()}
    key = keys.get(chosen)
    if key is not None and key != item.document.get("active_media_reference_key"):
        frame.switches.append((item, key))
