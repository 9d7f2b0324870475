"""Hold a cut against the rules."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from opentimelineio import schema

from castline.rules import RULES, Subject
from castline.schemas import rules
from castline.schemas.values import Problem


def check(
    cut: schema.Timeline,
    *,
    folder: str | Path | None = None,
    handles: int = 0,
    only: Sequence[rules.Rule[Subject]] = RULES,
) -> list[Problem]:
    """Return the problems of a cut, in the order of the rules.

    `folder` is where relative media paths begin; `handles` are the frames wanted around each
    clip. Nothing is changed.
    """
    subject = Subject(cut, Path(folder) if folder else Path.cwd(), handles)
    return rules.run(only, subject)
