"""How a take was made: read from the record beside the media, or from the media itself.

The record is kept verbatim with its hash; the other fields are a view of it. Castline does not
vouch for what a record claims. Sources of the shapes: the programs' own output.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from castline.adapters import paths
from castline.adapters.material import jsontext, media, records, sequence
from castline.schemas.errors import InvalidValueError, UnreadableFileError
from castline.schemas.values import Generation

_SOURCE_TYPE = re.compile(r"https?://cv\.iptc\.org/newscodes/digitalsourcetype/[A-Za-z]+")
_KEYED = re.compile(r"\s*(prompt|workflow)\s*:\s*(?=\{)", re.IGNORECASE)
_JSON_TAGS = (
    "prompt",
    "invokeai_metadata",
    "sd-metadata",
    "parameters",
    "comment",
    "usercomment",
    "generation",
    "workflow",
)
_TEXT_TAGS = ("parameters", "usercomment", "comment", "description")


def read(path: Path | str) -> Generation | None:
    """Return how a take was made, or None when nothing says so.

    Looked at in this order: `<name>.<suffix>.json` and `<stem>.json` beside the media, the texts
    in the media, and the still of the same name that ComfyUI lays beside a movie. A JSON file that
    says nothing of how something was made is passed over. Raises `UnreadableFileError` for media
    that is no media and for a record beside it that is no JSON.
    """
    path = Path(path)
    is_sequence = path.is_dir() or sequence.is_pattern(path)
    if not is_sequence:
        paths.require_file(path)
    for beside in _records_beside(path, is_sequence):
        found = _read_beside(beside, path.name)
        if found is not None:
            return found
    found = _read_tags(media.read_tags(path), path.name)
    if found is None and path.suffix.lower() in media.MOVIE_SUFFIXES:
        still = path.with_name(f"{path.stem.removesuffix('-audio')}.png")
        if still.is_file():
            found = _read_tags(media.read_tags(still), path.name)
    return found


def make(fields: Mapping[str, Any], record: str | None = None, place: str = "") -> Generation:
    """Return the `Generation` with these fields, made fit for every later writer.

    Raises `UnreadableFileError`, with `place`, where a field is not what it must be.
    """
    values = {name: value for name, value in fields.items() if value is not None}
    seed = values.pop("seed", None)
    values = jsontext.clean(values)
    if record is not None:
        values["record"] = record
        values["record_sha256"] = hashlib.sha256(record.encode(errors="replace")).hexdigest()
    try:
        return Generation.from_data({**values, "seed": seed}, "generation")
    except InvalidValueError as error:
        raise UnreadableFileError(f"{place}: {error}" if place else str(error)) from None


def _records_beside(path: Path, is_sequence: bool) -> Iterator[Path]:
    if is_sequence:
        found = sequence.read(path)
        first = next(found.frame_paths())
        stems = [found.path.name, found.prefix.rstrip("._"), first.name, first.stem]
        folder = found.folder
    else:
        stems = [path.name, path.stem]
        folder = path.parent
    for stem in stems:
        beside = folder / f"{stem}.json"
        if stem and beside != path and beside.exists():
            yield beside


def _read_beside(path: Path, file_name: str) -> Generation | None:
    text = paths.decode_text(paths.read_bytes(path))
    fields = records.read_json(jsontext.parse(text, str(path)), file_name)
    return None if fields is None else make(fields, text, str(path))


def _read_tags(tags: Mapping[str, str], file_name: str) -> Generation | None:
    named = _by_name(tags)
    source_type = _SOURCE_TYPE.search(named.get("xmp", ""))
    extra = {"digital_source_type": source_type[0] if source_type else None}
    for name in _JSON_TAGS:
        text = named.get(name, "")
        data = _json_or_none(text)
        fields = records.read_json(data, file_name)
        if fields is not None:
            return make({**extra, **fields, **_novel_model(fields, named)}, text)
    for name in _TEXT_TAGS:
        fields = records.read_settings_text(named.get(name, ""))
        if fields is not None:
            return make({**extra, **fields}, named[name])
    return make(extra) if source_type else None


def _by_name(tags: Mapping[str, str]) -> dict[str, str]:
    """Return the texts by name in lower case, and those that say their name in themselves.

    ComfyUI writes `prompt:{...}` into the EXIF fields for the make and model of a camera.
    """
    named = {name.casefold(): text for name, text in tags.items()}
    for text in tags.values():
        match = _KEYED.match(text)
        if match:
            named.setdefault(match[1].lower(), text[match.end() :])
    return named


def _json_or_none(text: str) -> Any:
    if not text.lstrip("\ufeff \n\r\t").startswith("{"):
        return None
    try:
        return jsontext.parse(text, "record")
    except UnreadableFileError:
        return None  # a text of another kind that begins like JSON


def _novel_model(fields: Mapping[str, Any], named: Mapping[str, str]) -> dict[str, str]:
    if fields.get("tool") == "NovelAI" and "source" in named:
        return {"model": named["source"]}
    return {}
