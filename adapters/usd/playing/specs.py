"""What is done to any spec."""

from __future__ import annotations

from typing import Any


def apply(prim: Any, *names: str) -> None:
    """Apply API schemas by name, after those that the spec has; also such as USD does not know."""
    from pxr import Sdf

    listed = prim.GetInfo("apiSchemas")
    have = list(listed.prependedItems) if listed else []
    new = [name for name in names if name not in have]
    prim.SetInfo("apiSchemas", Sdf.TokenListOp.Create(prependedItems=[*have, *new]))


def plain_path(owner: Any) -> Any:
    """Return a spec's path without the variants that it stands in."""
    return owner.path.StripAllVariantSelections()
