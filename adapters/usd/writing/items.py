"""The prims of a cut's objects: one each, in order, with its JSON and the typed views of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from castline.adapters.usd import layout
from castline.adapters.usd.node import Node
from castline.adapters.usd.views import display_name_of, views_of
from castline.adapters.usd.writing.canonical import Encode
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
    attribute, new_prim = Sdf.AttributeSpec, Sdf.PrimSpec
    apis = {
        kind: Sdf.TokenListOp.Create(prependedItems=[name]) for kind, name in layout.APIS.items()
    }
    other = Sdf.TokenListOp.Create(prependedItems=[layout.OTHER_API])
    waiting: list[tuple[Node, Any, dict[str, Any] | None]] = [
        (root, new_prim(layer, root.name, define, _TYPE), None)
    ]
    root.path = f"/{root.name}"
    while waiting:
        node, prim, above = waiting.pop()
        prim.SetInfo("apiSchemas", apis.get(node.kind, other))
        _describe(prim, node)
        views = views_of(node, rate, layout.has_place(node.document, above))
        if node is root:
            views[layout.LAYOUT_VERSION] = layout.VERSION
            views[layout.RATE] = rate
        attribute(prim, layout.JSON, types[layout.JSON], uniform).default = _text_of(
            node, encode, path
        )
        for name, value in views.items():
            attribute(prim, name, types[name], uniform).default = value
        for child in (*node.children, *node.markers):
            child.path = f"{node.path}/{child.name}"
            waiting.append((child, new_prim(prim, child.name, define, _TYPE), node.document))


def _describe(prim: Any, node: Node) -> None:
    kind = node.kind
    if kind in ("Timeline", "Clip"):
        prim.SetInfo("kind", "assembly")
    elif kind in layout.CONTAINERS:
        prim.SetInfo("kind", "group")
    if shown := display_name_of(node):
        prim.SetInfo("displayName", shown)


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
