"""How a take fits its slot: length, handles, rate and size; never stretched, never looped."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, gcd
from typing import Literal

from opentimelineio import schema
from opentimelineio.opentime import RationalTime, TimeRange

from castline.schemas.exact import exact_rate
from castline.schemas.values import Check, OfferedMedia, Placement

RatePolicy = Literal["ask", "reinterpret", "resample", "reject"]


@dataclass(frozen=True)
class Wishes:
    """What the person who plans asks for."""

    handles: int = 0
    """Frames wanted before and after the part in the cut."""
    rate_policy: RatePolicy = "ask"
    """What to do with a take whose rate is not the slot's."""
    size: tuple[int, int] | None = None
    """Width and height wanted, in pixels; none: what most takes have."""


@dataclass(frozen=True)
class Fit:
    """The placement that would be used, none where nothing fits, and the comparisons."""

    placement: Placement | None
    checks: tuple[Check, ...]

    @property
    def needs_person(self) -> bool:
        """Say whether one of the comparisons is a person's to decide."""
        return any(check.verdict == "decide" for check in self.checks)


@dataclass(frozen=True)
class Need:
    """What a clip needs of its media."""

    duration: RationalTime
    """What it fills in the cut, in the slot's rate."""
    lead: int = 0
    """Frames that a transition shows before that."""
    trail: int = 0
    """Frames that a transition shows after it."""


def fit(media: OfferedMedia, wanted: Need, wishes: Wishes) -> Fit:
    """Compare a take's media with what its clip needs.

    The part in the cut begins after the handles, or in the middle of a short surplus.
    """
    rate_check, scalar = _compare_rates(media, wanted.duration, wishes)
    # Frames of media that the slot shows: as many as it has itself, or by the ratio of rates.
    need = round(wanted.duration.value)
    if scalar is None and rate_check.verdict == "note":
        need = _media_frames(wanted.duration, media.rate)
    surplus = media.frames - need
    head = _head(surplus, wishes.handles, wanted)
    checks = [
        _compare_length(media.frames, need, head),
        _compare_transitions(surplus, head, wanted),
        _compare_handles(media.frames, need, head, wishes.handles),
        rate_check,
        *_compare_size(media, wishes.size),
    ]
    fits = surplus >= 0 and rate_check.verdict != "decide"
    placement = _place(media, wanted.duration, head, scalar) if fits else None
    return Fit(placement, tuple(check for check in checks if check is not None))


def usual_size(media: Iterable[OfferedMedia]) -> tuple[int, int] | None:
    """Return the size that most takes have."""
    sizes = Counter((m.width, m.height) for m in media if m.width and m.height)
    return max(sorted(sizes), key=lambda size: sizes[size], default=None)


def _compare_rates(
    media: OfferedMedia, wanted: RationalTime, wishes: Wishes
) -> tuple[Check, float | None]:
    have, need = exact_rate(media.rate), exact_rate(wanted.rate)
    if have == need:
        return Check(what="rate", verdict="ok", message=f"{_fps(media.rate)} as the slot"), None
    text = f"take {_fps(media.rate)}, slot {_fps(wanted.rate)}"
    if wishes.rate_policy == "reinterpret":
        message = f"{text}: its frames one to one, at {float(need / have) * 100:.2f} % speed"
        return Check(what="rate", verdict="note", message=message), float(need / have)
    if wishes.rate_policy == "resample":
        message = f"{text}: real time, frames repeated or left out"
        return Check(what="rate", verdict="note", message=message), None
    ask = "; plan again with --rate-policy reinterpret or resample"
    if wishes.rate_policy == "reject":
        ask = ": rejected, as asked"
    return Check(what="rate", verdict="decide", message=text + ask), None


def _compare_length(have: int, need: int, head: int) -> Check:
    if have < need:
        message = f"take has {have} frames, slot needs {need}: {need - have} short"
        return Check(what="length", verdict="decide", message=message)
    return Check(what="length", verdict="ok", message=f"{have} frames for {need}, from {head}")


def _compare_transitions(surplus: int, head: int, wanted: Need) -> Check | None:
    tail = surplus - head
    if surplus < 0 or (head >= wanted.lead and tail >= wanted.trail):
        return None
    message = f"transitions need {wanted.lead}/{wanted.trail} frames around it, has {head}/{tail}"
    return Check(what="handles", verdict="decide", message=message)


def _compare_handles(have: int, need: int, head: int, wanted: int) -> Check | None:
    tail = have - need - head
    if have < need or (head >= wanted and tail >= wanted):
        return None
    message = f"handles {head}/{tail}, wanted {wanted}/{wanted}"
    return Check(what="handles", verdict="note", message=message)


def _compare_size(media: OfferedMedia, wanted: tuple[int, int] | None) -> list[Check]:
    if wanted is None or not media.width or not media.height:
        return []
    have = (media.width, media.height)
    if have == wanted:
        return [Check(what="size", verdict="ok", message=f"{have[0]}x{have[1]}")]
    message = f"{have[0]}x{have[1]}, others {wanted[0]}x{wanted[1]}"
    same_shape = _aspect(*have) == _aspect(*wanted)
    verdict: Literal["note", "decide"] = "note" if same_shape else "decide"
    return [Check(what="size", verdict=verdict, message=message)]


def _head(surplus: int, handles: int, wanted: Need) -> int:
    if surplus >= 2 * handles and handles >= max(wanted.lead, wanted.trail):
        return handles
    spare = max(0, surplus - wanted.lead - wanted.trail)
    return max(0, min(wanted.lead + min(handles, spare // 2), surplus))


def _place(
    media: OfferedMedia, wanted: RationalTime, head: int, scalar: float | None
) -> Placement:
    start = media.start or RationalTime(0, media.rate)
    begin = RationalTime(start.value + head, media.rate)
    same = exact_rate(media.rate) == exact_rate(wanted.rate)
    if same or not begin.value:
        begin = RationalTime(begin.value, wanted.rate)
    effects: tuple[dict[str, object], ...] = ()
    if not same and scalar is not None:
        warp = schema.LinearTimeWarp("castline: rate", time_scalar=scalar)
        effects = (json.loads(warp.to_json_string(indent=-1)),)
    return Placement(source_range=TimeRange(begin, wanted), effects=effects)


def _media_frames(duration: RationalTime, rate: float) -> int:
    seconds = Fraction(round(duration.value)) / exact_rate(duration.rate)
    frames: Fraction = seconds * exact_rate(rate)
    return ceil(frames)


def _aspect(width: int, height: int) -> tuple[int, int]:
    shared = gcd(width, height) or 1
    return width // shared, height // shared


def _fps(rate: float) -> str:
    return f"{round(rate, 3):g} fps"
