"""The formats by name and by suffix."""

from __future__ import annotations

from pathlib import PurePath

from castline.adapters import aaf, ale, bundle, edl, fcp7, fcpx
from castline.adapters.carrier.envelope import Carrier

EDITORIAL: dict[str, Carrier] = {"edl": edl, "fcp7": fcp7, "fcpx": fcpx, "aaf": aaf, "ale": ale}
"""The formats whose stock adapters keep no metadata of ours."""

CARRIERS: tuple[Carrier, ...] = (*EDITORIAL.values(), bundle)

KEEPING_SUFFIXES = frozenset({"otio", "json", "usd", "usda", "usdc", "usdz", "svg"})
"""Suffixes of formats that keep metadata as it is, or are never read back."""

METADATA_SUFFIXES = frozenset(bundle.SUFFIXES)
"""Suffixes of carriers whose formats keep metadata too, of timelines and clips at least."""

ANY_ROOT_SUFFIXES = frozenset({*bundle.SUFFIXES, *ale.SUFFIXES})
"""Suffixes of formats that take any root; the others want a timeline."""

_BY_SUFFIX: dict[str, Carrier] = {
    suffix: module for module in (edl, fcp7, fcpx, aaf, ale, bundle) for suffix in module.SUFFIXES
}


def suffix_of(path: object) -> str:
    """Return a path's last suffix as OTIO compares it: lower case, without the dot."""
    return PurePath(str(path)).suffix.lstrip(".").lower()


def carrier_for(path: object) -> Carrier | None:
    """Return the carrier for a file's suffix, or None where there is none."""
    return _BY_SUFFIX.get(suffix_of(path))
