"""Laying the items of a track out anew, where somebody gave some of them other edges.

As an editor overwrites: who was given edges has them, all else stays where it is, what is
uncovered becomes a gap, and what is covered at an end gives way.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass
from itertools import islice, pairwise

from castline.adapters.usd import placement
from castline.adapters.usd.layout import kind_of
from castline.adapters.usd.reading.edit import make_gap
from castline.adapters.usd.reading.stored import Stored
from castline.adapters.usd.reading.trim import NOISE, Trim

Edges = tuple[float, float]
"""Where an item starts and ends on the timeline, in frames of the stage."""

Wanted = tuple[float | None, float | None]
"""The same as somebody wants it; None for an edge that stays."""

OPEN = math.inf
"""The end of what is as long as what is in it."""

PlaceOf = Callable[[Stored], Edges | None]
"""Gives where an item was written, if it was."""

_KEYS_OF_A_BARE_GAP = frozenset({"OTIO_SCHEMA", "source_range", "enabled"})


def arrange(
    above: Stored, wanted: Mapping[int, Wanted], added: set[int], place_of: PlaceOf, trim: Trim
) -> None:
    """Give items of a track, or of a stack, new edges.

    `wanted` and `added` are by the items' identities; those that were added lie where they want
    to if there is room, else where they stand in the order. One new edge trims an item; two move
    it, and trim its tail to fit. Raises `UnreadableFileError` where two want one place, or an
    item would be covered whole.
    """
    if kind_of(above.document) == "Track":
        places = _arrange_track(above, wanted, added, place_of, trim)
        _reach(above, wanted, places, trim)
        return
    for item in above.items:
        old = place_of(item)
        if id(item) in wanted and old is not None:
            start, end = _edges(item, wanted[id(item)], old, trim)
            if start != old[0]:
                found = f"the start {start:g}"
                raise trim.refuse(item, found, f"{old[0]:g}, where its stack starts")
            trim.tail(item, (end - start) - (trim.length(item) or 0.0))


@dataclass
class _Row:
    """An item on a track, transitions apart."""

    item: Stored
    old: Edges
    new: Edges
    wanted: Wanted | None

    @property
    def is_gap(self) -> bool:
        """Say whether this is nothing but time, which makes room for all else."""
        return self.wanted is None and kind_of(self.item.document) == "Gap"


def _arrange_track(
    track: Stored,
    wanted: Mapping[int, Wanted],
    added: set[int],
    place_of: PlaceOf,
    trim: Trim,
) -> dict[int, Edges]:
    """Lay out a track; return where everything lies."""
    items = [child for child in track.items if kind_of(child.document) != "Transition"]
    loose = [item for item in items if id(item) in added]
    rest = [item for item in items if id(item) not in added]
    first = _head(track, place_of, trim)
    places = _base(rest, first, place_of, trim)
    rows = [
        _row(item, wanted.get(id(item)), places[id(item)], place_of(item), trim)
        for item in rest
        if id(item) in places
    ]
    fitting, others = _fitting(loose, rows, wanted)
    if others:  # these stand in the order, and push what follows
        apart = {id(row.item) for row in fitting}
        rest = [item for item in items if id(item) not in apart]
        places = _base(rest, first, place_of, trim)
        rows = [
            _row(item, _of_known(item, wanted, added), places[id(item)], place_of(item), trim)
            for item in rest
            if id(item) in places
        ]
    rows += fitting
    if not rows or not any(row.wanted for row in rows):
        return places
    solid = [row for row in rows if not row.is_gap]
    _give_way(solid, trim)
    solid.sort(key=lambda row: row.new)
    if solid[0].new[0] < first - NOISE:
        found = f"no room before {first:g}, where its track starts"
        raise trim.refuse(solid[0].item, found, "some")
    was = {id(row.item): row.old for row in rows}
    for row in solid:
        _fit(row, trim)
        places[id(row.item)] = row.new
    gaps = _Gaps(deque(row for row in rows if row.is_gap), places, trim)
    line: list[Stored] = []
    at = first
    for row in solid:
        line += gaps.fill(at, row.new[0])
        line.append(row.item)
        at = row.new[1]
    if (last := max(row.old[1] for row in rows)) > at and gaps.waiting:
        line += gaps.fill(at, last)
    gaps.require_used()
    line += [item for item in rest if id(item) not in places]
    laid, lost = _with_transitions(track.items, line, was, places)
    for transition in lost:
        raise trim.refuse(transition, "its two shots apart", "them side by side, or it gone")
    track.children[:] = [*track.markers, *laid]
    return places


def _head(track: Stored, place_of: PlaceOf, trim: Trim) -> float:
    """Return where the first item on a track begins, what its own range skips included."""
    place = place_of(track)
    own = track.document.get("source_range")
    skipped = placement.frames_of(own.get("start_time"), trim.rate) if own else 0.0
    return (place[0] if place else 0.0) - (skipped or 0.0)


def _base(items: list[Stored], at: float, place_of: PlaceOf, trim: Trim) -> dict[int, Edges]:
    """Return where items lie before any is moved: as written, or one after the other.

    The latter where they stand in another order, or some were added among them. What follows one
    without a length lies nowhere.
    """
    written = [place_of(item) for item in items]
    known = [place for place in written if place is not None]
    is_kept = len(known) == len(items) and all(a <= b for a, b in pairwise(known))
    if is_kept:
        return {id(item): place for item, place in zip(items, known, strict=True)}
    places: dict[int, Edges] = {}
    for item, place in zip(items, written, strict=True):
        length = place[1] - place[0] if place is not None else trim.length(item)
        if length is None:
            break
        places[id(item)] = at, at + length
        at += length
    return places


def _of_known(item: Stored, wanted: Mapping[int, Wanted], added: set[int]) -> Wanted | None:
    return None if id(item) in added else wanted.get(id(item))


def _row(
    item: Stored, wanted: Wanted | None, old: Edges, written: Edges | None, trim: Trim
) -> _Row:
    length = trim.length(item)
    if written is not None and length is not None:
        more = length - (written[1] - written[0])
        if abs(more) > NOISE:  # trimmed in its media: it has that length, where it starts
            start, end = wanted or (None, OPEN)
            wanted = old[0] if start is None else start, old[1] if end is None else end
    if wanted is not None and wanted[1] == OPEN:
        wanted = old[0] if wanted[0] is None else wanted[0], OPEN
    return _Row(item, old, old if wanted is None else _edges(item, wanted, old, trim), wanted)


def _fitting(
    loose: list[Stored], rows: list[_Row], wanted: Mapping[int, Wanted]
) -> tuple[list[_Row], list[Stored]]:
    """Return what was added and lies where it says, and what is to stand in the order instead.

    Nothing that is there is covered whole, or amid, by what says no more than where it once was.
    """
    fitting: list[_Row] = []
    others: list[Stored] = []
    still = sorted(row.new for row in rows if not row.wanted and not row.is_gap)
    starts, ends = [start for start, _ in still], [end for _, end in still]
    taken = sorted(row.new for row in rows if row.wanted)
    for item in loose:
        start, end = wanted[id(item)]
        if start is None or end is None or end <= start:
            others.append(item)
            continue
        covered = still[bisect_right(ends, start + NOISE) : bisect_left(starts, end - NOISE)]
        at = bisect_right(taken, (start, end))
        is_taken = (at > 0 and taken[at - 1][1] > start + NOISE) or (
            at < len(taken) and taken[at][0] < end - NOISE
        )
        if (
            is_taken
            or len(covered) > 2
            or any((a < start - NOISE) == (b > end + NOISE) for a, b in covered)
        ):
            others.append(item)
            continue
        taken.insert(at, (start, end))
        fitting.append(_Row(item, (start, end), (start, end), (start, end)))
    return fitting, others


def _edges(item: Stored, wanted: Wanted, old: Edges, trim: Trim) -> Edges:
    start = old[0] if wanted[0] is None else wanted[0]
    end = old[1] if wanted[1] is None else wanted[1]
    if end == OPEN:
        end = start + (trim.length(item) or 0.0)
    if end <= start:
        raise trim.refuse(item, f"the range {start:g} to {end:g}", "an end after the start")
    return start, end


def _give_way(solid: list[_Row], trim: Trim) -> None:
    """Take from the items that nobody moved what those that somebody did lie over."""
    moved = sorted((row for row in solid if row.wanted), key=lambda row: row.new)
    for one, other in pairwise(moved):
        if other.new[0] < one.new[1] - NOISE:
            found = f"the range {other.new[0]:g} to {other.new[1]:g}, where {one.item.path} is too"
            raise trim.refuse(other.item, found, "a place of its own")
    ends = [row.new[1] for row in moved]
    for row in solid:
        if row.wanted:
            continue
        start, end = row.old
        for over in islice(moved, bisect_right(ends, start + NOISE), None):
            if over.new[0] >= end - NOISE:
                break
            if over.new[0] <= start + NOISE:
                start = over.new[1]
            elif over.new[1] >= end - NOISE:
                end = over.new[0]
            else:
                found = f"no room for it amid {row.item.path}"
                raise trim.refuse(over.item, found, "some, or a cut there")
            if end - start <= NOISE:
                found = f"no room for it: it would cover {row.item.path}"
                raise trim.refuse(over.item, found, "some, or that one gone")
        row.new = start, end


def _fit(row: _Row, trim: Trim) -> None:
    """Trim an item to its new edges."""
    (old_start, old_end), (start, end) = row.old, row.new
    if row.wanted is not None and None not in row.wanted:  # moved: it shows what it showed
        trim.tail(row.item, (end - start) - (trim.length(row.item) or 0.0))
        return
    trim.head(row.item, start - old_start)
    trim.tail(row.item, end - old_end)


@dataclass
class _Gaps:
    """The gaps of a track, in order, each to be used again where it lies."""

    waiting: deque[_Row]
    places: MutableMapping[int, Edges]
    trim: Trim

    def fill(self, start: float, end: float) -> list[Stored]:
        """Return gaps from start to end."""
        length = end - start
        found: list[_Row] = []
        while self.waiting and self.waiting[0].old[0] <= end + NOISE:
            row = self.waiting[0]
            is_empty = row.old[1] - row.old[0] <= NOISE
            if row.old[1] < start - NOISE or (not is_empty and row.old[1] <= start + NOISE):
                self._require_bare(self.waiting.popleft())
            elif is_empty or (length > NOISE and row.old[0] < end - NOISE):
                found.append(self.waiting.popleft())
            else:
                break
        wide = [row for row in found if row.old[1] - row.old[0] > NOISE]
        if length > NOISE and not wide:
            made = make_gap(length, self.trim.rate)
            self.places[id(made)] = start, end
            return [*(row.item for row in found), made]
        at = start
        for row in wide:
            until = end if row is wide[-1] else min(row.old[1], end)
            self.trim.lengthen(row.item, (until - at) - (row.old[1] - row.old[0]))
            self.places[id(row.item)] = at, until
            at = until
        return [row.item for row in found]

    def require_used(self) -> None:
        """Raise `UnreadableFileError` where a gap is covered that holds more than time."""
        for row in self.waiting:
            self._require_bare(row)

    def _require_bare(self, row: _Row) -> None:
        item = row.item
        more = {key for key, value in item.document.items() if value} - _KEYS_OF_A_BARE_GAP
        if more or item.children:
            found = f"no room for its {', '.join(sorted(more)) or 'markers'}"
            raise self.trim.refuse(item, found, "some, or it gone")


def _with_transitions(
    before: list[Stored], line: list[Stored], was: Mapping[int, Edges], now: Mapping[int, Edges]
) -> tuple[list[Stored], list[Stored]]:
    """Return the items with the transitions that stood among them, and those that have no place.

    A transition is where its two shots meet; where they no longer do, it stays where it was, if
    anything begins or ends there.
    """
    at = {id(item): index for index, item in enumerate(line)}
    ends = {
        round(now[id(item)][1], 5): index for index, item in enumerate(line) if id(item) in now
    }
    if line and id(line[0]) in now:
        ends.setdefault(round(now[id(line[0])][0], 5), -1)
    after: dict[int, Stored] = {}
    lost = []
    left: Stored | None = None
    for item, right in zip(before, next_shots(before), strict=True):
        if kind_of(item.document) != "Transition":
            left = item
            continue
        place = at.get(id(left), -1)
        if place + 1 != at.get(id(right), len(line)):
            cut = was[id(left)][1] if id(left) in was else was.get(id(right), (None,))[0]
            place = -2 if cut is None else ends.get(round(cut, 5), -2)
        if place == -2 or place in after:
            lost.append(item)
        after[place] = item
    result = [after[-1]] if -1 in after else []
    for index, item in enumerate(line):
        result += [item, after[index]] if index in after else [item]
    return result, lost


def next_shots(items: list[Stored]) -> list[Stored | None]:
    """Return for each item the next that is no transition."""
    found: list[Stored | None] = []
    following = None
    for item in reversed(items):
        found.append(following)
        if kind_of(item.document) != "Transition":
            following = item
    return found[::-1]


def _reach(
    track: Stored, wanted: Mapping[int, Wanted], places: Mapping[int, Edges], trim: Trim
) -> None:
    """Change how far transitions reach to either side of their cuts, wherever those are now."""
    items = track.items
    for before, item, behind in zip([None, *items], items, [*items[1:], None], strict=False):
        if id(item) not in wanted or kind_of(item.document) != "Transition":
            continue
        start, end = wanted[id(item)]
        if before is not None and id(before) in places:
            cut = places[id(before)][1]
        elif behind is not None and id(behind) in places:
            cut = places[id(behind)][0]
        else:
            raise trim.refuse(item, "a transition between nothing", "items beside it")
        for key, edge, sign in (("in_offset", start, -1), ("out_offset", end, 1)):
            if edge is None:
                continue
            offset = item.document[key]
            offset["value"] = trim.in_own((edge - cut) * sign, offset["rate"])
            if offset["value"] < 0:
                raise trim.refuse(item, "a transition beside its cut", "one around it")
