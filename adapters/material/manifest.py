"""Manifests: lists of takes, as CSV or JSON, that say which file is for which slot.

One row, or one object, a take. `file` is required and relative to the manifest's folder; `slot`
(`slot_id`, `shot`), `characters` (separated by `;` or `,`, in JSON also a list), `look`, `use`,
`note` and `version` are castline's; `tool`, `model`, `prompt`, `negative_prompt`, `seed`,
`created` and their like go to the generation, and every other column to its `parameters`.
Names of columns may be in any case. JSON is a list of objects, or an object with `takes`.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from castline.adapters import paths
from castline.adapters.material import generation, jsontext, records
from castline.schemas.errors import UnreadableFileError
from castline.schemas.values import Generation
from castline.schemas.values.clearance import Use

ROW_LIMIT = 100_000

_FIELDS = {
    "file": ("file", "path", "filename", "file_name", "media", "take_file"),
    "slot_id": ("slot_id", "slot", "shot", "shot_id"),
    "characters": ("characters", "character"),
    "look_id": ("look", "look_id"),
    "use": ("use",),
    "note": ("note", "notes"),
    "version": ("version", "take"),
}
_KNOWN = {name: field for field, names in _FIELDS.items() for name in names}
_SEPARATORS = re.compile(r"[;,]")
_LINE_END = re.compile(r"\r|\n")
_SPACES = re.compile(r"[\s-]+")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One take of a manifest."""

    file: Path
    """The media, inside the manifest's folder; whether it is there is not looked at."""
    row: int
    """Its row, the header being row 1; in JSON its place, from 1."""
    slot_id: str | None = None
    characters: tuple[str, ...] = ()
    look_id: str | None = None
    use: Use | None = None
    note: str | None = None
    version: str | None = None
    generation: Generation | None = None


def read(path: Path | str) -> list[Entry]:
    """Return the takes that a manifest lists, in its order.

    Raises `UnreadableFileError`, with file and row, for a row without a file, a path that climbs
    out of the manifest's folder, a file that is listed twice, and a value that cannot be.
    """
    path = Path(path)
    text = paths.decode_text(paths.read_bytes(path))
    if path.suffix.lower() == ".json" or text.lstrip()[:1] in ("[", "{"):
        rows = _read_json(text, path)
    else:
        rows = _read_csv(text, path)
    entries: list[Entry] = []
    seen: dict[Path, int] = {}
    for number, row in rows:
        if len(entries) >= ROW_LIMIT:
            raise UnreadableFileError(f"{path}: found more than {ROW_LIMIT} rows")
        entry = _read_row(row, path, number)
        first = seen.setdefault(entry.file.resolve(), number)
        if first != number:
            raise UnreadableFileError(
                f"{path}: row {number}: found {entry.file.name} again, listed in row {first}"
            )
        entries.append(entry)
    if not entries:
        raise UnreadableFileError(f"{path}: found no takes in it")
    return entries


Row = Mapping[str, Any]


def _read_json(text: str, path: Path) -> Iterator[tuple[int, Row]]:
    data = jsontext.parse(text, str(path))
    if isinstance(data, Mapping):
        data = data.get("takes")
    if not isinstance(data, list):
        raise UnreadableFileError(f"{path}: expected a list of takes, or an object with `takes`")
    for number, item in enumerate(data, start=1):
        if not isinstance(item, Mapping):
            raise UnreadableFileError(f"{path}: row {number}: found {item!r:.40}, expected a take")
        yield number, item


def _read_csv(text: str, path: Path) -> Iterator[tuple[int, Row]]:
    reader = _sniff(text, path)
    number = 1
    try:
        header = [cell.strip() for cell in next(reader)]
        _check_header(header, path)
        for number, cells in enumerate(reader, start=2):
            if not any(cell.strip() for cell in cells):
                continue
            if any(cell.strip() for cell in cells[len(header) :]):
                raise UnreadableFileError(
                    f"{path}: row {number}: found {len(cells)} cells, expected {len(header)}"
                )
            named = zip(header, cells, strict=False)
            yield number, {name: _cell(name, cell) for name, cell in named if name}
    except csv.Error as error:
        raise UnreadableFileError(f"{path}: after row {number}: {error}") from None


def _sniff(text: str, path: Path) -> Iterator[list[str]]:
    """Return a reader with the separator under which the first line names a file."""
    first = _first_line(text)
    if first.strip().casefold().startswith("sep="):  # spreadsheets say it so
        text = text[len(first) :].lstrip("\r\n")
        first = _first_line(text)
    best: tuple[int, str] | None = None
    for mark in (",", ";", "\t", "|"):
        names = [_plain_name(name) for name in next(csv.reader([first], delimiter=mark), [])]
        if any(_KNOWN.get(name) == "file" for name in names) and len(names) > (best or (0,))[0]:
            best = (len(names), mark)
    if best is None:
        raise UnreadableFileError(f"{path}: row 1: found no column `file`: {first.strip()[:60]!r}")
    return csv.reader(io.StringIO(text, newline=""), delimiter=best[1], strict=True)


def _first_line(text: str) -> str:
    return _LINE_END.split(text, maxsplit=1)[0]


def _check_header(header: list[str], path: Path) -> None:
    seen: set[str] = set()
    for name in map(_plain_name, filter(None, header)):
        if name in seen:
            raise UnreadableFileError(f"{path}: row 1: found two columns {name!r}")
        seen.add(name)


def _cell(name: str, text: str) -> Any:
    """Return what a cell says; numbers only in columns that are not castline's."""
    text = text.strip()
    if _plain_name(name) in _KNOWN or not text:
        return text or None
    return records.read_number(text)


def _read_row(row: Row, path: Path, number: int) -> Entry:
    place = f"{path}: row {number}"
    own: dict[str, Any] = {}
    rest: dict[str, Any] = {}
    for name, value in row.items():
        field = _KNOWN.get(_plain_name(name))
        if value is None or value == "":
            continue
        if field is None:
            rest[name] = value
        elif own.setdefault(field, value) != value:
            raise UnreadableFileError(
                f"{place}: found {own[field]!r:.40} and {value!r:.40} for the {field}"
            )
    file = own.get("file")
    if not isinstance(file, str):
        raise UnreadableFileError(f"{place}: found no file")
    return Entry(
        file=paths.resolve(path.parent, file, place),
        row=number,
        slot_id=_text(own.get("slot_id"), f"{place}: slot"),
        characters=_names(own.get("characters"), f"{place}: characters"),
        look_id=_text(own.get("look_id"), f"{place}: look"),
        use=_use(own.get("use"), place),
        note=_text(own.get("note"), f"{place}: note"),
        version=_text(own.get("version"), f"{place}: version"),
        generation=_read_generation(rest, place),
    )


def _read_generation(row: Row, place: str) -> Generation | None:
    inner = row.get("generation")
    if isinstance(inner, Mapping):
        row = {**{key: item for key, item in row.items() if key != "generation"}, **inner}
    fields = records.read_named(row, place)
    if not any(fields.values()) and fields.get("seed") is None:
        return None
    return generation.make(fields, place=place)


def _text(value: Any, place: str) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise UnreadableFileError(f"{place}: found {value!r:.40}, expected text")
    return str(value)


def _names(value: Any, place: str) -> tuple[str, ...]:
    if isinstance(value, str):
        value = _SEPARATORS.split(value)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise UnreadableFileError(f"{place}: found {value!r:.40}, expected names")
    return tuple(dict.fromkeys(item.strip() for item in value if item.strip()))


def _use(value: Any, place: str) -> Use | None:
    use: Use | None = None
    for known in get_args(Use):
        if isinstance(value, str) and value.casefold() == known:
            use = known
    if value is not None and use is None:
        names = ", ".join(get_args(Use))
        raise UnreadableFileError(f"{place}: found the use {value!r:.40}, expected {names}")
    return use


def _plain_name(name: str) -> str:
    return _SPACES.sub("_", name.strip().casefold())
