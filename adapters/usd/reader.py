"""Reading a cut out of a stage."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import opentimelineio as otio

from castline.adapters.usd import guard, layout, library
from castline.adapters.usd.document import parse
from castline.adapters.usd.floats import restore_floats
from castline.adapters.usd.node import Stored
from castline.schemas.errors import NewerVersionError, UnreadableFileError

MAX_OBJECTS = 1_000_000


def read(path: str | Path) -> otio.core.SerializableObject:
    """Read the OTIO object that a usd, usda, usdc or usdz file holds, of the kind it was.

    The file's own layer is read, nothing that it references. Raises `UnreadableFileError` with
    one line (file, place, found, expected) for what is no such file, `NewerVersionError` for one
    of a later castline and `MissingDependencyError` where USD is not installed.
    """
    path = Path(path)
    library.require()
    layer = guard.open_layer(path)
    with guard.reading(str(path)):  # a damaged crate shows only where it is looked at
        stored = _collect(layer, _root_of(layer, path), path)
    return restore_floats(_revive(stored.document, path), stored)


def _root_of(layer: Any, path: Path) -> Any:
    """Return the prim that holds the cut: `/Timeline`, or what it was renamed to."""
    prims = _sound(layer.rootPrims)
    for prim in sorted(prims, key=lambda prim: prim.name != layout.ROOT_NAME):
        if _value(layer, prim, layout.JSON) is not None:
            return prim
    raise UnreadableFileError(
        f"{path}: found a USD stage without a cut, expected a prim with {layout.JSON}"
    )


def _collect(layer: Any, root: Any, path: Path) -> Stored:
    """Return the objects as a tree, their documents joined to one."""
    version = _value(layer, root, layout.LAYOUT_VERSION)
    if isinstance(version, int) and version > layout.VERSION:
        raise NewerVersionError(
            f"{path}: found version {version} of the layout, expected at most {layout.VERSION}"
        )
    first = _stored(layer, root, path, 1)
    waiting = [(first, root, 1)]
    size = first.size
    objects = 1
    while waiting:
        stored, prim, depth = waiting.pop()
        depth += 1 if layout.child_field(stored.document) == layout.TRACKS_NAME else 2
        for child in _children(layer, prim, path):
            item = _stored(layer, child, path, depth)
            stored.children.append(item)
            waiting.append((item, child, depth))
            size += item.size
            objects += 1
            if size > guard.MAX_BYTES or objects > MAX_OBJECTS:
                raise UnreadableFileError(f"{path}: found more data than a cut has")
        _join(stored, f"{path}: {prim.path}")
    return first


def _stored(layer: Any, prim: Any, path: Path, depth: int) -> Stored:
    """Return the object on a prim, below `depth` levels of JSON with its own."""
    place = f"{path}: {prim.path}: {layout.JSON}"
    text = _value(layer, prim, layout.JSON)
    if not isinstance(text, str):
        raise UnreadableFileError(f"{place}: found a {type(text).__name__}, expected a string")
    if layout.is_deeper(text, layout.MAX_DEPTH - depth + 1):
        raise UnreadableFileError(f"{place}: found more than {layout.MAX_DEPTH} levels of JSON")
    document, floats = parse(text, place)
    return Stored(document, floats, len(text))


def _join(stored: Stored, place: str) -> None:
    """Put the children's documents where the object's own document leaves room for them."""
    if not stored.children:
        return
    inside = [child.document for child in stored.children]
    field = layout.child_field(stored.document)
    if field == layout.TRACKS_NAME and stored.document[field] is None and len(inside) == 1:
        stored.document[field] = inside[0]
    elif field == "children" and not stored.document[field]:
        stored.document[field] = inside
    else:
        found = stored.document["OTIO_SCHEMA"][:60]
        raise UnreadableFileError(
            f"{place}: found {len(inside)} objects under a {found} that has no room for them"
        )


def _children(layer: Any, prim: Any, path: Path) -> list[Any]:
    """Return the prims below that hold objects, in the order that the layer gives them."""
    prims = _sound(prim.nameChildren)
    if prims and len(prim.nameChildrenOrder):
        names = prim.ApplyNameChildrenOrder([child.name for child in prims])
        prims = [prim.nameChildren[name] for name in names]
    found = []
    for child in prims:
        if layer.GetAttributeAtPath(child.path.AppendProperty(layout.JSON)) is not None:
            found.append(child)
        elif layer.GetAttributeAtPath(child.path.AppendProperty(layout.SCHEMA)) is not None:
            raise UnreadableFileError(
                f"{path}: {child.path}: found {layout.SCHEMA} without {layout.JSON}"
            )
    return found


def _sound(prims: Any) -> list[Any]:
    """Return the prims of a view; a damaged crate names prims that it does not hold."""
    found = list(prims)
    if None in found:
        raise ValueError("a prim is named but not there")
    return found


def _value(layer: Any, prim: Any, name: str) -> Any:
    attribute = layer.GetAttributeAtPath(prim.path.AppendProperty(name))
    return None if attribute is None else attribute.default


def _revive(document: dict[str, Any], path: Path) -> otio.core.SerializableObject:
    try:
        text = json.dumps(document, separators=(",", ":"))
        root = otio.core.deserialize_json_from_string(text)
    except (otio.exceptions.OTIOError, LookupError, RuntimeError, TypeError, ValueError) as error:
        reason = " ".join(str(error).split())[:300]
        raise UnreadableFileError(f"{path}: found what OTIO cannot read: {reason}") from None
    if not isinstance(root, otio.core.SerializableObject):
        found = type(root).__name__
        raise UnreadableFileError(f"{path}: found a {found}, expected an OTIO object")
    return root
