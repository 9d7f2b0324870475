"""Characters from shot to shot, in the order of the cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from opentimelineio import schema

from castline.inference import story
from castline.inference.score import Verdict
from castline.verdicts import Along


@dataclass(frozen=True)
class Storyline:
    """One character, shot by shot; None where a shot has no frame of them that could be scored."""

    character: str
    shots: tuple[str, ...]
    """Names of the clips."""
    states: tuple[str | None, ...]
    values: tuple[float | None, ...]
    """Likeness to the references."""
    neighbours: tuple[float | None, ...]
    """Likeness to the shots beside."""
    anchor: tuple[float | None, ...]
    """Likeness to the first approved shots."""
    smoothed: tuple[float | None, ...]
    """That, with chance taken out."""
    _vectors: tuple[Any, ...] = field(repr=False)

    def matrix(self, places: Sequence[int]) -> Any:
        """Return these shots against one another: a square array, NaN where nothing was scored."""
        return story.matrix([self._vectors[place] for place in places])

    def along(self, place: int) -> Along:
        """Return what the shot at this place is to the others."""
        return Along(self.neighbours[place], self.anchor[place])

    def to_data(self) -> dict[str, Any]:
        """Return the line as plain data, without the matrix."""
        names = ("shots", "states", "values", "neighbours", "anchor", "smoothed")
        return {"character": self.character} | {name: list(getattr(self, name)) for name in names}


def storylines(
    clips: Sequence[schema.Clip], found: Sequence[Sequence[Verdict]], approved: Sequence[bool]
) -> dict[str, Storyline]:
    """Return the line of each character who was measured in some shot."""
    by_shot = [{each.character: each for each in verdicts} for verdicts in found]
    names = dict.fromkeys(
        name
        for shot in by_shot
        for name, each in shot.items()
        if each.state != "unexpected" and each.vectors is not None
    )
    return {name: _line(name, clips, by_shot, approved) for name in names}


def _line(
    name: str,
    clips: Sequence[schema.Clip],
    by_shot: Sequence[dict[str, Verdict]],
    approved: Sequence[bool],
) -> Storyline:
    verdicts = [shot.get(name) for shot in by_shot]
    vectors = tuple(
        each.vectors if each and each.state != "unexpected" else None for each in verdicts
    )
    anchor = story.drift(vectors, story.anchors(vectors, approved))
    return Storyline(
        name,
        tuple(clip.name for clip in clips),
        tuple(each.state if each else None for each in verdicts),
        tuple(each.value if each else None for each in verdicts),
        tuple(story.neighbours(vectors)),
        tuple(anchor),
        tuple(story.smoothed(anchor)),
        vectors,
    )
