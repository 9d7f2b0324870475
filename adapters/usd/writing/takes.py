"""The takes of a clip as variants: where on its prim each of them is described."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from castline.adapters.usd import layout
from castline.adapters.usd.payload import references_of
from castline.adapters.usd.playing.shot import Shot


def author(layer: Any, found: Iterable[Shot]) -> None:
    """Give every shot with a choice of takes, or with something to say of one, its variants.

    They are those of the set `take`, one a media reference; the active one is selected.
    """
    for shot in found:
        references = references_of(shot.node.document)
        if len(references) > 1 or shot.offers or shot.takes:
            prim = layer.GetPrimAtPath(shot.node.path)
            shot.owners = _variants(prim, list(references), shot.active)


def _variants(prim: Any, keys: list[str], active: str) -> dict[str, Any]:
    from pxr import Sdf

    names = layout.variant_names(keys)
    prim.variantSetNameList.Prepend(layout.TAKE_SET)
    variants = Sdf.VariantSetSpec(prim, layout.TAKE_SET)
    owners = {key: Sdf.VariantSpec(variants, name).primSpec for key, name in names.items()}
    if active in names:
        prim.variantSelections[layout.TAKE_SET] = names[active]
    return owners
