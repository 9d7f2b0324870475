"""Paths that files name: resolved inside their folder, and read within bounds."""

from __future__ import annotations

import contextlib
import re
import stat
from pathlib import Path
from urllib.parse import unquote, urlparse

from castline.schemas.errors import UnreadableFileError

TEXT_LIMIT = 16 * 2**20
"""Bytes of a manifest, a cast or a record that are read at most."""

_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_DRIVE = re.compile(r"[a-z]:", re.IGNORECASE)


def resolve(folder: Path, named: str, place: str) -> Path:
    """Return the path that a file in `folder` names, known to lie inside that folder.

    `place` says who names it, for the error. Backslashes count as separators, since lists are
    made on Windows too. The path need not exist. Raises `UnreadableFileError` for an address
    (`https://...`), for a name that no file can have and for a path that climbs out of the folder,
    by itself or through a link.
    """
    text = named.replace("\\", "/").strip()
    if not text or _CONTROL.search(text):
        raise UnreadableFileError(f"{place}: found {named[:80]!r}, expected a path")
    if _ADDRESS.match(text):
        raise UnreadableFileError(f"{place}: found the address {text[:80]!r}, expected a path")
    root = folder.resolve()
    path = root / text
    try:
        inside = path.resolve().is_relative_to(root)
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            path.stat()
    except (OSError, RuntimeError, ValueError) as error:  # too long, links in a ring, no text
        raise UnreadableFileError(f"{place}: {text[:80]!r}: {_reason(error)}") from None
    if not inside or (_DRIVE.match(text) and not path.exists()):
        raise UnreadableFileError(
            f"{place}: found {text[:80]!r}, which climbs out of {folder}; "
            "expected a path inside it"
        )
    return path


def of_url(url: str, folder: Path) -> Path | None:
    """Return the local path that a media URL names, relative ones from a folder; else None."""
    parts = urlparse(url)
    if parts.scheme not in ("", "file") or not parts.path or parts.netloc not in ("", "localhost"):
        return None
    path = Path(unquote(parts.path) if parts.scheme else url)
    return path if path.is_absolute() else folder / path


def plain_path(path: Path) -> Path:
    """Return the absolute path, where `..` after a link is of what the link leads to.

    Libraries that shorten paths by their text (USD's) take it for the folder that holds the link.
    """
    path = path.absolute()
    return path.parent.resolve() / path.name if ".." in path.parts else path


def require_file(path: Path) -> Path:
    """Return `path` if it is a regular file with something in it.

    Pipes and devices are refused before anything opens them. Raises `UnreadableFileError`.
    """
    try:
        found = path.stat()
    except (OSError, ValueError) as error:  # ValueError: a name with a NUL in it
        raise UnreadableFileError(f"{path}: {_reason(error)}") from None
    if stat.S_ISDIR(found.st_mode):
        raise UnreadableFileError(f"{path}: found a folder, expected a file")
    if not stat.S_ISREG(found.st_mode):
        raise UnreadableFileError(f"{path}: found a pipe or a device, expected a file")
    if not found.st_size:
        raise UnreadableFileError(f"{path}: found an empty file (0 bytes)")
    return path


def read_bytes(path: Path, limit: int = TEXT_LIMIT) -> bytes:
    """Return what is in a regular file of at most `limit` bytes.

    Raises `UnreadableFileError`.
    """
    require_file(path)
    try:
        with path.open("rb") as stream:
            data = stream.read(limit + 1)
    except OSError as error:
        raise UnreadableFileError(f"{path}: {_reason(error)}") from None
    if len(data) > limit:
        raise UnreadableFileError(f"{path}: found more than {limit // 2**20} MB")
    return data


def decode_text(data: bytes) -> str:
    """Return the text that these bytes are: by their mark, else UTF-8, else western European."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace")
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return data.decode("latin-1")


def _reason(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "found no such file"
    return getattr(error, "strerror", None) or str(error)
