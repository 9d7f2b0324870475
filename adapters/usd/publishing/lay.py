"""Carrying out an order: both layers of a publishing as files; run in the child.

The child that looked at the stage has USD loaded, and what decodes movies may die of them there.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import opentimelineio as otio

from castline.adapters.usd import layout, library, marks
from castline.adapters.usd.node import split
from castline.adapters.usd.publishing import overlay, root
from castline.adapters.usd.publishing.order import Order
from castline.adapters.usd.timecodes import export_text
from castline.adapters.usd.writing.stage import Cut
from castline.adapters.usd.writing.writer import parsed
from castline.schemas.errors import UnwritableFileError


def lay(data: dict[str, Any], scratch: str) -> list[dict[str, Any]]:
    """Write the layers of an `Order` into a scratch folder; return what is not seen, as data.

    Raises `UnwritableFileError` where files of other people's stand in their places.
    """
    order = Order(**data)
    stage, folder = Path(order.stage), Path(order.folder)
    if not order.overwrite:
        for name in (order.root_name, order.overlay_name):
            root.require_ours(folder / name, stage)
    header = root.header_layer(order.header, order.stage)
    path = Path(scratch) / order.overlay_name
    timeline = otio.core.deserialize_json_from_string(order.cut)
    document, encode = parsed(order.cut, folder / order.overlay_name)
    node = split(document)
    node.name = _free_name(order.roots)
    layer, losses = overlay.author(Cut(timeline, node, encode, folder / order.overlay_name), order)
    root.describe_overlay(layer, header, order.stage_rate, node.name)
    _export(layer, path)
    _export(root.make_root(header, order), Path(scratch) / order.root_name)
    return [loss.to_data() for loss in losses]


def _free_name(taken: Sequence[str]) -> str:
    name = layout.ROOT_NAME
    while name in taken:
        name = f"Castline{name}"
    return name


def _export(layer: Any, target: Path) -> None:
    from pxr import Tf

    try:
        done = export_text(layer, target)
    except Tf.ErrorException as error:
        raise UnwritableFileError(f"{target.name}: {library.reason(error)}") from None
    if not done:
        raise UnwritableFileError(f"{target.name}: USD wrote nothing")
    marks.seal(target)
