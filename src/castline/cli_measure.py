"""The verbs that measure characters, on the command line."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from castline.cli_models import model_options
from castline.cli_parts import (
    FilePath,
    cast_option,
    cut_argument,
    json_option,
    output_option,
    overwrite_option,
    progress_bar,
    rate_option,
    read_cast,
    read_cut,
    report,
    spare,
    spare_all,
)
from castline.models import Choice, make, maker
from castline.schemas.errors import UnreadableFileError, UsageError

if TYPE_CHECKING:
    from castline.schemas.values import Cast, Problem
    from castline.verbs.score import Scored

_HOME = "castline/faces.sqlite"
_POOR = 0.1  # equal error rate

cache_option = click.option(
    "--cache",
    "cache_path",
    type=FilePath,
    default=lambda: Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / _HOME,
    help="File that keeps what was measured; vectors of faces are there and nowhere else.",
)


@click.command()
@cut_argument
@cast_option
@click.option("-o", "--output", type=FilePath, help="The file to write.")
@click.option(
    "--shard",
    help="Look at one share of the media, such as 2/8, and write nothing but the cache.",
)
@click.option("--calibration", type=FilePath, help="What `castline calibrate` wrote.")
@click.option(
    "--frames", type=click.IntRange(1, 1000), default=4, help="Frames of a shot to look at first."
)
@model_options
@click.option(
    "--figure",
    metavar="MODEL",
    help="Measure wardrobe and look too, on the figure around each face, by this checkpoint.",
)
@click.option("--boxes", type=FilePath, help="JSON with boxes by media and frame: look in them.")
@click.option("--matrix", type=FilePath, help="Draw shots against shots into this SVG.")
@click.option("--record", type=FilePath, help="Write the features, vectors included.")
@click.option("--features", type=FilePath, help="Score what --record wrote; looks at nothing.")
@click.option("--engine", type=click.Choice(["here", "ray"]), default="here", help="Who looks.")
@click.option("--workers", type=click.IntRange(1, 10_000), default=1, help="Of the engine.")
@click.option("--address", help="Of a Ray cluster to join; without, one is started here.")
@cache_option
@rate_option
@overwrite_option
@json_option
def score(
    cut: Path,
    cast_path: Path | None,
    output: Path | None,
    shard: str | None,
    calibration: Path | None,
    frames: int,
    choice: Choice,
    figure: str | None,
    boxes: Path | None,
    matrix: Path | None,
    record: Path | None,
    features: Path | None,
    engine: str,
    workers: int,
    address: str | None,
    cache_path: Path,
    rate: float | None,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Measure the characters of a cut: is each there, and the same person?

    Looks at the shown media of each video clip. Without a calibration there are scores and no
    flags. What was measured before is not measured again. Exit code 1 where media or pictures
    could not be looked at; the rest is written all the same.
    """
    from castline.adapters import files
    from castline.adapters.output import write_bytes, write_text
    from castline.inference import calibration as calibrations
    from castline.inference import given
    from castline.inference.features import to_bytes
    from castline.matrix import to_svg
    from castline.verbs.score import look_ahead
    from castline.verbs.score import score as measure

    share = _share(shard) if shard else None
    if (output is None) == (share is None):
        raise UsageError("expected either -o, the file to write, or --shard")
    if features and (share or boxes or record or figure or engine != "here" or choice != Choice()):
        raise UsageError("--features: says itself what was seen, and by which model")
    if share and (matrix or record or figure or calibration):
        raise UsageError("--shard: only looks; the rest is for the run that writes the cut")
    outputs = [path for path in (output, matrix, record) if path is not None]
    inputs = [cut, cast_path, calibration, boxes, features, cache_path]
    spare_all(outputs, inputs, overwrite=overwrite)
    known = calibrations.read(calibration) if calibration else None
    cast, home = _cast_and_home(cast_path)
    timeline = read_cut(cut, rate)
    options: dict[str, Any] = {"folder": cut.parent, "frames": frames}
    options |= {"given": given.read(boxes)} if boxes else {}
    options |= _looks(choice, cache_path, features)
    with progress_bar("looking") as progress, ExitStack() as stack:
        options["progress"] = progress
        if engine == "ray":
            from castline.inference.pool import ray_engine

            options["engine"] = ray_engine(
                maker(choice),
                workers=workers,
                address=address,
                model=options["model"].specification.hash,
                stack=stack,
            )
        if output is None:
            count, problems = look_ahead(timeline, cast, home, shard=share or (1, 1), **options)
            facts = {
                "frames_looked_at": count.looked,
                "frames_known": count.known,
                "problems": [problem.to_data() for problem in problems],
            }
            said = f"looked at {count.looked} frames, knew {count.known}"
            _tell_problems(problems, as_json)
            report(facts, f"{cache_path}: {said}", as_json)
            _end_with(problems, f"{cache_path}: {said}")
            return
        whole = make(Choice(embed=figure, pooling=choice.pooling)) if figure else None
        scored = measure(
            timeline, cast, home, calibration=known, figure=whole, record=bool(record), **options
        )
    files.write(scored.cut, output, overwrite=overwrite, rate=rate)
    if matrix:
        threshold = known.threshold if known and scored.is_calibrated else None
        write_text(matrix, to_svg(scored.stories.values(), threshold), overwrite=overwrite)
    if record and scored.features:
        write_bytes(record, to_bytes(scored.features), overwrite=overwrite)
    _tell(scored, output, as_json)


def _looks(choice: Choice, cache_path: Path, features: Path | None) -> dict[str, Any]:
    """Return who looks, and where what was seen is kept."""
    if features is None:
        return {"model": make(choice), "cache": cache_path}
    from castline.inference.features import read
    from castline.recorded import RecordedModel

    model = RecordedModel(read(features))
    return {
        "model": model,
        "cache": model.store(),
        "engine": model.engine,
        "locate": model.locate,
    }


def _tell(scored: Scored, output: Path, as_json: bool) -> None:
    """Print what was found; exit code 1 where something could not be looked at."""
    from castline.verdicts import count_states

    states = count_states(scored.cut)
    facts = {
        "output": str(output),
        "shots": scored.shots,
        "frames_looked_at": scored.count.looked,
        "frames_known": scored.count.known,
        "states": states,
        "is_calibrated": scored.is_calibrated,
        "stories": [line.to_data() for line in scored.stories.values()],
        "problems": [problem.to_data() for problem in scored.problems],
    }
    _tell_problems(scored.problems, as_json)
    said = ", ".join(f"{count} {state}" for state, count in states.items()) or "nobody was seen"
    more = "" if scored.is_calibrated else "; not calibrated, nothing is flagged"
    report(facts, f"{output}: {scored.shots} shots: {said}{more}", as_json)
    _end_with(scored.problems, f"{output}: written")


def _tell_problems(problems: Sequence[Problem], as_json: bool) -> None:
    for problem in () if as_json else problems:
        click.echo(f"{problem.severity:<8} {problem.where}: {problem.message}")


def _end_with(problems: Sequence[Problem], done: str) -> None:
    """End with exit code 1 where something could not be looked at."""
    if failed := [each for each in problems if each.severity != "note"]:
        raise UnreadableFileError(
            f"{done}, but with {len(failed)} problems, "
            f"first {failed[0].where}: {failed[0].message}"
        )


def _cast_and_home(path: Path | None) -> tuple[Cast, Path]:
    """Return the cast, and the folder that its pictures' paths begin at."""
    if path is None:
        raise UsageError("--cast: found none, expected the folder of the cast")
    return read_cast(path), path if path.is_dir() else path.parent


def _share(text: str) -> tuple[int, int]:
    which, _, of = text.partition("/")
    if not (which.isdecimal() and of.isdecimal() and 1 <= int(which) <= int(of)):
        raise UsageError(f"--shard: found {text!r}, expected a share such as 2/8")
    return int(which), int(of)


@click.command()
@cast_option
@output_option
@click.option(
    "--false-flags",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.05,
    help="Chance of any false flag in one cut.",
)
@click.option(
    "--comparisons", type=click.IntRange(1), default=100, help="Characters x shots of that cut."
)
@click.option(
    "--pairs",
    "pairs_path",
    type=FilePath,
    help="CSV of labelled pairs instead of the cast: columns one, other, same (yes or no).",
)
@model_options
@cache_option
@overwrite_option
@json_option
def calibrate(
    cast_path: Path | None,
    output: Path,
    false_flags: float,
    comparisons: int,
    pairs_path: Path | None,
    choice: Choice,
    cache_path: Path,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Make the threshold that flags need, from the cast's own pictures or from labelled pairs.

    Pictures of one character are pairs of one person, those of two are pairs of two. At least 20
    pairs of each are needed, and hundreds to promise few false flags.
    """
    from castline.adapters.output import write_text
    from castline.verbs.calibrate import calibrate as compare_cast
    from castline.verbs.calibrate import calibrate_pairs

    spare_all([output], [cast_path, pairs_path, cache_path], overwrite=overwrite)
    problems: list[Problem] = []
    options: dict[str, Any] = {
        "model": make(choice),
        "false_flags": false_flags,
        "comparisons": comparisons,
    }
    if pairs_path is not None:
        if cast_path is not None:
            raise UsageError("--pairs: found --cast too, expected one of them")
        made = calibrate_pairs(pairs_path, problems=problems, **options)
    else:
        cast, home = _cast_and_home(cast_path)
        made = compare_cast(cast, home, cache=cache_path, problems=problems, **options)
    data = made.to_data()
    write_text(output, json.dumps(data, indent=1) + "\n", overwrite=overwrite)
    promise = (
        f"promises these {made.people} people at most {false_flags:g} false flags a cut"
        if made.is_promised
        else f"too few pairs to promise these {made.people} people {false_flags:g} a cut"
    )
    found = (
        f"threshold {made.threshold:.3f} from {made.same} and {made.other} pairs, "
        f"AUC {made.area:.4f}, EER {made.equal_error:.4f}"
    )
    others = f"others in at most {made.elsewhere:.0%} of comparisons"
    _tell_problems(problems, as_json)
    problems_data = [problem.to_data() for problem in problems]
    report(data | {"problems": problems_data}, f"{output}: {found}; {promise}, {others}", as_json)
    if made.equal_error > _POOR:
        click.echo(
            f"warning  {output}: this model tells these people apart poorly; flags will be wrong",
            err=True,
        )


@click.command()
@click.argument("scene", type=FilePath)
@click.argument("picture", type=FilePath)
@click.option("--camera", help="Path of the camera; without it the scene's only one.")
@output_option
@overwrite_option
@json_option
def boxes(
    scene: Path, picture: Path, camera: str | None, output: Path, overwrite: bool, as_json: bool
) -> None:
    """Say where a scene's characters are in a PICTURE rendered from it, for `score --boxes`.

    Characters are prims labelled semantics:labels:character, else every SkelRoot.
    """
    from castline.adapters.output import write_text
    from castline.verbs.boxes import boxes as project

    spare(output, scene, picture)
    found = project(scene, picture, camera=camera)
    write_text(output, json.dumps(found) + "\n", overwrite=overwrite)
    frames = [each for media in found["media"].values() for each in media.values()]
    facts = {"output": str(output), "frames": len(frames), "boxes": sum(map(len, frames))}
    said = f"{facts['boxes']} boxes in {facts['frames']} frames"
    report(facts, f"{output}: {said}", as_json)


@click.group()
def cache() -> None:
    """Look after the file that keeps what was measured."""


@cache.command()
@click.option("--character", required=True, help="Id of whose faces are to be forgotten.")
@cache_option
@json_option
def purge(character: str, cache_path: Path, as_json: bool) -> None:
    """Forget a character: all that was measured of media in which they were seen."""
    from castline.inference.cache import Cache

    if not cache_path.is_file():
        raise UsageError(f"{cache_path}: found no cache; name it with --cache")
    with Cache(cache_path) as kept:
        if not kept.knows(character):
            raise UnreadableFileError(f"{cache_path}: found nothing of {character}; check the id")
        gone = kept.purge(character)
    report({"frames": gone}, f"{cache_path}: {gone} frames forgotten", as_json)


@cache.command()
@click.argument("others", type=FilePath, nargs=-1, required=True)
@cache_option
@json_option
def merge(others: tuple[Path, ...], cache_path: Path, as_json: bool) -> None:
    """Take over what other caches know: those of a farm's shares."""
    from castline.inference.cache import Cache

    for other in others:
        if not other.is_file():
            raise UsageError(f"{other}: found no cache")
    with Cache(cache_path) as kept:
        taken = sum(kept.merge(other) for other in others)
    report({"frames": taken}, f"{cache_path}: {taken} frames taken over", as_json)
