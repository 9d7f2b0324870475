"""The verb of the USD pipeline on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from castline.cli_parts import (
    FilePath,
    cut_argument,
    json_option,
    overwrite_option,
    print_json,
    rate_option,
    read_cut,
)

if TYPE_CHECKING:
    from castline.adapters.usd.publishing.publish import Published


@click.command()
@cut_argument
@click.argument("stage", type=FilePath)
@click.option(
    "-o", "--output", "folder", type=FilePath, required=True, help="The folder to write into."
)
@click.option("--shot", help="The clip that the stage is: its name, or id: and its slot id.")
@click.option("--camera", help="Prim path of its camera, where the stage has several.")
@click.option("--payloads", is_flag=True, help="Load payloads, to look for cameras in them.")
@click.option(
    "--plates", type=FilePath, help="Folder for frames of movies; by default plates, beside."
)
@rate_option
@overwrite_option
@json_option
def publish(
    cut: Path,
    stage: Path,
    folder: Path,
    shot: str | None,
    camera: str | None,
    payloads: bool,
    plates: Path | None,
    rate: float | None,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Lay what a cut knows over a USD stage: plates, authorship, labels, scores.

    Writes STAGE_castline.usda, to open, and STAGE_castline_overlay.usda, to mute; the stage's own
    files are not touched. Publishing again replaces both. Exit code 3 where a person must say
    which clip or which camera it is.
    """
    from castline.verbs.publish import publish as write_layers

    published = write_layers(
        read_cut(cut, rate),
        stage,
        folder,
        shot=shot,
        camera=camera,
        payloads=payloads,
        plates=plates,
        home=cut.parent,
        overwrite=overwrite,
    )
    if as_json:
        print_json(_facts(published))
    else:
        _tell(published)


def _facts(published: Published) -> dict[str, object]:
    return {
        "root": str(published.root),
        "overlay": str(published.overlay),
        "shots": published.shots,
        "characters": published.characters,
        "losses": [loss.to_data() for loss in published.losses],
        "problems": [problem.to_data() for problem in published.problems],
    }


def _tell(published: Published) -> None:
    for slot, camera in published.shots.items():
        click.echo(f"  shot       {slot:<16} {camera or 'no camera on the stage'}")
    for character, prims in published.characters.items():
        click.echo(f"  character  {character:<16} {', '.join(prims)}")
    for loss in published.losses:
        click.echo(f"  not seen   {loss.where}: {loss.field}: {loss.reason}")
    for problem in published.problems:
        click.echo(f"  stage      {problem.where}: {problem.message}")
    click.echo(
        f"{published.root}: open this; mute {published.overlay.name} to see the stage alone"
    )
