"""Exact retimes of a whole cut: every clip's map from cut time to media time, in one pass."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

import opentimelineio as otio

from castline.schemas.errors import CastlineError, InvalidValueError
from castline.schemas.exact import exact_rate, exact_seconds
from castline.schemas.retime import Source, clip_source, clip_time_map, warped_map
from castline.schemas.retime_effect import read_warp
from castline.schemas.retime_program import (
    Convention,
    Program,
    program_of,
    program_of_timeline,
)
from castline.schemas.timemap import Piece, TimeMap


@dataclass(frozen=True, slots=True)
class ClipInCut:
    """A clip and its map from cut time to media time; where there is none, the error why.

    The map has no pieces where a trim hides the clip. Disabled clips and tracks, and what lies
    above, are not looked at: that is for who plays the cut.
    """

    clip: otio.schema.Clip
    time_map: TimeMap | None
    error: CastlineError | None = None
    seen: TimeMap | None = None
    """From cut time to the clip's own time, 0 at its head."""
    stretch: tuple[Fraction, Fraction] = (Fraction(0), Fraction(0))
    """The clip's own time that is seen, before any trim around it: its length, handles added."""

    def through(self, inner: TimeMap) -> TimeMap:
        """Map cut time through another map of the clip's own time: that of another take."""
        if self.seen is None:
            raise InvalidValueError(f"clip {self.clip.name!r}: found no place in the cut")
        return self.seen.then(inner.over(*self.stretch))


@dataclass(frozen=True, slots=True)
class _Span:
    """Where a child lies in its parent's time, in seconds; where that is unknown, why."""

    child: otio.core.Item
    start: Fraction
    end: Fraction
    error: CastlineError | None = None
    head: Fraction = Fraction(0)
    """Seconds of handle seen before the start; below 0 where less than the item is seen."""
    tail: Fraction = Fraction(0)


def cut_time_maps(
    timeline: otio.schema.Timeline,
    *,
    global_start: bool = False,
    rate: float | None = None,
    convention: Convention | None = None,
    cut_transitions: bool = False,
) -> Iterator[ClipInCut]:
    """Give all clips of a cut with their maps, in track order, in one linear pass.

    Cut time is 0 at the head of the timeline, or its global start time if `global_start`. `rate`
    is that of the cut's frames, by default `timeline_rate`. A convention, if given, is for all
    clips; else each clip is read as the program wrote it that it or the timeline names.

    Transitions take no time: they overlap their neighbours, and their handles lie outside a map's
    pieces. With `cut_transitions` each between two items that are no gaps is a hard cut at its
    midpoint, one of them running on into its handle. A clip that cannot be mapped comes with the
    error; so do all that follow, in a track, what has no known length.
    """
    return _Pass(timeline, global_start, rate, convention, None, cut_transitions).run()


def cut_time_map(
    clip: otio.schema.Clip,
    timeline: otio.schema.Timeline,
    *,
    global_start: bool = False,
    rate: float | None = None,
    convention: Convention | None = None,
) -> TimeMap:
    """Map cut time to media time for one clip; for many, `cut_time_maps` is the linear way.

    Raises:
        UnsupportedRetimeError: a time effect, of the clip or around it, cannot be read.
        InvalidValueError: the clip is not in the timeline, or it or one before it has no range.

    """
    wanted = {id(item): item for item in _with_ancestors(clip)}
    for found in _Pass(timeline, global_start, rate, convention, wanted).run():
        if found.clip is clip:
            if found.error is not None:
                raise found.error
            if found.time_map is not None:
                return found.time_map
    raise InvalidValueError(f"clip {clip.name!r}: found in no track, expected in the timeline")


def timeline_rate(timeline: otio.schema.Timeline) -> Fraction:
    """Give the frame rate of a cut: that of its global start, else of its first video clip.

    Raises:
        InvalidValueError: nothing in the timeline says a rate.

    """
    if timeline.global_start_time is not None:
        return exact_rate(timeline.global_start_time.rate)
    for track in (*timeline.video_tracks(), timeline.tracks):
        for clip in track.find_clips():
            found = clip.source_range or clip.media_reference.available_range
            if found is not None:
                return exact_rate(found.duration.rate)
    raise InvalidValueError(f"timeline {timeline.name!r}: found no rate, expected one")


class _Pass:
    """One walk through a timeline, with what it needs to know throughout.

    What is found out about an item is kept by its identity, together with the item: OTIO makes
    its Python objects anew when nothing holds them.
    """

    def __init__(
        self,
        timeline: otio.schema.Timeline,
        global_start: bool,
        rate: float | None,
        convention: Convention | None,
        wanted: dict[int, otio.core.Item] | None,
        cut_transitions: bool = False,
    ) -> None:
        self.timeline = timeline
        self.offset = Fraction(0)
        if global_start and timeline.global_start_time is not None:
            self.offset = exact_seconds(timeline.global_start_time)
        self.given_rate = rate
        self.convention = convention
        self.program = program_of_timeline(timeline) or Program.OTHER
        self.wanted = wanted
        self.cut_transitions = cut_transitions
        self.spans: dict[int, tuple[otio.core.Composition, list[_Span]]] = {}

    def run(self) -> Iterator[ClipInCut]:
        """Give the clips, in track order."""
        top = self.timeline.tracks
        try:
            given = self.given_rate
            rate = timeline_rate(self.timeline) if given is None else exact_rate(given)
            end = self._trim(top)[1]
        except CastlineError as error:
            yield from _failed(top, error)
            return
        whole = Piece(self.offset, self.offset + end, Fraction(0), Fraction(1))
        yield from self._walk(top, TimeMap((whole,) if end > 0 else (), rate, rate))

    def _walk(
        self, parent: otio.core.Composition, seen: TimeMap, span: _Span | None = None
    ) -> Iterator[ClipInCut]:
        """Give the clips below; `seen` maps cut time to the parent's own time, 0 at its head."""
        try:
            own = self._inside(parent, seen.cut_rate)
            if span is not None and (span.head or span.tail):
                own = own.over(-span.head, span.end - span.start + span.tail)
            inside = seen.then(own)
        except CastlineError as error:
            yield from _failed(parent, error)
            return
        spans = self._children(parent)
        for span, share in zip(spans, _shares(spans, inside), strict=True):
            if self.wanted is not None and id(span.child) not in self.wanted:
                continue
            if span.error is not None:
                yield from _failed(span.child, span.error)
            elif isinstance(span.child, otio.schema.Clip):
                yield self._clip(span.child, share, span)
            elif isinstance(span.child, otio.core.Composition):
                yield from self._walk(span.child, share, span)

    def _clip(self, clip: otio.schema.Clip, seen: TimeMap, span: _Span) -> ClipInCut:
        convention = self.convention or (program_of(clip) or self.program).convention
        stretch = (-span.head, span.end - span.start + span.tail)
        try:
            own = clip_time_map(clip, convention)
            if span.head or span.tail:
                own = own.over(*stretch)
            return ClipInCut(clip, seen.then(own), None, seen, stretch)
        except CastlineError as error:
            return ClipInCut(clip, None, error, seen, stretch)

    def _inside(self, parent: otio.core.Composition, rate: Fraction) -> TimeMap:
        """Map a composition's own time to the time of its children."""
        if parent.source_range is not None:
            rate = exact_rate(parent.source_range.duration.rate)
        start, length = self._trim(parent)
        place = f"{parent.schema_name().lower()} {parent.name!r}"
        warp = read_warp(parent.effects, place)
        source = Source(start, length, rate, rate)
        return warped_map(source, warp, self.convention or Convention(), place)

    def _trim(self, parent: otio.core.Composition) -> tuple[Fraction, Fraction]:
        """Give where a composition's children are entered, and how long it lasts.

        A trim that ends before the first child would hide them all. The stock EDL reader writes
        one (start -86400) to say that the record starts at 01:00:00:00, so it is read that way.
        """
        content = max((span.end for span in self._children(parent)), default=Fraction(0))
        if parent.source_range is None:
            return Fraction(0), content
        start = exact_seconds(parent.source_range.start_time)
        length = exact_seconds(parent.source_range.duration)
        return (start, content - start) if start + length <= 0 else (start, length)

    def _children(self, parent: otio.core.Composition) -> list[_Span]:
        """Place the children: after one another in a track, on top of one another in a stack."""
        if id(parent) not in self.spans:
            place = self._in_track if isinstance(parent, otio.schema.Track) else self._in_stack
            self.spans[id(parent)] = (parent, place(parent))
        return self.spans[id(parent)][1]

    def _in_track(self, track: otio.core.Composition) -> list[_Span]:
        spans: list[_Span] = []
        start = Fraction(0)
        broken: CastlineError | None = None
        for child in _items(track):
            if broken is not None:
                spans.append(_Span(child, start, start, broken))
                continue
            try:
                end = start + self._length(child)
                spans.append(_Span(child, start, end))
            except CastlineError as error:
                broken, end = error, start
                spans.append(self._open_span(child, start, error))
            start = end
        return _cut_at_midpoints(track, spans) if self.cut_transitions else spans

    def _in_stack(self, stack: otio.core.Composition) -> list[_Span]:
        spans: list[_Span] = []
        for child in _items(stack):
            if isinstance(child, otio.core.Composition):
                spans.append(_Span(child, Fraction(0), self._trim(child)[1]))
                continue
            try:
                spans.append(_Span(child, Fraction(0), self._length(child)))
            except CastlineError as error:
                spans.append(_Span(child, Fraction(0), Fraction(0), error))
        return spans

    def _open_span(self, child: otio.core.Item, start: Fraction, error: CastlineError) -> _Span:
        """Place a child of unknown length; what a composition begins with is still known."""
        if isinstance(child, otio.core.Composition):
            return _Span(child, start, start + self._trim(child)[1])
        return _Span(child, start, start, error)

    def _length(self, item: otio.core.Item) -> Fraction:
        """Give an item's length in its parent, which no effect changes; in seconds."""
        if item.source_range is not None:
            return exact_seconds(item.source_range.duration)
        if isinstance(item, otio.schema.Clip):
            return clip_source(item).duration
        if not isinstance(item, otio.core.Composition):
            return exact_seconds(item.duration())
        for span in self._children(item):
            if span.error is not None:
                raise span.error
            if isinstance(span.child, otio.core.Composition):
                self._length(span.child)
        return self._trim(item)[1]


def _shares(spans: list[_Span], inside: TimeMap) -> Iterator[TimeMap]:
    """Give every child the pieces it may be seen in, in its own time."""
    shares: list[list[Piece]] = [[] for _ in spans]
    starts = [span.start for span in spans]
    stacked = len(spans) > 1 and starts[-1] == starts[0]
    for piece in inside.pieces:
        ends = (piece.media, piece.at(piece.end), piece.shown(piece.start))
        first, stop = 0, len(spans)
        if not stacked:
            # One more on either side: handles reach over their item's edges.
            first = max(bisect_left(starts, min(ends)) - 2, 0)
            stop = min(bisect_right(starts, max(ends)) + 1, len(spans))
        for place in range(first, stop):
            shares[place].append(replace(piece, media=piece.media - starts[place]))
    for pieces in shares:
        yield replace(inside, pieces=tuple(pieces))


def _cut_at_midpoints(track: otio.core.Composition, spans: list[_Span]) -> list[_Span]:
    """Let neighbours of each transition meet in the middle of it."""
    cut = list(spans)
    place = -1
    for child in track:
        if isinstance(child, otio.core.Item):
            place += 1
            continue
        both = spans[max(place, 0) : place + 2]
        if place < 0 or len(both) < 2 or not all(_has_picture(span) for span in both):
            continue
        shift = (exact_seconds(child.out_offset) - exact_seconds(child.in_offset)) / 2
        cut[place] = replace(cut[place], tail=shift)
        cut[place + 1] = replace(cut[place + 1], head=-shift)
    return cut


def _has_picture(span: _Span) -> bool:
    return span.error is None and not isinstance(span.child, otio.schema.Gap)


def _failed(item: otio.core.Composable, error: CastlineError) -> Iterator[ClipInCut]:
    found = [item] if isinstance(item, otio.schema.Clip) else item.find_clips()
    for clip in found:
        yield ClipInCut(clip, None, error)


def _items(parent: otio.core.Composition) -> list[otio.core.Item]:
    return [child for child in parent if isinstance(child, otio.core.Item)]


def _with_ancestors(clip: otio.schema.Clip) -> list[otio.core.Item]:
    found = [clip]
    while (parent := found[-1].parent()) is not None:
        found.append(parent)
    return found
