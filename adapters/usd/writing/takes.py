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
            shot.owners = variants(prim, list(references), shot.active)


def variants(
    prim: Any, keys: list[str], active: str, set_name: str = layout.TAKE_SET
) -> dict[str, Any]:
    """Give a prim's spec a set of variants, one a key, the active one selected.

    Returns the specs inside by the key.
    """
    from pxr import Sdf

    names = layout.variant_names(keys)
    prim.variantSetNameList.Prepend(set_name)
    made = Sdf.VariantSetSpec(prim, set_name)
    owners = {key: Sdf.VariantSpec(made, name).primSpec for key, name in names.items()}
    if active in names:
        prim.variantSelections[set_name] = names[active]
    return owners
