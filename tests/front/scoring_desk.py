"""`castline score` called as people call it, and what its cut says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import castline
from castline.inference import calibration as calibrations
from castline.schemas.places import get_take

SHOTS = 4
"""Of the cut: mira, mira, mira drawn 0.7 of the way to somebody else, mira."""


def command(*arguments: str, without: tuple[str, ...] = ()) -> list[str]:
    """Return how castline is called, as if some packages were not installed."""
    code = (
        "import sys\n"
        f"sys.modules.update(dict.fromkeys({list(without)!r}))\n"
        "import importlib.util as u\n"
        "find = u.find_spec\n"
        f"u.find_spec = lambda n, *a: None if n in {list(without)!r} else find(n, *a)\n"
        "from castline.cli import main\n"
        f"main({list(arguments)!r})\n"
    )
    return [sys.executable, "-c", code]


def run(desk: Path, *arguments: str, code: int = 0, without: tuple[str, ...] = (), **variables):
    done = subprocess.run(
        command(*arguments, without=without),
        cwd=desk, env={**os.environ, **variables}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


SCORE = ("score", "cut.otio", "--cast", "cast", "--calibration", "known.json", "--overwrite")


def scores(path: Path) -> list[tuple[str, float, float]]:
    """Return state, value and worst likeness of mira, shot by shot."""
    found = []
    for clip in castline.read(path).find_clips():
        take = get_take(clip.media_reference)
        (mira,) = (each for each in take.appearances if each.character_id == "mira")
        found.append((mira.state, mira.score.value, mira.score.worst))
    return found


def same(one: Path, other: Path) -> bool:
    return all(
        a[0] == b[0] and abs(a[1] - b[1]) <= 1e-5 and abs(a[2] - b[2]) <= 1e-5
        for a, b in zip(scores(one), scores(other), strict=True)
    )


def measured(desk: Path, cut, **options):
    """Score by the API, with what the desk has."""
    options = {"cache": desk / "c.sqlite", "folder": desk} | options
    options.setdefault("calibration", calibrations.read(desk / "known.json"))
    cast = options.pop("cast", castline.read_cast(desk / "cast"))
    return castline.score(cut, cast, desk / "cast", **options)


def of(cut, number: int) -> dict[str, tuple[str, float | None]]:
    """Return state and score of those in one clip."""
    take = get_take(list(cut.find_clips())[number].media_reference)
    return {
        each.character_id: (each.state, each.score and each.score.value)
        for each in (take.appearances if take else ())
    }


def locators(folder: Path) -> str:
    (path,) = folder.glob("*.edl")
    return "\n".join(line for line in path.read_text().splitlines() if "LOC" in line)
