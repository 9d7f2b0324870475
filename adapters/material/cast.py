"""The cast: read from a folder of reference pictures, with or without a list in it.

With a list, `cast.toml`:

    [[character]]
    id = "mira"                      # required, unique
    name = "Mira Vale"               # else the id
    description = "Lighthouse keeper."

    [[character.look]]
    id = "oilskin"                   # required, unique within the character
    name = "Oilskin"
    description = "Yellow coat, wet hair."

    [[character.reference]]
    path = "mira/front.png"          # required, relative to the cast's folder
    look = "oilskin"                 # a look of this character; without it: any look
    kind = "face"                    # face (default), figure, other

    [character.clearance]            # optional, as in the record `Clearance`
    use = "temp"
    likeness = "synthetic_performer"

Without a list: one sub-folder a character, named after them, holding pictures; sub-folders of
that are their looks.
"""

from __future__ import annotations

import datetime
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from castline.adapters import paths
from castline.adapters.material import media
from castline.schemas.errors import InvalidValueError, UnreadableFileError
from castline.schemas.values import Cast, Character, Look, Reference

LIST_NAME = "cast.toml"
PICTURE_LIMIT = 10_000
"""Pictures of one character, or entries of one folder, at most."""

_ADVICE = f"expected {LIST_NAME}, or one folder of reference pictures a character"
_REFERENCE_KEYS = {"look": "look_id"}
_LOOK_KEYS = {"id": "look_id"}


def read(path: Path | str) -> Cast:
    """Return the cast that a folder, or the `cast.toml` in it, describes.

    Paths of references are relative to that folder, and each carries the hash of its file. Raises
    `UnreadableFileError` for an empty folder, a list that does not parse, a picture that is
    missing or lies outside the folder, and an id that is used twice.
    """
    path = Path(path)
    if path.is_dir():
        listed = path / LIST_NAME
        cast = _read_list(listed) if listed.exists() else _read_folders(path)
    elif path.suffix.lower() == ".toml":
        cast = _read_list(path)
    else:
        raise UnreadableFileError(f"{path}: found no folder; {_ADVICE}")
    _check_unique([who.character_id for who in cast.characters], f"{path}: character")
    return cast


def _read_list(path: Path) -> Cast:
    try:
        data = tomllib.loads(paths.decode_text(paths.read_bytes(path)))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise UnreadableFileError(f"{path}: found no valid TOML: {error}") from None
    entries = _tables(data, "character", str(path))
    if not entries:
        raise UnreadableFileError(f"{path}: found no [[character]]")
    extra = {key: _plain(item) for key, item in data.items() if key != "character"}
    characters = tuple(
        _read_character(entry, path, number) for number, entry in enumerate(entries, start=1)
    )
    return Cast(characters=characters, extra=extra)


def _read_character(entry: dict[str, Any], path: Path, number: int) -> Character:
    who = entry.get("id")
    if not isinstance(who, str) or not who.strip():
        raise UnreadableFileError(f"{path}: character {number}: found no id")
    place = f"{path}: character {who}"
    looks = [_renamed(table, _LOOK_KEYS) for table in _tables(entry, "character.look", place)]
    references = [
        _with_hash(_renamed(table, _REFERENCE_KEYS), path.parent, place)
        for table in _tables(entry, "character.reference", place)
    ]
    known = ("id", "look", "reference", "clearance")
    rest = {key: _plain(item) for key, item in entry.items() if key not in known}
    data = {"name": who, **rest, "character_id": who, "looks": looks, "references": references}
    if "clearance" in entry:
        data["clearance"] = _plain(entry["clearance"])
    try:
        character = Character.from_data(data, "character")
    except InvalidValueError as error:
        raise UnreadableFileError(f"{place}: {error}") from None
    look_ids = [look.look_id for look in character.looks]
    _check_unique(look_ids, f"{place}: look")
    for reference in character.references:
        if reference.look_id is not None and reference.look_id not in look_ids:
            raise UnreadableFileError(
                f"{place}: reference {reference.path}: found the look {reference.look_id!r}, "
                f"expected one of {', '.join(look_ids) or 'no look, as none is listed'}"
            )
    return character


def _tables(data: Mapping[str, Any], name: str, place: str) -> list[dict[str, Any]]:
    tables = data.get(name.rpartition(".")[2], [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise UnreadableFileError(f"{place}: found {name} as one value, expected [[{name}]]")
    return tables


def _renamed(table: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {names.get(key, key): _plain(item) for key, item in table.items()}


def _with_hash(data: dict[str, Any], folder: Path, place: str) -> dict[str, Any]:
    named = data.get("path")
    if not isinstance(named, str):
        raise UnreadableFileError(f"{place}: found a reference without a path")
    picture = paths.resolve(folder, named, f"{place}: reference")
    relative = picture.relative_to(folder.resolve()).as_posix()
    return {**data, "path": relative, "sha256": media.hash_file(picture)}


def _plain(item: Any) -> Any:
    """Return a TOML value with its dates as ISO 8601 text."""
    if isinstance(item, (datetime.date, datetime.time)):
        return item.isoformat()
    if isinstance(item, dict):
        return {key: _plain(value) for key, value in item.items()}
    if isinstance(item, list):
        return [_plain(value) for value in item]
    return item


def _read_folders(folder: Path) -> Cast:
    characters = tuple(
        character
        for home in _entries(folder, folder)
        if home.is_dir()
        for character in _read_home(home, folder)
    )
    if characters:
        return Cast(characters=characters)
    loose = any(map(_is_picture, _entries(folder, folder)))
    found = "pictures beside each other" if loose else "no pictures"
    raise UnreadableFileError(f"{folder}: found {found}; {_ADVICE}")


def _read_home(home: Path, root: Path) -> Iterator[Character]:
    entries = _entries(home, root)
    references = [_reference(path, root) for path in entries if _is_picture(path)]
    looks = []
    for closet in entries:
        if closet.is_dir():
            pictures = [path for path in _entries(closet, root) if _is_picture(path)]
            references += [_reference(path, root, closet.name) for path in pictures]
            if pictures:
                looks.append(Look(look_id=closet.name, name=_spoken(closet.name)))
    if references:
        yield Character(
            character_id=home.name,
            name=_spoken(home.name),
            looks=tuple(looks),
            references=tuple(references),
        )


def _entries(folder: Path, root: Path) -> list[Path]:
    """Return what lies in a folder, sorted, hidden files aside; links out of it are refused."""
    entries = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    if len(entries) > PICTURE_LIMIT:
        raise UnreadableFileError(f"{folder}: found more than {PICTURE_LIMIT} entries")
    for path in entries:
        if path.is_symlink():
            paths.resolve(root, path.relative_to(root).as_posix(), str(path))
    return entries


def _is_picture(path: Path) -> bool:
    return path.suffix.lower() in media.STILL_SUFFIXES and path.is_file()


def _reference(path: Path, root: Path, look_id: str | None = None) -> Reference:
    relative = path.relative_to(root).as_posix()
    return Reference(path=relative, sha256=media.hash_file(path), look_id=look_id)


def _spoken(name: str) -> str:
    return name.replace("_", " ").strip() or name


def _check_unique(names: list[str], place: str) -> None:
    seen: set[str] = set()
    for name in names:
        if name.casefold() in seen:
            raise UnreadableFileError(f"{place} {name}: found twice, expected ids of its own")
        seen.add(name.casefold())
