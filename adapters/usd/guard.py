"""Opening a layer that others wrote, after looking at it from outside.

USD's text parser ends the process on deep nesting, so brackets are counted first, by the parser's
own rules for strings, asset paths and comments. Nothing is composed: one layer is read, and
whatever it references stays closed.

What this cannot do: USD's crate reader may end the process, or not end, on damage in a usdc. So
`sandbox` has all this done by another process. In a usdz the zip's checksum finds damage first.
"""

from __future__ import annotations

import re
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from castline.adapters.paths import read_bytes, require_file
from castline.adapters.usd import library
from castline.adapters.usd.layout import suffix_of
from castline.schemas.errors import CastlineError, UnreadableFileError

MAX_BYTES = 512 << 20
MAX_NESTING = 1000

_TEXT = b"#usda"
_COPY_NAME = "checked.usda"
_COPY = re.compile(rf"\S*{_COPY_NAME}:(\d+):\d+:?")  # what USD calls the place in the copy it read
_CRATE = b"PXR-USDC"
_EXPECTED = {"usda": "USD text", "usdc": "a USD crate", "usd": "USD text or a USD crate"}
_FPS_LINE = re.compile(r"^[ \t]*framesPerSecond[ \t]*=[^\n]*$", re.MULTILINE)
# What stands first after skipping plain text: a whole string, asset path or comment, a bracket, or
# the start of a string that never ends, where USD's parser stops as well.
_TOKEN = re.compile(
    rb"""[^"'@#/(){}\[\]]*+
    (?: \"{3} (?: [^"\\]++ | \\[\\"] | \\ | "(?!"") )*+ \"{3}
      | '{3}  (?: [^'\\]++ | \\[\\'] | \\ | '(?!'') )*+ '{3}
      | (?!\"{3}) " (?: [^"\\\r\n]++ | \\[\\"] | \\ )*+ "
      | (?!'{3}) '  (?: [^'\\\r\n]++ | \\[\\'] | \\ )*+ '
      | @@@ (?: [^@\\\r\n]++ | \\@@@ | \\ | @(?!@@) )*+ @{3,5}
      | (?!@@@) @ [^@\r\n]*+ @
      | \# [^\n]*+ | // [^\n]*+ | /\* (?: [^*]++ | \*(?!/) )*+ \*/
      | / (?![/*])
      | (?P<open> [(\[{] ) | (?P<close> [)\]}] )
    )""",
    re.VERBOSE,
)


def open_layer(path: Path) -> Any:
    """Return the file's layer as an anonymous `Sdf.Layer`.

    Raises `UnreadableFileError` for what is no USD file, is damaged, is larger than `MAX_BYTES`
    or nests deeper than `MAX_NESTING`.
    """
    suffix = suffix_of(path)
    require_file(path)
    return _open_package(path) if suffix == "usdz" else _open_data(path, suffix, str(path))


def check_scene(path: Path) -> None:
    """Raise `UnreadableFileError` for a scene that USD should not be given to parse.

    Only the file itself is looked at, not what it brings in.
    """
    require_file(path)
    with path.open("rb") as stream:
        is_text = stream.read(len(_TEXT)) == _TEXT
    if is_text:
        check_nesting(read_bytes(path, MAX_BYTES), str(path))


@contextmanager
def reading(place: str) -> Iterator[None]:
    """Turn what USD and the files below it raise into one line that names the place."""
    from pxr import Tf

    try:
        yield
    except CastlineError:
        raise
    except Tf.ErrorException as error:
        found = _COPY.sub(r"line \1:", library.reason(error))
        raise UnreadableFileError(f"{place}: found damaged USD: {found}") from None
    except UnicodeDecodeError:
        raise UnreadableFileError(f"{place}: found bytes that are no UTF-8 text") from None
    except OSError as error:
        raise UnreadableFileError(f"{place}: {error.strerror or error}") from None
    except (zipfile.BadZipFile, RuntimeError, EOFError, LookupError, ValueError) as error:
        found = " ".join(str(error).split())[:300]
        raise UnreadableFileError(f"{place}: found damaged data: {found}") from None


def check_nesting(data: bytes, place: str) -> None:
    """Raise `UnreadableFileError` where USD text nests deeper than `MAX_NESTING`."""
    depth = 0
    position = 0
    while token := _TOKEN.match(data, position):
        position = token.end()
        if token["open"]:
            depth += 1
            if depth > MAX_NESTING:
                raise UnreadableFileError(
                    f"{place}: found brackets nested deeper than {MAX_NESTING} levels"
                )
        elif token["close"]:
            depth -= 1


def _open_data(path: Path, suffix: str, place: str) -> Any:
    expected = _EXPECTED.get(suffix)
    if expected is None:
        raise UnreadableFileError(f"{place}: found suffix {suffix!r}, expected usd, usda, usdc")
    with reading(place):
        with path.open("rb") as stream:
            start = stream.read(len(_CRATE))
        packed = start == _CRATE
        if not (packed or start.startswith(_TEXT)) or suffix == ("usda" if packed else "usdc"):
            raise UnreadableFileError(f"{place}: found {start!r} first, expected {expected}")
        return _open_crate(path, place) if packed else _open_text(path, place)


def without_refused_rate(text: str, error: Exception) -> str:
    """Return USD text without the frames a second that USD does not take, else raise the error.

    USD's parser (26.8 to 26.11) refuses a `framesPerSecond` of 0 or below, and with it the file.
    """
    mended, count = _FPS_LINE.subn("", text, count=1)
    if "framesPerSecond" not in library.reason(error) or not count:
        raise error
    return mended


def _open_text(path: Path, place: str) -> Any:
    from pxr import Sdf, Tf

    data = read_bytes(path, MAX_BYTES)
    check_nesting(data, place)
    # From the very bytes that were checked, since the file may change meanwhile. USD reads a file
    # in half the time that it takes for a string.
    data.decode("utf-8")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        checked = Path(folder) / _COPY_NAME
        checked.write_bytes(data)
        try:
            layer = Sdf.Layer.OpenAsAnonymous(str(checked))
        except Tf.ErrorException as error:
            text = without_refused_rate(data.decode("utf-8"), error)
            layer = Sdf.Layer.CreateAnonymous(".usda")
            layer.ImportFromString(text)
    if layer is None:
        raise UnreadableFileError(f"{place}: found damaged USD text")
    return layer


def _open_crate(path: Path, place: str) -> Any:
    from pxr import Sdf

    # Anonymous: never a layer that this process has open and may have changed.
    layer = Sdf.Layer.OpenAsAnonymous(str(path.absolute()))
    if layer is None:
        raise UnreadableFileError(f"{place}: found a damaged USD crate")
    return layer


def _open_package(path: Path) -> Any:
    """Open a usdz's first layer from a copy, so that only one program reads the zip's folder."""
    with reading(str(path)), tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        with zipfile.ZipFile(path) as package:
            entry = min(package.infolist(), key=lambda e: e.header_offset, default=None)
            found = entry.filename if entry else "nothing"
            suffix = suffix_of(found)
            if entry is None or suffix not in _EXPECTED:
                raise UnreadableFileError(
                    f"{path}: found {found!r} first in the package, expected a usd, usda or usdc"
                )
            place = f"{path}[{found}]"
            if entry.compress_type != zipfile.ZIP_STORED:
                raise UnreadableFileError(f"{place}: found it compressed, expected it stored")
            if entry.file_size > MAX_BYTES:
                raise UnreadableFileError(
                    f"{place}: found {entry.file_size} bytes, expected at most {MAX_BYTES}"
                )
            inner = Path(folder) / f"layer.{suffix}"
            inner.write_bytes(package.read(entry))
        return _open_data(inner, suffix, place)
