"""How a cut lies in a stage: the names of prims and attributes, and the bounds."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import PurePath
from typing import Any

SUFFIXES = ("usd", "usda", "usdc", "usdz")

VERSION = 2
"""Version of the layout; a reader refuses a later one. Of version 1 only the JSON is read."""

ROOT_NAME = "Timeline"
TRACKS_NAME = "tracks"
CAMERA_NAME = "CutCamera"
CHARACTERS_NAME = "Characters"
CREATOR = "castline"
CONTAINERS = frozenset({"Stack", "Track", "SerializableCollection"})

JSON = "castline:json"
SCHEMA = "castline:schema"
NAME = "castline:name"
ENABLED = "castline:enabled"
RATE = "castline:rate"
RANGE = "castline:timelineRange"
START = f"{RANGE}:start"
END = f"{RANGE}:end"
SOURCE_START = "castline:sourceRange:start"
SOURCE_END = "castline:sourceRange:end"
MARKED_START = "castline:markedRange:start"
MARKED_END = "castline:markedRange:end"
GLOBAL_START = "castline:globalStart"
TRACK_KIND = "castline:trackKind"
COLOR = "castline:color"
COMMENT = "castline:comment"
MEDIA_URL = "castline:mediaUrl"
LAYOUT_VERSION = "castline:version"

TYPES = {
    JSON: "string",
    NAME: "string",
    ENABLED: "bool",
    RATE: "double",
    START: "timecode",
    END: "timecode",
    SOURCE_START: "timecode",
    SOURCE_END: "timecode",
    MARKED_START: "timecode",
    MARKED_END: "timecode",
    GLOBAL_START: "timecode",
    TRACK_KIND: "token",
    COLOR: "token",
    COMMENT: "string",
    MEDIA_URL: "string",
    LAYOUT_VERSION: "int",
}
"""USD's type of each attribute of an object's prim; all are uniform."""

APIS = {
    kind: f"Castline{kind}API"
    for kind in ("Timeline", "Stack", "Track", "Clip", "Gap", "Transition", "Marker")
}
"""The API schema of each kind of object."""

OTHER_API = "CastlineObjectAPI"
APPEARANCE_API = "CastlineAppearanceAPI"
APPEARANCE = "castline:appearance"

TAKE_SET = "take"
TAKE_SETS = (TAKE_SET, "castlineTake")
"""Names of a published camera's variant set; the second where the artist has one of the first."""
PLATE = "plate"
CHARACTER_TAXONOMY = "character"
SHOT_CAMERA = "castline:camera"
LABELS = f"semantics:labels:{CHARACTER_TAXONOMY}"

MEDIA_SUFFIXES = (
    *(f".{suffix}" for suffix in SUFFIXES),
    *(".png", ".jpg", ".jpeg", ".exr", ".tif", ".tiff", ".dpx", ".tga", ".bmp", ".webp"),
    *(".wav", ".mp3", ".m4a", ".aif", ".aiff", ".flac", ".ogg"),
)
"""Suffixes of media that a stage can bring in."""

MAX_DEPTH = 500
"""Levels of JSON in a whole cut. OTIO's reader ends the process somewhere above 1,000."""

_SLUG_LENGTH = 40
_UNFIT = re.compile(r"[^A-Za-z0-9]+")
_BRACKET = re.compile(r'"(?:\\.|[^"\\])*+(?:"|\Z)|([\[{])|([\]}])', re.DOTALL)


def child_field(document: dict[str, Any]) -> str | None:
    """Return the field whose objects are prims of their own, or None where there is none."""
    if kind_of(document) == "Timeline":
        return TRACKS_NAME if TRACKS_NAME in document else None
    is_container = kind_of(document) in CONTAINERS and isinstance(document.get("children"), list)
    return "children" if is_container else None


def kind_of(document: dict[str, Any]) -> str:
    """Return the schema's name without its version: `Clip` of `Clip.2`."""
    return _kind(str(document.get("OTIO_SCHEMA", "")))


@lru_cache(maxsize=256)
def _kind(schema: str) -> str:
    return schema.rpartition(".")[0]


def has_place(document: dict[str, Any], above: dict[str, Any] | None) -> bool:
    """Say whether an object has a place of its own in time: it lies on a track, or on a stack."""
    where = kind_of(above) if above is not None else ""
    return where == "Track" or (where == "Stack" and kind_of(document) != "Track")


def prim_name(document: dict[str, Any], index: int, digits: int = 1) -> str:
    """Return a prim name that is legal in any USD and unlike those of other indices.

    The index is padded, so that programs which sort prims by name keep their order.
    """
    name = document.get("name")
    parts = [_slug(kind_of(document).lower()) or "item", f"{index:0{digits}d}"]
    if isinstance(name, str) and (slug := _slug(name)):
        parts.append(slug)
    return "_".join(parts)


def instance_name(text: str) -> str:
    """Return text as the instance name of a multiple-apply schema, or as a prim's name."""
    return _slug(text) or "_"


def variant_names(keys: Iterable[str]) -> dict[str, str]:
    """Return a legal variant name for each media reference key, all different, by the key."""
    return unique_names((key, _slug(key) or "take") for key in keys)


def unique_names(wanted: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return a name for each key, all different: the one that is wanted, or that with a number."""
    names: dict[str, str] = {}
    taken: set[str] = set()
    for key, name in wanted:
        found, number = name, 2
        while found in taken:
            found, number = f"{name}_{number}", number + 1
        taken.add(found)
        names[key] = found
    return names


def suffix_of(path: PurePath | str) -> str:
    """Return a path's suffix in lower case, without the dot."""
    return PurePath(path).suffix.lstrip(".").lower()


def is_deeper(text: str, limit: int) -> bool:
    """Say whether JSON text nests deeper than `limit` levels."""
    if text.count("{") + text.count("[") <= limit:
        return False
    depth = 0
    for bracket in _BRACKET.finditer(text):
        if bracket[1]:
            depth += 1
            if depth > limit:
                return True
        elif bracket[2]:
            depth -= 1
    return False


@lru_cache(maxsize=4096)
def _slug(text: str) -> str:
    slug = _UNFIT.sub("_", text).strip("_")[:_SLUG_LENGTH]
    return slug if not slug[:1].isdigit() else f"_{slug}"
