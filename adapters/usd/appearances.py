"""The attributes of an appearance: which there are, and what each says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from castline.adapters.usd import layout
from castline.adapters.usd.views import sayable
from castline.schemas.values import Appearance

APPEARANCE_FIELDS = {
    "character": ("string", ("character_id",)),
    "look": ("string", ("look_id",)),
    "state": ("token", ("state",)),
    "note": ("string", ("note",)),
    "score": ("double", ("score", "value")),
    "worst": ("double", ("score", "worst")),
    "worstTime": ("timecode", ("score", "worst_time", "value")),
    "spread": ("double", ("score", "spread")),
    "frames": ("int", ("score", "frames")),
    "model": ("string", ("score", "model")),
    "neighbours": ("double", ("score", "neighbours")),
    "anchor": ("double", ("score", "anchor")),
    "figure": ("double", ("figure", "value")),
    "threshold": ("double", ("score", "threshold")),
}
"""Attributes of an appearance: USD's type, and the keys that lead to it in the data."""


def appearance_instances(appearances: Iterable[Appearance]) -> dict[str, Appearance]:
    """Return the appearances of a take by the instance name of each."""
    found = {str(place): appearance for place, appearance in enumerate(appearances)}
    names = layout.unique_names(
        (place, layout.instance_name(appearance.character_id))
        for place, appearance in found.items()
    )
    return {name: found[place] for place, name in names.items()}


def appearance_views(instance: str, data: Mapping[str, Any]) -> dict[str, tuple[str, Any]]:
    """Return an appearance's attributes by name: USD's type and the value."""
    views = {}
    for name, (kind, keys) in APPEARANCE_FIELDS.items():
        value: Any = data
        for key in keys:
            value = value.get(key) if isinstance(value, Mapping) else None
        if value is not None:
            text = sayable(value) if isinstance(value, str) else value
            views[f"{layout.APPEARANCE}:{instance}:{name}"] = (kind, text)
    return views
