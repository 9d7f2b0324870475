"""The artist's stage: its file, what was seen of it, and its time."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from castline.adapters.paths import require_file
from castline.adapters.usd.sandbox import Sandbox
from castline.adapters.usd.scene.clock import SceneClock, clock_of
from castline.adapters.usd.scene.items import Facts, problem_of, unloaded_problems
from castline.schemas.errors import UnreadableFileError
from castline.schemas.values import Problem

SECONDS = 300.0
"""CPU time to look at a stage with all that it brings in."""

_SURVEY = "castline.adapters.usd.publishing.survey:survey"
_PRIM = frozenset({"path", "type", "layer", "names", "identity", "owner"})
_CAMERA = _PRIM | {"shot", "window", "above", "variants", "closed"}
_PERSON = _PRIM | {"how", "known", "labels", "varies"}
_MISFITS = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


@dataclass(frozen=True)
class Stage:
    """A stage onto which something is to be published."""

    path: Path
    clock: SceneClock
    header: str
    """USD text of what counts on a root layer alone."""
    cameras: list[Facts]
    people: list[Facts]
    """Prims that may be somebody who is wanted."""
    roots: list[str]
    """Names of the prims at the top."""
    span: tuple[float, float] | None
    """The first and the last time code, where the stage says both."""
    first_code: float
    """The time code at which it begins, which need not be a frame's first."""
    unloaded: int
    problems: list[Problem]
    files: list[list[Any]]

    def require_unchanged(self) -> None:
        """Raise `UnreadableFileError` where one of its files is not what was looked at."""
        for path, size, time in self.files:
            try:
                state = os.stat(path)  # noqa: PTH116 - thousands of them
            except OSError:
                raise UnreadableFileError(f"{path}: the file went away meanwhile") from None
            if (state.st_size, state.st_mtime_ns) != (size, time):
                raise UnreadableFileError(f"{path}: the file changed meanwhile; publish again")


def read_stage(sandbox: Sandbox, path: Path, wanted: list[str], *, payloads: bool) -> Stage:
    """Return the artist's stage at a path, also where one that was published is named.

    `wanted` are plain names of characters. Raises `UnreadableFileError` for what USD does not
    open.
    """
    for _ in range(2):
        require_file(path)
        arguments = [str(path), wanted, payloads]
        facts = sandbox.run(_SURVEY, arguments, seconds=SECONDS, place=str(path))
        if not isinstance(facts, dict):
            break
        if "beneath" not in facts:
            return _stage(path, facts)
        path = Path(facts["beneath"])
    raise UnreadableFileError(f"{path}: found a published stage over another one")


def _stage(path: Path, facts: dict[str, Any]) -> Stage:
    try:
        _require_keys(facts["cameras"], _CAMERA)
        _require_keys(facts["people"], _PERSON)
        problems = [problem_of(*found) for found in facts["problems"]]
        problems += unloaded_problems(facts["unloaded"])
        windows = [camera["window"] for camera in facts["cameras"] if camera["window"]]
        clock = clock_of(facts, windows, problems)
        start, end = facts["start"], facts["end"]
        is_said = isinstance(start, float) and clock.frame(start) == clock.start
        return Stage(
            path,
            clock,
            str(facts["header"]),
            facts["cameras"],
            facts["people"],
            facts["roots"],
            None if start is None or end is None else (start, end),
            start if is_said else clock.code(clock.start),
            facts["unloaded"],
            problems,
            facts["files"],
        )
    except _MISFITS as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        raise UnreadableFileError(f"{path}: found values that no stage has: {reason}") from None


def _require_keys(prims: list[Facts], keys: frozenset[str]) -> None:
    """Raise `KeyError` for what a child that damage confused may answer."""
    for prim in prims:
        if missing := keys - prim.keys():
            raise KeyError(*missing)
