"""The one way in which values become plain dicts and plain dicts become values."""

from __future__ import annotations

import dataclasses
import json
import math
import re
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, Self, Union, get_args, get_origin

from opentimelineio.core import SerializableObject
from opentimelineio.opentime import RationalTime, TimeRange

from castline.schemas.errors import InvalidValueError

_INT64 = range(-(2**63), 2**63)
_BIG_INTEGER = re.compile(r"-?\d{19,40}")

Data = dict[str, Any]
"""A plain dict of what OTIO metadata can hold: strings, numbers, lists, dicts, times, effects."""

_MEASURES = (float, RationalTime, TimeRange)


@dataclass(frozen=True, kw_only=True, eq=False)
class Record:
    """A frozen value whose fields are declared once, with the sentence that documents them.

    Fields are written `name: Annotated[type, "what it is"] = default`; the JSON Schema and the
    documentation are made from these lines. Keys that this version does not know stay in
    `extra` and are written back as they came.
    """

    extra: Annotated[Mapping[str, Any], "keys this version does not know"] = field(
        default_factory=dict, repr=False
    )

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if isinstance(value, _MEASURES):
                _check_finite(value, f"{type(self).__name__}.{name}")

    __hash__ = None  # type: ignore[assignment]  # some fields are dicts

    def __eq__(self, other: object) -> bool:
        # Not the dataclass's own: comparing an OTIO time with None raises TypeError.
        if type(other) is not type(self):
            return NotImplemented
        mine, theirs = vars(self), vars(other)
        return all(is_same(mine[name], theirs[name]) for name in mine)

    @classmethod
    def from_data(cls, data: Any, where: str = "") -> Self:
        """Return the value that a plain dict describes.

        Raises `InvalidValueError` that names the place, what was found and what was expected.
        """
        place = where or cls.__name__
        if not isinstance(data, Mapping):
            raise InvalidValueError(f"{place}: found {_kind(data)}, expected {cls.__name__}")
        known = {spec.name: spec for spec in field_specs(cls)}
        values: Data = {}
        extra: Data = {}
        for key, item in data.items():
            if key in known:
                values[key] = _read(item, known[key].annotation, f"{place}.{key}")
            else:
                extra[key] = plain(item)
        missing = [n for n, s in known.items() if s.required and values.get(n) is None]
        if missing:
            raise InvalidValueError(f"{place}: {', '.join(missing)} missing in {cls.__name__}")
        return cls(**{n: v for n, v in values.items() if v is not None}, extra=extra)

    def to_data(self) -> Data:
        """Return the plain dict; fields at their default are left out, unknown keys are kept."""
        data: Data = {}
        for spec in field_specs(type(self)):
            value = getattr(self, spec.name)
            if spec.required or not is_same(value, spec.default):
                data[spec.name] = _write(value)
        data.update({key: plain(item) for key, item in self.extra.items()})
        return data

    def replace(self, **changes: Any) -> Self:
        """Return a copy with these fields changed."""
        return dataclasses.replace(self, **changes)


@dataclass(frozen=True)
class FieldSpec:
    """One declared field of a record, as the machinery and the documentation see it."""

    name: str
    annotation: Any
    doc: str
    default: Any
    required: bool


def field_specs(record: type[Record]) -> tuple[FieldSpec, ...]:
    """Return the declared fields of a record class in order, `extra` aside."""
    found = _SPECS.get(record.__qualname__)
    if found is None:
        hints = typing.get_type_hints(record, include_extras=True)
        found = _SPECS[record.__qualname__] = tuple(_specs(record, hints))
    return found


_SPECS: dict[str, tuple[FieldSpec, ...]] = {}


def _specs(record: type[Record], hints: Mapping[str, Any]) -> Iterator[FieldSpec]:
    for item in dataclasses.fields(record):
        if item.name == "extra":
            continue
        annotation, *notes = get_args(hints[item.name])
        required = item.default is item.default_factory is dataclasses.MISSING
        default = None if required else _default_of(item)
        yield FieldSpec(item.name, annotation, str(notes[0]), default, required)


def _default_of(item: Any) -> Any:
    if item.default is not dataclasses.MISSING:
        return item.default
    return item.default_factory()


def is_same(one: Any, other: Any) -> bool:
    """Say whether two values are the same; times are so with the same value and rate."""
    if isinstance(one, RationalTime) and isinstance(other, RationalTime):
        return (one.value, one.rate) == (other.value, other.rate)
    if isinstance(one, TimeRange) and isinstance(other, TimeRange):
        return is_same(one.start_time, other.start_time) and is_same(one.duration, other.duration)
    if isinstance(one, (RationalTime, TimeRange)) or isinstance(other, (RationalTime, TimeRange)):
        return False
    if isinstance(one, SerializableObject) and isinstance(other, SerializableObject):
        return bool(one.is_equivalent_to(other))
    if isinstance(one, (tuple, list)) and isinstance(other, (tuple, list)):
        return len(one) == len(other) and all(map(is_same, one, other))
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(is_same(one[key], other[key]) for key in one)
    return bool(one == other)


def plain(value: Any) -> Any:
    """Return the value with OTIO's own containers turned into dicts and lists.

    OTIO's containers are views that die with their owner; a plain copy is safe to keep.
    """
    if isinstance(value, Mapping) or type(value).__name__ == "AnyDictionary":
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)) or type(value).__name__ == "AnyVector":
        return [plain(item) for item in value]
    if isinstance(value, SerializableObject):
        return value.deepcopy()
    if isinstance(value, int) and not _INT64.start <= value < _INT64.stop:
        return str(value)  # seeds go to 2**64; OTIO's integers do not
    return value


def options_of(annotation: Any) -> tuple[Any, ...]:
    """Return the alternatives of `X | None` without None, else the annotation alone."""
    if get_origin(annotation) in (Union, types.UnionType):
        return tuple(a for a in get_args(annotation) if a is not type(None))
    return (annotation,)


def _read(item: Any, annotation: Any, where: str) -> Any:
    if item is None:
        return None
    (wanted,) = options_of(annotation)
    origin = get_origin(wanted)
    if origin is tuple:
        return _read_list(item, get_args(wanted)[0], where)
    if origin is Literal:
        return _read_choice(item, get_args(wanted), where)
    if origin is not None:  # Mapping[str, Any]
        if isinstance(item, SerializableObject):
            return json.loads(item.to_json_string(indent=-1))
        if not hasattr(item, "items"):
            raise InvalidValueError(f"{where}: found {_kind(item)}, expected a dict")
        return plain(item)
    if isinstance(wanted, type) and issubclass(wanted, Record):
        return wanted.from_data(plain(item), where)
    if wanted is float and type(item) is int:
        return float(item)
    if wanted is int and isinstance(item, str) and _BIG_INTEGER.fullmatch(item):
        return int(item)
    if not isinstance(item, wanted) or (wanted is int and isinstance(item, bool)):
        raise InvalidValueError(f"{where}: found {_kind(item)}, expected {wanted.__name__}")
    _check_finite(item, where)
    return item if wanted is int else plain(item)


def _read_list(item: Any, wanted: Any, where: str) -> tuple[Any, ...]:
    items = plain(item)
    if not isinstance(items, list):
        raise InvalidValueError(f"{where}: found {_kind(item)}, expected a list")
    return tuple(_read(entry, wanted, f"{where}[{n}]") for n, entry in enumerate(items))


def _read_choice(item: Any, choices: tuple[Any, ...], where: str) -> Any:
    if item not in choices:
        raise InvalidValueError(f"{where}: found {item!r}, expected one of {', '.join(choices)}")
    return item


def _write(value: Any) -> Any:
    if isinstance(value, Record):
        return value.to_data()
    if isinstance(value, tuple):
        return [_write(item) for item in value]
    return plain(value)


def _check_finite(value: Any, where: str) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise InvalidValueError(f"{where}: found {value}, expected a finite number")
    if isinstance(value, TimeRange):
        _check_finite(value.start_time, where)
        _check_finite(value.duration, where)
    if isinstance(value, RationalTime) and not (
        math.isfinite(value.value) and math.isfinite(value.rate) and value.rate > 0
    ):
        raise InvalidValueError(f"{where}: found {value.value} at {value.rate}, expected a time")


def _kind(value: Any) -> str:
    return f"{type(value).__name__} {str(value)[:40]!r}"
