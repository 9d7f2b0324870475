"""Which edges on the timeline somebody gave to whom.

What each prim says is held against where it was written. What lies in a nest that was moved may
say where it lies now or where it lay: most of it decides.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from castline.adapters.usd import layout
from castline.adapters.usd.node import Node
from castline.adapters.usd.reading.arrange import OPEN, Wanted, next_shots
from castline.adapters.usd.reading.stored import Stored
from castline.adapters.usd.reading.written import Written, said, says
from castline.schemas.errors import UnreadableFileError


@dataclass
class Moves:
    """The new edges of what lies on one track, or on one stack."""

    above: Stored
    wanted: dict[int, Wanted] = field(default_factory=dict)
    """By the identity of each; in the frames in which all was written."""
    added: set[int] = field(default_factory=set)
    """Of these, what somebody added, with both its edges."""


def wanted_edges(root: Stored, written: Written, file: str) -> list[Moves]:
    """Return the moves on each track and stack, what is inside before what is around it.

    Raises `UnreadableFileError` for an edge that is no time.
    """
    found: list[Moves] = []
    waiting = [(root, 0.0)]
    while waiting:
        above, shift = waiting.pop()
        moves = Moves(above)
        if written.node_of(above) is None:
            continue  # a copy of a track or a nest is as it is, all the way down
        known = {said(c): c.document for c in above.items if written.node_of(c) is not None}
        for child, behind in zip(above.items, next_shots(above.items), strict=True):
            node = written.node_of(child)
            wanted: Wanted = (None, None)
            if layout.has_place(child.document, above.document):
                _require_times(child, file)
                if node is not None and not _is_stale(child, node, shift):
                    wanted = _wanted(child, node, shift, behind)
                elif (
                    node is None
                    and None not in said(child)
                    and known.get(said(child)) != child.document
                ):
                    start, end = said(child)
                    wanted = start - shift, end - shift
                    moves.added.add(id(child))
                if wanted != (None, None):
                    moves.wanted[id(child)] = wanted
            if node is not None and child.children:
                waiting.append((child, shift + _inner_shift(child, node, wanted, shift, written)))
        if moves.wanted:
            found.append(moves)
    return found[::-1]


def _wanted(child: Stored, node: Node, shift: float, behind: Stored | None) -> Wanted:
    start, end = said(child)
    if node.start is None or node.end is None:
        return None, None
    new_start = None if start is None or says(start, node.start + shift) else start - shift
    new_end = None if end is None or says(end, node.end + shift) else end - shift
    is_open = layout.kind_of(child.document) in layout.CONTAINERS and not child.document.get(
        "source_range"
    )
    if is_open and new_end is not None and (behind is None or said(behind)[0] == end):
        first = node.start if new_start is None else new_start
        if new_end - first > (node.duration or 0.0):
            # It follows its content, which is shorter or longer by now, and so does what follows.
            new_end = OPEN
    return new_start, new_end


def _is_told(child: Stored, known: dict[tuple[Any, Any], dict[str, Any]]) -> bool:
    """Say whether what was added has edges of its own, not those of what it is a copy of."""
    return None not in said(child) and known.get(said(child)) != child.document


def _is_stale(child: Stored, node: Node, shift: float) -> bool:
    """Say whether this is a gap in a nest that was moved, which nobody told of that."""
    if not shift or layout.kind_of(child.document) != "Gap":
        return False
    start, end = said(child)
    return says(start, node.start) and says(end, node.end)


def _inner_shift(
    nest: Stored, node: Node, wanted: Wanted, shift: float, written: Written
) -> float:
    """Return how far what is in a nest says that it was moved with it; 0 where it does not."""
    if wanted[0] is None or wanted[1] is None or node.start is None:
        return 0.0
    moved = wanted[0] - node.start
    stayed = went = 0
    for child in _placed_in(nest):
        inner = written.node_of(child)
        if layout.kind_of(child.document) == "Gap":  # which scripts forget
            continue
        if inner is not None and inner.start is not None:
            start, _ = said(child)
            stayed += says(start, inner.start + shift)
            went += says(start, inner.start + shift + moved)
    return moved if went > stayed or stayed == 0 else 0.0


def _placed_in(nest: Stored) -> Iterator[Stored]:
    """Yield what lies right on a nest's tracks, or on the nest itself."""
    waiting = [nest]
    while waiting:
        above = waiting.pop()
        for child in above.items:
            if layout.has_place(child.document, above.document):
                yield child
            else:
                waiting.append(child)


def _require_times(child: Stored, file: str) -> None:
    for name in (layout.START, layout.END):
        value: Any = child.found.get(name, 0.0)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            found = "no number" if value is None else repr(value)
            raise UnreadableFileError(
                f"{file}: {child.path}: {name}: found {found}, expected a timecode"
            )
