"""A stage and all that it brings in as one usdz file.

USD finds what belongs inside (in a child process, since it opens what others made); the zip is
written here, so that the same stage gives the same bytes. Allowed inside are layers, png, jpg, exr
and m4a, mp3, wav. No movie is ever an asset of a stage, so none gets in.
"""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

from castline.adapters.usd.sandbox import Sandbox
from castline.schemas.errors import UnreadableFileError

LAYER = "timeline.usdc"
SUFFIXES = frozenset(
    {".usd", ".usda", ".usdc", ".usdz", ".png", ".jpg", ".jpeg", ".exr", ".m4a", ".mp3", ".wav"}
)
"""Suffixes of what a package may hold (the usdz specification, section "File Types")."""

_ALIGNMENT = 64  # bytes; USD maps what is in a usdz straight into memory
_EPOCH = (1980, 1, 1, 0, 0, 0)
_SECONDS = 300.0
_FIELD = b"\x86\x19"


def pack(layer: Path, target: Path) -> None:
    """Write a usdz of a layer alone."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as package:
        _put(package, LAYER, layer)


def pack_whole(layer: Path, target: Path) -> None:
    """Write a usdz of a layer with all that it brings in.

    Raises `CastlineError` where something of it is not there, or may not be in a package.
    """
    found = layer.with_name("gathered.usdz")
    with Sandbox() as sandbox:
        sandbox.run(
            f"{__name__}:gather", [str(layer), str(found)], seconds=_SECONDS, place=str(layer)
        )
    try:
        with (
            zipfile.ZipFile(found, metadata_encoding="utf-8") as gathered,  # as USD writes names
            zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as package,
        ):
            for entry in gathered.infolist():
                part = layer.with_name("part")
                with gathered.open(entry) as source, part.open("wb") as copy:
                    shutil.copyfileobj(source, copy)
                _put(package, entry.filename, part)
    except zipfile.BadZipFile as error:
        raise UnreadableFileError(f"{target.name}: found a damaged package: {error}") from None


def gather(layer: str, target: str) -> bool:
    """Let USD write a package of a layer with all that it brings in; run in a child process."""
    from pxr import Sdf, UsdUtils

    layers, assets, missing = UsdUtils.ComputeAllDependencies(Sdf.AssetPath(layer))
    if missing:
        raise UnreadableFileError(f"{missing[0]}: found no such file, expected it for the package")
    for path in (*(each.realPath for each in layers), *assets):
        if Path(path).suffix.lower() not in SUFFIXES:
            raise UnreadableFileError(f"{path}: found a kind of file that no usdz may hold")
    if not UsdUtils.CreateNewUsdzPackage(Sdf.AssetPath(layer), target):
        raise UnreadableFileError(f"{layer}: found what USD cannot pack")
    return True


def _put(package: zipfile.ZipFile, name: str, source: Path) -> None:
    """Add a file, uncompressed, its data aligned, without times or paths of this machine."""
    entry = zipfile.ZipInfo(name, _EPOCH)
    assert package.fp is not None  # noqa: S101 - it is open
    header = package.fp.tell() + 30 + len(name.encode()) + 4
    padding = -header % _ALIGNMENT
    entry.extra = _FIELD + padding.to_bytes(2, "little") + bytes(padding)
    entry.file_size = source.stat().st_size
    with source.open("rb") as stream, package.open(entry, "w") as inside:
        shutil.copyfileobj(stream, inside)
