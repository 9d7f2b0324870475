"""The rules that `check` holds a cut against."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import opentimelineio as otio
from opentimelineio import schema

from castline.adapters import paths
from castline.adapters.material.media import hash_file
from castline.schemas.decisions import stale_reason
from castline.schemas.errors import CastlineError
from castline.schemas.exact import exact_rate, exact_seconds
from castline.schemas.places import get_sequence, get_slot, get_take
from castline.schemas.retime import media_range
from castline.schemas.retime_effect import UnsupportedRetimeError
from castline.schemas.takes import active_take, takes_of
from castline.schemas.values import Problem, Slot, Take
from castline.schemas.values.finding import Severity

Holder = TypeVar("Holder")
Found = TypeVar("Found")


@dataclass(frozen=True)
class Subject:
    """A cut as the rules see it."""

    cut: schema.Timeline
    folder: Path
    """Where relative media paths begin."""
    handles: int = 0
    """Frames wanted before and after the part of the media in use."""

    @cached_property
    def clips(self) -> list[schema.Clip]:
        """The clips in order."""
        return list(self.cut.find_clips())

    @cached_property
    def slots(self) -> list[tuple[schema.Clip, Slot]]:
        """The clips that castline says something about, with what it says."""
        found = ((clip, _quietly(get_slot, clip)) for clip in self.clips)
        return [(clip, slot) for clip, slot in found if slot is not None]

    @cached_property
    def takes(self) -> list[tuple[schema.Clip, str, Take]]:
        """The takes with their clips and keys."""
        return [
            (clip, key, take)
            for clip in self.clips
            for key, take in (_quietly(takes_of, clip) or {}).items()
        ]

    def hash_of(self, clip: schema.Clip, take_id: str) -> str | None:
        """Return the hash of a take's file as it is on disk now, None where it is not there."""
        for key, take in (_quietly(takes_of, clip) or {}).items():
            if take.take_id == take_id:
                path = _path(clip.media_references()[key], self.folder)
                return self._hash(path) if path is not None and path.is_file() else None
        return None

    def _hash(self, path: Path) -> str | None:
        if path not in self._hashes:
            try:
                self._hashes[path] = hash_file(path)
            except CastlineError:
                self._hashes[path] = None
        return self._hashes[path]

    @cached_property
    def _hashes(self) -> dict[Path, str | None]:
        return {}


def unchanged_media(subject: Subject) -> Iterator[Problem]:
    """The files of takes are the ones that were attached."""
    for clip, key, take in subject.takes:
        now = subject.hash_of(clip, take.take_id) if take.sha256 else None
        if now is not None and now != take.sha256:
            message = f"{key}: the file of {take.take_id} has changed since it was attached"
            yield Problem(rule="unchanged-media", where=_name(clip), message=message)


def filled_slots(subject: Subject) -> Iterator[Problem]:
    """Every clip shows some media."""
    for clip in subject.clips:
        if isinstance(clip.media_reference, schema.MissingReference):
            yield Problem(
                rule="filled-slots",
                where=_name(clip),
                message="shows no media",
                severity="warning",
            )


def readable_data(subject: Subject) -> Iterator[Problem]:
    """What castline says in the cut has the shape that its schema declares."""
    try:
        get_sequence(subject.cut)
    except CastlineError as error:
        yield Problem(rule="readable-data", where="cut", message=str(error))
    for clip in subject.clips:
        holders = [(get_slot, clip), *((get_take, r) for r in clip.media_references().values())]
        for get, holder in holders:
            try:
                get(holder)
            except CastlineError as error:
                yield Problem(rule="readable-data", where=_name(clip), message=str(error))


def unique_slot_ids(subject: Subject) -> Iterator[Problem]:
    """No two clips have the same slot id."""
    counts = Counter(slot.slot_id for _, slot in subject.slots)
    for slot_id, count in counts.items():
        if count > 1:
            message = f"{count} clips have this slot id; conform or deliver gives new ones"
            yield Problem(rule="unique-slot-ids", where=slot_id, message=message)


def placed_data(subject: Subject) -> Iterator[Problem]:
    """Everything that came with the file found its clip, whole."""
    sequence = _quietly(get_sequence, subject.cut)
    for entry in sequence.unplaced if sequence else ():
        damaged = entry.reason in ("damaged", "newer")
        message = f"payload {entry.reason.replace('_', ' ')}"
        severity: Severity = "error" if damaged else "warning"
        yield Problem(rule="placed-data", where=entry.where, message=message, severity=severity)


def online_media(subject: Subject) -> Iterator[Problem]:
    """The media that the cut names is there."""
    for clip in subject.clips:
        active = clip.active_media_reference_key
        for key, reference in clip.media_references().items():
            path = _path(reference, subject.folder)
            if path is not None and not path.exists():
                severity: Severity = "error" if key == active else "warning"
                message = f"{key}: media offline: {path}"
                yield Problem(
                    rule="online-media", where=_name(clip), message=message, severity=severity
                )


def media_covers_clip(subject: Subject) -> Iterator[Problem]:
    """The media has every frame that the clip shows, and the handles asked for."""
    for clip in subject.clips:
        available = clip.media_reference.available_range if clip.media_reference else None
        if available is None or clip.source_range is None:
            continue
        try:
            shown = media_range(clip)
        except CastlineError as error:
            severity: Severity = "note" if isinstance(error, UnsupportedRetimeError) else "error"
            yield Problem(
                rule="media-covers-clip", where=_name(clip), message=str(error), severity=severity
            )
            continue
        used = shown.to_time_range()
        rate = exact_rate(available.duration.rate)
        head = (exact_seconds(used.start_time) - exact_seconds(available.start_time)) * rate
        end = exact_seconds(available.start_time) + exact_seconds(available.duration)
        tail = (end - exact_seconds(used.start_time) - exact_seconds(used.duration)) * rate
        if min(head, tail) < 0:
            message = f"media is {-float(min(head, tail)):g} frames short"
            yield Problem(rule="media-covers-clip", where=_name(clip), message=message)
        elif min(head, tail) < subject.handles:
            message = f"handles {float(head):g}/{float(tail):g}, wanted {subject.handles}"
            yield Problem(
                rule="media-covers-clip", where=_name(clip), message=message, severity="warning"
            )


def one_rate(subject: Subject) -> Iterator[Problem]:
    """The clips of the cut have one rate."""
    rates = Counter(clip.trimmed_range().duration.rate for clip in subject.clips)
    if len(rates) > 1:
        found = ", ".join(f"{rate:g} fps {count} times" for rate, count in rates.most_common())
        yield Problem(rule="one-rate", where="cut", message=found, severity="warning")


def known_characters(subject: Subject) -> Iterator[Problem]:
    """Characters in slots and takes are in the cast."""
    sequence = _quietly(get_sequence, subject.cut)
    cast = sequence.cast if sequence else None
    if cast is None:
        return
    named: dict[str, str] = {}
    for clip, slot in subject.slots:
        named.update({expected.character_id: _name(clip) for expected in slot.expected})
    for clip, _, take in subject.takes:
        named.update({found.character_id: _name(clip) for found in take.appearances})
    for character_id, where in named.items():
        if cast.find(character_id) is None:
            message = f"character {character_id!r} is not in the cast"
            yield Problem(rule="known-characters", where=where, message=message)


def decisions_hold(subject: Subject) -> Iterator[Problem]:
    """Nothing changed under a decision since it was made."""
    for clip, slot in subject.slots:
        for decision in slot.decisions:
            reason = stale_reason(decision, clip, subject.hash_of(clip, decision.take_id))
            if reason:
                message = (
                    f"{decision.verdict} by {decision.by} at {decision.at} is stale: {reason}"
                )
                yield Problem(
                    rule="decisions-hold", where=_name(clip), message=message, severity="warning"
                )


def no_rejected_take(subject: Subject) -> Iterator[Problem]:
    """No clip shows a take that was rejected last."""
    for clip, slot in subject.slots:
        take = _quietly(active_take, clip)
        said = [
            d for d in slot.decisions if take and d.take_id == take.take_id and not d.character_id
        ]
        if said and said[-1].verdict in ("rejected", "omit"):
            message = f"shows {said[-1].take_id}, {said[-1].verdict} by {said[-1].by}"
            yield Problem(rule="no-rejected-take", where=_name(clip), message=message)


def known_provenance(subject: Subject) -> Iterator[Problem]:
    """Every generated take says how it was made."""
    for clip, key, take in subject.takes:
        if take.role == "take" and take.generation is None:
            message = f"{key}: {take.take_id} has no generation record"
            yield Problem(
                rule="known-provenance", where=_name(clip), message=message, severity="warning"
            )


def consent_given(subject: Subject) -> Iterator[Problem]:
    """A take for final use that shows somebody's likeness refers to their consent."""
    for clip, key, take in subject.takes:
        clearance = take.clearance
        if clearance is None or clearance.use != "final" or clearance.likeness == "none":
            continue
        if clearance.likeness != "synthetic_performer" and clearance.consent is None:
            message = f"{key}: {take.take_id}: {clearance.likeness} for final use without consent"
            yield Problem(rule="consent-given", where=_name(clip), message=message)


def one_file_one_verdict(subject: Subject) -> Iterator[Problem]:
    """Where one file serves several clips, they say the same of who is in it."""
    said: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for _, _, take in subject.takes:
        for found in take.appearances if take.sha256 else ():
            if found.media_range is None:
                said[str(take.sha256)][found.character_id].add(found.state)
    for sha256, characters in said.items():
        for character_id, states in characters.items():
            if len(states) > 1:
                message = f"{character_id} is {' and '.join(sorted(states))} in one file"
                yield Problem(
                    rule="one-file-one-verdict",
                    where=f"file {sha256[:12]}",
                    message=message,
                    severity="warning",
                )


def sound_scene(subject: Subject) -> Iterator[Problem]:
    """The scene that the cut was read from says its time and has all its parts."""
    sequence = _quietly(get_sequence, subject.cut)
    if sequence and sequence.scene:
        yield from sequence.scene.problems


RULES = (
    readable_data,
    unique_slot_ids,
    placed_data,
    filled_slots,
    online_media,
    unchanged_media,
    media_covers_clip,
    one_rate,
    known_characters,
    decisions_hold,
    no_rejected_take,
    known_provenance,
    consent_given,
    one_file_one_verdict,
    sound_scene,
)
"""All rules, in the order of their report."""


def _quietly(get: Callable[[Holder], Found | None], holder: Holder) -> Found | None:
    """Return what is there, or None where `readable_data` reports it anyway."""
    try:
        return get(holder)
    except CastlineError:
        return None


def _name(clip: schema.Clip) -> str:
    slot = _quietly(get_slot, clip)
    return str(slot.slot_id) if slot else str(clip.name)


def _path(reference: otio.core.MediaReference, folder: Path) -> Path | None:
    """Return the local path of a reference, None where it names none."""
    if isinstance(reference, schema.ImageSequenceReference):
        url = reference.target_url_for_image_number(0) if reference.rate else ""
    else:
        url = getattr(reference, "target_url", None) or ""
    return paths.of_url(url, folder)
