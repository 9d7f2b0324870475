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
_MODELS = {"Timeline": "assembly", "Clip": "assembly"} | dict.fromkeys(layout.CONTAINERS, "group")
"""USD's kind of a model, by the kind of the object."""


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
        document, kind = node.document, node.kind
        prim.SetInfo("apiSchemas", apis.get(kind, other))
        if model := _MODELS.get(kind):
            prim.SetInfo("kind", model)
        if shown := display_name_of(node):
            prim.SetInfo("displayName", shown)
        views = views_of(node, rate, layout.has_place(document, above))
        if node is root:
            views[layout.LAYOUT_VERSION] = layout.VERSION
            views[layout.RATE] = rate
        attribute(prim, layout.JSON, types[layout.JSON], uniform).default = _text_of(
            node, encode, path
        )
        for name, value in views.items():
            attribute(prim, name, types[name], uniform).default = value
        if node.children or node.markers:
            for child in (*node.children, *node.markers):
                child.path = f"{node.path}/{child.name}"
                waiting.append((child, new_prim(prim, child.name, define, _TYPE), document))


def _text_of(node: Node, encode: Encode, path: Path) -> str:
    """Return the object as canonical JSON, known to be read back."""
    document = node.document
    text = encode(document)
    if layout.is_deeper(text, layout.MAX_DEPTH - node.depth + 1):
        raise UnwritableFileError(
            f"{path}: found data nested too deep, expected at most {layout.MAX_DEPTH} levels"
        )
    if node.kind in layout.CONTAINERS and document.get("children"):
        raise UnwritableFileError(f"{path}: found None among the children, expected OTIO objects")
    return text
