"""Options, arguments and lines that the verbs of the command line share."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from castline.schemas.errors import UnwritableFileError, UsageError

if TYPE_CHECKING:
    from opentimelineio.schema import Timeline

FilePath = click.Path(path_type=Path)

cut_argument = click.argument("cut", type=FilePath)
rate_option = click.option("--rate", type=float, help="Frames a second, for EDL and ALE.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for machines.")
output_option = click.option(
    "-o", "--output", type=FilePath, required=True, help="The file to write."
)
overwrite_option = click.option("--overwrite", is_flag=True, help="Replace what stands there.")
cast_option = click.option(
    "--cast", "cast_path", type=FilePath, help="Folder of the cast, or its cast.toml."
)


def read_cut(path: Path, rate: float | None, *, payloads: bool = False) -> Timeline:
    """Read a cut of any format; `rate` is for those that say none, `payloads` for USD scenes."""
    from castline.adapters import files

    if rate is not None and not (isfinite(rate) and 0 < rate <= 1000):
        raise UsageError(f"--rate: found {rate:g}, expected frames a second, such as 25")
    return files.read(path, rate, payloads=payloads)


def spare(output: Path, *inputs: Path | None) -> None:
    """Refuse to write onto what is read, whatever was asked for."""
    for path in inputs:
        if path is not None and path.exists() and output.exists() and output.samefile(path):
            raise UsageError(f"{output}: is an input, and inputs are never changed")


def spare_all(outputs: Sequence[Path], inputs: Sequence[Path | None], *, overwrite: bool) -> None:
    """Refuse to write onto what is read, two outputs onto one another, or, unasked, onto any file.

    Said before long work, not after it.
    """
    for output in outputs:
        spare(output, *inputs)
        if output.exists() and not overwrite:
            raise UnwritableFileError(f"{output}: exists; remove it or pass --overwrite")
    if len({output.absolute() for output in outputs}) < len(outputs):
        raise UsageError(f"{outputs[0]}: is named twice as an output")


def read_cast(path: Path | None) -> Any:
    """Read a cast, if one is named."""
    if path is None:
        return None
    from castline.adapters.material import cast

    return cast.read(path)


def size_of(text: str | None) -> tuple[int, int] | None:
    """Return width and height of a text such as 1920x1080."""
    if text is None:
        return None
    width, _, height = text.lower().partition("x")
    if not (width.isdigit() and height.isdigit() and int(width) and int(height)):
        raise UsageError(f"--size: found {text!r}, expected a size such as 1920x1080")
    return int(width), int(height)


@contextmanager
def progress_bar(label: str) -> Iterator[Callable[[int, int, str], None] | None]:
    """Yield a function that moves a bar with the time left; none where nobody watches."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=None)

        def move(done: int, total: int, name: str) -> None:
            bar.update(task, completed=done, total=total, description=f"{label}: {name}")

        yield move


def report(facts: dict[str, Any], line: str, as_json: bool) -> None:
    """Print facts for machines, or a line for people."""
    if as_json:
        print_json(facts)
    else:
        click.echo(line)


def print_json(value: Any) -> None:
    """Print a value as JSON."""
    click.echo(json.dumps(value, indent=1, ensure_ascii=False))


def words(value: Any) -> str:
    """Return a value in words for people."""
    if isinstance(value, dict):
        return ", ".join(f"{key} {count}" for key, count in value.items()) or "-"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value)) or "-"
    return "-" if value is None else str(value)


def exit_undecided(lines: list[str]) -> None:
    """End with exit code 3 where there is something to decide."""
    if lines:
        from castline.schemas.errors import NeedsPersonError

        more = f" (and {len(lines) - 1} more)" if len(lines) > 1 else ""
        raise NeedsPersonError(f"a person must decide: {lines[0]}{more}")
