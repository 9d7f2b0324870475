"""The overlay: the published cut, and on the artist's prims what is known of them.

| on | what |
|---|---|
| `/Timeline` | the published clips as a cut, abstract; `castline:camera` is the camera of each |
| the shot's camera | a variant set of takes: plate, authorship, appearances with scores |
| a character's prim | `SemanticsLabelsAPI:character` |

Where there is no camera, or it is part of an instance, the clip's prim has the takes.
Nothing else is said of a prim of the artist's, and nothing that the artist says is contradicted:
plates and variant sets have names of their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from castline.adapters.usd import layout, placement
from castline.adapters.usd.characters import cast_of, label_of
from castline.adapters.usd.payload import references_of
from castline.adapters.usd.playing import plate, play
from castline.adapters.usd.playing.anchor import anchored
from castline.adapters.usd.playing.clock import Clock
from castline.adapters.usd.playing.media import Library, Movie, Plate, Scene, Sound
from castline.adapters.usd.playing.shot import Shot, shots_of
from castline.adapters.usd.playing.shot import place as place_shots
from castline.adapters.usd.playing.specs import apply
from castline.adapters.usd.publishing.match import Facts
from castline.adapters.usd.publishing.order import Order
from castline.adapters.usd.writing import items, meaning, takes
from castline.adapters.usd.writing.stage import Cut
from castline.schemas.errors import MissingDependencyError
from castline.schemas.values import Cast, Loss

PLATE = "castline"
"""Instance of BackPlateAPI: the artist's own plates have others."""


def author(cut: Cut, order: Order) -> tuple[Any, list[Loss]]:
    """Return the overlay of a cut that was split into nodes, and what of it is not seen.

    Raises `UnwritableFileError` for what could not be read back, and where frames of movies cannot
    be written.
    """
    from pxr import Sdf

    layer = Sdf.Layer.CreateAnonymous(".usda")
    root, rate = cut.node, float(Fraction(*order.codes_per_second))
    clock, folder = Clock(rate), Path(order.folder)
    placement.place(root, rate)
    items.author(layer, root, rate, cut.encode, cut.path)
    _hide(layer.GetPrimAtPath(root.path))
    found = shots_of(root, Library(folder, movies=True))
    pairs = list(zip(found, order.cameras, strict=True))
    losses: list[Loss] = []
    taken: set[str] = set()
    for shot, camera in pairs:
        losses += _give_owners(layer, shot, camera, taken)
    place_shots(found, cut.root, max(rate, order.frame_rate))  # each code, each frame
    _give_up(found, (Scene, Sound), None)  # the stage is the scene; a sound is the cut's
    try:
        play.turn_movies_into_plates(found, Path(order.plates))
    except MissingDependencyError as error:
        _give_up(found, (Movie,), str(error))
    elsewhere = {key: [prim["owner"] for prim in prims] for key, prims in order.people.items()}
    meaning.author(layer, root, found, clock, elsewhere)
    for shot, camera in pairs:
        losses += _author_plates(shot, camera, clock, folder)
        if camera is not None and camera["closed"]:
            _apply_outside(layer.GetPrimAtPath(camera["path"]), shot)
    losses += _label(layer, cast_of(root), order.people)
    losses += _not_there(found, cast_of(root), order.people)
    return layer, [*play.silent(found), *losses]


def _hide(prim: Any) -> None:
    """Make a prim and all below it abstract: programs take them for no part of the scene.

    Else Blender imports an empty for each and exports them again.
    """
    from pxr import Sdf

    prim.specifier = Sdf.SpecifierClass


def _give_owners(layer: Any, shot: Shot, camera: Facts | None, taken: set[str]) -> list[Loss]:
    """Give a shot the specs that describe its takes: variants on its camera.

    What is said of how a take was made holds for all below its prim, so it goes to no other prim
    of the artist's: without a camera that takes opinions, to the clip's own.
    """
    from pxr import Sdf

    prim, name = layer.GetPrimAtPath(shot.node.path), layout.TAKE_SET
    lost = []
    if camera is not None:
        rel = Sdf.RelationshipSpec(prim, layout.SHOT_CAMERA, False, Sdf.VariabilityUniform)
        rel.targetPathList.Prepend(camera["path"])
        if camera["path"] in taken:
            reason = f"{camera['path']} shows another clip; its takes are on the clip alone"
            lost.append(Loss(where=shot.where, field="camera", reason=reason))
        elif _takes_opinions(camera):
            taken.add(camera["path"])
            prim = Sdf.CreatePrimInLayer(layer, camera["path"])
            free = [name for name in layout.TAKE_SETS if name not in camera["variants"]]
            name = free[0] if free else layout.TAKE_SETS[-1]  # ours, in a stage made flat
    shot.owners = takes.variants(prim, list(references_of(shot.node.document)), shot.active, name)
    return lost


def _takes_opinions(prim: Facts) -> bool:
    """Say whether a prim is no part of an instance."""
    return bool(prim["owner"] == prim["path"])


def _give_up(found: Sequence[Shot], kinds: tuple[type, ...], reason: str | None) -> None:
    """Take offers of some kinds back; without a reason nothing is lost by it."""
    for shot in found:
        for key, offer in list(shot.offers.items()):
            if isinstance(offer, kinds):
                if reason is None:
                    shot.offers.pop(key)
                else:
                    shot.give_up(key, reason)


def _author_plates(shot: Shot, camera: Facts | None, clock: Clock, folder: Path) -> list[Loss]:
    losses = []
    for key, offer in shot.offers.items():
        if not isinstance(offer, Plate):
            continue
        if camera is None or not _takes_opinions(camera):
            reason = "its camera is part of an instance" if camera else "the stage has no camera"
            losses.append(Loss(where=shot.where, field=f"plate of take {key}", reason=reason))
            continue
        pictures, missing = plate.pictures_of(offer, shot.maps[key], clock)
        if missing:
            reason = f"pictures that are not there: {missing}; the one before stays"
            losses.append(Loss(where=shot.where, field=f"plate of take {key}", reason=reason))
        plate.apply_plate(
            shot.owners[key],
            [(time, anchored(path, folder)) for time, path in pictures],
            PLATE,
        )
    return losses


def _apply_outside(camera: Any, shot: Shot) -> None:
    """Apply the schemas of a camera's takes on the camera itself, whose own list hides theirs."""
    for owner in shot.owners.values():
        if camera and owner.path.HasPrefix(camera.path):
            listed = owner.GetInfo("apiSchemas")
            apply(camera, *(listed.prependedItems if listed else ()))


def _not_there(
    found: Sequence[Shot], cast: Cast, people: Mapping[str, Sequence[Facts]]
) -> list[Loss]:
    """Return a loss for each character of the published clips that has no prim on the stage."""
    losses = []
    for spoken in dict.fromkeys(meaning.spoken_of(found)):
        character = cast.find(spoken)
        if character is None:
            reason = "not in the cut's cast; not looked for on the stage"
        elif character.character_id not in people:
            reason = "the stage has no prim that is called so or labelled"
        else:
            continue
        losses.append(Loss(where=label_of(spoken, cast), field="character", reason=reason))
    return losses


def _label(layer: Any, cast: Cast, people: Mapping[str, Sequence[Facts]]) -> list[Loss]:
    """Label the characters' prims, each with what it was labelled before and its name."""
    from pxr import Sdf

    wanted: dict[str, list[str]] = {}
    losses = []
    for character_id, prims in people.items():
        name = label_of(character_id, cast)
        for prim in prims:
            if not _takes_opinions(prim):
                reason = f"{prim['path']} is part of an instance; {prim['owner']} is labelled"
                losses.append(Loss(where=name, field="label", reason=reason))
            if name not in prim["labels"] and prim["varies"]:
                reason = f"{prim['owner']} has labels that change with time; left as they are"
                losses.append(Loss(where=name, field="label", reason=reason))
                continue
            labels = wanted.setdefault(prim["owner"], list(prim["labels"]))
            if name not in labels:
                labels.append(name)
    for path, labels in wanted.items():
        meaning.label(Sdf.CreatePrimInLayer(layer, path), labels)
    return losses
