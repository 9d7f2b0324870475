"""What a stage says about a cut, as plain data; run in the child process of `sandbox`.

Only the file's own layer is looked at, spec by spec. Nothing is composed.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from castline.adapters.usd import guard, layout
from castline.schemas.errors import NewerVersionError, UnreadableFileError

MAX_OBJECTS = 1_000_000

PREFIX = "castline:"
_SCALARS = (str, bool, int, float)


def extract(path: str) -> dict[str, Any]:
    """Return `{"objects": [...]}` of the file's cut, or `{"document": ...}` of one in usdotio.

    Of a stage without a cut it is `{"scene": True}`, which `scene.survey` looks into.

    An object is `[prim name, index of the object above or None, JSON text, values by attribute,
    variant selections by set, labels or None, display name or None]`, each after the one above
    it, in order. Raises `UnreadableFileError` for what is damaged or holds too much and
    `NewerVersionError` for one of a later castline.
    """
    layer = guard.open_layer(Path(path))
    with guard.reading(path):  # a damaged crate shows only where it is looked at
        root = root_of(layer)
        if root is not None:
            return {"objects": _Walk(layer, path).objects_from(root)}
        from castline.adapters.usd.reading import usdotio

        try:
            document = usdotio.document_of(layer)
        except UnreadableFileError as error:  # it knows the place, not the file
            raise UnreadableFileError(f"{path}: {error}") from None
        if document is not None:
            return {"document": document}
    return {"scene": True}


def root_of(layer: Any) -> Any:
    """Return the prim that holds the cut: `/Timeline`, or what it was renamed to."""
    prims = _children(layer.pseudoRoot)
    for prim in sorted(prims, key=lambda prim: prim.name != layout.ROOT_NAME):
        if prim.GetAttributeAtPath(f".{layout.JSON}") is not None:
            return prim
    return None


class _Walk:
    """One way through the prims of a layer."""

    def __init__(self, layer: Any, path: str) -> None:
        from pxr import Sdf

        self._layer = layer
        self._path = path
        self._plain = _plain_by_type()
        self._relative = _Relative(Sdf.Path)
        self._json = self._relative[layout.JSON]
        self._size = 0

    def objects_from(self, root: Any) -> list[list[Any]]:
        """Return the object on a prim and all below it, each after the one above it."""
        first = self._object(root, None)
        version = first[3].get(layout.LAYOUT_VERSION)
        if isinstance(version, int) and version > layout.VERSION:
            raise NewerVersionError(
                f"{self._path}: found version {version} of the layout, "
                f"expected at most {layout.VERSION}"
            )
        found = [first]
        waiting = [(root, 0)]
        while waiting:
            prim, above = waiting.pop()
            inside = self._objects_in(prim)
            for child in inside:
                waiting.append((child, len(found)))
                found.append(self._object(child, above))
            if len(found) > MAX_OBJECTS or self._size > guard.MAX_BYTES:
                raise UnreadableFileError(f"{self._path}: found more data than a cut has")
        return found

    def _objects_in(self, prim: Any) -> list[Any]:
        """Return the prims below that hold objects, with nothing of ours between.

        Others may group them. Where a scene comes in nothing is looked for: it may hold a cut.
        """
        found = []
        waiting = list(_children(prim))[::-1]
        while waiting:
            child = waiting.pop()
            if child.GetAttributeAtPath(self._json) is not None:
                found.append(child)
            elif lost := self._trace_of(child):
                raise UnreadableFileError(
                    f"{self._path}: {child.path}: found {lost} without {layout.JSON}"
                )
            elif not (child.hasPayloads or child.hasReferences):
                waiting.extend(list(_children(child))[::-1])
        return found

    def _trace_of(self, prim: Any) -> str | None:
        """Return what shows that a prim was one of ours."""
        if prim.GetAttributeAtPath(self._relative[layout.SCHEMA]) is not None:
            return layout.SCHEMA
        if not prim.HasInfo("apiSchemas"):
            return None
        applied = prim.GetInfo("apiSchemas")
        names = (*applied.prependedItems, *applied.appendedItems, *applied.explicitItems)
        for name in names:
            if name.startswith("Castline") and name.split(":")[0].endswith("API"):
                return str(name)
        return None

    def _object(self, prim: Any, above: int | None) -> list[Any]:
        values = self._values(prim)
        selections = {}
        if prim.HasInfo("variantSelection"):
            selections = dict(prim.variantSelections)
            if chosen := selections.get(layout.TAKE_SET):
                variant = self._layer.GetPrimAtPath(
                    prim.path.AppendVariantSelection(layout.TAKE_SET, chosen)
                )
                if variant is not None:
                    values = self._values(variant) | values
        if prim.HasInfo("active") and not prim.active:
            values[layout.ENABLED] = False
        text = values.pop(layout.JSON, None)
        if not isinstance(text, str):
            raise UnreadableFileError(
                f"{self._path}: {prim.path}: {layout.JSON}: found no text, expected a string"
            )
        labels = values.pop(layout.LABELS, None)
        self._size += len(text)
        shown = prim.GetInfo("displayName") if prim.HasInfo("displayName") else None
        return [prim.name, above, text, values, selections, labels, shown]

    def _values(self, prim: Any) -> dict[str, Any]:
        """Return the values of a prim's attributes that concern us, by name."""
        if not prim.HasInfo("properties"):
            return {}
        attribute_at, relative, plain_by_type = (
            prim.GetAttributeAtPath,
            self._relative,
            self._plain,
        )
        values = {}
        for name in prim.GetInfo("properties"):  # ten times faster than prim.properties
            path = relative[name]
            if path is None:
                continue
            attribute = attribute_at(path)
            if attribute is None:
                self._require_property(prim, path)
                continue
            value = attribute.default
            plain = plain_by_type.get(type(value))
            if plain is not None:
                values[name] = value if plain is _as_it_is else plain(value)
        return values

    def _require_property(self, prim: Any, path: Any) -> None:
        if prim.GetPropertyAtPath(path) is None:  # nor is it a relationship
            raise ValueError(f"{prim.path}: a property {path} is named but not there")


class _Relative(dict[str, Any]):
    """Paths of the properties that concern us by name, made once; None for others."""

    def __init__(self, make: Callable[[str], Any]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, name: str) -> Any:
        ours = name.startswith(PREFIX) or name == layout.LABELS
        self[name] = path = self._make(f".{name}") if ours else None
        return path


def _children(prim: Any) -> list[Any]:
    """Return the prims right below, in the order that the layer gives them.

    A damaged crate names prims that it does not hold.
    """
    view = prim.nameChildren
    if not view:
        return []
    prims: list[Any] = view.values()
    if None in prims:
        raise ValueError("a prim is named but not there")
    if prim.HasInfo("primOrder"):
        names = prim.ApplyNameChildrenOrder([child.name for child in prims])
        prims = [view[name] for name in names]
    return prims


def _as_it_is(value: Any) -> Any:
    return value


def _plain_by_type() -> dict[type, Callable[[Any], Any]]:
    """Return how a value of each type becomes JSON; others than these are left out."""
    from pxr import Sdf, Vt

    return {
        **dict.fromkeys(_SCALARS, _as_it_is),  # NaN and infinity become null on the way
        Sdf.TimeCode: float,
        Sdf.AssetPath: lambda value: value.path,
        Vt.TokenArray: list,
        Vt.StringArray: list,
    }
