"""Writing a cut as a stage."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import opentimelineio as otio

from castline.adapters.output import whole_file
from castline.adapters.usd import layout, library
from castline.adapters.usd.garbage import collected_later
from castline.adapters.usd.layout import suffix_of
from castline.adapters.usd.node import split
from castline.adapters.usd.playing.media import Library
from castline.adapters.usd.timecodes import export_text
from castline.adapters.usd.writing import package
from castline.adapters.usd.writing.canonical import Encode, parse
from castline.adapters.usd.writing.stage import Cut, Stage, make
from castline.schemas.errors import CastlineError, UnwritableFileError
from castline.schemas.values import Loss

_NO_SCHEMA = re.compile(r'"OTIO_SCHEMA":(?!"[^"\\]+\.[0-9]+")')


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
    home = Path(home or path.parent).absolute()
    plates = Path(plates) if plates else None
    with collected_later(), library.quiet(), whole_file(path, overwrite=overwrite) as target:
        return _write_whole(timeline, path, target, home, plates)


def _write_whole(
    timeline: otio.core.SerializableObject,
    path: Path,
    target: Path,
    home: Path,
    plates: Path | None,
) -> list[Loss]:
    document, encode = document_of(timeline, path)
    cut = Cut(timeline, split(document), encode, path)
    if suffix_of(path) == "usdz":
        return _write_package(cut, home, plates, target)
    offers = Library(home, movies=plates is not None, target=path)
    stage = make(cut, _new_layer(target), offers, home, plates)
    _save(stage, target, path)
    return stage.losses


def _write_package(cut: Cut, home: Path, plates: Path | None, target: Path) -> list[Loss]:
    """Write a usdz with its media inside, or, where they may not be, the cut alone."""
    inner = target.with_name(package.LAYER)
    offers = Library(home, movies=plates is not None, only=package.SUFFIXES, target=cut.path)
    stage = make(cut, _new_layer(inner), offers, inner.parent, plates)
    _save(stage, inner, cut.path)
    if not stage.plays:
        package.pack(inner, target)
        return stage.losses
    try:
        package.pack_whole(inner, target)
        return stage.losses
    except CastlineError as error:
        reason = f"not in the package, which holds the cut alone: {error}"
    del stage  # two layers cannot have one path
    stage = make(cut, _new_layer(inner), Library(home, barred=reason), inner.parent, None)
    _save(stage, inner, cut.path)
    package.pack(inner, target)
    return stage.losses


def document_of(root: otio.core.SerializableObject, path: Path) -> tuple[dict[str, Any], Encode]:
    """Return OTIO's document of the object and what encodes it.

    What OTIO writes but does not read back is refused.
    """
    return parsed(text_of(root, path), path)


def text_of(root: otio.core.SerializableObject, path: Path) -> str:
    """Return OTIO's text of an object; refuse what OTIO writes but does not read back."""
    with _keeping(path):
        text = str(otio.core.serialize_json_to_string(root, indent=-1))
        if _NO_SCHEMA.search(text):
            raise ValueError("a dict's key OTIO_SCHEMA names no schema")
        return text


def parsed(text: str, path: Path) -> tuple[dict[str, Any], Encode]:
    """Return the document in OTIO's text and what encodes it."""
    with _keeping(path):
        return parse(text)


@contextmanager
def _keeping(path: Path) -> Iterator[None]:
    """Turn what cannot be kept into one line that names the file."""
    try:
        yield
    except RecursionError:
        raise UnwritableFileError(f"{path}: found data nested too deep") from None
    except (otio.exceptions.OTIOError, TypeError, ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise UnwritableFileError(f"{path}: OTIO cannot keep this object: {reason}") from None


def _new_layer(target: Path) -> Any:
    """Return an empty layer to be saved as a file; a crate is packed from where it was made."""
    from pxr import Sdf

    if suffix_of(target) == "usda":
        return Sdf.Layer.CreateAnonymous(".usda")
    target.unlink(missing_ok=True)
    return Sdf.Layer.CreateNew(str(target))


def _save(stage: Stage, target: Path, path: Path) -> None:
    from pxr import Tf

    try:
        if not stage.layer.anonymous:
            done = stage.layer.Save()
        elif stage.has_odd_times:
            done = export_text(stage.layer, target)
        else:
            done = stage.layer.Export(str(target))
    except Tf.ErrorException as error:
        raise UnwritableFileError(f"{path}: {library.reason(error)}") from None
    if not done:
        raise UnwritableFileError(f"{path}: USD wrote nothing")
