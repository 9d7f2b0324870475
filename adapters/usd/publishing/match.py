"""Which camera of a stage a clip of the cut is, and which prims are a character.

Prims are told by what they are, the surest sign first: where castline read them from, the asset
they say to be, a label, their name, the names above them. A path alone is no sign: programs rename
what they export. Where one sign fits two, a person must decide.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opentimelineio import schema

from castline.adapters.usd.publishing.names import names_in, plain, plain_set, without_copy
from castline.schemas.errors import NeedsPersonError
from castline.schemas.places import get_slot
from castline.schemas.takes import takes_of
from castline.schemas.values import Cast, Slot

Facts = Mapping[str, Any]

BY_ID = "id:"
"""Before a slot's id, where its name is that of several clips."""


@dataclass(frozen=True)
class Bound:
    """A clip of the cut, and what of the stage it is."""

    clip: schema.Clip
    slot: Slot
    camera: Facts | None
    """The camera; None where the stage has none."""
    how: str
    """By what it was told."""


def choose_clips(
    clips: Sequence[schema.Clip], shot: str | None, stage: Path
) -> tuple[list[schema.Clip], bool]:
    """Return the clips to publish, and whether the stage is the one shot.

    That is the shot that is named (`id:` before a slot's id, where several have one name), the
    only one, or the one whose name is in that of the stage's file, or else of its folder; else all
    of them are looked for. Raises `NeedsPersonError` where the name fits none or several.
    """
    if shot is not None:
        found = called(clips, shot)
        if len(found) != 1:
            raise _undecided(f"--shot {shot}", found, clips)
        return found, True
    if len(clips) == 1:
        return list(clips), True
    for text in (stage.stem, stage.parent.name):
        names = names_in(text)
        found = [clip for clip in clips if _keys(clip) & names]
        if len(found) == 1:
            return found, True
    return list(clips), False


def slot_of(clip: schema.Clip) -> Slot:
    """Return what castline says of a clip that was given an id."""
    slot = get_slot(clip)
    assert slot is not None  # noqa: S101 - every clip was given one
    return slot


def called(clips: Sequence[schema.Clip], shot: str) -> list[schema.Clip]:
    """Return the clips of a name, or of `id:` and a slot's id."""
    return [clip for clip in clips if _is_called(clip, shot)]


def bind(clip: schema.Clip, cameras: Sequence[Facts], *, is_alone: bool) -> Bound | None:
    """Return what of the stage a clip is, None where nothing shows.

    `is_alone`: the stage is this shot, so its only camera is the clip's, whatever its name. Raises
    `NeedsPersonError` where several cameras fit.
    """
    slot = slot_of(clip)
    for how, fits in _signs_of(clip, slot):
        found = [camera for camera in cameras if fits(camera)]
        if len(found) == 1:
            return Bound(clip, slot, found[0], how)
        if found:
            raise _several(slot.slot_id, how, found)
    if not is_alone:
        return None
    if len(cameras) > 1:
        raise _several(slot.slot_id, "the stage", cameras)
    return Bound(clip, slot, next(iter(cameras), None), "the only camera")


def bind_to(clip: schema.Clip, cameras: Sequence[Facts], path: str) -> Bound:
    """Return a clip bound to the camera at a path that a person named."""
    slot = slot_of(clip)
    for camera in cameras:
        if camera["path"] == path:
            return Bound(clip, slot, camera, "--camera")
    paths = ", ".join(camera["path"] for camera in cameras[:8]) or "none"
    raise NeedsPersonError(f"--camera {path}: found no such camera, only {paths}")


def wanted_names(cast: Cast) -> dict[str, set[str]]:
    """Return the plain names under which each character may stand on a stage, by its id.

    Those of the prims where it stood in another scene are among them, but what several stood on
    there (`rig`) tells nobody.
    """
    prims = {
        character.character_id: plain_set(p.path.rpartition("/")[2] for p in character.prims)
        for character in cast.characters
    }
    shared = Counter(name for names in prims.values() for name in names)
    return {
        character.character_id: plain_set([character.character_id, character.name])
        | {name for name in prims[character.character_id] if shared[name] == 1}
        for character in cast.characters
    }


def bind_characters(
    wanted: Mapping[str, set[str]], people: Sequence[Facts]
) -> dict[str, list[Facts]]:
    """Return the prims of each character that is on the stage, by its id."""
    found = {}
    for character_id, names in wanted.items():
        mine = [prim for prim in people if names & set(prim["known"])]
        for how in ("label", "asset", "character", "model", "name", "copy"):
            told = [prim for prim in mine if prim["how"] == how]
            if told:
                found[character_id] = list(_outermost(told))
                break
    return found


def _signs_of(clip: schema.Clip, slot: Slot) -> Iterator[tuple[str, Any]]:
    """Yield by what a camera could be told to be the clip's, the surest first."""
    cameras = {take.camera for take in takes_of(clip).values() if take.camera}
    prim = slot.prim
    keys = _keys(clip)
    if cameras:
        leaves = {path.rpartition("/")[2] for path in cameras}
        keys_of_cameras = plain_set(leaves)
        yield "where it was read", lambda camera: camera["path"] in cameras
    if prim is not None:
        yield "where it was read", lambda camera: prim.path in _paths(camera)
        if prim.identity:
            yield "its asset", lambda camera: prim.identity in _identities(camera)
    yield "its name", lambda camera: bool(keys & plain_set(_own_names(camera)))
    yield "the names above", lambda camera: bool(keys & plain_set(camera["above"]))
    if cameras:
        yield (
            "its camera's name",
            lambda camera: bool(keys_of_cameras & plain_set(_own_names(camera))),
        )
    yield (
        "the name of a copy",
        lambda camera: bool(keys & plain_set(map(without_copy, _own_names(camera)))),
    )


def _paths(camera: Facts) -> set[str]:
    shot = camera["shot"]
    return {camera["path"], *([shot["path"]] if shot else [])}


def _identities(camera: Facts) -> set[str]:
    shot = camera["shot"]
    return {camera["identity"], shot["identity"] if shot else ""} - {""}


def _own_names(camera: Facts) -> list[str]:
    shot = camera["shot"]
    return [*camera["names"], *(shot["names"] if shot else [])]


def _keys(clip: schema.Clip) -> set[str]:
    """Return the plain names that a clip goes by."""
    slot = slot_of(clip)
    leaf = slot.prim.path.rpartition("/")[2] if slot.prim else None
    return plain_set([clip.name, slot.slot_id, leaf])


def _outermost(prims: Sequence[Facts]) -> Iterator[Facts]:
    """Yield the prims that lie in no other of them; they come in the stage's order."""
    last = None
    for prim in prims:
        if last is None or not prim["path"].startswith(f"{last}/"):
            last = prim["path"]
            yield prim


def _several(name: str, how: str, cameras: Sequence[Facts]) -> NeedsPersonError:
    paths = ", ".join(camera["path"] for camera in cameras[:8])
    return NeedsPersonError(
        f"{name}: by {how} found {len(cameras)} cameras; name one with --camera: {paths}"
    )


def _is_called(clip: schema.Clip, shot: str) -> bool:
    if shot.startswith(BY_ID):
        return slot_of(clip).slot_id == shot.removeprefix(BY_ID)
    return plain(shot) in _keys(clip)


def listed(clips: Sequence[schema.Clip]) -> str:
    """Return what to write after --shot for each of these clips and no other, a dozen at most."""
    names = Counter(plain(clip.name) for clip in clips)
    words = [
        slot_of(clip).slot_id
        if names[plain(clip.name)] == 1
        else f"{BY_ID}{slot_of(clip).slot_id}"
        for clip in clips[:12]
    ]
    return ", ".join([*words, "..."] if len(clips) > 12 else words)


def _undecided(
    what: str, found: Sequence[schema.Clip], clips: Sequence[schema.Clip]
) -> NeedsPersonError:
    count = f"{len(found)} clips" if found else "no clip"
    return NeedsPersonError(
        f"{what}: found {count} of that name, expected one of: {listed(found or clips)}"
    )
