"""Publishing a cut onto a stage: look at the stage, match, write two layers."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from opentimelineio import schema

from castline.adapters.output import whole_folder
from castline.adapters.paths import require_file
from castline.adapters.usd import layout, library
from castline.adapters.usd.garbage import collected_later
from castline.adapters.usd.node import split
from castline.adapters.usd.playing.media import Library
from castline.adapters.usd.publishing import match, overlay, root
from castline.adapters.usd.publishing.match import Bound, Facts
from castline.adapters.usd.publishing.placed import Placed, StageTime, as_cut, place
from castline.adapters.usd.sandbox import Sandbox
from castline.adapters.usd.scene.clock import clock_of
from castline.adapters.usd.scene.cut import prim_of
from castline.adapters.usd.timecodes import export_text
from castline.adapters.usd.writing.stage import Cut
from castline.adapters.usd.writing.writer import document_of
from castline.schemas.errors import (
    InvalidValueError,
    NeedsPersonError,
    UnreadableFileError,
    UnwritableFileError,
)
from castline.schemas.places import get_sequence, get_slot, set_sequence
from castline.schemas.slots import give_slot_ids
from castline.schemas.values import Cast, Loss, Problem

SECONDS = 300.0
"""CPU time to look at a stage with all that it brings in."""

_LOOK = "castline.adapters.usd.publishing.look:look"
_MISFITS = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


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
    losses: list[Loss] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
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
    of an earlier publishing are replaced. `shot` names the clip that the stage is, `camera` its
    camera, where the stage does not tell; `payloads` has them loaded to look for both. Frames of
    movies are extracted into `plates`, by default a folder of that name beside the layers;
    relative media paths begin at `home`, by default the working folder. The cut is left as it is.

    Raises `NeedsPersonError` where clip or camera cannot be told, `UnreadableFileError` for a
    stage that cannot be opened or that changes meanwhile, and `UnwritableFileError` where files of
    other people's stand in the way, unless `overwrite`.
    """
    library.look_for()
    stage, folder = Path(stage).absolute(), Path(folder).absolute()
    cut = cut.deepcopy()
    give_slot_ids(cut)
    wanted = match.wanted_names(get_sequence(cut).cast or Cast())
    stage, facts = _look(stage, sorted(set().union(*wanted.values())), payloads)
    people = match.bind_characters(wanted, facts["people"])
    with collected_later():
        job = _Job(cut, stage, facts, people, Path(home or Path.cwd()).absolute())
        job.bind(shot, camera)
        return job.write(folder, Path(plates or folder / "plates"), overwrite)


def _look(stage: Path, wanted: list[str], payloads: bool) -> tuple[Path, dict[str, Any]]:
    """Return the artist's stage, also where a published one was named, and its facts."""
    with Sandbox() as sandbox:
        for _ in range(2):
            require_file(stage)
            arguments = [str(stage), wanted, payloads]
            facts = sandbox.run(_LOOK, arguments, seconds=SECONDS, place=str(stage))
            if not isinstance(facts, dict):
                break
            if "beneath" not in facts:
                return stage, facts
            stage = Path(facts["beneath"])
    raise UnreadableFileError(f"{stage}: found a published stage over another one")


class _Job:
    """One publishing: the stage's facts, then what was bound, then the files."""

    def __init__(
        self,
        cut: schema.Timeline,
        stage: Path,
        facts: dict[str, Any],
        people: dict[str, list[Facts]],
        home: Path,
    ) -> None:
        self._cut = cut
        self._stage = stage
        self._facts = facts
        self._home = home
        self._problems = [
            Problem(rule=f"scene-{rule}", where=where, message=message, severity="warning")
            for rule, where, message in facts["problems"]
        ]
        windows = [camera["window"] for camera in facts["cameras"] if camera["window"]]
        self._clock = clock_of(facts, windows, self._problems)
        self._losses: list[Loss] = []
        self._placed: list[Placed] = []
        self._time = StageTime(self._clock, self._clock.rate, self._first_code())
        self._is_alone = False
        self._people = people

    def bind(self, shot: str | None, camera: str | None) -> None:
        """Find out which clips the stage holds, with which cameras, and when."""
        clips, off = _pictures_of(self._cut)
        if not clips and not off:
            raise InvalidValueError("the cut has no clip on a video track; nothing to publish")
        if not clips or (shot and not match.called(clips, shot) and match.called(off, shot)):
            clips, off = off, []
        chosen, self._is_alone = match.choose_clips(clips, shot, self._stage)
        if not self._is_alone:
            self._lose(off, "it is switched off; not published")
        if camera is not None and len(chosen) != 1:
            raise NeedsPersonError(
                f"--camera {camera}: found {len(chosen)} clips; name its own with --shot"
            )
        bounds = list(self._bounds(chosen, camera))
        if not bounds:
            listed = ", ".join(str(clip.name) for clip in clips[:12])
            hint = f"; {self._facts['unloaded']} payloads are not loaded (--payloads)"
            raise NeedsPersonError(
                f"{self._stage}: found no camera or shot of these names; say which clip the stage "
                f"is with --shot, one of: {listed}{hint if self._facts['unloaded'] else ''}"
            )
        rate = bounds[0].clip.trimmed_range().duration.rate
        self._time = StageTime(self._clock, rate, self._first_code())
        self._placed = [
            place(
                bound, self._cut, self._time, self._stage.resolve(), self._home,
                is_alone=self._is_alone,
            )
            for bound in bounds
        ]  # fmt: skip

    def write(self, folder: Path, plates: Path, overwrite: bool) -> Published:
        """Write the layers, both or neither."""
        name = f"{self._stage.stem}_castline"
        files = (f"{name}.usda", f"{name}_overlay.usda")
        ours = overwrite or all(_is_ours(folder / file) for file in files)
        published = self._published(folder / files[0], folder / files[1])
        with (
            _none_left(plates),
            whole_folder(folder, overwrite=ours, keep=[self._stage]) as scratch,
        ):
            header = root.header_layer(self._facts["header"], str(self._stage))
            over = self._overlay(header, scratch / files[1], folder, plates)
            span = self._span()
            top = root.make_root(header, files[1], self._stage, folder, span)
            _export(over, scratch / files[1])
            _export(top, scratch / files[0])
            _require_unchanged(self._facts["files"])
        return published

    def _overlay(self, header: Any, path: Path, folder: Path, plates: Path) -> Any:
        from pxr import Sdf

        layer = Sdf.Layer.CreateAnonymous(".usda")
        placed_cut = as_cut(self._cut, self._placed, self._time)
        _give_prims(placed_cut, self._people)
        document, encode = document_of(placed_cut, path)
        node = split(document)
        node.name = _free_name(self._facts["roots"])
        cameras = _in_order(placed_cut, self._placed)
        self._losses += overlay.author(
            layer,
            Cut(placed_cut, node, encode, path),
            cameras,
            self._people,
            float(self._time.codes_per_second),
            Library(self._home, movies=True),
            folder,
            plates,
        )
        rate = float(self._clock.codes_per_second)
        root.describe_overlay(layer, header, rate, node.name)
        return layer

    def _first_code(self) -> float:
        """Return the time code at which the stage begins, which need not be a frame's first."""
        clock, said = self._clock, self._facts["start"]
        if isinstance(said, float) and clock.frame(said) == clock.start:
            return said
        return clock.code(clock.start)

    def _span(self) -> list[float]:
        """Return the first and the last time code to play."""
        facts = self._facts
        said = facts["start"] is not None and facts["end"] is not None
        if said and not self._is_alone:
            return [facts["start"], facts["end"]]
        first = min(item.start for item in self._placed)
        last = max(item.end for item in self._placed)
        return [self._time.code(first), self._time.code(max(last - 1, first))]

    def _bounds(self, clips: Sequence[schema.Clip], camera: str | None) -> Iterator[Bound]:
        cameras: list[Facts] = self._facts["cameras"]
        for clip in clips:
            if camera is not None:
                yield match.bind_to(clip, cameras, camera)
                continue
            bound = match.bind(clip, cameras, is_alone=self._is_alone)
            if bound is None:
                self._lose([clip], "the stage has no shot or camera of its name; not published")
            else:
                yield bound

    def _lose(self, clips: Sequence[schema.Clip], reason: str) -> None:
        self._losses += [Loss(where=c.name, field="clip", reason=reason) for c in clips]

    def _published(self, top: Path, over: Path) -> Published:
        shots = {
            item.bound.slot.slot_id: item.bound.camera["path"] if item.bound.camera else None
            for item in self._placed
        }
        people = {key: [prim["path"] for prim in prims] for key, prims in self._people.items()}
        return Published(top, over, shots, people, self._losses, self._problems)


@contextmanager
def _none_left(folder: Path) -> Iterator[None]:
    """Take new pictures out of a folder again where what shows them is not written."""
    before = set(folder.iterdir()) if folder.is_dir() else None
    try:
        yield
    except BaseException:
        for path in set(folder.iterdir()) - (before or set()) if folder.is_dir() else ():
            if path.is_file():
                path.unlink()
        if before is None and folder.is_dir():
            folder.rmdir()
        raise


def _pictures_of(cut: schema.Timeline) -> tuple[list[schema.Clip], list[schema.Clip]]:
    """Return the clips of a cut's video tracks: those that are seen, those switched off."""
    seen: list[schema.Clip] = []
    off: list[schema.Clip] = []
    for track in cut.video_tracks():
        for clip in track.find_clips():
            (seen if _is_on(clip) else off).append(clip)
    return seen, off


def _is_on(item: Any) -> bool:
    """Say whether an item is enabled, and all that it lies in."""
    while item is not None:
        if not getattr(item, "enabled", True):
            return False
        item = item.parent()
    return True


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


def _in_order(cut: schema.Timeline, placed: Sequence[Placed]) -> list[Facts | None]:
    """Return the cameras of the placed cut's clips, in the order of its tracks."""
    by_slot = {item.bound.slot.slot_id: item.bound.camera for item in placed}
    slots = [get_slot(clip) for clip in cut.find_clips()]
    return [by_slot[slot.slot_id] for slot in slots if slot]


def _free_name(taken: Sequence[str]) -> str:
    name = layout.ROOT_NAME
    while name in taken:
        name = f"Castline{name}"
    return name


def _is_ours(path: Path) -> bool:
    """Say whether a file is one that publishing wrote, or is not there."""
    try:
        with path.open("rb") as stream:
            start = stream.read(1 << 16)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return start.startswith(b"#usda") and f"dictionary {layout.CREATOR} = {{".encode() in start


def _export(layer: Any, target: Path) -> None:
    from pxr import Tf

    try:
        done = export_text(layer, target)
    except Tf.ErrorException as error:
        raise UnwritableFileError(f"{target.name}: {library.reason(error)}") from None
    if not done:
        raise UnwritableFileError(f"{target.name}: USD wrote nothing")


def _require_unchanged(files: Sequence[Sequence[Any]]) -> None:
    for path, size, time in files:
        try:
            state = os.stat(path)  # noqa: PTH116 - thousands of them
        except OSError:
            raise UnreadableFileError(f"{path}: the file went away meanwhile") from None
        if (state.st_size, state.st_mtime_ns) != (size, time):
            raise UnreadableFileError(f"{path}: the file changed meanwhile; publish again")
