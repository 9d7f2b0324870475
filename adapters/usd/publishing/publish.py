"""Publishing a cut onto a stage: look at the stage, match, write two layers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opentimelineio import schema

from castline.adapters.output import whole_folder
from castline.adapters.usd import layout, library, marks
from castline.adapters.usd.garbage import collected_later
from castline.adapters.usd.node import split
from castline.adapters.usd.playing.media import Library
from castline.adapters.usd.publishing import match, overlay, root
from castline.adapters.usd.publishing.choose import Choice, choose
from castline.adapters.usd.publishing.match import Facts
from castline.adapters.usd.publishing.placed import as_cut
from castline.adapters.usd.publishing.stage import Stage, look_at
from castline.adapters.usd.scene.cut import prim_of
from castline.adapters.usd.timecodes import export_text
from castline.adapters.usd.writing.stage import Cut
from castline.adapters.usd.writing.writer import document_of
from castline.schemas.errors import UnwritableFileError
from castline.schemas.places import get_sequence, set_sequence
from castline.schemas.slots import give_slot_ids
from castline.schemas.values import Cast, Loss, Problem

People = Mapping[str, Sequence[Facts]]
"""Prims of the stage by the characters' ids."""


@dataclass(frozen=True)
class Published:
    """What was written, and what of the stage was found."""

    root: Path
    """What to open."""
    overlay: Path
    shots: dict[str, str | None]
    """The camera of each published clip by the slot's id, None where the stage has none."""
    characters: dict[str, list[str]]
    """Prims by the character's id."""
    losses: list[Loss]
    """What is not seen on the stage, and why."""
    problems: list[Problem]
    """What is wrong with the stage."""


def publish(
    cut: schema.Timeline,
    stage: str | Path,
    folder: str | Path,
    *,
    shot: str | None = None,
    camera: str | None = None,
    payloads: bool = False,
    plates: str | Path | None = None,
    home: str | Path | None = None,
    overwrite: bool = False,
) -> Published:
    """Write what a cut knows of a stage's shots and characters as an overlay, in a folder.

    `<stage>_castline.usda` is what one opens; `<stage>_castline_overlay.usda` says it all. Files
    of an earlier publishing of this stage are replaced, if nobody worked in them since. `shot`
    names the clip that the stage is, `camera` its camera, where the stage does not tell;
    `payloads` has them loaded to look for both. Frames of movies are extracted into `plates`, by
    default a folder of that name beside the layers, and kept; relative media paths begin at
    `home`, by default the working folder. The cut is left as it is.

    Raises `NeedsPersonError` where clip or camera cannot be told, `UnreadableFileError` for a
    stage that cannot be opened or that changes meanwhile, and `UnwritableFileError` where files of
    other people's stand in the way, unless `overwrite`.
    """
    library.look_for()
    folder = Path(folder).resolve()  # relative paths are of where it is
    cut = cut.deepcopy()
    give_slot_ids(cut)
    wanted = match.wanted_names(get_sequence(cut).cast or Cast())
    names = sorted(set().union(*wanted.values()))
    found = look_at(Path(stage).absolute(), names, payloads=payloads)
    people = match.bind_characters(wanted, found.people)
    home = Path(home or Path.cwd()).absolute()
    with collected_later():
        choice = choose(cut, found, home, shot=shot, camera=camera)
        placed = as_cut(cut, choice.placed, choice.time, home, folder)
        _give_prims(placed, people)
        job = _Job(found, choice, people, folder, Path(plates or folder / "plates"))
        return job.write(placed, overwrite)


@dataclass(frozen=True)
class _Job:
    """What is to be written, and where."""

    stage: Stage
    choice: Choice
    people: People
    folder: Path
    plates: Path

    def write(self, cut: schema.Timeline, overwrite: bool) -> Published:
        """Write the layers of a cut in the stage's time, both or neither."""
        name = f"{self.stage.path.stem}_castline"
        top, over = f"{name}.usda", f"{name}_overlay.usda"
        if not overwrite:
            for file in (top, over):
                root.require_ours(self.folder / file, self.stage.path)
        header = root.header_layer(self.stage.header, str(self.stage.path))
        with whole_folder(self.folder, overwrite=True, keep=[self.stage.path]) as scratch:
            layer, losses = self._overlay(cut, header, scratch / over)
            _export(layer, scratch / over)
            span = self.choice.span
            _export(
                root.make_root(header, over, self.stage.path, self.folder, span), scratch / top
            )
            self.stage.require_unchanged()
        return Published(
            self.folder / top,
            self.folder / over,
            {
                item.bound.slot.slot_id: item.bound.camera["path"] if item.bound.camera else None
                for item in self.choice.placed
            },
            {key: [prim["path"] for prim in prims] for key, prims in self.people.items()},
            [*self.choice.losses, *losses],
            self.stage.problems,
        )

    def _overlay(self, cut: schema.Timeline, header: Any, path: Path) -> tuple[Any, list[Loss]]:
        from pxr import Sdf

        layer = Sdf.Layer.CreateAnonymous(".usda")
        document, encode = document_of(cut, path)
        node = split(document)
        node.name = _free_name(self.stage.roots)
        losses = overlay.author(
            layer,
            Cut(cut, node, encode, path),
            _cameras_of(cut, self.choice),
            self.people,
            self.choice.time,
            Library(self.folder, movies=True),
            self.folder,
            self.plates,
        )
        root.describe_overlay(layer, header, self.stage.clock.codes_per_second, node.name)
        return layer, losses


def _cameras_of(cut: schema.Timeline, choice: Choice) -> list[Facts | None]:
    """Return the cameras of the placed cut's clips, in the order of its tracks."""
    cameras = {item.bound.slot.slot_id: item.bound.camera for item in choice.placed}
    return [cameras[match.slot_of(clip).slot_id] for clip in cut.find_clips()]


def _give_prims(cut: schema.Timeline, people: People) -> None:
    """Note on the cast where on the stage its characters stand."""
    sequence = get_sequence(cut)
    if sequence.cast is None:
        return
    characters = tuple(
        character.replace(prims=tuple(prim_of(prim) for prim in people[character.character_id]))
        if character.character_id in people
        else character
        for character in sequence.cast.characters
    )
    set_sequence(cut, sequence.replace(cast=sequence.cast.replace(characters=characters)))


def _free_name(taken: Sequence[str]) -> str:
    name = layout.ROOT_NAME
    while name in taken:
        name = f"Castline{name}"
    return name


def _export(layer: Any, target: Path) -> None:
    from pxr import Tf

    try:
        done = export_text(layer, target)
    except Tf.ErrorException as error:
        raise UnwritableFileError(f"{target.name}: {library.reason(error)}") from None
    if not done:
        raise UnwritableFileError(f"{target.name}: USD wrote nothing")
    marks.seal(target)
