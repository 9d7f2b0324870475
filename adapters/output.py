"""Outputs, whole or absent: written beside the target under another name, then moved there."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from pathlib import Path

from castline.schemas.errors import UnwritableFileError


@contextmanager
def whole_file(path: Path, *, overwrite: bool = False) -> Iterator[Path]:
    """Yield a path of the same suffix to write to; it becomes `path` when all went well.

    Raises `UnwritableFileError` where `path` exists, unless `overwrite`, or its folder cannot be
    written to.
    """
    if path.exists() and not overwrite:
        raise UnwritableFileError(f"{path}: exists; remove it or pass --overwrite")
    with scratch_folder(path.parent) as folder:
        try:
            target = folder / path.name
            yield target
            if not target.exists():
                raise UnwritableFileError(f"{path}: the writer wrote nothing")
            target.replace(path)
        except OSError as error:
            raise UnwritableFileError(f"{path}: {error.strerror or error}") from None


@contextmanager
def whole_folder(
    path: Path, *, overwrite: bool = False, keep: Iterable[str | Path] = ()
) -> Iterator[Path]:
    """Yield a folder to write into; its files move to `path` together when all went well.

    Raises `UnwritableFileError` where a file of the same name stands there, unless `overwrite`,
    and where it is one of the files to `keep` in any case.
    """
    if path.exists() and not path.is_dir():
        raise UnwritableFileError(f"{path}: found a file, expected a folder")
    with scratch_folder(path if path.is_dir() else path.parent) as folder:
        try:
            yield folder
            written = sorted(folder.iterdir())
            _require_room(path, written, overwrite, {Path(item).resolve() for item in keep})
            path.mkdir(exist_ok=True)
            for item in written:
                item.replace(path / item.name)
        except OSError as error:
            raise UnwritableFileError(f"{path}: {error.strerror or error}") from None


def _require_room(
    path: Path, written: Sequence[Path], overwrite: bool, kept: AbstractSet[Path]
) -> None:
    """Raise `UnwritableFileError` where one of the files may not move to its place."""
    targets = [path / item.name for item in written]
    for item, target in zip(written, targets, strict=True):
        if target.resolve() in kept:
            raise UnwritableFileError(f"{target}: is an input; name another folder")
        if target.is_dir() and item.is_file():
            raise UnwritableFileError(f"{target}: found a folder, expected a file")
    standing = [target.name for target in targets if target.exists()]
    if standing and not overwrite:
        names = ", ".join(standing[:4]) + (" ..." if len(standing) > 4 else "")
        raise UnwritableFileError(f"{path}: {names} exists; remove it or pass --overwrite")


def write_text(path: Path, text: str, *, overwrite: bool = False) -> None:
    """Write a text file, whole or not at all."""
    with whole_file(path, overwrite=overwrite) as target:
        target.write_text(text, encoding="utf-8")


def write_bytes(path: Path, data: bytes, *, overwrite: bool = False) -> None:
    """Write a binary file, whole or not at all."""
    with whole_file(path, overwrite=overwrite) as target:
        target.write_bytes(data)


@contextmanager
def scratch_folder(parent: Path) -> Iterator[Path]:
    """Yield a folder of our own in another, which is gone afterwards.

    Raises `UnwritableFileError` where nothing may be written there.
    """
    if not parent.is_dir():
        raise UnwritableFileError(f"{parent}: no such folder")
    # Root may write anywhere; a folder marked read-only is meant so all the same.
    if not os.access(parent, os.W_OK) or not parent.stat().st_mode & 0o222:
        raise UnwritableFileError(f"{parent}: the folder is read-only")
    try:
        folder = Path(tempfile.mkdtemp(prefix=".castline-", dir=parent))
    except OSError as error:
        raise UnwritableFileError(f"{parent}: {error.strerror or error}") from None
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
