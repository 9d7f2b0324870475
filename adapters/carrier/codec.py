"""The payload's text: canonical JSON in frames that survive inside any comment field.

A frame is `%CASTLINE1 <crc32> <i>/<n> <chunk>%`. The chunks of one payload, put together, are
compact JSON with sorted keys, pure printable ASCII, without `%`, without two blanks in a row and
without a blank at a chunk's end, so that programs which trim, fold or re-encode comments hand it
back unchanged. The checksum is of the whole text; equal frames (an EDL's dissolve repeats its
neighbour's) count once.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from castline.schemas.errors import CastlineError

VERSION = 1
SUMMARY_PREFIX = "castline: "
"""How the short line for people begins; it ends in a sum that says it is ours and untouched."""

_MARK = "%CASTLINE"
_FRAME = re.compile(r"%CASTLINE(\d{1,6}) ([0-9a-f]{8}) (\d{1,6})/(\d{1,6}) ([^%]*)%")
_BROKEN = re.compile(r"%CASTLINE[^\n%]*%?")
_OURS = re.compile(
    rf"\n?(?:{_FRAME.pattern}|{_BROKEN.pattern}|(?:(?<=\n)|^){re.escape(SUMMARY_PREFIX)}[^\n]*)"
)
# Beyond what JSON escapes: our own mark, what programs fold, and what ends an EDL's title.
_ESCAPES = (
    ("%", "\\u0025"),
    ("\x7f", "\\u007f"),
    ("  ", " \\u0020"),
    ("TITLE:", "TITLE\\u003a"),
)
_MAX_PAYLOAD = 64 * 1024 * 1024


class DamagedPayloadError(CastlineError):
    """A payload whose text is not what was written."""


@dataclass
class Unpacked:
    """What was found in some texts."""

    payloads: list[Any] = field(default_factory=list)
    damaged: list[tuple[str, str]] = field(default_factory=list)
    """Pairs of (`damaged` or `newer`, the text as found)."""


def encode(payload: Any) -> str:
    """Return the payload as canonical JSON that is safe in a comment."""
    text = json.dumps(payload, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    for found, escaped in _ESCAPES:
        text = text.replace(found, escaped)
    return text


def decode(text: str) -> Any:
    """Return the payload of a text that `encode` made.

    Raises `DamagedPayloadError` for what is not JSON, repeats a key or is nested too deep: OTIO
    itself would not survive the latter two.
    """
    try:
        return json.loads(text, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise DamagedPayloadError(f"payload: found {error}, expected JSON") from None


def pack(payload: Any, limit: int) -> list[str]:
    """Return the payload as frames of at most `limit` characters each."""
    text = encode(payload)
    size = limit - len(f"{_MARK}{VERSION} 00000000 999999/999999 %")
    if size < 1:
        raise ValueError(f"limit: found {limit}, too short for a frame")
    chunks = _split(text, size)
    head = f"{_MARK}{VERSION} {zlib.crc32(text.encode('ascii')):08x}"
    return [f"{head} {n}/{len(chunks)} {chunk}%" for n, chunk in enumerate(chunks, 1)]


def seal(line: str) -> str:
    """Return a line for people that can be told from everybody else's: it ends in its own sum."""
    text = f"{SUMMARY_PREFIX}{line}"
    return f"{text} [{_sum_of(text)}]"


def holds_ours(text: str) -> bool:
    """Say whether the text, a whole document perhaps, may hold a payload of ours."""
    return _MARK in text


def cut_out(text: str) -> tuple[list[str], str]:
    """Return what is ours in a text that others write in too, and the text without it.

    Ours are frames, whole or broken, and lines that we sealed; a line that somebody wrote on is
    theirs. A line break before ours goes with it, and not a character more.
    """
    if _MARK not in text and SUMMARY_PREFIX not in text:
        return [], text
    if text.startswith(_MARK) and text.find("%", 1) == len(text) - 1:
        return [text], ""  # a whole frame and nothing else, as nearly always
    ours: list[str] = []

    def take(match: re.Match[str]) -> str:
        found = match[0].removeprefix("\n")
        if found.startswith(SUMMARY_PREFIX) and not _is_sealed(found):
            return match[0]
        ours.append(found)
        return ""

    rest = _OURS.sub(take, text)
    begins = bool(ours) and text.startswith(ours[0])
    return ours, rest[1:] if begins and rest.startswith("\n") else rest


def unpack(texts: Iterable[str]) -> Unpacked:
    """Find the payloads in the texts of one place, in whatever order their frames come."""
    found = Unpacked()
    groups: dict[tuple[str, int], dict[int, str]] = {}
    raw: dict[tuple[str, int], list[str]] = {}
    for text in texts:
        if _MARK in text:
            _take_frames(text, groups, raw, found)
    for key, chunks in groups.items():
        _join(key, chunks, raw[key], found)
    return found


def _take_frames(
    text: str,
    groups: dict[tuple[str, int], dict[int, str]],
    raw: dict[tuple[str, int], list[str]],
    found: Unpacked,
) -> None:
    end = 0
    for match in _FRAME.finditer(text):
        found.damaged.extend(
            ("damaged", part) for part in _BROKEN.findall(text[end : match.start()])
        )
        end = match.end()
        version, crc, index, count, chunk = match.groups()
        if int(version) > VERSION:
            found.damaged.append(("newer", match[0]))
            continue
        key = (crc, int(count))
        groups.setdefault(key, {})[int(index)] = chunk
        raw.setdefault(key, []).append(match[0])
    found.damaged.extend(("damaged", part) for part in _BROKEN.findall(text[end:]))


def _is_sealed(line: str) -> bool:
    text, _, tail = line.rpartition(" [")
    return tail == f"{_sum_of(text)}]"


def _sum_of(text: str) -> str:
    return f"{zlib.crc32(text.encode()) & 0xFFFF:04x}"


def _join(key: tuple[str, int], chunks: dict[int, str], raw: list[str], found: Unpacked) -> None:
    crc, count = key
    text = "".join(chunks[n] for n in sorted(chunks))
    whole = len(chunks) == count == max(chunks) and min(chunks) == 1 and len(text) <= _MAX_PAYLOAD
    if not whole or f"{zlib.crc32(text.encode('ascii', 'replace')):08x}" != crc:
        found.damaged.append(("damaged", "\n".join(raw)))
        return
    try:
        found.payloads.append(decode(text))
    except DamagedPayloadError:
        found.damaged.append(("damaged", "\n".join(raw)))


def _split(text: str, size: int) -> list[str]:
    chunks = []
    start = 0
    while start < len(text):
        end = min(start + size, len(text))
        # A blank at the edge of a line may be trimmed: keep it inside.
        while end < len(text) and end > start + 1 and " " in (text[end - 1], text[end]):
            end -= 1
        chunks.append(text[start:end])
        start = end
    return chunks


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) != len(pairs):
        raise ValueError("a repeated key")
    return data
