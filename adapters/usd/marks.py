"""The marks by which the layers of a publishing are known, in their `customLayerData`.

They are of the file: where a layer is a sublayer of others, they say nothing to the stage.
"""

from __future__ import annotations

from typing import Any

from castline.adapters.usd import layout

VERSION = 1
_OVERLAY, _STAGE, _VERSION = "overlay", "stage", "version"


def mark_overlay(layer: Any) -> None:
    """Mark a layer as one that castline laid over somebody's stage."""
    mark = {_VERSION: VERSION, _OVERLAY: True}
    layer.customLayerData = {"creator": layout.CREATOR, layout.CREATOR: mark}


def mark_root(layer: Any, stage: str) -> None:
    """Mark a layer as the root of a publishing over the stage at an asset path."""
    mark = {_VERSION: VERSION, _STAGE: stage}
    layer.customLayerData = {**layer.customLayerData, layout.CREATOR: mark}


def is_overlay(layer: Any) -> bool:
    """Say whether castline laid a layer over somebody's stage."""
    return bool(_mark(layer).get(_OVERLAY))


def stage_beneath(layer: Any) -> str | None:
    """Return the file of the stage that a root layer of ours lies over, None for other layers."""
    asset = _mark(layer).get(_STAGE)
    return str(layer.ComputeAbsolutePath(asset)) if isinstance(asset, str) and asset else None


def _mark(layer: Any) -> dict[str, Any]:
    mark = layer.customLayerData.get(layout.CREATOR)
    return mark if isinstance(mark, dict) else {}
