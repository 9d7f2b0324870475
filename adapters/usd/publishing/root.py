"""The root layer: overlay and stage below it, and what counts on a root alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from castline.adapters.usd.guard import check_nesting, open_layer, reading
from castline.adapters.usd.marks import is_sealed, mark_overlay, mark_root, stage_asset
from castline.adapters.usd.playing.anchor import anchored, with_assets
from castline.adapters.usd.publishing.order import Order
from castline.schemas.errors import UnwritableFileError


def header_layer(text: str, place: str) -> Any:
    """Return an anonymous layer with the metadata that the survey found on the artist's root."""
    from pxr import Sdf

    check_nesting(text.encode(), place)  # it may come from a process that damage confused
    layer = Sdf.Layer.CreateAnonymous(".usda")
    with reading(place):
        layer.ImportFromString(text)
    return layer


def make_root(header: Any, order: Order) -> Any:
    """Return the root layer, which plays the order's span, inclusive.

    A range, a rate, an axis count only on the root of a stage: all but the range are the artist's.
    """
    from pxr import Sdf

    folder = Path(order.folder)
    layer = Sdf.Layer.CreateAnonymous(".usda")
    layer.TransferContent(header)
    for key in header.pseudoRoot.ListInfoKeys():
        value = header.pseudoRoot.GetInfo(key)
        layer.pseudoRoot.SetInfo(key, with_assets(value, lambda path: _near(path, folder)))
    asset = anchored(Path(order.stage), folder)
    layer.subLayerPaths[:] = [f"./{order.overlay_name}", asset]
    layer.startTimeCode, layer.endTimeCode = order.span
    mark_root(layer, asset)
    return layer


def _near(path: str, folder: Path) -> str:
    """Return an absolute path as a layer in a folder writes it; others are of a search path."""
    return anchored(Path(path), folder) if Path(path).is_absolute() else path


def describe_overlay(layer: Any, header: Any, codes_per_second: float, name: str) -> None:
    """Give the overlay the artist's rate, axis and unit, and the mark by which it is known."""
    for key in ("upAxis", "metersPerUnit"):
        if header.pseudoRoot.HasInfo(key):
            layer.pseudoRoot.SetInfo(key, header.pseudoRoot.GetInfo(key))
    rate = header.timeCodesPerSecond if header.HasTimeCodesPerSecond() else codes_per_second
    layer.timeCodesPerSecond = rate  # the same on each layer: else USD scales between them
    layer.defaultPrim = name
    mark_overlay(layer)


def require_ours(path: Path, stage: Path) -> None:
    """Raise `UnwritableFileError` where a file stands that publishing this stage may not replace.

    It may replace what it wrote itself, if nobody worked in it since.
    """
    if not path.exists() and not path.is_symlink():
        return
    if not path.is_file() or not is_sealed(path):
        raise UnwritableFileError(
            f"{path}: exists, and is not as publish wrote it; keep own work in a layer above it, "
            "or pass --overwrite to lose it"
        )
    asset = stage_asset(open_layer(path))
    beneath = (path.parent / asset).resolve() if asset else stage.resolve()
    if beneath != stage.resolve():
        raise UnwritableFileError(
            f"{path}: exists, published of {asset}; name another folder, or pass --overwrite"
        )
