"""One value: which media time is seen at which time of the cut."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

from castline.schemas.errors import InvalidValueError


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of constant speed over the cut times `start` <= t < `end`, all in seconds.

    `media` is the media time at `start`, `speed` is media seconds a cut second, negative when
    reversed. The stretch covers the media between its two ends; `lag` is how far behind the
    running media time the picture lies that a frame shows. Forwards that is nothing. Backwards
    the running time is the far edge of a frame and the picture begins one step earlier.
    """

    start: Fraction
    end: Fraction
    media: Fraction
    speed: Fraction
    lag: Fraction = Fraction(0)

    def at(self, cut_time: Fraction) -> Fraction:
        """Give the running media time."""
        return self.media + self.speed * (cut_time - self.start)

    def shown(self, cut_time: Fraction) -> Fraction:
        """Give the media time of the picture, for the start of a cut frame."""
        return self.at(cut_time) - self.lag


@dataclass(frozen=True, slots=True)
class TimeMap:
    """Cut time to media time and back, in exact seconds, and frame to frame.

    Pieces are in cut order and do not overlap. Without a piece the media is never seen. Rates are
    frames a second and say what a frame is on either side: frame n is the time from n / rate to
    (n + 1) / rate. Times outside the pieces are answered by the nearest earlier piece (else the
    first), which is what handles and transitions need.
    """

    pieces: tuple[Piece, ...]
    cut_rate: Fraction
    media_rate: Fraction

    @property
    def is_seen(self) -> bool:
        """Say whether any of the media is seen."""
        return bool(self.pieces)

    @property
    def cut_range(self) -> tuple[Fraction, Fraction]:
        """The half-open cut times from the first piece to the last, in seconds."""
        first = self._piece_at(None)
        return first.start, self.pieces[-1].end

    @property
    def speed(self) -> Fraction | None:
        """The speed where there is but one, else None."""
        speeds = {piece.speed for piece in self.pieces}
        return speeds.pop() if len(speeds) == 1 else None

    @property
    def covered(self) -> tuple[Fraction, Fraction]:
        """The lowest and the highest media time that the pieces run through, in seconds."""
        ends = [t for p in self.pieces for t in (p.media, p.at(p.end))]
        if not ends:
            self._piece_at(None)
        return min(ends), max(ends)

    def to_media(self, cut_time: Fraction) -> Fraction:
        """Give the running media time at a cut time, in seconds.

        Raises:
            InvalidValueError: the media is never seen.

        """
        return self._piece_at(cut_time).at(cut_time)

    def to_cut(self, media_time: Fraction) -> Fraction | None:
        """Give the cut time at which the media runs through this time, the first if several.

        A map of one piece that moves answers for any time, handles included. Otherwise None says
        that this instant is not run through; for a freeze it is one single instant.
        """
        only = self.pieces[0] if len(self.pieces) == 1 else None
        if only is not None and only.speed:
            return only.start + (media_time - only.media) / only.speed
        for piece in self.pieces:
            if not piece.speed:
                if piece.media == media_time:
                    return piece.start
                continue
            cut_time = piece.start + (media_time - piece.media) / piece.speed
            if piece.start <= cut_time < piece.end:
                return cut_time
        return None

    def media_frame(self, cut_frame: int) -> int:
        """Give the media frame that this cut frame shows.

        Raises:
            InvalidValueError: the media is never seen.

        """
        return _shown_frame(self, self._piece_at(cut_frame / self.cut_rate), cut_frame)

    def cut_frames(self, media_frame: int) -> tuple[int, ...]:
        """Give the cut frames that show this media frame, in cut order."""
        low = media_frame / self.media_rate
        high = (media_frame + 1) / self.media_rate
        frames: list[int] = []
        for piece in self.pieces:
            frames += _frames_showing(piece, low, high, self.cut_rate)
        return tuple(frames)

    def frames(self) -> Iterator[tuple[int, int]]:
        """Pair each cut frame with the media frame it shows, in cut order."""
        for piece in self.pieces:
            # The same as `_shown_frame`, in whole numbers: a cut has a million frames.
            start = piece.shown(Fraction(0)) * self.media_rate
            step = piece.speed * self.media_rate / self.cut_rate
            parts = math.lcm(start.denominator, step.denominator)
            first, more = int(start * parts), int(step * parts)
            for frame in _frames_of(piece, self.cut_rate):
                yield frame, (first + more * frame) // parts

    def frame_ends(self) -> Iterator[tuple[int, int]]:
        """Pair the first and last cut frame of each piece with the media frame they show."""
        for piece in self.pieces:
            frames = _frames_of(piece, self.cut_rate)
            for frame in (frames[:1], frames[-1:]):
                yield from ((n, _shown_frame(self, piece, n)) for n in frame)

    def shifted(self, seconds: Fraction) -> TimeMap:
        """Give the same map, later in the cut by so many seconds."""
        moved = (replace(p, start=p.start + seconds, end=p.end + seconds) for p in self.pieces)
        return replace(self, pieces=tuple(moved))

    def sampled(self) -> TimeMap:
        """Give the map whose `to_media` at the start of a cut frame is the picture shown there.

        It is what a program wants that evaluates at frame starts, as USD does. Only reversed
        pieces differ from the running map.
        """
        held = (replace(p, media=p.media - p.lag, lag=Fraction(0)) for p in self.pieces)
        return replace(self, pieces=tuple(held))

    def within(self, start: Fraction, end: Fraction) -> TimeMap:
        """Give what of the map lies in this half-open stretch of cut time."""
        pieces = []
        for piece in self.pieces:
            low, high = max(piece.start, start), min(piece.end, end)
            if low < high:
                pieces.append(replace(piece, start=low, end=high, media=piece.at(low)))
        return replace(self, pieces=tuple(pieces))

    def over(self, start: Fraction, end: Fraction) -> TimeMap:
        """Give the map over this stretch of cut time: cut off there, or run on to reach it.

        Running on is what handles are: the first and the last piece go on at their speed.
        """
        pieces = [piece for piece in self.pieces if piece.start < end and piece.end > start]
        if not pieces and self.pieces and start < end:
            pieces = [self._piece_at(start)]
        if not pieces or start >= end:
            return replace(self, pieces=())
        first = pieces[0]
        pieces[0] = replace(first, start=start, media=first.at(start))
        pieces[-1] = replace(pieces[-1], end=end)
        return replace(self, pieces=tuple(pieces))

    def then(self, inner: TimeMap) -> TimeMap:
        """Give the map through both: cut to this map's media time, which is `inner`'s cut time."""
        pieces = [
            found
            for outer in self.pieces
            for found in _through(outer, inner.pieces, self.cut_rate)
        ]
        return TimeMap(_joined(pieces), self.cut_rate, inner.media_rate)

    def _piece_at(self, cut_time: Fraction | None) -> Piece:
        if not self.pieces:
            raise InvalidValueError("time map: found no piece, expected media that is seen")
        if cut_time is None:
            return self.pieces[0]
        place = bisect_right(self.pieces, cut_time, key=_start) - 1
        return self.pieces[max(place, 0)]


def _start(piece: Piece) -> Fraction:
    return piece.start


def _shown_frame(time_map: TimeMap, piece: Piece, cut_frame: int) -> int:
    return math.floor(piece.shown(cut_frame / time_map.cut_rate) * time_map.media_rate)


def _frames_of(piece: Piece, rate: Fraction) -> range:
    """List the frames that begin within the piece."""
    return range(math.ceil(piece.start * rate), math.ceil(piece.end * rate))


def _frames_showing(piece: Piece, low: Fraction, high: Fraction, rate: Fraction) -> range:
    """List the frames of the piece whose picture begins in low <= media < high."""
    frames = _frames_of(piece, rate)
    picture = piece.media - piece.lag
    if not piece.speed:
        return frames if low <= picture < high else range(0)
    at_low = (piece.start + (low - picture) / piece.speed) * rate
    at_high = (piece.start + (high - picture) / piece.speed) * rate
    if piece.speed > 0:
        first, stop = math.ceil(at_low), math.ceil(at_high)
    else:
        first, stop = math.floor(at_high) + 1, math.floor(at_low) + 1
    return range(max(first, frames.start), min(stop, frames.stop))


def _through(outer: Piece, inner: tuple[Piece, ...], rate: Fraction) -> list[Piece]:
    """Run one piece through the pieces behind it, in cut order."""
    if not outer.speed:
        held = _held(outer.shown(outer.start), inner)
        return [] if held is None else [_behind(outer, held, outer.start, outer.end)]
    low, high = sorted((outer.media, outer.at(outer.end)))
    place = max(bisect_right(inner, low, key=_start) - 1, 0)
    found = []
    while place < len(inner) and inner[place].start < high:
        behind = inner[place]
        ends = (_passes(outer, behind.start, rate), _passes(outer, behind.end, rate))
        start, end = max(outer.start, min(ends)), min(outer.end, max(ends))
        if start < end:
            found.append(_behind(outer, behind, start, end))
        place += 1
    return found if outer.speed > 0 else found[::-1]


def _held(media: Fraction, inner: tuple[Piece, ...]) -> Piece | None:
    place = bisect_right(inner, media, key=_start) - 1
    return inner[place] if place >= 0 and media < inner[place].end else None


def _passes(outer: Piece, edge: Fraction, rate: Fraction) -> Fraction:
    """Give the cut time at which the piece passes an edge of what is behind it.

    Backwards a cut frame shows the early end of what it covers, so the change belongs to the
    first cut frame whose picture lies before the edge.
    """
    running = outer.start + (edge - outer.media) / outer.speed
    if not outer.lag:
        return running
    picture = running + outer.lag / outer.speed
    return (math.floor(picture * rate) + 1) / rate


def _behind(outer: Piece, inner: Piece, start: Fraction, end: Fraction) -> Piece:
    """Put one piece behind another; the picture steps frame by frame, so the lags add up."""
    return Piece(
        start,
        end,
        media=inner.at(outer.at(start)),
        speed=outer.speed * inner.speed,
        lag=outer.lag * inner.speed + inner.lag,
    )


def _joined(pieces: list[Piece]) -> tuple[Piece, ...]:
    """Join neighbours that run on without a change."""
    joined: list[Piece] = []
    for piece in pieces:
        last = joined[-1] if joined else None
        if (
            last is not None
            and (last.end, last.speed, last.lag) == (piece.start, piece.speed, piece.lag)
            and last.at(last.end) == piece.media
        ):
            joined[-1] = replace(last, end=piece.end)
        else:
            joined.append(piece)
    return tuple(joined)
