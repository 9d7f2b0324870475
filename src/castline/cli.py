"""The command line: a verb each, the same as in Python."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import click

from castline import __version__
from castline.cli_measure import boxes, cache, calibrate, score
from castline.cli_parts import (
    FilePath,
    cast_option,
    cut_argument,
    exit_undecided,
    json_option,
    output_option,
    overwrite_option,
    print_json,
    progress_bar,
    rate_option,
    read_cast,
    read_cut,
    report,
    size_of,
    spare,
    words,
)
from castline.cli_publish import publish
from castline.schemas.errors import CastlineError

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.group(context_settings=CONTEXT)
@click.version_option(__version__, prog_name="castline")
def cli() -> None:
    """Carry AI-generated shots and their characters between the cut and the scene.

    Reads and writes OTIO, EDL, FCP7 XML, FCPXML, AAF, ALE and USD; inputs are never changed.
    Exit codes: 0 done, 1 failed or a broken rule, 2 usage, 3 a person must decide.
    """


@cli.command()
@click.argument("files", type=FilePath, nargs=-1, required=True)
@rate_option
@click.option("--payloads", is_flag=True, help="Load the payloads of a USD scene.")
@json_option
def info(files: tuple[Path, ...], rate: float | None, payloads: bool, as_json: bool) -> None:
    """Say what is in a cut, or in a USD scene, and what is wrong with it."""
    from castline.verbs.info import info as look

    found = {str(path): look(read_cut(path, rate, payloads=payloads)) for path in files}
    if as_json:
        print_json(found)
        return
    for path, facts in found.items():
        click.echo(click.style(path, bold=True))
        for name, value in facts.items():
            if name == "problems":  # a line each, since they are sentences
                value = "".join(f"\n    {line}" for line in value) or None
            click.echo(f"  {name.replace('_', ' '):<20} {words(value)}")


@cli.command()
@cut_argument
@click.argument("takes", type=FilePath)
@output_option
@click.option("--manifest", type=FilePath, help="CSV or JSON list of the takes.")
@cast_option
@click.option("--handles", type=click.IntRange(0), default=0, help="Frames wanted around a clip.")
@click.option(
    "--rate-policy",
    type=click.Choice(["ask", "reinterpret", "resample", "reject"]),
    default="ask",
    help="What to do with takes of another rate.",
)
@click.option("--size", help="Picture size wanted, as 1920x1080.")
@rate_option
@overwrite_option
@json_option
def plan(
    cut: Path,
    takes: Path,
    output: Path,
    manifest: Path | None,
    cast_path: Path | None,
    handles: int,
    rate_policy: Any,
    size: str | None,
    rate: float | None,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Match the takes in a folder to the slots of a cut, with reasons; change nothing.

    Writes the plan as JSON, to read, to change and to give to conform. Exit code 3 where a
    person must decide something.
    """
    from castline import plans
    from castline.verbs.plan import plan as propose

    spare(output, cut, manifest)
    with progress_bar("looking at takes") as progress:
        proposal = propose(
            read_cut(cut, rate),
            takes,
            manifest=manifest,
            cast=read_cast(cast_path),
            handles=handles,
            rate_policy=rate_policy,
            size=size_of(size),
            progress=progress,
        )
    plans.write(proposal, output, overwrite=overwrite)
    if as_json:
        click.echo(plans.as_json(proposal))
    else:
        click.echo(plans.as_table(proposal))
    exit_undecided([f"{q.where}: {q.message}" for q in proposal.questions])


@cli.command()
@cut_argument
@click.argument("plan", type=FilePath)
@output_option
@cast_option
@rate_option
@overwrite_option
@json_option
def conform(
    cut: Path,
    plan: Path,
    output: Path,
    cast_path: Path | None,
    rate: float | None,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Attach the takes of a plan to the cut; keep the temp."""
    from castline import plans
    from castline.adapters import files
    from castline.verbs.conform import conform as carry_out
    from castline.verbs.conform import offers_of

    spare(output, cut, plan)
    proposal = plans.read(plan)
    result = carry_out(read_cut(cut, rate), proposal, cast=read_cast(cast_path))
    files.write(result, output, overwrite=overwrite, rate=rate)
    attached = list(offers_of(proposal))
    left = len(proposal.offers) - len(attached)
    shown = sum(offer.show for offer in attached)
    facts = {"output": str(output), "attached": len(attached), "shown": shown, "left": left}
    report(facts, f"{output}: {len(attached)} takes attached, {shown} shown, {left} left", as_json)


@cli.command()
@cut_argument
@click.argument("decisions", type=FilePath)
@output_option
@click.option("--by", help="Who decided, where the file does not say it.")
@rate_option
@overwrite_option
@json_option
def decide(
    cut: Path,
    decisions: Path,
    output: Path,
    by: str | None,
    rate: float | None,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Record what people decided about takes.

    DECISIONS is JSON: a list of {"slot", "take", "verdict", "by", "note"}.
    """
    from castline.adapters import files
    from castline.verbs.decide import decide as record
    from castline.verbs.decide import read_decisions

    spare(output, cut, decisions)
    said = read_decisions(decisions)
    result = record(read_cut(cut, rate), said, by=by)
    files.write(result, output, overwrite=overwrite, rate=rate)
    facts = {"output": str(output), "recorded": len(said)}
    report(facts, f"{output}: {len(said)} decisions recorded", as_json)


@cli.command()
@cut_argument
@click.option(
    "--to", "to", multiple=True, required=True, help="edl fcp7 fcpx aaf ale otio usd; repeatable."
)
@click.argument("more", nargs=-1)
@click.option(
    "-o", "--output", "folder", type=FilePath, required=True, help="The folder to write into."
)
@click.option("--name", help="Name of the files, without suffix.")
@click.option(
    "--plates", type=FilePath, help="Folder for frames of movies, so that a stage shows them."
)
@rate_option
@overwrite_option
@json_option
def deliver(
    cut: Path,
    to: tuple[str, ...],
    more: tuple[str, ...],
    folder: Path,
    name: str | None,
    plates: Path | None,
    rate: float | None,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Write the cut for other programs; read each file back and name the losses.

    Beside the files stand the cut as .otio, losses.json and losses.md. Several formats may
    follow --to: castline deliver cut.otio --to edl fcp7 aaf -o out
    """
    from castline.losses import as_table
    from castline.verbs.deliver import deliver as write_all

    with progress_bar("delivering") as progress:
        deliveries = write_all(
            read_cut(cut, rate),
            [*to, *more],
            folder,
            name=name,
            overwrite=overwrite,
            keep=[cut],
            plates=plates,
            progress=progress,
        )
    if as_json:
        click.echo((folder / "losses.json").read_text(encoding="utf-8"), nl=False)
    else:
        click.echo(as_table(deliveries, folder))
    failed = [delivery for delivery in deliveries if delivery.error]
    if failed:
        raise CastlineError("; ".join(f"{d.format}: {d.error}" for d in failed))


@cli.command()
@cut_argument
@click.option("--handles", type=click.IntRange(0), default=0, help="Frames wanted around a clip.")
@rate_option
@json_option
def check(cut: Path, handles: int, rate: float | None, as_json: bool) -> None:
    """Hold a cut against the rules: media, handles, rates, consent, provenance."""
    from castline.verbs.check import check as hold

    problems = hold(read_cut(cut, rate), folder=cut.parent, handles=handles)
    if as_json:
        print_json([problem.to_data() for problem in problems])
    else:
        for problem in problems:
            click.echo(f"{problem.severity:<8} {problem.rule}: {problem.where}: {problem.message}")
        click.echo(f"{cut}: {len(problems)} problems")
    if any(problem.severity == "error" for problem in problems):
        raise click.exceptions.Exit(1)


@cli.command()
@click.option(
    "-o",
    "--output",
    "folder",
    type=FilePath,
    default=Path("demo"),
    help="The folder to write into.",
)
def demo(folder: Path) -> None:
    """Go the whole way on an example that castline draws itself."""
    from castline.demo import run

    run(folder, click.echo)


@cli.command("plugin-path")
@click.option("--with-stock", is_flag=True, help="The five stock adapters' manifests too.")
def plugin_path(with_stock: bool) -> None:
    """Print the manifest's path, for OTIO_PLUGIN_MANIFEST_PATH."""
    from importlib.util import find_spec

    from castline.adapters.formats import STOCK_PACKAGES

    names = ["castline.adapters.otio", *(STOCK_PACKAGES if with_stock else ())]
    specs = [find_spec(name) for name in names]
    homes = [Path(spec.origin).parent for spec in specs if spec and spec.origin]
    click.echo(os.pathsep.join(str(home / "plugin_manifest.json") for home in homes))


@cli.command("schema-path")
def schema_path() -> None:
    """Print the folder of our USD schemas, for PXR_PLUGINPATH_NAME."""
    from castline.adapters.usd.library import schema_folder

    click.echo(schema_folder())


cli.add_command(publish)
cli.add_command(score)
cli.add_command(calibrate)
cli.add_command(boxes)
cli.add_command(cache)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; every failure is one line and an exit code."""
    try:
        code = cli(arguments, prog_name="castline", standalone_mode=False)
    except click.exceptions.Abort:
        click.echo("castline: stopped", err=True)
        code = 130
    except click.ClickException as error:
        error.show()
        code = 2
    except CastlineError as error:
        click.echo(f"castline: {' '.join(str(error).split())}", err=True)
        code = error.exit_code
    except Exception as error:  # noqa: BLE001 - a person gets one line, whatever went wrong
        words = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        click.echo(f"castline: unexpected, please report it: {words}", err=True)
        code = 1
    sys.exit(code if isinstance(code, int) else 0)
