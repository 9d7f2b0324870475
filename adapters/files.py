"""Reading and writing cuts in any format, by the file's suffix."""

from __future__ import annotations

import contextlib
import io
import logging
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import opentimelineio as otio

from castline.adapters import edl, formats, guard, hooks
from castline.adapters.carrier.restore import restore_timeline
from castline.adapters.output import whole_file
from castline.schemas.errors import CastlineError, UnreadableFileError, UnwritableFileError
from castline.schemas.roots import timeline_of
from castline.schemas.values import Loss

USD_SUFFIXES = frozenset({"usd", "usda", "usdc", "usdz"})
_STOCK = {
    "otio": "otio_json",
    "json": "otio_json",
    "otioz": "otioz",
    "otiod": "otiod",
    "edl": "cmx_3600",
    "xml": "fcp_xml",
    "fcpxml": "fcpx_xml",
    "aaf": "AAF",
    "ale": "ale",
}
_RATE_ARGUMENT = {"edl": "rate", "ale": "fps"}
_TEXT = frozenset({"otio", "json", "edl", "ale"})
_ALE_SECTION = re.compile(r"^Column\s*$", re.MULTILINE)
_MAX_BUNDLE_CUT = 256 << 20


def read(
    path: str | Path, rate: float | None = None, *, payloads: bool = False
) -> otio.schema.Timeline:
    """Return the cut of a file as a timeline, castline's data on its objects.

    `rate` is in frames a second, for EDL and ALE files, which do not say it; default 24. A scene's
    `payloads` are loaded if asked for. Raises `UnreadableFileError` with one line that names file,
    place, found and expected.
    """
    path = Path(path)
    suffix = _known_suffix(path, UnreadableFileError)
    if suffix in USD_SUFFIXES:
        from castline.adapters import usd

        return timeline_of(usd.read(path, payloads=payloads), path.stem)
    with _one_line(path, UnreadableFileError):
        _guard(path, suffix)
        root = _read_stock(path, suffix, rate)
        # Does nothing where OTIO ran our hook already.
        timeline = timeline_of(restore_timeline(root, formats.CARRIERS), path.stem)
        if suffix == "edl":
            edl.read_record_start(timeline)
    if not timeline.name:
        timeline.name = path.stem
    return timeline


def write(
    timeline: otio.schema.Timeline,
    path: str | Path,
    *,
    overwrite: bool = False,
    rate: float | None = None,
    plates: str | Path | None = None,
    home: str | Path | None = None,
) -> list[Loss]:
    """Write the cut in the format of the path's suffix, whole or not at all.

    The timeline is not changed. `plates` and `home` are for stages: the folder that frames of
    movies are extracted into, and the folder that the file will lie in where that is another one.
    Returns what the writer itself knows that it could not say: what of a stage does not play.
    Raises `UnwritableFileError` where the format's writer refuses.
    """
    path = Path(path)
    suffix = _known_suffix(path, UnwritableFileError)
    if suffix in USD_SUFFIXES:
        from castline.adapters import usd

        if path.exists() and not overwrite:
            raise UnwritableFileError(f"{path}: exists; remove it or pass --overwrite")
        with _one_line(path, UnwritableFileError):
            losses: list[Loss] = usd.write(
                timeline, path, plates=plates, home=home, overwrite=overwrite
            )
            return losses
    with whole_file(path, overwrite=overwrite) as target, _one_line(path, UnwritableFileError):
        arguments: dict[str, Any] = {}
        if rate is not None and suffix in _RATE_ARGUMENT:
            arguments[_RATE_ARGUMENT[suffix]] = rate
        if suffix in formats.METADATA_SUFFIXES:
            policy = otio.adapters.file_bundle_utils.MediaReferencePolicy.MissingIfNotFile
            arguments["media_policy"] = policy
        carrying = hooks.embed_for(timeline, target)
        if carrying is timeline and suffix not in formats.KEEPING_SUFFIXES:
            carrying = timeline.deepcopy()  # some stock writers change what they are given
        with _quiet():
            otio.adapters.write_to_file(carrying, str(target), _STOCK[suffix], **arguments)
    return []


def _read_stock(path: Path, suffix: str, rate: float | None) -> otio.core.SerializableObject:
    arguments: dict[str, Any] = {}
    if rate is not None and suffix in _RATE_ARGUMENT:
        arguments[_RATE_ARGUMENT[suffix]] = rate
    with _quiet():
        if suffix in _TEXT:
            text = guard.read_text(path)
            if suffix in ("otio", "json"):
                guard.check_otio(text, str(path))
            if suffix == "ale" and not _ALE_SECTION.search(text):
                raise UnreadableFileError(f"{path}: found no Column line, expected an Avid log")
            return otio.adapters.read_from_string(text, _STOCK[suffix], **arguments)
        return otio.adapters.read_from_file(str(path), _STOCK[suffix], **arguments)


def _guard(path: Path, suffix: str) -> None:
    if suffix == "otiod":
        text = guard.read_text(path / "content.otio")
        guard.check_otio(text, str(path / "content.otio"))
        return
    guard.check_file(path)
    if suffix in ("xml", "fcpxml"):
        guard.check_xml(path)
    if suffix == "otioz":
        _guard_bundle(path)


def _guard_bundle(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as bundle:
            size = bundle.getinfo("content.otio").file_size
            if size > _MAX_BUNDLE_CUT:
                raise UnreadableFileError(f"{path}: found a cut of {size >> 20} MB in the bundle")
            guard.check_otio(bundle.read("content.otio").decode("utf-8"), f"{path}/content.otio")
    except (zipfile.BadZipFile, KeyError) as error:
        raise UnreadableFileError(f"{path}: found no otioz bundle ({error})") from None


def _known_suffix(path: Path, error: type[CastlineError]) -> str:
    suffix = formats.suffix_of(path)
    if suffix not in _STOCK and suffix not in USD_SUFFIXES:
        known = " ".join(sorted({*_STOCK, *USD_SUFFIXES}))
        raise error(f"{path}: found suffix {suffix!r}, expected one of {known}")
    return suffix


@contextlib.contextmanager
def _one_line(path: Path, kind: type[CastlineError]) -> Iterator[None]:
    """Turn whatever a parser or writer raises into one line that names the file."""
    try:
        yield
    except CastlineError as error:
        if str(path) in str(error):
            raise
        raise type(error)(f"{path}: {error}") from None
    except RecursionError:
        raise kind(f"{path}: nested too deep") from None
    except Exception as error:  # noqa: BLE001 - stock adapters raise anything at all
        text = " ".join(str(error).split())[:300]
        if "rate mismatch" in text or "durations don't match" in text or "duration don't" in text:
            text += "; say the rate it was made for with --rate"
        raise kind(f"{path}: {type(error).__name__}: {text or 'no further word'}") from None


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the stock adapters' prints and log lines from the user; ours stay."""
    noisy = logging.getLogger()
    before = noisy.level
    ours = logging.getLogger("castline")
    if ours.level == logging.NOTSET:
        ours.setLevel(logging.WARNING)
    noisy.setLevel(max(before, logging.ERROR))
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        noisy.setLevel(before)
