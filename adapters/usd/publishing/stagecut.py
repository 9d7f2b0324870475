"""What is published of a cut as a cut of its own, in the stage's time."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from urllib.parse import urlsplit

from opentimelineio import schema

from castline.adapters.usd.publishing.match import Facts
from castline.adapters.usd.publishing.placed import Placed
from castline.adapters.usd.publishing.stagetime import StageTime
from castline.adapters.usd.scene.cut import prim_of
from castline.adapters.usd.scene.items import packed
from castline.schemas.places import set_slot


@dataclass(frozen=True)
class StageCut:
    """A cut in the stage's time, and the camera of each of its clips, in order."""

    timeline: schema.Timeline
    cameras: list[Facts | None]


def stage_cut(
    cut: schema.Timeline, placed: Sequence[Placed], time: StageTime, home: Path, folder: Path
) -> StageCut:
    """Return the published clips as a cut in the stage's time; `cut` gives all that is above them.

    Its own times are time codes of the stage. Clips that overlap on the stage lie on tracks of
    their own. Relative media paths begin at `home` in the cut, at `folder` in what is returned.
    """
    found = schema.Timeline(cut.name, metadata=dict(cut.metadata))
    cameras = []
    start = min(item.start for item in placed)
    found.global_start_time = time.time(start)
    for number, items in enumerate(packed(placed)):
        track = schema.Track(f"shots {number + 1}" if number else "shots")
        position = start
        for item in items:
            if item.start > position:
                track.append(schema.Gap(duration=time.time(item.start - position)))
            track.append(_published(item, home, folder))
            cameras.append(item.bound.camera)
            position = item.end
        found.tracks.append(track)
    return StageCut(found, cameras)


def _published(item: Placed, home: Path, folder: Path) -> schema.Clip:
    clip = item.shown.deepcopy()
    for reference in clip.media_references().values():
        for field in ("target_url", "target_url_base"):
            if url := getattr(reference, field, None):
                setattr(reference, field, _rebased(url, home, folder))
    if item.bound.camera is not None:
        set_slot(clip, item.bound.slot.replace(prim=prim_of(item.bound.camera)))
    return clip


def _rebased(url: str, home: Path, folder: Path) -> str:
    """Return a relative media URL as one that begins at another folder; others as they are."""
    if urlsplit(url).scheme or PurePath(url).is_absolute():
        return url
    try:
        moved = Path(os.path.relpath(home / url, folder)).as_posix()
    except ValueError:  # Windows: another drive
        moved = (home / url).as_posix()
    return f"{moved}/" if url.endswith("/") else moved
