"""What is to be laid over a stage, as the child that does it is told."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from castline.adapters.usd.publishing.match import Facts


@dataclass(frozen=True)
class Order:
    """One publishing; all of it as JSON has it."""

    stage: str
    header: str
    """USD text of what counts on a root layer alone."""
    roots: list[str]
    """Names of the prims at the stage's top."""
    stage_rate: float
    """Time codes a second that the stage plays."""
    cut: str
    """OTIO's text of the published clips, in the stage's time."""
    cameras: list[Facts | None]
    """The camera of each of its clips, in order; None: the clip describes its own takes."""
    people: dict[str, list[Facts]]
    """Prims of the stage by the characters' ids."""
    codes_per_second: list[int]
    """Time codes of the stage for a second of the cut: numerator and denominator."""
    frame_rate: float
    """Frames of the stage for a second of the cut."""
    span: list[float]
    """The first and the last time code to play."""
    folder: str
    """Where the layers will lie."""
    plates: str
    """Where frames of movies are extracted into."""
    overwrite: bool

    @property
    def root_name(self) -> str:
        """The file name of the layer to open."""
        return f"{Path(self.stage).stem}_castline.usda"

    @property
    def overlay_name(self) -> str:
        """The file name of the overlay."""
        return f"{Path(self.stage).stem}_castline_overlay.usda"
