"""The root layer: overlay and stage below it, and what counts on a root alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from castline.adapters.usd.guard import check_nesting, reading
from castline.adapters.usd.marks import mark_overlay, mark_root
from castline.adapters.usd.playing.anchor import anchored


def header_layer(text: str, place: str) -> Any:
    """Return an anonymous layer with the metadata that `look` found on the artist's root."""
    from pxr import Sdf

    check_nesting(text.encode(), place)  # it may come from a process that damage confused
    layer = Sdf.Layer.CreateAnonymous(".usda")
    with reading(place):
        layer.ImportFromString(text)
    return layer


def make_root(header: Any, overlay: str, stage: Path, folder: Path, span: list[float]) -> Any:
    """Return the root layer for a file in `folder`, playing the time codes of `span`, inclusive.

    A range, a rate, an axis count only on the root of a stage: all but the range are the artist's.
    """
    from pxr import Sdf

    layer = Sdf.Layer.CreateAnonymous(".usda")
    layer.TransferContent(header)
    for key in header.pseudoRoot.ListInfoKeys():
        value = header.pseudoRoot.GetInfo(key)
        if isinstance(value, Sdf.AssetPath) and Path(value.path).is_absolute():
            path = anchored(Path(value.path), folder)
            layer.pseudoRoot.SetInfo(key, Sdf.AssetPath(path))
    asset = anchored(stage, folder)
    layer.subLayerPaths[:] = [f"./{overlay}", asset]
    layer.startTimeCode, layer.endTimeCode = span
    mark_root(layer, asset)
    return layer


def describe_overlay(layer: Any, header: Any, codes_per_second: float, name: str) -> None:
    """Give the overlay the artist's rate, axis and unit, and the mark by which it is known."""
    for key in ("upAxis", "metersPerUnit"):
        if header.pseudoRoot.HasInfo(key):
            layer.pseudoRoot.SetInfo(key, header.pseudoRoot.GetInfo(key))
    rate = header.timeCodesPerSecond if header.HasTimeCodesPerSecond() else codes_per_second
    layer.timeCodesPerSecond = rate  # the same on each layer: else USD scales between them
    layer.defaultPrim = name
    mark_overlay(layer)
