"""Match takes to slots and compare them; propose, and change nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from math import ceil
from pathlib import Path

from opentimelineio import schema
from opentimelineio.opentime import RationalTime

from castline.adapters.material import generation as generation_records
from castline.adapters.material import manifest as manifests
from castline.adapters.material import media as media_files
from castline.fitting import Need, RatePolicy, Wishes, fit, usual_size
from castline.matching import SlotIndex, index_slots, key_of, match_take
from castline.schemas.errors import CastlineError, UnreadableFileError
from castline.schemas.places import get_slot
from castline.schemas.slots import give_slot_ids, slots_of, slug
from castline.schemas.takes import takes_of
from castline.schemas.values import (
    Cast,
    Check,
    Clearance,
    Generation,
    Offer,
    OfferedMedia,
    Plan,
    Question,
)

Progress = Callable[[int, int, str], None]
"""Called with how many are done, of how many, and the name of the one that comes."""


def plan(
    cut: schema.Timeline,
    takes: str | Path,
    *,
    manifest: str | Path | None = None,
    cast: Cast | None = None,
    handles: int = 0,
    rate_policy: RatePolicy = "ask",
    size: tuple[int, int] | None = None,
    progress: Progress | None = None,
) -> Plan:
    """Return the plan for the takes in a folder.

    The cut is left as it is. `manifest` is a CSV or JSON list of the takes; without it a file
    `takes.csv`, `takes.json`, `manifest.csv` or `manifest.json` in the folder is used.
    Raises `UnreadableFileError` where the folder has no takes or the manifest is wrong.
    """
    folder = Path(takes)
    cut = cut.deepcopy()
    give_slot_ids(cut)
    slots = slots_of(cut)
    index = index_slots(slots.values())
    entries = _entries(folder, manifest)
    files = _files(folder, entries)
    offers: list[Offer] = []
    questions: list[Question] = []
    for number, path in enumerate(files):
        if progress:
            progress(number, len(files), path.name)
        try:
            offers.append(_offer(path, folder, entries.get(_key(path)), index, cast))
        except CastlineError as error:
            message = f"cannot be read: {error}"
            questions.append(Question(where=_relative(path, folder), message=message))
    offers = _distinct(offers)
    wishes = Wishes(handles, rate_policy, size or usual_size(o.media for o in offers))
    needs = _needs(cut)
    offers = [
        _fitted(offer, slots[offer.slot_id], needs[offer.slot_id], wishes)
        if offer.slot_id
        else offer
        for offer in offers
    ]
    offers = _choose_shown(offers)
    questions.extend(_questions(offers))
    offered = {offer.slot_id for offer in offers if offer.attach}
    offered |= {
        slot_id
        for slot_id, clip in slots.items()
        if any(take.role == "take" for take in takes_of(clip).values())
    }
    return Plan(
        cut=cut.name,
        slots=len(slots),
        offers=tuple(offers),
        questions=tuple(questions),
        open_slots=tuple(slot_id for slot_id in slots if slot_id not in offered),
    )


def _entries(folder: Path, manifest: str | Path | None) -> dict[str, manifests.Entry]:
    path = Path(manifest) if manifest else _standing_manifest(folder)
    if path is None:
        return {}
    return {_key(entry.file): entry for entry in manifests.read(path)}


def _standing_manifest(folder: Path) -> Path | None:
    names = ("takes.csv", "takes.json", "manifest.csv", "manifest.json")
    return next((folder / name for name in names if (folder / name).is_file()), None)


def _files(folder: Path, entries: dict[str, manifests.Entry]) -> list[Path]:
    found = {_key(path): path for path in media_files.find_takes(folder)}
    for key, entry in entries.items():
        found.setdefault(key, entry.file)
    if not found:
        raise UnreadableFileError(
            f"{folder}: found no takes, expected movies, stills or sequences"
        )
    return [found[key] for key in sorted(found)]


def _offer(
    path: Path,
    folder: Path,
    entry: manifests.Entry | None,
    index: SlotIndex,
    cast: Cast | None,
) -> Offer:
    media = media_files.probe(path)
    sha256 = media_files.hash_file(path)
    file = _relative(path, folder)
    made = _generation(path, entry)
    answer = match_take(index, file, entry.slot_id if entry else None)
    characters, why = _characters(file, entry, made, cast)
    return Offer(
        file=file,
        media=OfferedMedia(
            url=str(path.absolute()),
            kind=media.kind,
            sha256=sha256,
            frames=media.frames,
            rate=media.rate,
            start=_start(media),
            width=media.width or None,
            height=media.height or None,
        ),
        take_id=f"{slug(path.stem) or 'take'}-{sha256[:8]}",
        slot_id=answer.slot_ids[0] if len(answer.slot_ids) == 1 else None,
        candidates=answer.slot_ids if len(answer.slot_ids) > 1 else (),
        reason=answer.reason,
        characters=characters,
        characters_reason=why,
        generation=made,
        clearance=Clearance(use=entry.use) if entry and entry.use else None,
    )


def _generation(path: Path, entry: manifests.Entry | None) -> Generation | None:
    """Return how the take was made: the manifest's word before the file's own."""
    own = generation_records.read(path)
    said = entry.generation if entry else None
    if own is None or said is None:
        return said or own
    parameters = {**own.parameters, **said.parameters}
    changes = {
        key: value
        for key, value in said.to_data().items()
        if key not in ("parameters", "record", "record_sha256") and hasattr(said, key)
    }
    if "inputs" in changes:
        changes["inputs"] = said.inputs
    return own.replace(**changes, parameters=parameters)


def _characters(
    file: str, entry: manifests.Entry | None, made: Generation | None, cast: Cast | None
) -> tuple[tuple[str, ...], str]:
    if entry and entry.characters:
        return _known(entry.characters, cast), "the manifest says so"
    if cast is None:
        return (), ""
    for where, text in (("file name", file), ("prompt", (made.prompt if made else None) or "")):
        words = f"_{key_of(text)}_"
        found = [
            character.character_id
            for character in cast.characters
            if any(
                f"_{key}_" in words
                for name in (character.character_id, character.name)
                if len(key := key_of(name)) >= 2
            )
        ]
        if found:
            return tuple(found), f"named in the {where}"
    return (), ""


def _known(said: Iterable[str], cast: Cast | None) -> tuple[str, ...]:
    found = ((name, cast.find(name) if cast else None) for name in said)
    return tuple(character.character_id if character else name for name, character in found)


def _start(media: media_files.Media) -> RationalTime | None:
    if media.sequence is not None:
        return RationalTime(media.sequence.first, media.rate)
    if media.timecode and RationalTime.is_smpte_timecode_rate(media.rate):
        return RationalTime.from_timecode(media.timecode, media.rate)
    return None


def _fitted(offer: Offer, clip: schema.Clip, need: Need, wishes: Wishes) -> Offer:
    attached = {take.sha256 for take in takes_of(clip).values()}
    if offer.media.sha256 in attached:
        return offer.replace(reason=f"{offer.reason}; it is attached already")
    fitted = fit(offer.media, need, wishes)
    checks = (*fitted.checks, *_retime_checks(clip))
    return offer.replace(placement=fitted.placement, checks=checks, attach=not fitted.needs_person)


def _retime_checks(clip: schema.Clip) -> Iterator[Check]:
    for effect in clip.effects:
        if isinstance(effect, schema.TimeEffect):
            speed = getattr(effect, "time_scalar", None)
            how = "frozen" if speed == 0 else f"at {speed:.0%}" if speed else "retimed"
            message = f"what stands there runs {how}; the take is placed at 100%"
            yield Check(what="retime", verdict="note", message=message)


def _needs(cut: schema.Timeline) -> dict[str, Need]:
    """Return what each slot needs of its media, by slot id, transitions counted."""
    needs: dict[str, Need] = {}
    tracks = [*cut.tracks, *cut.tracks.find_children(descended_from_type=schema.Track)]
    for track in tracks:
        items = list(track) if isinstance(track, schema.Track) else [track]
        for number, item in enumerate(items):
            slot = get_slot(item) if isinstance(item, schema.Clip) else None
            if slot is not None:
                before = items[number - 1] if number else None
                after = items[number + 1] if number + 1 < len(items) else None
                needs[slot.slot_id] = Need(
                    item.trimmed_range().duration,
                    _frames(before.in_offset if isinstance(before, schema.Transition) else None),
                    _frames(after.out_offset if isinstance(after, schema.Transition) else None),
                )
    return needs


def _frames(offset: RationalTime | None) -> int:
    return 0 if offset is None else max(0, ceil(offset.value))


def _distinct(offers: Sequence[Offer]) -> list[Offer]:
    """Two copies of one file under one name in two folders are two offers: tell them apart."""
    seen: dict[str, int] = {}
    answer = []
    for offer in offers:
        seen[offer.take_id] = number = seen.get(offer.take_id, 0) + 1
        distinct = offer.take_id if number == 1 else f"{offer.take_id}-{number}"
        answer.append(offer.replace(take_id=distinct))
    return answer


def _choose_shown(offers: Sequence[Offer]) -> list[Offer]:
    rivals: dict[str, int] = defaultdict(int)
    for offer in offers:
        if offer.slot_id is not None:
            rivals[offer.slot_id] += 1
    return [
        offer.replace(show=offer.attach and rivals[offer.slot_id or ""] == 1) for offer in offers
    ]


def _questions(offers: Sequence[Offer]) -> list[Question]:
    questions = []
    by_slot: dict[str, list[Offer]] = defaultdict(list)
    for offer in offers:
        if offer.slot_id is None:
            choices = f"{len(offer.candidates)} slots fit" if offer.candidates else "no slot fits"
            message = f"{choices}: {offer.reason}; set its slot_id"
            questions.append(
                Question(where=offer.file, message=message, candidates=offer.candidates)
            )
            continue
        by_slot[offer.slot_id].append(offer)
        for check in offer.checks:
            if check.verdict == "decide":
                message = f"{offer.slot_id}: {check.message}"
                questions.append(Question(where=offer.file, message=message))
    for slot_id, rivals in by_slot.items():
        fitting = [offer for offer in rivals if offer.attach]
        if len(rivals) > 1 and fitting:
            message = f"{len(rivals)} takes offered; set show on the one to see"
            files = tuple(offer.file for offer in fitting)
            questions.append(Question(where=slot_id, message=message, candidates=files))
    return questions


def _key(path: Path) -> str:
    return path.absolute().as_posix()


def _relative(path: Path, folder: Path) -> str:
    try:
        return path.absolute().relative_to(folder.absolute()).as_posix()
    except ValueError:
        return path.as_posix()
