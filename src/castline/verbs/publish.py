"""Put what a cut knows onto an artist's stage: the step of a USD pipeline."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from opentimelineio import schema

from castline.adapters.usd.publishing import publish as publishing
from castline.adapters.usd.publishing.publish import Published
from castline.flags import without_flags

__all__ = ["Published", "publish"]


def publish(
    cut: schema.Timeline, stage: str | Path, folder: str | Path, **options: Any
) -> Published:
    """Write an overlay of a stage and a root layer over both; the stage's own files stay.

    Options and errors are those of `castline.adapters.usd.publishing.publish.publish`: `shot`,
    `camera`, `payloads`, `plates`, `home`, `overwrite`.
    """
    return publishing.publish(without_flags(cut), stage, folder, **options)
