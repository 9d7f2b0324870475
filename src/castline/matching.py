"""Which slot a take is for, from the most certain sign to the least, and why."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

from opentimelineio import schema

from castline.schemas.places import get_slot

_TOKEN = re.compile(r"[a-z]*\d+|[a-z]+")
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[_-]?[A-Za-z0-9]+)*")
_COMMENT_KEYS = ("cmx_3600", "fcp_xml", "AAF", "ALE", "fcpx")
_MAX_TOKENS = 24
_MAX_COMMENT = 2_000


@dataclass(frozen=True)
class Answer:
    """The slots that fit one take equally well; one of them, none or several."""

    slot_ids: tuple[str, ...]
    reason: str


@dataclass
class SlotIndex:
    """The words that point at each slot, so that no take is held against every slot."""

    ids: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    names: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    comments: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))


def index_slots(clips: Iterable[schema.Clip]) -> SlotIndex:
    """Return the index of the clips of a cut; each must have a slot id."""
    index = SlotIndex()
    for clip in clips:
        slot = get_slot(clip)
        if slot is None:
            continue
        index.ids[key_of(slot.slot_id)].add(slot.slot_id)
        for name in (clip.name, re.sub(r"\(.*?\)|\.[A-Za-z0-9]{2,4}$", "", clip.name)):
            _add(index.names, key_of(name), slot.slot_id)
        for text in _texts(clip):
            for code in _CODE.findall(text[:_MAX_COMMENT]):
                if any(c.isdigit() for c in code):
                    _add(index.comments, key_of(code), slot.slot_id)
    return index


def match_take(index: SlotIndex, file: str, wanted: str | None = None) -> Answer:
    """Return the slots for a take's file; `wanted` is what a manifest says.

    Signs, in this order: the manifest, the slot's id in the file's name, the shot's name there,
    a shot code of a marker or comment there. Of several names the longest counts.
    """
    if wanted:
        return _match_wanted(index, wanted)
    words = list(_phrases(file))
    for where, found in (
        ("slot id", index.ids),
        ("shot name", index.names),
        ("marker or comment text", index.comments),
    ):
        for phrase in words:
            if phrase in found:
                ids = tuple(sorted(found[phrase]))
                return Answer(ids, f"{where} {phrase!r} in the file name")
    return Answer((), "nothing in the file name points at a slot")


def key_of(text: str) -> str:
    """Return a text as it is compared: its words of letters and numbers, in lower case."""
    return "_".join(_TOKEN.findall(text.casefold()))


def _match_wanted(index: SlotIndex, wanted: str) -> Answer:
    key = key_of(wanted)
    for where, found in (("slot id", index.ids), ("shot name", index.names)):
        if key in found:
            return Answer(tuple(sorted(found[key])), f"the manifest says {where} {wanted!r}")
    return Answer((), f"the manifest says {wanted!r}, which is no slot of this cut")


def _phrases(file: str) -> Iterator[str]:
    """Yield the runs of words of a file's path, the longest first, the name before folders."""
    path = PurePath(file.replace("\\", "/"))
    for part in (path.stem, *reversed(path.parent.parts)):
        tokens = _TOKEN.findall(part.casefold())[:_MAX_TOKENS]
        for length in range(len(tokens), 0, -1):
            for start in range(len(tokens) - length + 1):
                yield "_".join(tokens[start : start + length])


def _add(found: dict[str, set[str]], key: str, slot_id: str) -> None:
    # A bare number or one letter points at everything.
    if len(key) >= 3 and not key.replace("_", "").isdigit():
        found[key].add(slot_id)


def _texts(clip: schema.Clip) -> Iterator[str]:
    for marker in clip.markers:
        yield marker.name or ""
        yield marker.comment or ""
    for key in _COMMENT_KEYS:
        if key in clip.metadata:
            yield from _strings(clip.metadata[key], 4)


def _strings(value: Any, depth: int) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif depth and hasattr(value, "values"):
        for item in value.values():
            yield from _strings(item, depth - 1)
    elif depth and hasattr(value, "__iter__"):
        for item in value:
            yield from _strings(item, depth - 1)
