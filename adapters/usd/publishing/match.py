"""Which camera of a stage a clip of the cut is, and which prims are a character.

Prims are told by what they are, the surest sign first: a label, the asset they say to be, their
name, the names above them, and only then where castline read them from: programs rename what they
export. Where one sign fits two, a person must decide.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
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

PLACE, ASSET, NAME = "where it was read", "its asset", "its name"
ABOVE, CAMERA, COPY = "a name above it", "its camera's name", "the name of a copy"
"""By what a camera is told."""

BY_ID = "id:"
"""Before a slot's id, where its name is that of several clips."""


@dataclass(frozen=True)
class Bound:
    """A clip of the cut, and what of the stage it is."""

    clip: schema.Clip
    slot: Slot
    camera: Facts | None
    """The camera; None where the stage has none."""
    how: str | None = None
    """By what it was told, where by something of its own."""


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
        found = [clip for clip in clips if _names_of(clip) & names]
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


class Cameras:
    """The cameras of a stage, by all that they can be told by."""

    def __init__(self, cameras: Sequence[Facts]) -> None:
        """Take the facts of the cameras, in the stage's order."""
        self.all = cameras
        self._by_sign: dict[tuple[str, Any], list[Facts]] = defaultdict(list)
        for camera in cameras:
            for sign in set(_signs_of(camera)):
                self._by_sign[sign].append(camera)

    def bind(self, clip: schema.Clip, *, is_alone: bool, by_place: bool = True) -> Bound | None:
        """Return what of the stage a clip is, None where nothing shows.

        `is_alone`: the stage is this shot, so a camera of the name that it had elsewhere is the
        clip's, or the only one, whatever its name. `by_place`: where it was read from says
        something. Raises `NeedsPersonError` where several fit.
        """
        slot = slot_of(clip)
        seen_through = {take.camera for take in takes_of(clip).values() if take.camera}
        for how, keys in _keys_of(clip, slot, seen_through, is_alone=is_alone):
            if how == PLACE and not by_place:
                continue
            fits = {c["path"]: c for key in keys for c in self._by_sign.get((how, key), ())}
            found = [fits[path] for path in sorted(fits)]
            if len(found) > 1:
                there = {c["path"] for key in _places(slot) for c in self._by_sign[PLACE, key]}
                found = [c for c in found if c["path"] in there] or found
            if len(found) > 1:  # of a shot with several, the one that was looked through
                found = [c for c in found if c["path"] in seen_through] or found
            if len(found) == 1:
                return Bound(clip, slot, found[0], how)
            if found:
                raise _several(slot.slot_id, f"by {how}", found)
        if not is_alone:
            return None
        if len(self.all) > 1:
            raise _several(slot.slot_id, "on the stage", self.all)
        return Bound(clip, slot, next(iter(self.all), None))


def require_one_each(bounds: Sequence[Bound]) -> None:
    """Raise `NeedsPersonError` where clips of several names are one camera's by place alone.

    Scenes of one file name in several folders have prims of the same paths.
    """
    clips: dict[str, list[schema.Clip]] = defaultdict(list)
    for bound in bounds:
        if bound.how == PLACE and bound.camera:
            clips[bound.camera["path"]].append(bound.clip)
    for path, found in clips.items():
        if len({plain(clip.name) for clip in found}) > 1:
            raise NeedsPersonError(
                f"{path}: by {PLACE} found {len(found)} clips; name one with --shot: "
                f"{listed(found)}"
            )


def bind_to(clip: schema.Clip, cameras: Sequence[Facts], path: str) -> Bound:
    """Return a clip bound to the camera at a path that a person named."""
    slot = slot_of(clip)
    for camera in cameras:
        if camera["path"] == path:
            return Bound(clip, slot, camera)
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
    by_sign: dict[tuple[str, str], list[Facts]] = defaultdict(list)
    for prim in people:
        for name in prim["known"]:
            by_sign[prim["how"], name].append(prim)
    found = {}
    for character_id, names in wanted.items():
        for how in ("label", "asset", "character", "model", "name", "copy"):
            told = {p["path"]: p for name in names for p in by_sign.get((how, name), ())}
            if told:
                found[character_id] = list(_outermost(sorted(told.values(), key=_order)))
                break
    return found


def _order(prim: Facts) -> list[str]:
    """Return what sorts prims so that each comes before what is below it."""
    return str(prim["path"]).split("/")


def _signs_of(camera: Facts) -> Iterator[tuple[str, Any]]:
    """Yield all that a camera, or the shot that it is in, can be told by."""
    shot = camera["shot"]
    for prim in (camera, shot) if shot else (camera,):
        yield PLACE, (prim["path"], prim["layer"])
        if prim["identity"]:
            yield ASSET, prim["identity"]
        for name in prim["names"]:
            yield NAME, plain(name)
            yield COPY, plain(without_copy(name))
    for name in camera["names"]:
        yield CAMERA, plain(name)
    for name in camera["above"]:
        yield ABOVE, plain(name)


def _keys_of(
    clip: schema.Clip, slot: Slot, seen_through: set[str], *, is_alone: bool
) -> Iterator[tuple[str, Iterable[Any]]]:
    """Yield by what a camera could be told to be the clip's, the surest first."""
    names = _names_of(clip)
    if slot.prim and slot.prim.identity:
        yield ASSET, [slot.prim.identity]
    yield NAME, names
    yield ABOVE, names
    yield PLACE, _places(slot)
    if is_alone:
        paths = [*seen_through, *([slot.prim.path] if slot.prim else [])]
        yield CAMERA, plain_set(path.rpartition("/")[2] for path in paths)
    yield COPY, names


def _places(slot: Slot) -> list[tuple[str, str]]:
    """Return the prim and file that a clip was read from: no sign where a name says otherwise."""
    return [(slot.prim.path, slot.prim.layer or "")] if slot.prim else []


def _names_of(clip: schema.Clip) -> set[str]:
    """Return the plain names that a clip goes by."""
    return plain_set([clip.name, slot_of(clip).slot_id])


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
        f"{name}: {how} found {len(cameras)} cameras; name one with --camera: {paths}"
    )


def _is_called(clip: schema.Clip, shot: str) -> bool:
    if shot.startswith(BY_ID):
        return slot_of(clip).slot_id == shot.removeprefix(BY_ID)
    return plain(shot) in _names_of(clip)


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
