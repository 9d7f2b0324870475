"""Making a stage play its cut: scenes, plates and sounds in their places, and one camera."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from castline.adapters.material import stills
from castline.adapters.usd.node import Node, walk
from castline.adapters.usd.payload import data_of, references_of
from castline.adapters.usd.playing import cutcamera, movies, plate, scene, seen
from castline.adapters.usd.playing.clock import Clock
from castline.adapters.usd.playing.cutcamera import Follow
from castline.adapters.usd.playing.media import Movie, Plate, Scene, Sound
from castline.adapters.usd.playing.scenes import Scenes, Survey
from castline.adapters.usd.playing.shot import Shot, where_of
from castline.adapters.usd.sandbox import Sandbox
from castline.schemas.errors import CastlineError
from castline.schemas.values import Loss

PLAYED = frozenset({"Timeline", "Stack", "Track", "Clip"})
"""Kinds of objects that are a cut, or a part of one."""


@dataclass
class _Desk:
    """What every step of the making needs."""

    clock: Clock
    folder: Path
    """Of the stage."""
    scenes: Scenes
    losses: list[Loss] = field(default_factory=list)

    def lose(self, shot: Shot, field_name: str, reason: str) -> None:
        self.losses.append(Loss(where=shot.where, field=field_name, reason=reason))


def author(
    layer: Any, root: Node, found: list[Shot], clock: Clock, folder: Path, plates: Path | None
) -> list[Loss]:
    """Author what plays of a cut whose shots have their places, in a stage that lies in `folder`.

    The frames of movies are extracted into `plates`, if given. Returns what has no picture or no
    sound in the stage, with the reason.
    """
    if root.kind not in PLAYED:
        for shot in found:
            for key in list(shot.offers):
                shot.give_up(key, "a collection is no cut that plays")
    if not any(shot.offers for shot in found):
        return [*silent(found), *_dissolves(root)]
    with Sandbox() as sandbox:
        desk = _Desk(clock, folder, Scenes(sandbox))
        for shot in found:
            _look_into_scenes(desk, shot)
        if plates:
            turn_movies_into_plates(found, plates)
        _share_time(found)
        for shot in found:
            _author_shot(desk, layer.GetPrimAtPath(shot.node.path), shot)
        _give_the_world(layer, desk, found)
        follows = list(_follows(desk, found))
        cutcamera.author(layer.GetPrimAtPath(root.path), follows, folder)
        return [*silent(found), *desk.losses, *_dissolves(root)]


def _look_into_scenes(desk: _Desk, shot: Shot) -> None:
    """Give up the scenes that cannot be used, and say which of several cameras is taken."""
    for key, offer in list(shot.offers.items()):
        if not isinstance(offer, Scene):
            continue
        try:
            survey = desk.scenes.survey(offer.path)
        except CastlineError as error:
            shot.give_up(key, f"the scene cannot be used: {error}")
            continue
        named = _named_camera(shot, key)
        if named is not None and named not in survey.cameras:
            desk.lose(shot, f"camera of take {key}", f"the scene has no camera {named}")
        elif named is None and len(survey.cameras) > 1 and not survey.is_cut:
            reason = f"the scene has {len(survey.cameras)} cameras, {survey.cameras[0]} is used"
            desk.lose(shot, f"camera of take {key}", reason)


def turn_movies_into_plates(found: Sequence[Shot], folder: Path) -> None:
    """Extract the frames that are shown of movies."""
    wanted: dict[Movie, set[Fraction]] = {}
    for shot in found:
        for key, offer in list(shot.offers.items()):
            if isinstance(offer, Movie):
                time_map = shot.maps[key]
                times = {frame / time_map.media_rate for _, frame in time_map.frames()}
                wanted.setdefault(offer, set()).update(times)
    made = {movie: movies.extract(movie, times, folder) for movie, times in wanted.items()}
    for shot in found:
        for key, offer in list(shot.offers.items()):
            if isinstance(offer, Movie):
                result = made[offer]
                if isinstance(result, str):
                    shot.give_up(key, result)
                else:
                    shot.offers[key] = result


def _share_time(found: Sequence[Shot]) -> None:
    """Find out which picture is on top when."""
    pictures = [
        shot
        for shot in found
        if shot.is_picture
        and shot.is_enabled
        and isinstance(shot.offers.get(shot.active), (Scene, Plate))
    ]
    for window in seen.windows([shot.maps[shot.active] for shot in pictures]):
        pictures[window.picture].windows.append((window.start, window.end))


def silent(found: Sequence[Shot]) -> Iterator[Loss]:
    """Yield a loss for every shown take that has nothing to show or to be heard."""
    for shot in found:
        for key, reason in shot.missing.items():
            what = "picture" if shot.is_picture else "sound"
            if key != shot.active:
                what = f"{what} of take {key}"
            yield Loss(where=shot.where, field=what, reason=reason)


def _dissolves(root: Node) -> Iterator[Loss]:
    """Yield a loss for every transition between pictures: USD has only cuts."""
    for node in walk(root):
        if node.kind != "Track" or node.document.get("kind") != "Video":
            continue
        shots = [
            child if child.kind not in ("Gap", "Transition") else None for child in node.children
        ]
        for number, child in enumerate(node.children):
            if child.kind == "Transition":
                beside = (shots[number - 1] if number else None, *shots[number + 1 : number + 2])
                is_cut = len(beside) == 2 and None not in beside
                where = "a cut at its midpoint" if is_cut else "a cut at the clip's own edge"
                reason = f"{where}; USD has no transitions"
                yield Loss(where=where_of(child), field="transition", reason=reason)


def _author_shot(desk: _Desk, prim: Any, shot: Shot) -> None:
    owners = shot.owners
    for key, offer in shot.offers.items():
        if isinstance(offer, Scene) and shot.is_picture:
            _author_scene(desk, owners[key], shot, key, desk.scenes.survey(offer.path))
        elif isinstance(offer, Plate) and shot.is_picture:
            _author_plate(desk, owners[key], shot, key, offer)
        elif isinstance(offer, Sound) and not shot.is_picture:
            _author_sound(desk, owners[key], shot, key, offer)
        else:
            what = "picture" if shot.is_picture else "sound"
            desk.lose(shot, what, f"a {type(offer).__name__.lower()} on a track of the other kind")
    if shot.is_picture:
        code = desk.clock.code
        scene.author_windows(prim, [(code(start), code(end)) for start, end in shot.windows])


def _author_scene(desk: _Desk, owner: Any, shot: Shot, key: str, survey: Survey) -> None:
    time_map = shot.maps[key].sampled()
    camera = _camera(shot, key, survey)
    clock, folder = desk.clock, desk.folder
    if not time_map.pieces or scene.author_scene(owner, survey, camera, time_map, clock, folder):
        return
    try:
        text = desk.scenes.retime(survey, clock.stretches(time_map, survey.rate))
        scene.author_retimed(owner, survey, text, str(survey.path))
    except CastlineError as error:
        desk.lose(shot, f"take {key}", f"the scene stands at its own times: {error}")


def _author_plate(desk: _Desk, owner: Any, shot: Shot, key: str, offer: Plate) -> None:
    pictures, missing = plate.pictures_of(offer, shot.maps[key], desk.clock)
    if missing:
        desk.lose(shot, f"take {key}", f"{missing} pictures are not there; the one before stays")
    if pictures:
        plate.author_plate(owner, pictures, _size(pictures[0][1]), desk.folder)


def _author_sound(desk: _Desk, owner: Any, shot: Shot, key: str, sound: Sound) -> None:
    time_map = shot.maps[key]
    if not time_map.pieces:
        return
    if time_map.speed != 1:
        desk.lose(shot, "sound", "it is retimed, and USD plays sound at its own speed alone")
        return
    muted = not shot.is_enabled
    scene.author_sound(owner, sound, time_map, desk.clock, desk.folder, muted=muted)


def _follows(desk: _Desk, found: Sequence[Shot]) -> Iterator[Follow]:
    """Yield what the cut camera follows, in the order of time."""
    seen_when = sorted(
        ((start, end, shot) for shot in found for start, end in shot.windows),
        key=lambda part: part[0],
    )
    for start, end, shot in seen_when:
        offer = shot.offers[shot.active]
        time_map = shot.maps[shot.active].sampled().within(start, end)
        if isinstance(offer, Plate):
            pictures, _ = plate.pictures_of(offer, time_map, desk.clock)
            if pictures:
                numbers = plate.lens_of(_size(pictures[0][1]))
                code = desk.clock.code
                yield Follow.still(code(start), code(end), numbers, pictures)
        elif isinstance(offer, Scene):
            survey = desk.scenes.survey(offer.path)
            camera = _camera(shot, shot.active, survey)
            if camera is None:
                desk.lose(shot, "camera", "the scene has none; the cut camera stays where it was")
                continue
            try:
                yield desk.scenes.film(survey, camera, desk.clock.stretches(time_map, survey.rate))
            except CastlineError as error:
                desk.lose(shot, "camera", f"the cut camera stays where it was: {error}")


def _give_the_world(layer: Any, desk: _Desk, found: Sequence[Shot]) -> None:
    """Give the stage the axis and the unit of its first usable scene, and name those that differ.

    USD converts neither.
    """
    for survey in desk.scenes.usable():
        if survey.up_axis in ("Y", "Z") and survey.meters_per_unit > 0:
            layer.pseudoRoot.SetInfo("upAxis", survey.up_axis)
            layer.pseudoRoot.SetInfo("metersPerUnit", survey.meters_per_unit)
            break
    root = layer.pseudoRoot
    stage = _world(str(root.GetInfo("upAxis")), root.GetInfo("metersPerUnit"))
    for shot in found:
        for key, offer in shot.offers.items():
            if isinstance(offer, Scene):
                survey = desk.scenes.survey(offer.path)
                own = _world(survey.up_axis, survey.meters_per_unit)
                if own != stage:
                    desk.lose(shot, f"take {key}", f"the scene is {own}, the stage {stage}")


def _camera(shot: Shot, key: str, survey: Survey) -> str | None:
    named = _named_camera(shot, key)
    return named if named in survey.cameras else next(iter(survey.cameras), None)


def _named_camera(shot: Shot, key: str) -> str | None:
    """Return the prim path of the camera that the take names, if it names one."""
    data = data_of(references_of(shot.node.document)[key])
    camera = data.get("camera") if data else None
    return camera if isinstance(camera, str) else None


def _size(picture: Path) -> tuple[int, int] | None:
    try:
        header = stills.read_header(picture)
    except CastlineError:
        return None
    return (header.width, header.height) if header.width > 0 and header.height > 0 else None


def _world(up_axis: str, meters_per_unit: float) -> str:
    return f"{up_axis} up at {meters_per_unit:g} m a unit"
