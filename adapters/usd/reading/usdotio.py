"""A cut that usdotio keeps in a stage, read as the document it was.

usdotio stores every object of a cut as a prim of its own (`OtioClip`, `OtioRationalTime`), its
fields as attributes. The prims of a stack or track, of any kind, stand in one row and in order;
what an object holds once is a prim of the field's name (`source_range`). What usdotio has no
attribute for is JSON in `unknown`.

What is not in such a file, since usdotio does not write it: every media reference but the active
one, generators, image bounds, a stack's markers and the outermost stack's effects, the name,
metadata and source range of a track or stack without children, and tracks and timelines inside
tracks. A clip whose reference was left out has missing media.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from castline.adapters.usd import layout
from castline.adapters.usd.reading.usdotio_shapes import ROOT, SHAPES, Shape
from castline.schemas.errors import UnreadableFileError

MAX_PRIMS = 1_000_000

_PREFIX = "Otio"
_PLACE_LENGTH = 200
_SCHEMA = "OTIO_SCHEMA"
_EXPECTED = {str: "a string", bool: "a bool", int: "an integer", float: "a number"}
_FALLBACKS: dict[str, Any] = {"name": "", "enabled": True}  # the rest is always written


def document_of(layer: Any) -> dict[str, Any] | None:
    """Return OTIO's document of the first usdotio timeline in an `Sdf.Layer`, or None without one.

    Nothing is composed. Raises `UnreadableFileError` with one line, beginning with the prim's
    path, for what usdotio does not write: a field missing or of another type, JSON that is none,
    more than `MAX_PRIMS` prims or more than `layout.MAX_DEPTH` levels. What USD itself raises for
    a damaged crate is passed on.
    """
    root = _find_root(layer)
    return None if root is None else _read(root)


def _find_root(layer: Any) -> Any:
    from pxr import Sdf

    waiting = [layer.pseudoRoot]
    seen = 0
    while waiting:
        prim = waiting.pop()
        if prim.typeName == ROOT and prim.specifier == Sdf.SpecifierDef:
            return prim
        seen += 1
        _check_count(prim, seen)
        waiting.extend(reversed(list(_children(prim))))
    return None


def _read(root: Any) -> dict[str, Any]:
    document = _fields(root, 1)
    waiting = [(document, root, 1)]
    seen = 1
    while waiting:
        inside, prim, depth = waiting.pop()
        shape = SHAPES[prim.typeName]
        # Most prims are times, which have nothing below them.
        for child in _children(prim) if shape.named or shape.listed else ():
            kind = child.typeName
            if not kind.startswith(_PREFIX) and _SCHEMA not in child.attributes:
                continue  # somebody else's
            seen += 1
            _check_count(child, seen)
            list_name = shape.listed.get(kind)
            level = depth + (2 if list_name else 1)
            found = _fields(child, level)
            if list_name:
                inside[list_name].append(found)
            else:
                inside[_field_of(child, prim, shape)] = found
            waiting.append((found, child, level))
        _settle(inside, prim)
    return document


def _children(prim: Any) -> Iterator[Any]:
    """Yield the prims below that a stage would show, in the order that the layer gives them."""
    from pxr import Sdf

    children = prim.nameChildren
    found = list(children)
    if found and len(prim.nameChildrenOrder):
        names = prim.ApplyNameChildrenOrder([child.name for child in found if child])
        found = [children.get(name) for name in names]
    for child in found:
        if child is None:
            raise UnreadableFileError(f"{_place(prim)}: found a prim that is named but not there")
        if child.active and child.specifier != Sdf.SpecifierClass:
            yield child


def _fields(prim: Any, depth: int) -> dict[str, Any]:
    """Return what the prim says itself, with room for what is below it."""
    if depth >= layout.MAX_DEPTH:
        raise UnreadableFileError(
            f"{_place(prim)}: found more than {layout.MAX_DEPTH} levels, expected fewer"
        )
    shape = SHAPES.get(prim.typeName)
    if shape is None:
        known = "a type that usdotio has"
        raise UnreadableFileError(
            f"{_place(prim)}: found type {prim.typeName[:60]!r}, expected {known}"
        )
    attributes = prim.attributes
    fields = _unknown(attributes.get("unknown"), depth)
    fields[_SCHEMA] = shape.schema or _value(prim, attributes, _SCHEMA, str)
    if shape.has_metadata:
        fields["metadata"] = _object(attributes.get("metadata"), depth)
    for name, kind in shape.attributes.items():
        fields[name] = _value(prim, attributes, name, kind)
    for names in shape.named.values():
        fields.update(dict.fromkeys(names))
    for name in shape.listed.values():
        fields[name] = []
    return fields


def _value(prim: Any, attributes: Any, name: str, kind: type) -> Any:
    attribute = attributes.get(name)
    value = None if attribute is None else attribute.default
    if type(value) is kind:
        return value
    if value is None and name in _FALLBACKS:
        return _FALLBACKS[name]
    if kind is float and type(value) is int:
        return float(value)
    found = "nothing" if value is None else f"a {type(value).__name__}"
    raise UnreadableFileError(f"{_place(prim)}: {name}: found {found}, expected {_EXPECTED[kind]}")


def _object(attribute: Any, depth: int) -> dict[str, Any]:
    """Return the JSON object that an attribute holds; one without a text holds an empty one."""
    text = None if attribute is None else attribute.default
    if text is None or text == "":
        return {}
    value = _parse(attribute, text, depth)
    if type(value) is str:  # an empty object comes as a text within the text
        value = _parse(attribute, value, depth)
    if type(value) is not dict:
        found = type(value).__name__
        raise UnreadableFileError(f"{_spot(attribute)}: found a {found}, expected a JSON object")
    return value


def _parse(attribute: Any, text: Any, depth: int) -> Any:
    if type(text) is not str:
        found = type(text).__name__
        raise UnreadableFileError(f"{_spot(attribute)}: found a {found}, expected a string")
    if layout.is_deeper(text, layout.MAX_DEPTH - depth):
        raise UnreadableFileError(
            f"{_spot(attribute)}: found more than {layout.MAX_DEPTH} levels, expected fewer"
        )
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        found = f"found no sound JSON, expected an object: {error}"
        raise UnreadableFileError(f"{_spot(attribute)}: {found}") from None


def _unknown(attribute: Any, depth: int) -> dict[str, Any]:
    """Return the fields that usdotio has no attribute for.

    It keeps objects and nulls among them as texts; only a marker's comment is sure to be a text.
    """
    fields = {} if attribute is None else _object(attribute, depth)
    for name, value in fields.items():
        if type(value) is str and name != "comment" and (value == "null" or value[:1] == "{"):
            with suppress(UnreadableFileError):  # a text after all
                fields[name] = _parse(attribute, value, depth)
    return fields


def _field_of(child: Any, prim: Any, shape: Shape) -> str:
    names = shape.named.get(child.typeName)
    if names is None:
        raise UnreadableFileError(
            f"{_place(child)}: found an {child.typeName}, expected none in an {prim.typeName}"
        )
    if child.name not in names:
        raise UnreadableFileError(
            f"{_place(child)}: found an {child.typeName}, expected it as {' or '.join(names)}"
        )
    return str(child.name)


def _settle(document: dict[str, Any], prim: Any) -> None:
    """Say it as OTIO does, once all that lies right below the prim is there."""
    if prim.typeName == ROOT:
        # A prim that was there before stays beside the new one; the last is what usdotio reads.
        document["tracks"] = next(reversed(document["tracks"]), None)
    elif prim.typeName == "OtioClip":
        _settle_media(document)
    elif prim.typeName == "OtioTrack" and not document["children"]:
        # An empty track is kept as if it were a new one; its prim's name still says the kind.
        document["kind"] = "Audio" if prim.name.startswith("Audio_") else document["kind"]
    for name in SHAPES[prim.typeName].needed:
        if document[name] is None:
            raise UnreadableFileError(f"{_place(prim)}: {name}: found nothing, expected a prim")


def _settle_media(clip: dict[str, Any]) -> None:
    bounds = clip.pop("available_image_bounds")
    media = next(reversed(clip["media_references"]), None) or {
        _SCHEMA: "MissingReference.1",
        "metadata": {},
        "name": "",
        "available_range": None,
        "available_image_bounds": None,
    }
    if bounds:
        media["available_image_bounds"] = bounds
    clip["media_references"] = {clip["active_media_reference_key"]: media}


def _check_count(prim: Any, count: int) -> None:
    if count > MAX_PRIMS:
        raise UnreadableFileError(
            f"{_place(prim)}: found more than {MAX_PRIMS} prims, expected fewer"
        )


def _spot(attribute: Any) -> str:
    return f"{_place(attribute.owner)}: {attribute.name}"


def _place(prim: Any) -> str:
    path = str(prim.path)
    return path if len(path) <= _PLACE_LENGTH else f"...{path[-_PLACE_LENGTH:]}"
