"""What a writer knows of the scenes in its cut, each looked into once and in a child process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from castline.adapters.usd.layout import CAMERA_NAME
from castline.adapters.usd.playing.cutcamera import Follow
from castline.adapters.usd.sandbox import Sandbox
from castline.schemas.errors import CastlineError, UnreadableFileError

MEDIA = "media"
"""The prim below a clip that brings its scene in."""

_LOOK = "castline.adapters.usd.playing.look"
_CONFUSED = (AttributeError, LookupError, TypeError, ValueError)  # what odd answers raise
SECONDS = 120.0
"""CPU time for one look into a scene."""


@dataclass(frozen=True)
class Survey:
    """What is known of a scene, and the camera that its shot looks through."""

    path: Path
    roots: tuple[str, ...]
    is_default: bool
    """Whether the root is the scene's default prim, which nobody has to name."""
    rate: float
    """Time codes a second, as the scene says them."""
    up_axis: str
    meters_per_unit: float
    cameras: tuple[str, ...]

    @property
    def is_cut(self) -> bool:
        """Whether the scene is a stage of ours, whose camera is known."""
        return self.cameras[:1] == tuple(f"{root}/{CAMERA_NAME}" for root in self.roots[:1])

    @property
    def places(self) -> dict[str, str]:
        """Where below the clip each of the scene's roots comes in."""
        if len(self.roots) == 1:
            return {self.roots[0]: MEDIA}
        return {root: f"{MEDIA}/{root.rpartition('/')[2]}" for root in self.roots}

    def path_below(self, inside: str) -> str | None:
        """Return the path below the clip of a prim of the scene; None for one left outside."""
        for root, place in self.places.items():
            if inside == root or inside.startswith(f"{root}/"):
                return place + inside[len(root) :]
        return None


class Scenes:
    """Scenes by path; a scene that cannot be used is looked into once as well."""

    def __init__(self, sandbox: Sandbox) -> None:
        """Ask this child process."""
        self._sandbox = sandbox
        self._found: dict[Path, Survey | CastlineError] = {}

    def survey(self, path: Path) -> Survey:
        """Return what is known of a scene; raises `CastlineError` where it cannot be used."""
        if path not in self._found:
            try:
                self._found[path] = _survey_in(self._ask("survey", path), path)
            except CastlineError as error:
                self._found[path] = error
        found = self._found[path]
        if isinstance(found, CastlineError):
            raise found
        return found

    def usable(self) -> list[Survey]:
        """Return the scenes that can be used, in the order in which they were met."""
        return [found for found in self._found.values() if isinstance(found, Survey)]

    def film(self, survey: Survey, camera: str, stretches: Sequence[Sequence[float]]) -> Follow:
        """Return what a cut camera has to say to follow a scene's camera over these stretches."""
        seen = self._ask("film", survey.path, camera, stretches)
        try:
            numbers = {n: _pairs(samples) for n, samples in seen["numbers"].items()}
            steps = {n: _pairs(samples) for n, samples in seen["steps"].items()}
            return Follow(stretches[0][0], stretches[-1][1], _pairs(seen["world"]), numbers, steps)
        except _CONFUSED:
            raise UnreadableFileError(f"{survey.path}: found damage that confuses USD") from None

    def retime(self, survey: Survey, stretches: Sequence[Sequence[float]]) -> str:
        """Return USD text with the scene's samples at the times of the cut."""
        text = self._ask("retime", survey.path, survey.roots, stretches)
        if not isinstance(text, str):
            raise UnreadableFileError(f"{survey.path}: found no samples")
        return text

    def _ask(self, what: str, path: Path, *arguments: Any) -> Any:
        return self._sandbox.run(
            f"{_LOOK}:{what}", [str(path), *arguments], seconds=SECONDS, place=str(path)
        )


def _survey_in(seen: Any, path: Path) -> Survey:
    try:
        return Survey(
            path,
            tuple(seen["roots"]),
            bool(seen["default"]),
            float(seen["rate"]),
            str(seen["up_axis"]),
            float(seen["meters_per_unit"]),
            tuple(seen["cameras"]),
        )
    except _CONFUSED:
        raise UnreadableFileError(f"{path}: found damage that confuses USD") from None


def _pairs(samples: Sequence[Sequence[Any]]) -> list[tuple[float, Any]]:
    return [(float(time), value) for time, value in samples]
