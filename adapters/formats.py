"""The formats by name and by suffix."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from castline.adapters import ale, bundle, edl
from castline.adapters.aaf import carrier as aaf
from castline.adapters.bundle import Bundle, bundle_for
from castline.adapters.carrier.envelope import Carrier
from castline.adapters.fcp7 import carrier as fcp7
from castline.adapters.fcpx import carrier as fcpx

EDITORIAL: dict[str, Carrier] = {"edl": edl, "fcp7": fcp7, "fcpx": fcpx, "aaf": aaf, "ale": ale}
"""The formats whose stock adapters keep no metadata of ours."""

CARRIERS: tuple[Carrier, ...] = (*EDITORIAL.values(), Bundle())

STOCK_PACKAGES = (
    "otio_cmx3600_adapter",
    "otio_fcp_adapter",
    "otio_fcpx_xml_adapter",
    "otio_aaf_adapter",
    "otio_ale_adapter",
)
"""The packages of OTIO's own adapters for these formats, each with a plugin manifest."""

KEEPING_SUFFIXES = frozenset({"otio", "json", "usd", "usda", "usdc", "usdz", "svg"})
"""Suffixes of formats that keep metadata as it is, or are never read back."""

METADATA_SUFFIXES = frozenset(bundle.SUFFIXES)
"""Suffixes of carriers whose formats keep metadata too, of timelines and clips at least."""

ANY_ROOT_SUFFIXES = frozenset({*bundle.SUFFIXES, *ale.SUFFIXES})
"""Suffixes of formats that take any root; the others want a timeline."""

COLLECTION_SUFFIXES = frozenset({*fcp7.SUFFIXES, *fcpx.SUFFIXES})
"""Suffixes of formats that take a collection of timelines and nothing else as it is."""

_BY_SUFFIX: dict[str, Carrier] = {
    suffix: module for module in (edl, fcp7, fcpx, aaf, ale) for suffix in module.SUFFIXES
}


def suffix_of(path: object) -> str:
    """Return a path's last suffix as OTIO compares it: lower case, without the dot."""
    return PurePath(str(path)).suffix.lstrip(".").lower()


def carrier_for(path: object, arguments: Mapping[str, Any] | None = None) -> Carrier | None:
    """Return the carrier for a file's suffix, or None where there is none.

    `arguments` are those of the format's writer: a bundle's media policy changes what it keeps.
    """
    suffix = suffix_of(path)
    if suffix in METADATA_SUFFIXES:
        return bundle_for((arguments or {}).get("media_policy"))
    return _BY_SUFFIX.get(suffix)
