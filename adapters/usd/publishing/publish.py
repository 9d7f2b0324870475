"""Publishing a cut onto a stage: look at the stage, match, have two layers written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from opentimelineio import schema

from castline.adapters.output import whole_folder
from castline.adapters.paths import plain_path
from castline.adapters.usd import library
from castline.adapters.usd.garbage import collected_later
from castline.adapters.usd.publishing import match
from castline.adapters.usd.publishing.choose import choose
from castline.adapters.usd.publishing.match import Facts
from castline.adapters.usd.publishing.order import Order
from castline.adapters.usd.publishing.stage import Stage, read_stage
from castline.adapters.usd.publishing.stagecut import stage_cut
from castline.adapters.usd.sandbox import Sandbox
from castline.adapters.usd.scene.cut import prim_of
from castline.adapters.usd.writing.writer import text_of
from castline.schemas.errors import UnreadableFileError
from castline.schemas.places import get_sequence, set_sequence
from castline.schemas.slots import give_slot_ids
from castline.schemas.values import Cast, Loss, Problem

SECONDS = 6 * 3600.0
"""CPU time to write the layers, with what it takes to decode the movies of a cut."""
MEMORY = 8 << 30
"""Bytes of address space for that: frames of 8K in a decoder's threads."""

_LAY = "castline.adapters.usd.publishing.lay:lay"


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
    home = Path(home or Path.cwd()).resolve()  # `..` in media is of where it is, too
    cut = cut.deepcopy()
    give_slot_ids(cut)
    wanted = match.wanted_names(get_sequence(cut).cast or Cast())
    names = sorted(set().union(*wanted.values()))
    with Sandbox() as sandbox, collected_later():
        found = read_stage(sandbox, plain_path(Path(stage)), names, payloads=payloads)
        people = match.bind_characters(wanted, found.people)
        choice = choose(cut, found, home, shot=shot, camera=camera)
        published = stage_cut(cut, choice.placed, choice.time, home, folder)
        _give_prims(published.timeline, people)
        order = Order(
            stage=str(found.path),
            header=found.header,
            roots=found.roots,
            stage_rate=found.clock.codes_per_second,
            cut=text_of(published.timeline, found.path),
            cameras=published.cameras,
            people=people,
            codes_per_second=list(choice.time.codes_per_second.as_integer_ratio()),
            frame_rate=choice.time.frame_rate,
            span=choice.span,
            folder=str(folder),
            plates=str(Path(plates or folder / "plates").absolute()),
            overwrite=overwrite,
        )
        losses = _carry_out(sandbox, order, found)
    return Published(
        folder / order.root_name,
        folder / order.overlay_name,
        {
            item.bound.slot.slot_id: item.bound.camera["path"] if item.bound.camera else None
            for item in choice.placed
        },
        {key: [prim["path"] for prim in prims] for key, prims in people.items()},
        [*choice.losses, *losses],
        found.problems,
    )


def _carry_out(sandbox: Sandbox, order: Order, stage: Stage) -> list[Loss]:
    """Have the layers written, both or neither; return what is not seen of the cut."""
    with whole_folder(Path(order.folder), overwrite=True, keep=[stage.path]) as scratch:
        said = sandbox.run(
            _LAY, [asdict(order), str(scratch)], seconds=SECONDS, memory=MEMORY, place=order.folder
        )
        if not isinstance(said, list):  # a child that damage confused may say anything
            raise UnreadableFileError(f"{stage.path}: found damage that confuses USD")
        losses = [Loss.from_data(loss) for loss in said]
        stage.require_unchanged()
    return losses


def _give_prims(cut: schema.Timeline, people: Mapping[str, Sequence[Facts]]) -> None:
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
