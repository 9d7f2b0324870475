"""The prims of a cut's objects: one each, in order, with its JSON and the typed views of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from castline.adapters.usd import layout
from castline.adapters.usd.canonical import Encode
from castline.adapters.usd.node import Node
from castline.adapters.usd.views import sayable, views_of
from castline.schemas.errors import UnwritableFileError

_TYPE = "Scope"  # drawn by nothing, known to everything


def author(layer: Any, root: Node, rate: float, encode: Encode, path: Path) -> None:
    """Give every placed node its prim and note the prim's path on the node.

    The prims are made parent first and in order, by Sdf alone: nothing listens to this layer yet.
    Raises `UnwritableFileError` for what could not be read back.
    """
    from pxr import Sdf

    types = {name: Sdf.ValueTypeNames.Find(kind) for name, kind in layout.TYPES.items()}
    uniform = Sdf.VariabilityUniform
    define = Sdf.SpecifierDef
    waiting = [(root, Sdf.PrimSpec(layer, root.name, define, _TYPE))]
    root.path = f"/{root.name}"
    while waiting:
        node, prim = waiting.pop()
        _describe(prim, node)
        views = {layout.JSON: _text_of(node, encode, path), **views_of(node)}
        if node is root:
            views[layout.LAYOUT_VERSION] = layout.VERSION
            views.setdefault(layout.RATE, rate)
        for name, value in views.items():
            Sdf.AttributeSpec(prim, name, types[name], uniform).default = value
        for child in node.children:
            child.path = f"{node.path}/{child.name}"
            waiting.append((child, Sdf.PrimSpec(prim, child.name, define, _TYPE)))


def _describe(prim: Any, node: Node) -> None:
    if layout.child_field(node.document):
        prim.SetInfo("kind", "group")
    name = node.document.get("name")
    if name and isinstance(name, str) and not node.name.endswith(f"_{name}"):
        prim.SetInfo("displayName", sayable(name))


def _text_of(node: Node, encode: Encode, path: Path) -> str:
    """Return the object as canonical JSON, known to be read back."""
    document = node.document
    text = encode(document)
    if layout.is_deeper(text, layout.MAX_DEPTH - node.depth + 1):
        raise UnwritableFileError(
            f"{path}: found data nested too deep, expected at most {layout.MAX_DEPTH} levels"
        )
    if layout.child_field(document) == "children" and document["children"]:
        raise UnwritableFileError(f"{path}: found None among the children, expected OTIO objects")
    return text
