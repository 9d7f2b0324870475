"""Which clips of a cut a stage holds, with which cameras, and when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opentimelineio import schema
from opentimelineio.exceptions import OTIOError

from castline.adapters.usd.publishing import match
from castline.adapters.usd.publishing.match import Bound
from castline.adapters.usd.publishing.placed import Placed, Site, has_stage, window_in
from castline.adapters.usd.publishing.seen import Seen, as_seen, seen_in
from castline.adapters.usd.publishing.stage import Stage
from castline.adapters.usd.publishing.stagetime import StageTime
from castline.schemas.errors import CastlineError, InvalidValueError, NeedsPersonError
from castline.schemas.places import get_slot
from castline.schemas.retime_cut import timeline_rate
from castline.schemas.retime_program import Program, program_of_timeline
from castline.schemas.values import Loss

_HIDDEN = "the cut shows nothing of it"


@dataclass(frozen=True)
class Choice:
    """The clips to publish, each with its camera and its place in the stage's time."""

    placed: list[Placed]
    time: StageTime
    span: list[float]
    """The first and the last time code to play."""
    losses: list[Loss]
    """Clips that are not published, and why."""


def choose(
    cut: schema.Timeline, stage: Stage, home: Path, *, shot: str | None, camera: str | None
) -> Choice:
    """Return what of a cut is published onto a stage; relative media paths begin at `home`.

    `shot` names the clip that the stage is, `camera` the prim of its camera. Raises
    `NeedsPersonError` where clip or camera cannot be told, and `InvalidValueError` for a cut
    without pictures.
    """
    seen, off, endless = _pictures_of(cut)
    if not seen and not off:
        found = "only clips of unknown length" if endless else "no clip"
        raise InvalidValueError(f"{cut.name or 'the cut'}: found {found} on its video tracks")
    if not seen or (shot and not match.called(seen, shot) and match.called(off, shot)):
        seen, off = off, []
    chosen, is_alone = match.choose_clips(seen, shot, stage.path)
    if camera is not None:
        if len(chosen) != 1:
            found = f"--camera {camera}: found {len(chosen)} clips"
            raise NeedsPersonError(f"{found}; name its own with --shot")
        bounds = [match.bind_to(chosen[0], stage.cameras, camera)]
    else:
        bounds = _bind(chosen, stage, home, is_alone=is_alone)
    if not bounds:
        raise _nothing_found(stage, seen)
    time = StageTime(stage.clock, float(timeline_rate(cut)), stage.first_code)
    windows = Counter(window for camera in stage.cameras if (window := window_in(camera)))
    site = Site(stage.path, stage.span, time, home, windows, is_alone)
    program = program_of_timeline(cut) or Program.OTHER
    placed, losses = _place(bounds, seen_in(cut), program, site)
    if not placed:
        raise InvalidValueError(f"clip {losses[0].where!r}: {losses[0].reason}")
    span = _span(placed, time) if is_alone or stage.span is None else sorted(stage.span)
    if not is_alone:
        losses = [*_left(chosen, bounds, off, endless, stage), *losses]
    losses += _dissolves(cut, {item.bound.slot.slot_id for item in placed})
    return Choice(placed, time, span, losses)


def _bind(
    clips: Sequence[schema.Clip], stage: Stage, home: Path, *, is_alone: bool
) -> list[Bound]:
    """Return the clips that the stage has, with their cameras.

    Where it is itself the media of some, others that were read from a file of its name were read
    from another.
    """
    cameras = match.Cameras(stage.cameras)
    own = [has_stage(clip, stage.path, home) for clip in clips]
    is_any = any(own)
    found = [
        cameras.bind(clip, is_alone=is_alone, by_place=is_own or not is_any)
        for clip, is_own in zip(clips, own, strict=True)
    ]
    bounds = [bound for bound in found if bound]
    match.require_one_each(bounds)
    return bounds


def _place(
    bounds: Sequence[Bound],
    seen: Mapping[str, Seen | CastlineError],
    program: Program,
    site: Site,
) -> tuple[list[Placed], list[Loss]]:
    """Return where the clips lie that the cut shows, and what is not as it has it."""
    placed, losses = [], []
    for bound in bounds:
        found, name = seen.get(bound.slot.slot_id), str(bound.clip.name)
        how = found if isinstance(found, Seen) else None
        shown, odd = as_seen(bound.clip, how, program)
        try:
            item = site.place(bound, shown, how)
        except InvalidValueError as error:
            reason = f"{error}: {found}; not published"
            losses.append(Loss(where=name, field="clip", reason=reason))
            continue
        beyond = _HIDDEN if how and how.is_hidden else site.beyond(item)
        if beyond:
            losses.append(Loss(where=name, field="clip", reason=f"{beyond}; not published"))
            continue
        if how is None:
            odd = f"what the cut shows of it is not known: {found}; published as it is by itself"
        if odd:
            losses.append(Loss(where=name, field="time", reason=odd))
        window = site.window_of(bound)
        if window and site.time.last_frame(item.start, item.end) > window[1]:
            reason = f"it runs past the range of its layer, which ends at {window[1]:g}"
            losses.append(Loss(where=name, field="length", reason=reason))
        placed.append(item)
    return placed, losses


def _span(placed: Sequence[Placed], time: StageTime) -> list[float]:
    first = min(item.start for item in placed)
    last = time.last_frame(first, max(item.end for item in placed))
    return [float(first), float(last)]


def _left(
    chosen: Sequence[schema.Clip],
    bounds: Sequence[Bound],
    off: Sequence[schema.Clip],
    endless: Sequence[schema.Clip],
    stage: Stage,
) -> Iterator[Loss]:
    """Yield a loss for each clip that was not found on the stage, or was not looked for."""
    slots = {bound.slot.slot_id for bound in bounds}
    reason = f"the stage has no shot or camera of its name{_hint(stage)}; not published"
    for clip in chosen:
        if match.slot_of(clip).slot_id not in slots:
            yield Loss(where=str(clip.name), field="clip", reason=reason)
    for clip in off:
        yield Loss(where=str(clip.name), field="clip", reason="switched off; not published")
    for clip in endless:
        reason = "its length is not known; not published"
        yield Loss(where=str(clip.name), field="clip", reason=reason)


def _dissolves(cut: schema.Timeline, published: Set[str]) -> Iterator[Loss]:
    """Yield a loss for each published clip that a transition leads into or out of."""
    for track in cut.find_children(descended_from_type=schema.Track):
        items = [None, *track, None]
        for before, item, after in zip(items, items[1:], items[2:], strict=False):
            slot = get_slot(item) if isinstance(item, schema.Clip) else None
            beside = isinstance(before, schema.Transition) or isinstance(after, schema.Transition)
            if beside and slot is not None and slot.slot_id in published:
                reason = "USD has no transitions; the clip is published to its own edge"
                yield Loss(where=str(item.name), field="transition", reason=reason)


def _hint(stage: Stage) -> str:
    """Return a word about payloads, in which what is looked for may be."""
    if not stage.unloaded:
        return ""
    count = f"{stage.unloaded} payload{'s' if stage.unloaded > 1 else ''}"
    return f"; {count} not loaded (--payloads)"


def _nothing_found(stage: Stage, clips: Sequence[schema.Clip]) -> NeedsPersonError:
    return NeedsPersonError(
        f"{stage.path}: found no camera or shot of these names; say which clip the stage is with "
        f"--shot, one of: {match.listed(clips)}{_hint(stage)}"
    )


def _pictures_of(
    cut: schema.Timeline,
) -> tuple[list[schema.Clip], list[schema.Clip], list[schema.Clip]]:
    """Return the clips of a cut's video tracks: seen, switched off, and of unknown length."""
    seen: list[schema.Clip] = []
    off: list[schema.Clip] = []
    endless: list[schema.Clip] = []
    for track in cut.video_tracks():
        for clip in track.find_clips():
            try:
                clip.trimmed_range()
            except OTIOError:
                endless.append(clip)
            else:
                (seen if _is_on(clip) else off).append(clip)
    return seen, off, endless


def _is_on(item: Any) -> bool:
    """Say whether an item is enabled, and all that it lies in."""
    while item is not None:
        if not getattr(item, "enabled", True):
            return False
        item = item.parent()
    return True
