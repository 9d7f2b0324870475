"""The typed attributes of an object's prim: views of its JSON, for people and programs."""

from __future__ import annotations

from typing import Any

from castline.adapters.usd import layout, placement
from castline.adapters.usd.layout import kind_of
from castline.adapters.usd.node import Node


def views_of(node: Node) -> dict[str, Any]:
    """Return the values of a placed node's typed attributes by name, its JSON aside."""
    document = node.document
    views: dict[str, Any] = {layout.SCHEMA: sayable(document["OTIO_SCHEMA"])}
    if isinstance(name := document.get("name"), str):
        views[layout.NAME] = sayable(name)
    if isinstance(enabled := document.get("enabled"), bool):
        views[layout.ENABLED] = enabled
    if kind_of(document) == "Track" and isinstance(kind := document.get("kind"), str):
        views[layout.TRACK_KIND] = sayable(kind)
    if node.start is not None and node.end is not None:
        views[layout.START] = node.start
        views[layout.END] = node.end
    if rate := placement.own_rate(document):
        views[layout.RATE] = rate
    if source := placement.source_range(document):
        views[layout.SOURCE_START], views[layout.SOURCE_END] = source
    return views


def sayable(text: str) -> str:
    """Return text that USD's strings can hold; what they cannot, the JSON holds."""
    return text if text.isprintable() else text.replace("\0", "\ufffd")
