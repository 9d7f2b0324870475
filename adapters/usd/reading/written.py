"""The tree of a stage's objects as it was written, with the place of each in time."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from castline.adapters.usd import layout, placement, timecodes
from castline.adapters.usd.node import Node
from castline.adapters.usd.reading.edit import make_gap
from castline.adapters.usd.reading.stored import Stored, walk


@dataclass
class Written:
    """The placed nodes of what was written; what somebody added has none."""

    top: Node
    rate: float
    """The stage's, in frames a second."""
    nodes: dict[int, Node] = field(default_factory=dict)
    """By the identity of the stored object."""

    def node_of(self, item: Stored) -> Node | None:
        """Return the node of an object, where it was written."""
        return self.nodes.get(id(item))


def as_written(root: Stored) -> Written:
    """Return the objects as they were written, by the indices in their prims' names.

    Where prims are gone from a track gaps are put, so that what is left stays where it says.
    """
    nodes: dict[int, Node] = {}
    top = _tree(root, nodes)
    found = Written(top, _rate_of(root, placement.rate_of(top)), nodes)
    placement.place(top, found.rate)
    if _fill_holes(root, found):
        found = _placed(root, found.rate)
    return found


def says(value: Any, expected: Any) -> bool:
    """Say whether a time is the one that was written; USD text of others rounds it."""
    return value == expected or (expected is not None and value == timecodes.written(expected))


def said(item: Stored) -> tuple[Any, Any]:
    """Return the edges on the timeline that an object's prim says."""
    return item.found.get(layout.START), item.found.get(layout.END)


def _rate_of(root: Stored, own: float) -> float:
    """Return the rate in which the stage's times were written.

    It is said on the stage. Where the cut's `own` is another, either somebody changed what is
    said, or the item that the cut had it from is gone: where most is as it was written decides.
    """
    other = root.found.get(layout.RATE)
    if not isinstance(other, (int, float)) or not other > 0 or other == own:
        return own
    if isinstance(root.document.get("global_start_time"), dict):
        return own
    return max((float(other), own), key=lambda rate: _agreeing(root, _placed(root, rate)))


def _agreeing(root: Stored, written: Written) -> int:
    count = 0
    for item in walk(root):
        node = written.node_of(item)
        if node is not None and node.start is not None:
            start, end = said(item)
            count += says(start, node.start) + says(end, node.end)
    return count


def _placed(root: Stored, rate: float) -> Written:
    nodes: dict[int, Node] = {}
    found = Written(_tree(root, nodes), rate, nodes)
    placement.place(found.top, rate)
    return found


def _tree(root: Stored, nodes: dict[int, Node]) -> Node:
    """Return the tree of the nodes; put each into `nodes` by its object's identity."""
    top = Node(root.document, layout.ROOT_NAME, layout.kind_of(root.document))
    nodes[id(root)] = top
    waiting = [(root, top)]
    while waiting:
        stored, node = waiting.pop()
        for children, below in ((stored.items, node.children), (stored.markers, node.markers)):
            known = known_in(children)
            for index in sorted(known):
                child = known[index]
                name = child.path.rpartition("/")[2]
                nodes[id(child)] = made = Node(
                    child.document, name, layout.kind_of(child.document)
                )
                below.append(made)
                waiting.append((child, made))
    return top


def _fill_holes(root: Stored, written: Written) -> bool:
    """Put gaps where prims are gone from tracks; return whether there were any."""
    filled = False
    for track in walk(root):
        if layout.kind_of(track.document) != "Track":
            continue
        known = known_in(track.items)
        if len(known) == max(known, default=-1) + 1:
            continue
        shift, last = 0.0, -1
        before: dict[int, Stored] = {}
        for index in sorted(known):
            child = known[index]
            start, place = child.found.get(layout.START), written.nodes[id(child)].start
            if index > last + 1 and isinstance(start, (int, float)) and place is not None:
                if start - place > shift:
                    gap = make_gap(start - place - shift, written.rate)
                    gap.path = f"{track.path}/{layout.prim_name(gap.document, index - 1)}"
                    before[id(child)] = gap
                    filled = True
                shift = start - place
            last = index
        if before:
            track.children[:] = [
                each
                for child in track.children
                for each in ((before[id(child)], child) if id(child) in before else (child,))
            ]
    return filled


def known_in(children: list[Stored]) -> dict[int, Stored]:
    """Return the children that were written, by the index of each; the others were added.

    One that was renamed since stands between two whose indices leave room for it. Of two with one
    index the second was brought here from elsewhere.
    """
    known: dict[int, Stored] = {}
    places: dict[tuple[Any, Any], Stored] = {}
    indices = [(_index(child), child) for child in children]
    for index, child in sorted(indices, key=lambda pair: pair[0] or 0):
        start, end = place = said(child)
        other = places.get(place)
        if index is None or (other is not None and other.document == child.document):
            continue  # a copy says where the other one is
        if known.setdefault(index, child) is child and start is not None and end != start:
            places[place] = child
    last = max(known, default=-1)
    before = -1
    for index, child in indices:
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
