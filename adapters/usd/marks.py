"""The marks by which the layers of a publishing are known, in their `customLayerData`.

They are of the file: where a layer is a sublayer of others, they say nothing to the stage.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

from castline.adapters.usd import layout

VERSION = 1
_OVERLAY, _STAGE, _VERSION, _SEAL = "overlay", "stage", "version", "written"
_OPEN = "0" * 64
_SEALED = re.compile(rb'(string written = ")([0-9a-f]{64})"')


def mark_overlay(layer: Any) -> None:
    """Mark a layer as one that castline laid over somebody's stage."""
    mark = {_VERSION: VERSION, _OVERLAY: True, _SEAL: _OPEN}
    layer.customLayerData = {"creator": layout.CREATOR, layout.CREATOR: mark}


def mark_root(layer: Any, stage: str) -> None:
    """Mark a layer as the root of a publishing over the stage at an asset path."""
    mark = {_VERSION: VERSION, _STAGE: stage, _SEAL: _OPEN}
    layer.customLayerData = {**layer.customLayerData, layout.CREATOR: mark}


def seal(path: Path) -> None:
    """Write into the text of a marked layer a hash of all else in it."""
    data = path.read_bytes()
    digest = hashlib.sha256(data).hexdigest().encode()
    path.write_bytes(_SEALED.sub(lambda found: found[1] + digest + b'"', data, count=1))


def is_sealed(path: Path) -> bool:
    """Say whether a file is as publishing wrote it: nobody has worked in it since."""
    data = path.read_bytes()
    found = _SEALED.search(data)
    if found is None:
        return False
    bare = data[: found.start(2)] + _OPEN.encode() + data[found.end(2) :]
    return hashlib.sha256(bare).hexdigest().encode() == found[2]


def is_overlay(layer: Any) -> bool:
    """Say whether castline laid a layer over somebody's stage."""
    return bool(_mark(layer).get(_OVERLAY))


def stage_asset(layer: Any) -> str | None:
    """Return the asset path of the stage that a root layer of ours lies over, None for others."""
    asset = _mark(layer).get(_STAGE)
    return asset if isinstance(asset, str) and asset else None


def stage_beneath(layer: Any) -> str | None:
    """Return the file of that stage."""
    asset = stage_asset(layer)
    return str(layer.ComputeAbsolutePath(asset)) if asset else None


def _mark(layer: Any) -> dict[str, Any]:
    mark = layer.customLayerData.get(layout.CREATOR)
    return mark if isinstance(mark, dict) else {}
