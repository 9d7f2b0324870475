"""The takes of a clip as variants: where on its prim each of them is described."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from castline.adapters.usd import layout
from castline.adapters.usd.payload import references_of
from castline.adapters.usd.shot import Shot


def author(layer: Any, found: Iterable[Shot]) -> None:
    """Give every shot that has something to say of its takes the specs to say it on.

    Of one media reference that is the clip's prim itself; of several, the variants of the set
    `take`, made here, of which the active one is selected.
    """
    for shot in found:
        references = references_of(shot.node.document)
        if len(references) > 1:
            prim = layer.GetPrimAtPath(shot.node.path)
            shot.owners = _variants(prim, list(references), shot.active)
        elif shot.offers or shot.takes:
            shot.owners = dict.fromkeys(references, layer.GetPrimAtPath(shot.node.path))


def _variants(prim: Any, keys: list[str], active: str) -> dict[str, Any]:
    from pxr import Sdf

    names = layout.variant_names(keys)
    prim.variantSetNameList.Prepend(layout.TAKE_SET)
    variants = Sdf.VariantSetSpec(prim, layout.TAKE_SET)
    owners = {key: Sdf.VariantSpec(variants, name).primSpec for key, name in names.items()}
    if active in names:
        prim.variantSelections[layout.TAKE_SET] = names[active]
    return owners
