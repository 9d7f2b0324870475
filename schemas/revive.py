"""OTIO objects from JSON that anyone may have written.

Where OTIO's reader (0.18) refuses one object, it has already let go of those inside it, and then
looks at them once more: what follows is chance, the end of the process included. So what it
would refuse is refused here, before it is asked.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

import opentimelineio as otio

from castline.schemas.errors import InvalidValueError

_Test = Callable[[Any], bool]

_UNREAD = "found what OTIO cannot read"
_ABSENT: Any = object()
_LABEL = re.compile(r"(?s:(.*))\.(-?\d{1,9})")
_INTEGERS = range(-(2**63), 2**64)
_REFERENCE = "SerializableObjectRef"
_REFERENCE_KEY = "OTIO_REF_ID"
_ALIASES = {
    "Sequence": "Track",
    "Filler": "Gap",
    "SerializeableCollection": "SerializableCollection",
}
_UNUSABLE = frozenset({"UnknownSchema", _REFERENCE})
"""Names that end the process, or that make OTIO join objects in rings."""

_HOLDING = (dict, list)
_OPEN = frozenset(
    {
        *("metadata", "parameters", "effects", "markers", "children", "tracks"),
        *("media_reference", "media_references"),
    }
)
"""Fields that hold objects, or anything."""

_EFFECTS = frozenset({"Effect", "TimeEffect", "LinearTimeWarp", "FreezeFrame"})
_MEDIA = frozenset(
    {
        "MediaReference",
        "MissingReference",
        "ExternalReference",
        "GeneratorReference",
        "ImageSequenceReference",
    }
)
_COMPOSABLES = frozenset(
    {"Composable", "Item", "Composition", "Clip", "Gap", "Track", "Stack", "Transition"}
)


def revive(document: Any, *, text: str | None = None) -> Any:
    """Return the OTIO object of a JSON tree; `text` is the tree's own, where there is one.

    Raises `InvalidValueError` for what OTIO would not read.
    """
    require_sound(document)
    if text is None:
        text = json.dumps(document, separators=(",", ":"))
    try:
        return otio.core.deserialize_json_from_string(text)
    except (otio.exceptions.OTIOError, LookupError, RuntimeError, TypeError, ValueError) as error:
        reason = " ".join(str(error).split())[:300]
        raise InvalidValueError(f"{_UNREAD}: {reason}") from None


def revive_effects(effects: Iterable[Mapping[str, Any]]) -> list[otio.schema.Effect]:
    """Return the effects of their JSON; raises `InvalidValueError` for what is none."""
    return list(revive({"OTIO_SCHEMA": "Item.1", "effects": list(effects)}).effects)


def require_sound(document: Any) -> None:
    """Raise `InvalidValueError` unless OTIO reads this JSON tree to its end.

    Types and missing fields are as its C++ classes ask (`read_from`), upgrades of older versions
    included. Keys that stand twice and deep nesting are for who parses the text to refuse.
    """
    waiting = [document]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if "OTIO_SCHEMA" in value:
                waiting.extend(_inside(value, value["OTIO_SCHEMA"]))
            else:
                waiting.extend(item for item in value.values() if isinstance(item, _HOLDING))
        elif isinstance(value, list):
            waiting.extend(item for item in value if isinstance(item, _HOLDING))


def _inside(node: dict[str, Any], label: Any) -> list[Any]:
    """Return what lies in an object whose own fields are sound, and is still to be looked at."""
    if isinstance(label, str) and label in _VALUES:
        if not _VALUES[label](node):
            raise InvalidValueError(f"{_UNREAD}: a broken {label}")
        return []
    fields = _fields_of(label) if isinstance(label, str) else None
    if fields is None:
        raise InvalidValueError(f"{_UNREAD}: {_shown(label)} as a schema")
    if _REFERENCE_KEY in node:
        raise InvalidValueError(f"{_UNREAD}: {_REFERENCE_KEY}, which it never writes")
    found = []
    known = 1
    for name, fits in fields.items():
        value = node.get(name, _ABSENT)
        if not fits(value):
            shown = "none" if value is _ABSENT else _shown(value)
            where = f"the {name} of {_shown(node.get('name'))} ({label})"
            raise InvalidValueError(f"{_UNREAD}: {shown} as {where}")
        known += value is not _ABSENT
        if name in _OPEN and value:
            found.append(value)
    if len(node) > known:
        found += [node[key] for key in node if key not in fields]
    return found


def _shown(value: Any) -> str:
    if isinstance(value, dict) and isinstance(value.get("OTIO_SCHEMA"), str):
        value = value["OTIO_SCHEMA"]
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}..."


@lru_cache(maxsize=1024)
def _fields_of(label: str) -> dict[str, _Test] | None:
    """Return the fields of a schema with what each must be; None where OTIO refuses the label."""
    match = _LABEL.fullmatch(label)
    if match is None or match[1] in _UNUSABLE:
        return None
    name, version = _ALIASES.get(match[1], match[1]), int(match[2])
    if version > otio.core.type_version_map().get(name, version):
        return None
    return _FIELDS.get(_OLDER.get(name, name) if version <= 1 else name, {})


def _is_text(value: Any) -> bool:
    return value is None or isinstance(value, str)


def _is_string(value: Any) -> bool:
    return isinstance(value, str)


def _is_number(value: Any) -> bool:
    return isinstance(value, float) or (isinstance(value, int) and not isinstance(value, bool))


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value in _INTEGERS


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_plain(value: Any) -> bool:
    """Say whether a value is a dict that is no object."""
    return isinstance(value, dict) and "OTIO_SCHEMA" not in value


def _is_policy(value: Any) -> bool:
    return value in ("error", "black", "hold")


def _is_absent(value: Any) -> bool:
    return value is _ABSENT


def _value(label: str, parts: dict[str, _Test]) -> _Test:
    """Return a test of a value that is no object: nothing in it is left to be looked at."""
    tests = tuple(parts.items())
    size = len(parts) + 1

    def test(value: Any) -> bool:
        if not isinstance(value, dict) or value.get("OTIO_SCHEMA") != label:
            return False
        for name, fits in tests:
            if not fits(value.get(name)):
                return False
        # OTIO drops the rest, and must not drop objects.
        return len(value) == size or not any(
            isinstance(item, _HOLDING) for key, item in value.items() if key not in parts
        )

    return test


def _object(names: frozenset[str]) -> _Test:
    def test(value: Any) -> bool:
        return isinstance(value, dict) and _name_of(value.get("OTIO_SCHEMA")) in names

    return test


def _each(fits: _Test) -> _Test:
    def test(value: Any) -> bool:
        return isinstance(value, list) and all(map(fits, value))

    return test


def _each_of_keys(fits: _Test) -> _Test:
    def test(value: Any) -> bool:
        return _is_plain(value) and all(map(fits, value.values()))

    return test


def _or_none(fits: _Test) -> _Test:
    def test(value: Any) -> bool:
        return value is None or fits(value)

    return test


def _or_absent(fits: _Test) -> _Test:
    def test(value: Any) -> bool:
        return value is _ABSENT or fits(value)

    return test


def _name_of(label: Any) -> str | None:
    return _known_name(label) if isinstance(label, str) else None


@lru_cache(maxsize=1024)
def _known_name(label: str) -> str | None:
    match = _LABEL.fullmatch(label)
    return _ALIASES.get(match[1], match[1]) if match else None


def _is_any_object(value: Any) -> bool:
    label = value.get("OTIO_SCHEMA") if isinstance(value, dict) else None
    return isinstance(label, str) and label not in _VALUES


_is_time = _value("RationalTime.1", {"value": _is_number, "rate": _is_number})
_is_range = _value("TimeRange.1", {"start_time": _is_time, "duration": _is_time})
_is_point = _value("V2d.1", {"x": _is_number, "y": _is_number})
_is_box = _value("Box2d.1", {"min": _is_point, "max": _is_point})
_is_color = _value("Color.1", dict.fromkeys("rgba", _is_number) | {"name": _is_string})
_is_transform = _value(
    "TimeTransform.1", {"offset": _is_time, "rate": _is_number, "scale": _is_number}
)

_VALUES = {
    "RationalTime.1": _is_time,
    "TimeRange.1": _is_range,
    "TimeTransform.1": _is_transform,
    "V2d.1": _is_point,
    "Box2d.1": _is_box,
    "Color.1": _is_color,
}
"""The values that are no objects; of any other version they are objects of no known schema."""


def _tables() -> Iterator[tuple[str, dict[str, _Test]]]:
    """Yield each schema with its fields, in the order of OTIO's classes."""
    is_media = _object(_MEDIA)
    base = {"name": _or_absent(_is_text), "metadata": _or_absent(_is_plain)}
    item = base | {
        "source_range": _or_absent(_or_none(_is_range)),
        "effects": _or_absent(_each(_object(_EFFECTS))),
        "markers": _or_absent(_each(_object(frozenset({"Marker"})))),
        "enabled": _or_absent(_is_flag),
        "color": _or_absent(_or_none(_is_color)),
    }
    composition = item | {"children": _each(_object(_COMPOSABLES))}
    effect = base | {"effect_name": _is_text, "enabled": _or_absent(_is_flag)}
    warp = effect | {"time_scalar": _is_number}
    media = base | {
        "available_range": _or_absent(_or_none(_is_range)),
        "available_image_bounds": _or_absent(_or_none(_is_box)),
    }
    sequence = media | {
        **dict.fromkeys(("target_url_base", "name_prefix", "name_suffix"), _is_text),
        **dict.fromkeys(("start_frame", "frame_step", "frame_zero_padding"), _is_integer),
        "rate": _is_number,
        "missing_frame_policy": _is_policy,
    }
    marker = base | dict.fromkeys(("color", "comment"), _or_absent(_is_text))
    yield "SerializableObjectWithMetadata", base
    yield "Composable", base
    yield "Test", base
    yield "Item", item
    yield "Gap", item
    yield "Composition", composition
    yield "Stack", composition
    yield "Track", composition | {"kind": _is_text}
    yield (
        "Transition",
        base | {"in_offset": _is_time, "out_offset": _is_time, "transition_type": _is_text},
    )
    yield (
        "Clip",
        item
        | {
            "media_references": _each_of_keys(is_media),
            "active_media_reference_key": _is_text,
        },
    )
    # An upgrade from version 1 puts its own in the place of what a later version holds there.
    yield (
        "Clip.1",
        item
        | {
            "media_reference": _or_absent(_or_none(is_media)),
            "media_references": _is_absent,
            "active_media_reference_key": _is_absent,
        },
    )
    yield "Marker", marker | {"marked_range": _is_range}
    yield "Marker.1", marker | {"range": _is_range, "marked_range": _is_absent}
    yield "Effect", effect
    yield "TimeEffect", effect
    yield "LinearTimeWarp", warp
    yield "FreezeFrame", warp
    yield "MediaReference", media
    yield "MissingReference", media
    yield "ExternalReference", media | {"target_url": _is_text}
    yield "GeneratorReference", media | {"generator_kind": _is_text, "parameters": _is_plain}
    yield "ImageSequenceReference", sequence
    yield "SerializableCollection", base | {"children": _each(_is_any_object)}
    yield (
        "Timeline",
        base
        | {
            "global_start_time": _or_absent(_or_none(_is_time)),
            # OTIO reads None too, and then looks into it.
            "tracks": _object(frozenset({"Stack"})),
        },
    )


_FIELDS = dict(_tables())
_OLDER = {"Clip": "Clip.1", "Marker": "Marker.1"}
