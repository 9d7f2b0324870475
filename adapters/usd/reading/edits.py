"""What artists changed in a stage that holds a cut: found by comparing, put into the documents.

The writer's own arithmetic says what each attribute would be if nobody had touched it. Where a
stage says something else, somebody did, and the hand wins.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from castline.adapters.usd import layout, placement
from castline.adapters.usd.characters import cast_of
from castline.adapters.usd.node import Node
from castline.adapters.usd.payload import data_of
from castline.adapters.usd.reading.arrange import Edges, arrange
from castline.adapters.usd.reading.document import long_floats
from castline.adapters.usd.reading.edges import wanted_edges
from castline.adapters.usd.reading.edit import Edit, edit_object
from castline.adapters.usd.reading.stored import Stored, walk
from castline.adapters.usd.reading.switch import switch_take, wanted_take
from castline.adapters.usd.reading.trim import Trim
from castline.adapters.usd.reading.written import Written, as_written, says
from castline.adapters.usd.views import display_name_of, views_of
from castline.schemas.values import Cast

_LOG = logging.getLogger("castline")
_PLACES = (layout.START, layout.END)


@dataclass
class _Frame:
    """What is known of the whole stage."""

    file: str
    written: Written
    cast: Cast
    slot_ids: set[str]


def apply_edits(root: Stored, file: str) -> None:
    """Change the documents as their prims say.

    Raises `UnreadableFileError` for an edit that no cut can follow.
    """
    if root.found.get(layout.LAYOUT_VERSION) != layout.VERSION:
        return
    _drop_what_is_off(root, file)
    written = as_written(root)
    moves = wanted_edges(root, written, file)  # by the documents as they were written
    frame = _Frame(file, written, cast_of(written.top), set(_slot_ids(root)))
    for above, item in _with_parents(root):
        has_place = layout.has_place(item.document, above.document if above else None)
        edits = _edits_of(item, frame, has_place)
        key = wanted_take(item, file)
        if key is not None:  # before all else, which is said of the take that is shown
            switch_take(item.document, key)
        edit_object(item, edits, frame.cast, written.rate, frame.slot_ids)
        if edits or key is not None:
            item.floats = long_floats(item.document)

    def place_of(item: Stored) -> Edges | None:
        node = written.node_of(item)
        return (
            None
            if node is None or node.start is None or node.end is None
            else (node.start, node.end)
        )

    trim = Trim(file, written.rate)
    for each in moves:
        arrange(each.above, each.wanted, each.added, place_of, trim)
        for child in each.above.children:
            child.floats = long_floats(child.document)


def _drop_what_is_off(root: Stored, file: str) -> None:
    """Take away what is switched off and cannot say so: a marker or a transition is gone."""
    for above in walk(root):
        off = [c for c in above.children if _is_off(c) and "enabled" not in c.document]
        if off:
            gone = {id(child) for child in off}
            above.children[:] = [c for c in above.children if id(c) not in gone]
    if _is_off(root) and "enabled" not in root.document:
        del root.found[layout.ENABLED]
        _LOG.warning("castline: %s: %s: found it off, which a cut cannot be", file, root.path)


def _is_off(item: Stored) -> bool:
    return item.found.get(layout.ENABLED) is False


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


def _edits_of(item: Stored, frame: _Frame, has_place: bool) -> list[Edit]:
    """Return how the attributes of a prim differ from what its document says, places apart."""
    node = frame.written.node_of(item)
    rate = frame.written.rate
    if node is None:
        node = Node(item.document, "", layout.kind_of(item.document))
        placement.measure(node, rate)
    expected = views_of(node, rate, has_place)
    if item.path.count("/") == 1:
        expected[layout.RATE] = rate
    edits = [
        Edit(name, value, f"{frame.file}: {item.path}: {name}")
        for name, value in item.found.items()
        if name in layout.TYPES
        and name not in (layout.LAYOUT_VERSION, *_PLACES)
        and not _is_as_expected(name, value, expected.get(name))
    ]
    is_cleared = expected.get(layout.ENABLED) is False and layout.ENABLED not in item.found
    if is_cleared and any(name in expected for name in item.found):
        # Absent where it is on; but where nothing is said at all, nothing is meant.
        edits.append(Edit(layout.ENABLED, True, f"{frame.file}: {item.path}"))
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
    if value is None:  # what is no finite number
        return expected is None or (isinstance(expected, float) and not math.isfinite(expected))
    return value == expected or (layout.TYPES[name] == "timecode" and says(value, expected))


def _names(edits: list[Edit]) -> set[str]:
    return {edit.name for edit in edits}
