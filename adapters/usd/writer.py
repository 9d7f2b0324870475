"""Writing a cut as a stage."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from typing import Any

import opentimelineio as otio

from castline.adapters.output import whole_file
from castline.adapters.usd import items, layout, library, meaning, placement, play, takes
from castline.adapters.usd.canonical import Encode, parse
from castline.adapters.usd.clock import Clock
from castline.adapters.usd.layout import suffix_of
from castline.adapters.usd.media import Library
from castline.adapters.usd.node import Node, split
from castline.adapters.usd.shot import place as place_shots
from castline.adapters.usd.shot import shots_of
from castline.adapters.usd.timecodes import export_text
from castline.schemas.errors import UnwritableFileError
from castline.schemas.roots import timeline_of
from castline.schemas.values import Loss

UP_AXIS = "Y"
METERS_PER_UNIT = 0.01

_PACKED_LAYER = "timeline.usdc"
_ALIGNMENT = 64  # bytes; USD maps the layer in a usdz straight into memory
_EPOCH = (1980, 1, 1, 0, 0, 0)
_SCHEMA_KEY = re.compile(r'"OTIO_SCHEMA":')
_SCHEMA = re.compile(r'"OTIO_SCHEMA":"[^"\\]+\.[0-9]+"')


def write(
    timeline: otio.core.SerializableObject,
    path: str | Path,
    *,
    plates: str | Path | None = None,
    home: str | Path | None = None,
    overwrite: bool = True,
) -> list[Loss]:
    """Write an OTIO object of any kind as a usd, usda, usdc or usdz file, whole or not at all.

    The same object, with the same media beside it, gives the same bytes. The frames that are shown
    of movies are extracted into the folder `plates`, if given. `home` is the folder that the file
    will lie in, where it is not written there: paths to media are relative to it. Returns what
    does not play: the data is whole in any case. Raises
    `UnwritableFileError` for another suffix, a folder that cannot be written to and an object that
    OTIO itself cannot write or that nests deeper than `layout.MAX_DEPTH`, and
    `MissingDependencyError` where USD is not installed.
    """
    path = Path(path)
    library.require()
    suffix = suffix_of(path)
    if suffix not in layout.SUFFIXES:
        expected = ", ".join(layout.SUFFIXES)
        raise UnwritableFileError(f"{path}: found suffix {suffix!r}, expected one of {expected}")
    if not isinstance(timeline, otio.core.SerializableObject):
        found = type(timeline).__name__
        raise UnwritableFileError(f"{path}: found a {found}, expected an OTIO object")
    if path.is_dir():
        raise UnwritableFileError(f"{path}: found a folder, expected a file")
    document, encode = _document_of(timeline, path)
    with library.quiet():
        layer, losses = _layer_of(
            timeline,
            split(document),
            encode,
            path,
            Path(home or path.parent).absolute(),
            Path(plates) if plates else None,
        )
    with whole_file(path, overwrite=overwrite) as target, library.quiet():
        if suffix == "usdz":
            inner = target.with_name(_PACKED_LAYER)
            _export(layer, inner, path)
            _pack(inner, target)
        else:
            _export(layer, target, path)
    return losses


def _document_of(root: otio.core.SerializableObject, path: Path) -> tuple[dict[str, Any], Encode]:
    """Return OTIO's document of the object and what encodes it.

    What OTIO writes but does not read back is refused.
    """
    try:
        text = otio.core.serialize_json_to_string(root, indent=-1)
        if len(_SCHEMA_KEY.findall(text)) != len(_SCHEMA.findall(text)):
            raise ValueError("a dict's key OTIO_SCHEMA names no schema")
        return parse(text)
    except RecursionError:
        raise UnwritableFileError(f"{path}: found data nested too deep") from None
    except (otio.exceptions.OTIOError, TypeError, ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise UnwritableFileError(f"{path}: OTIO cannot keep this object: {reason}") from None


def _layer_of(
    timeline: otio.core.SerializableObject,
    root: Node,
    encode: Encode,
    path: Path,
    home: Path,
    plates: Path | None,
) -> tuple[Any, list[Loss]]:
    from pxr import Sdf

    rate = placement.rate_of(root)
    placement.place(root, rate)
    layer = Sdf.Layer.CreateAnonymous(".usda")
    _describe_stage(layer, root, rate)
    items.author(layer, root, rate, encode, path)
    clock = Clock(rate)
    found = shots_of(root, Library(home, movies=plates is not None))
    takes.author(layer, found)
    if layout.kind_of(root.document) in play.PLAYED:
        place_shots(found, timeline_of(timeline), rate)
    meaning.author(layer, root, found, clock)
    return layer, play.author(layer, root, found, clock, home, plates)


def _describe_stage(layer: Any, root: Node, rate: float) -> None:
    layer.defaultPrim = root.name
    layer.timeCodesPerSecond = layer.framesPerSecond = rate
    layer.pseudoRoot.SetInfo("upAxis", UP_AXIS)
    layer.pseudoRoot.SetInfo("metersPerUnit", METERS_PER_UNIT)
    layer.customLayerData = {"creator": layout.CREATOR}
    start = root.start or 0.0
    layer.startTimeCode = start
    layer.endTimeCode = max(start, start + (root.duration or 0.0) - 1)


def _export(layer: Any, target: Path, path: Path) -> None:
    from pxr import Tf

    try:
        is_text = suffix_of(target) == "usda"
        done = export_text(layer, target) if is_text else layer.Export(str(target))
    except Tf.ErrorException as error:
        raise UnwritableFileError(f"{path}: {library.reason(error)}") from None
    if not done:
        raise UnwritableFileError(f"{path}: USD wrote nothing")


def _pack(layer: Path, target: Path) -> None:
    """Make a usdz of one layer: a zip, uncompressed, its data aligned, without times or paths."""
    entry = zipfile.ZipInfo(_PACKED_LAYER, _EPOCH)
    header = 30 + len(_PACKED_LAYER) + 4
    padding = -header % _ALIGNMENT
    entry.extra = b"\x86\x19" + padding.to_bytes(2, "little") + bytes(padding)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as package:
        package.writestr(entry, layer.read_bytes())
    layer.unlink()
