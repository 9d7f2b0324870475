"""The typed attributes of an object's prim: views of its JSON, for people and programs."""

from __future__ import annotations

from typing import Any

from castline.adapters.usd import layout
from castline.adapters.usd.node import Node


def views_of(node: Node, stage_rate: float, has_place: bool = False) -> dict[str, Any]:
    """Return the values of a placed node's typed attributes by name, its JSON aside.

    What is as everywhere else is left out, as USD has it: that an object is enabled, and that its
    times are at the stage's rate. A track has no place of its own to show: it begins with its
    stack.
    """
    document = node.document
    views: dict[str, Any] = {}
    if isinstance(name := document.get("name"), str):
        views[layout.NAME] = sayable(name)
    if document.get("enabled") is False:
        views[layout.ENABLED] = False
    if node.rate and node.rate != stage_rate:
        views[layout.RATE] = node.rate
    if has_place and node.start is not None and node.end is not None:
        views[layout.START] = node.start
        views[layout.END] = node.end
    kind = node.kind
    if node.source:
        marked = kind == "Marker"
        names = _MARKED if marked else _SOURCE
        views[names[0]], views[names[1]] = node.source
    if kind == "Clip":
        if url := _media_url(document):
            views[layout.MEDIA_URL] = sayable(url)
    elif kind == "Track" and isinstance(track_kind := document.get("kind"), str):
        views[layout.TRACK_KIND] = sayable(track_kind)
    elif kind == "Marker":
        if isinstance(color := document.get("color"), str):
            views[layout.COLOR] = sayable(color)
        if isinstance(comment := document.get("comment"), str):
            views[layout.COMMENT] = sayable(comment)
    elif kind == "Timeline" and isinstance(document.get("global_start_time"), dict):
        views[layout.GLOBAL_START] = node.start
    return views


def display_name_of(node: Node) -> str | None:
    """Return the name that people are to see, where it is more than the prim's own."""
    name = node.document.get("name")
    if name and isinstance(name, str) and not node.name.endswith(f"_{name}"):
        return sayable(name)
    return None


def sayable(text: str) -> str:
    """Return text that USD's strings can hold; what they cannot, the JSON holds."""
    if text.isprintable():
        return text
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")


_SOURCE = (layout.SOURCE_START, layout.SOURCE_END)
_MARKED = (layout.MARKED_START, layout.MARKED_END)


def _media_url(document: dict[str, Any]) -> str | None:
    """Return the URL of the shown media, where it is of a kind that a stage can bring in."""
    references = document.get("media_references")
    if not isinstance(references, dict):
        return None
    active = references.get(document.get("active_media_reference_key"))
    url = active.get("target_url") if isinstance(active, dict) else None
    return url if isinstance(url, str) and url.lower().endswith(layout.MEDIA_SUFFIXES) else None
