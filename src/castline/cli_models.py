"""Options of the command line that choose what measures."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

import click

from castline.models import Choice

Command = TypeVar("Command", bound=Callable[..., Any])

_OPTIONS = (
    click.option(
        "--light", is_flag=True, help="Find faces from the front alone, without CNN and torch."
    ),
    click.option(
        "--embed",
        metavar="MODEL",
        help="Compare figures, not faces, by this transformers checkpoint: a folder or hub name.",
    ),
    click.option(
        "--pooling",
        type=click.Choice(["cls", "mean", "pooler", "image_features"]),
        default="cls",
        help="Which of the checkpoint's outputs is the vector.",
    ),
    click.option("--revision", help="Commit of the checkpoint, for a hub name."),
    click.option(
        "--precision",
        type=click.Choice(["auto", "float32", "bfloat16"]),
        default="auto",
        help="In which the checkpoint runs; auto is the fastest that is exact enough.",
    ),
    click.option(
        "--find",
        metavar="MODEL",
        help="Find figures by this zero-shot detector: a folder or hub name, such as OWLv2.",
    ),
    click.option("--prompt", default="character", help="What the detector looks for."),
)


def model_options(command: Command) -> Command:
    """Give a command the options that choose a model, as one `choice`."""

    @wraps(command)
    def run(*arguments: Any, **options: Any) -> Any:
        names = ("light", "embed", "pooling", "revision", "precision", "find", "prompt")
        choice = Choice(**{name: options.pop(name) for name in names})
        choice.check()
        return command(*arguments, choice=choice, **options)

    wrapped: Any = run
    for option in reversed(_OPTIONS):
        wrapped = option(wrapped)
    return wrapped  # type: ignore[no-any-return]
