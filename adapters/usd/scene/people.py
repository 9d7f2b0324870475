"""Who is in a scene; run in the child.

A character is a prim that is labelled as one (`semantics:labels:character`, UsdSemantics), a model
of the kind `character`, or a SkelRoot. What lies inside a character is a part of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from castline.adapters.usd import layout
from castline.adapters.usd.scene.facts import names_of

KIND = "character"


def characters_in(prims: list[Any]) -> list[tuple[Any, list[str]]]:
    """Return the prims that are characters, of those given in the scene's order, with their names.

    Labels come first: where there are any, they are the names, and what is labelled inside an
    unlabelled one stands for that. Inside a labelled one, other labels are of others: those of a
    crowd. A skeleton's name is that of the asset it belongs to, since programs call SkelRoots
    after bones and files.
    """
    found: list[tuple[Any, list[str]]] = []
    around: list[tuple[Any, set[str]]] = []  # those that the prim lies in, and all their labels
    stood_for = None  # the last without labels that what is inside it stands for
    for prim in prims:
        path = prim.GetPath()
        while around and not path.HasPrefix(around[-1][0]):
            around.pop()
        above = around[-1][1] if around else set()
        labels = [label for label in labels_of(prim) if label not in above]
        names = labels or ([] if around else _names_by_kind(prim))
        if not names:
            continue
        if around and not above and stood_for != around[-1][0]:
            stood_for = around[-1][0]
            found.pop()
        around.append((path, above | set(labels)))
        found.append((prim, names))
    return found


def labels_of(prim: Any) -> list[str]:
    """Return the labels that call a prim a character, at any time."""
    if not prim.HasAttribute(layout.LABELS):
        return []
    attribute = prim.GetAttribute(layout.LABELS)
    times = attribute.GetTimeSamples()
    values = [attribute.Get(time) for time in times] if times else [attribute.Get()]
    found: dict[str, None] = {}
    for value in values:
        labels = [value] if isinstance(value, str) else value
        if hasattr(labels, "__iter__"):
            found.update(dict.fromkeys(str(label) for label in labels))
    return [label for label in found if label]


def has_varying_labels(prim: Any) -> bool:
    """Say whether those labels change with time."""
    return prim.HasAttribute(layout.LABELS) and bool(
        prim.GetAttribute(layout.LABELS).GetNumTimeSamples()
    )


def _names_by_kind(prim: Any) -> list[str]:
    from pxr import Usd

    if Usd.ModelAPI(prim).GetKind() == KIND:
        return names_of(prim)[:1]
    if prim.GetTypeName() != "SkelRoot":
        return []
    owner = next(_assets_above(prim), prim)
    return names_of(owner)[:1]


def _assets_above(prim: Any) -> Iterator[Any]:
    """Yield the prim and those above it that are models or name an asset, nearest first."""
    from pxr import Usd

    while prim and not prim.IsPseudoRoot():
        info = prim.GetAssetInfo()
        is_model = Usd.ModelAPI(prim).GetKind() in ("component", KIND)
        if is_model or (info and info.get("name")):
            yield prim
        prim = prim.GetParent()
