"""Where on the stage a clip of the cut lies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from opentimelineio import schema
from opentimelineio.opentime import RationalTime, TimeRange

from castline.adapters.usd.playing.media import path_of
from castline.adapters.usd.publishing.match import Bound, Facts
from castline.adapters.usd.publishing.seen import Seen
from castline.adapters.usd.publishing.stagetime import StageTime, is_kin
from castline.adapters.usd.scene.clock import MAX_CODE
from castline.schemas.errors import CastlineError, InvalidValueError
from castline.schemas.exact import exact_rate, exact_seconds
from castline.schemas.places import get_take

MAX_FRAMES = 30 * 86_400
"""Frames of a clip: a day of them."""


@dataclass(frozen=True)
class Placed:
    """A bound clip as the cut shows it, and its time codes on the stage."""

    bound: Bound
    shown: schema.Clip
    """A copy that has the range that is seen of it."""
    start: Fraction
    end: Fraction
    """The first time code after it."""


def window_in(camera: Facts | None) -> tuple[float, float] | None:
    """Return the first and the last time code that a camera's layer says."""
    window = camera["window"] if camera else None
    return (window[0], window[1]) if window else None


@dataclass(frozen=True)
class Site:
    """Where clips are placed: the stage, its time, and the folder that media paths begin at."""

    stage: Path
    span: tuple[float, float] | None
    """The stage's first and last time code, where it says both."""
    time: StageTime
    home: Path
    windows: Counter[tuple[float, float]]
    """How many of the stage's cameras are in a layer of each range."""
    is_shot: bool
    """The stage is the one shot, so that it begins where the clip does."""

    def place(self, bound: Bound, shown: schema.Clip, seen: Seen | None) -> Placed:
        """Return where on the stage a clip lies, as the cut shows it.

        Raises `InvalidValueError` where that is needed and not known.
        """
        code = self._start(bound, shown, seen)
        length = exact_seconds(shown.source_range.duration)
        return Placed(bound, shown, code, code + length * self.time.codes_per_second)

    def window_of(self, bound: Bound) -> tuple[float, float] | None:
        """Return the first time code of a clip's layer that is in the stage, and its last.

        None where no layer says a range, where it lies outside (that of a rig says nothing), and
        where it is that of the whole stage and of several cameras.
        """
        window = window_in(bound.camera)
        if not window or self.span is None:
            return window
        first, last = sorted(self.span)
        if window[0] <= first and last <= window[1] and self.windows[window] > 1:
            return None
        start = max(window[0], first)
        return (start, window[1]) if start <= min(window[1], last) else None

    def beyond(self, item: Placed) -> str | None:
        """Return why a clip is longer, or lies further off, than anything that is played."""
        frames = (item.end - item.start) / self.time.clock.step
        if frames > MAX_FRAMES:
            return f"found more than {MAX_FRAMES} frames, a day of them"
        if max(abs(item.start), abs(item.end)) > MAX_CODE:
            return f"found it beyond time code {MAX_CODE:g}"
        return None

    def _start(self, bound: Bound, shown: schema.Clip, seen: Seen | None) -> Fraction:
        window = self.window_of(bound)
        own = _own_time(shown, self.stage, self.home, seen.head if seen else Fraction(0))
        if own is not None:
            return self.time.clock_code(own)
        if window:
            return Fraction(window[0])
        first = Fraction(self.time.first_code)
        if self.is_shot:
            numbered = _numbered_frame(shown, self.time)
            return first if numbered is None else numbered * self.time.clock.step
        if seen is None:
            raise InvalidValueError("its place in the cut is not known")
        return first + seen.start * self.time.codes_per_second


def has_stage(clip: schema.Clip, stage: Path, home: Path) -> bool:
    """Say whether one of a clip's takes is the stage itself."""
    return next(_own_takes(clip, stage, home), None) is not None


def _own_takes(
    clip: schema.Clip, stage: Path, home: Path
) -> Iterator[tuple[str, schema.ExternalReference]]:
    real = stage.resolve()
    for key, reference in clip.media_references().items():
        url = getattr(reference, "target_url", None)
        path = path_of(url, home) if url else None
        if path is not None and path.resolve() == real:
            yield key, reference


def _own_time(clip: schema.Clip, stage: Path, home: Path, head: Fraction) -> RationalTime | None:
    """Return the stage's own time at which a clip begins, where one of its takes is the stage.

    `head` is what is not seen of takes whose range nothing says, in seconds.
    """
    for key, reference in _own_takes(clip, stage, home):
        shown = clip.source_range
        if key != clip.active_media_reference_key:
            shown = _placed_range(reference)
        if shown is not None:
            return shown.start_time
        if reference.available_range is not None:
            start = reference.available_range.start_time
            skipped = float(head * exact_rate(start.rate))
            return RationalTime(start.value + skipped, start.rate)
    return None


def _numbered_frame(clip: schema.Clip, time: StageTime) -> Fraction | None:
    """Return the stage's frame that a clip begins at by the numbers of its pictures.

    They count where all of them lie in the stage's range: it has the handles too. Generators
    number from 0 or 1; such numbers count only where the stage begins with the same one.
    """
    media = clip.media_reference
    if not isinstance(media, schema.ImageSequenceReference) or clip.source_range is None:
        return None
    first, clock = Fraction(media.start_frame), time.clock
    available = media.available_range
    if available is None or not clock.start <= first <= media.end_frame() < clock.end:
        return None
    if not is_kin(available.start_time.rate, clock.rate) or (first <= 1 and first != clock.start):
        return None
    shown = clip.source_range.start_time
    skipped = exact_seconds(shown) - exact_seconds(available.start_time)
    frames = skipped * exact_rate(available.start_time.rate)
    return first + frames


def _placed_range(reference: schema.ExternalReference) -> TimeRange | None:
    try:
        take = get_take(reference)
    except CastlineError:
        return None
    return take.placement.source_range if take and take.placement else None
