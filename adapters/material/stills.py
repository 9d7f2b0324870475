"""Headers of still pictures: size, shape and the texts inside, without decoding a pixel.

PNG, WebP, OpenEXR and DPX are read here, chunk by chunk, because Pillow decodes pixels to reach
the texts of the first two and does not read the others; everything else is opened by Pillow.
Sources: the PNG specification (third edition), the WebP container specification, "OpenEXR File
Layout", SMPTE ST 268-1.
"""

from __future__ import annotations

import struct
import warnings
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO

from castline.adapters import paths
from castline.schemas.errors import MissingDependencyError, UnreadableFileError

PIXEL_LIMIT = 2**28
"""Pixels of a picture that castline will look at: 16,384 x 16,384."""
_TEXT_LIMIT = paths.TEXT_LIMIT
_CHUNK_LIMIT = 100_000
_USER_COMMENT = 37510
_KEYS = {b"XML:com.adobe.xmp": "xmp"}


@dataclass(kw_only=True)
class Header:
    """What the head of a picture says; animations count more than one frame."""

    width: int = 0
    height: int = 0
    pixel_aspect: float = 1.0
    frames: int = 1
    rate: Fraction | None = None
    frame_ms: Fraction | None = None
    timecode: str | None = None
    tags: dict[str, str] = field(default_factory=dict)


def read_header(path: Path) -> Header:
    """Return the header of a picture.

    Raises `UnreadableFileError` for what is no picture, is cut off, or is larger than
    `PIXEL_LIMIT`.
    """
    paths.require_file(path)
    try:
        with path.open("rb") as stream:
            header = _reader_for(stream.read(12))(stream, path)
    except (OSError, ValueError, struct.error, zlib.error, SyntaxError) as error:
        raise UnreadableFileError(
            f"{path}: found no readable picture: {_one_line(error)}"
        ) from None
    if header.width <= 0 or header.height <= 0 or header.width * header.height > PIXEL_LIMIT:
        size = f"{header.width}x{header.height}"
        raise UnreadableFileError(f"{path}: found a picture of {size}, expected up to 16384x16384")
    return header


def decode_comment(data: bytes) -> str:
    """Return the text of an EXIF UserComment.

    Eight bytes say the encoding; writers disagree about the byte order of the Unicode one, so the
    side on which the zero bytes lie decides.
    """
    code, text = data[:8], data[8:]
    if code.startswith(b"UNICODE"):
        if text.startswith((b"\xff\xfe", b"\xfe\xff")):
            return text.decode("utf-16", errors="replace")
        big = text[0::2].count(0) > text[1::2].count(0)
        return text.decode("utf-16-be" if big else "utf-16-le", errors="replace").strip("\0")
    if code in (b"ASCII\0\0\0", b"\0" * 8, b"JIS\0\0\0\0\0"):
        return paths.decode_text(text).strip("\0")
    return paths.decode_text(data).strip("\0")


Reader = Callable[[BinaryIO, Path], Header]


def _reader_for(start: bytes) -> Reader:
    if start.startswith(b"\x89PNG\r\n\x1a\n"):
        return _read_png
    if start.startswith(b"RIFF") and start[8:12] == b"WEBP":
        return _read_webp
    if start.startswith(b"\x76\x2f\x31\x01"):
        return _read_exr
    if start[:4] in (b"SDPX", b"XPDS"):
        return _read_dpx
    return _read_other


def _read_png(stream: BinaryIO, path: Path) -> Header:
    header = Header()
    delays: list[Fraction] = []
    room = 2 * _TEXT_LIMIT
    stream.seek(8)
    for _ in range(_CHUNK_LIMIT):
        head = stream.read(8)
        if len(head) < 8:
            break
        size, name = struct.unpack(">I4s", head)
        if name == b"IHDR":
            header.width, header.height = struct.unpack(">II", stream.read(size)[:8])
        elif name == b"pHYs" and size == 9:
            across, down, _ = struct.unpack(">IIB", stream.read(9))
            header.pixel_aspect = down / across if across and down else 1.0
        elif name == b"fcTL" and size == 26:
            above, below = struct.unpack_from(">HH", stream.read(26), 20)
            delays.append(Fraction(1000 * above, below or 100))
        elif name in (b"tEXt", b"zTXt", b"iTXt", b"eXIf") and size <= _TEXT_LIMIT:
            room -= _add_chunk(header.tags, name, stream.read(size), path)
            if room < 0:
                raise ValueError("more than 32 MB of text")
        elif name == b"IEND":
            break
        else:
            stream.seek(size, 1)
        stream.seek(4, 1)  # its checksum
    _set_delays(header, delays)
    return header


def _set_delays(header: Header, delays: Sequence[Fraction | int]) -> None:
    if delays:
        header.frames = len(delays)
        header.frame_ms = Fraction(sum(delays), len(delays)) or None


def _add_chunk(tags: dict[str, str], name: bytes, data: bytes, path: Path) -> int:
    """Add what one chunk says and return how long its text is."""
    if name == b"eXIf":
        tags.update(_read_exif(data, path))
        return len(data)
    key, _, rest = data.partition(b"\0")
    if name == b"tEXt":
        text = _text_or_latin(rest)
    elif name == b"zTXt":
        text = _text_or_latin(_inflate(rest[1:]))
    else:
        packed = rest[:1] == b"\1"
        rest = rest[2:].partition(b"\0")[2].partition(b"\0")[2]  # past language and translation
        text = (_inflate(rest) if packed else rest).decode("utf-8", errors="replace")
    tags.setdefault(_KEYS.get(key, key.decode("latin-1")), text)
    return len(text)


def _text_or_latin(data: bytes) -> str:
    """Return text that should be latin-1 and is often UTF-8."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _inflate(data: bytes) -> bytes:
    text = zlib.decompressobj().decompress(data, _TEXT_LIMIT + 1)
    if len(text) > _TEXT_LIMIT:
        raise ValueError("a packed text of more than 16 MB")
    return text


def _read_webp(stream: BinaryIO, path: Path) -> Header:
    header = Header()
    delays: list[int] = []
    stream.seek(12)
    for _ in range(_CHUNK_LIMIT):
        head = stream.read(8)
        if len(head) < 8:
            break
        name, size = struct.unpack("<4sI", head)
        after = stream.tell() + size + size % 2
        if name == b"VP8X":
            data = stream.read(10)
            header.width = int.from_bytes(data[4:7], "little") + 1
            header.height = int.from_bytes(data[7:10], "little") + 1
        elif name == b"ANMF":
            delays.append(int.from_bytes(stream.read(16)[12:15], "little"))
        elif name == b"EXIF" and size <= _TEXT_LIMIT:
            header.tags.update(_read_exif(stream.read(size), path))
        elif name == b"XMP " and size <= _TEXT_LIMIT:
            header.tags["xmp"] = paths.decode_text(stream.read(size))
        stream.seek(after)
    if not header.width:
        return _read_other(stream, path)
    _set_delays(header, delays)
    return header


def _read_exr(stream: BinaryIO, _path: Path) -> Header:
    header = Header()
    stream.seek(8)
    while name := _read_name(stream):
        kind = _read_name(stream)
        size = struct.unpack("<i", stream.read(4))[0]
        if not 0 <= size <= _TEXT_LIMIT:
            raise ValueError(f"an attribute of {size} bytes")
        data = stream.read(size)
        if name == "displayWindow":
            left, top, right, bottom = struct.unpack("<4i", data)
            header.width, header.height = right - left + 1, bottom - top + 1
        elif name == "pixelAspectRatio":
            header.pixel_aspect = struct.unpack("<f", data)[0]
        elif name == "framesPerSecond" and kind == "rational":
            above, below = struct.unpack("<iI", data)
            header.rate = Fraction(above, below) if above > 0 and below else None
        elif name == "timeCode":
            header.timecode = _smpte(struct.unpack("<I", data[:4])[0])
        elif kind == "string":
            header.tags[name] = data.decode("utf-8", errors="replace")
    return header


def _read_name(stream: BinaryIO) -> str:
    name = bytearray()
    while (byte := stream.read(1)) != b"\0":
        if not byte or len(name) > 255:
            raise ValueError("a header that is cut off")
        name += byte
    return name.decode("utf-8", errors="replace")


def _read_dpx(stream: BinaryIO, _path: Path) -> Header:
    stream.seek(0)
    head = stream.read(2048)
    order = ">" if head.startswith(b"SDPX") else "<"
    width, height = struct.unpack_from(f"{order}II", head, 772)
    header = Header(width=width, height=height)
    across, down = struct.unpack_from(f"{order}II", head, 1628)
    if across and down and 0xFFFFFFFF not in (across, down):
        header.pixel_aspect = across / down
    code = struct.unpack_from(f"{order}I", head, 1920)[0]
    rate = struct.unpack_from(f"{order}f", head, 1940)[0]
    if code != 0xFFFFFFFF:
        header.timecode = _smpte(code)
    if 1 <= rate <= 1000:
        header.rate = Fraction(rate).limit_denominator(1001)
    return header


def _smpte(code: int) -> str:
    """Return a timecode from its packed digits (SMPTE ST 12-1, flags in the high bits)."""
    frames = (code >> 4 & 3) * 10 + (code & 15)
    seconds = (code >> 12 & 7) * 10 + (code >> 8 & 15)
    minutes = (code >> 20 & 7) * 10 + (code >> 16 & 15)
    hours = (code >> 28 & 3) * 10 + (code >> 24 & 15)
    mark = ";" if code >> 6 & 1 else ":"
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}{mark}{frames:02d}"


def _read_other(stream: BinaryIO, path: Path) -> Header:
    image_module = _import_pillow(path)
    stream.seek(0)
    try:
        with warnings.catch_warnings(action="ignore"), image_module.open(stream) as image:
            exif = image.getexif()
            tags = _exif_tags(exif) if exif else {}
            xmp = image.info.get("xmp")
            if isinstance(xmp, bytes):
                tags["xmp"] = paths.decode_text(xmp)
            return Header(width=image.width, height=image.height, tags=tags)
    except image_module.DecompressionBombError as error:
        raise ValueError(str(error)) from None


def _read_exif(data: bytes, path: Path) -> dict[str, str]:
    exif = _import_pillow(path).Exif()
    try:
        exif.load(data)
        return _exif_tags(exif)
    except (ValueError, KeyError, struct.error, SyntaxError, OSError, TypeError):
        return {}  # damaged EXIF says nothing about the picture


def _exif_tags(exif: Any) -> dict[str, str]:
    from PIL import ExifTags

    names = {271: "Make", 272: "Model", 270: "ImageDescription", 305: "Software", 306: "DateTime"}
    tags = {names[key]: value for key, value in exif.items() if key in names}
    tags = {name: value.strip("\0") for name, value in tags.items() if isinstance(value, str)}
    comment = exif.get_ifd(ExifTags.IFD.Exif).get(_USER_COMMENT)
    if isinstance(comment, bytes):
        tags["UserComment"] = decode_comment(comment)
    elif isinstance(comment, str):
        tags["UserComment"] = comment
    return tags


def _import_pillow(path: Path) -> Any:
    try:
        from PIL import Image
    except ImportError:
        raise MissingDependencyError(
            f"{path}: looking at pictures needs Pillow: pip install 'castline[media]'"
        ) from None
    return Image


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
