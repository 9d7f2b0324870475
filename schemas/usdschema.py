"""The codeless USD schema, declared once: what castline says on prims, in which type and words.

`schema_text` is the source that USD's own generator makes `generatedSchema.usda` and
`plugInfo.json` of; all three are shipped in `schemas/usd`. What an edit of an attribute means is
in docs/usd.md.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args, get_origin

from opentimelineio.opentime import RationalTime, TimeRange

from castline.schemas.values import Appearance
from castline.schemas.values.record import FieldSpec, Record, field_specs, options_of

LIBRARY = "castline"
"""Name of the USD plugin."""

RELATIONSHIP = "rel"
"""Stands for a type where a property is a relationship."""

_GROUP = "castline"
_TIME = "castline:time"
_SCORES = "castline:appearance"
_MAIN = "score"
_USD_TYPES = {str: "string", int: "int", float: "double", RationalTime: "timecode"}


@dataclass(frozen=True, kw_only=True)
class Property:
    """One attribute or relationship, with the words that property panels show."""

    name: str
    type_name: str
    label: str
    doc: str
    group: str = _GROUP
    uniform: bool = True
    fallback: bool | str | None = None
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ApiSchema:
    """One API schema; with a prefix it is applied once for each instance name."""

    name: str
    doc: str
    properties: tuple[Property, ...]
    prefix: str = ""

    @property
    def types(self) -> dict[str, str]:
        """The USD type of each property by its name; of a multiple-apply schema without prefix."""
        return {item.name: item.type_name for item in self.properties}


def _edges(name: str, label: str, doc: str) -> tuple[Property, ...]:
    return tuple(
        Property(
            name=f"castline:{name}:{edge}",
            type_name="timecode",
            label=f"{label} {edge.title()}",
            group=_TIME,
            doc=doc.format(which),
        )
        for edge, which in (("start", "first frame"), ("end", "end, which is excluded,"))
    )


_JSON = Property(
    name="castline:json",
    type_name="string",
    label="JSON",
    doc="The object as OTIO's JSON, without what are prims below it; the authority for all else.",
)
_NAME = Property(name="castline:name", type_name="string", label="Name", doc="The object's name.")
_ENABLED = Property(
    name="castline:enabled",
    type_name="bool",
    label="Enabled",
    fallback=True,
    doc="Whether it takes part in the cut.",
)
_RATE = Property(
    name="castline:rate",
    type_name="double",
    label="Rate",
    group=_TIME,
    doc="Frames a second of the object's own times; the stage's own rate where it is absent.",
)
_SOURCE = _edges("sourceRange", "Source", "The {} of what is used of the media, at its own rate.")
_PLACE = _edges("timelineRange", "Timeline", "The {} on the timeline, in the stage's time.")
_MARKED = _edges("markedRange", "Marked", "The {} of what is marked, at the marker's own rate.")
_TRACK_KIND = Property(
    name="castline:trackKind",
    type_name="token",
    label="Track Kind",
    doc="What the track carries: Video, Audio or another kind.",
)
_MEDIA_URL = Property(
    name="castline:mediaUrl",
    type_name="string",
    label="Media URL",
    doc="Where the media of the shown take is, if a stage can bring such media in.",
)
_CAMERA = Property(
    name="castline:camera",
    type_name=RELATIONSHIP,
    label="Camera",
    doc="The camera that the shown take is seen through.",
)
_COLOR = Property(
    name="castline:color", type_name="token", label="Color", doc="The marker's color."
)
_COMMENT = Property(
    name="castline:comment", type_name="string", label="Comment", doc="What the marker says."
)
_GLOBAL_START = Property(
    name="castline:globalStart",
    type_name="timecode",
    label="Global Start",
    group=_TIME,
    doc="Where the timeline starts, in the stage's time.",
)
_VERSION = Property(
    name="castline:version",
    type_name="int",
    label="Layout Version",
    doc="The version of this layout; a reader refuses a later one.",
)

_OBJECT = (_JSON, _NAME)
_ITEM = (*_OBJECT, _ENABLED, _RATE, *_SOURCE)


def _appearance() -> Iterator[Property]:
    """Yield what the fields of an appearance and its score are on a prim."""
    yield from _scores_of(Appearance)
    yield Property(
        name="likeness",
        type_name="double",
        label="Likeness",
        group=_SCORES,
        uniform=False,
        doc="How much like the references each scored frame is, as time samples.",
    )
    yield Property(
        name="prim",
        type_name=RELATIONSHIP,
        label="Prim",
        group=_SCORES,
        doc="The character among the timeline's characters.",
    )


def _scores_of(record: type[Record], name: str = "") -> Iterator[Property]:
    """Yield a property for each field; a record's own are its fields, `value` under its name.

    Of a second score, which says the same of something else, the value alone is on the prim.
    """
    for spec in field_specs(record):
        (wanted,) = options_of(spec.annotation)
        if isinstance(wanted, type) and issubclass(wanted, Record):
            its = list(_scores_of(wanted, spec.name))
            yield from its if spec.name == _MAIN else [replace(its[0], doc=_sentence(spec.doc))]
        elif wanted is not TimeRange:  # media_range: the samples of likeness say it on a stage
            yield _score(spec, wanted, name if spec.name == "value" else spec.name)


def _sentence(words: str) -> str:
    return f"{words[0].upper()}{words[1:]}."


def _score(spec: FieldSpec, wanted: Any, name: str) -> Property:
    words = name.removesuffix("_id").split("_")
    is_choice = get_origin(wanted) is Literal
    return Property(
        name=words[0] + "".join(word.title() for word in words[1:]),
        type_name="token" if is_choice else _USD_TYPES[wanted],
        label=" ".join(word.title() for word in words),
        doc=_sentence(spec.doc),
        group=_SCORES,
        fallback=spec.default,
        choices=get_args(wanted) if is_choice else (),
    )


TIMELINE = ApiSchema(
    name="CastlineTimelineAPI",
    doc="The cut.",
    properties=(*_OBJECT, _RATE, _GLOBAL_START, _VERSION),
)
STACK = ApiSchema(
    name="CastlineStackAPI",
    doc="A stack: tracks that play at the same time, the topmost on top.",
    properties=(*_ITEM, *_PLACE),
)
TRACK = ApiSchema(
    name="CastlineTrackAPI",
    doc="A track: items that play one after the other.",
    properties=(*_ITEM, _TRACK_KIND),
)
CLIP = ApiSchema(
    name="CastlineClipAPI",
    doc="A clip: a shot of the cut, with a variant for each of its takes.",
    properties=(*_ITEM, *_PLACE, _MEDIA_URL, _CAMERA),
)
GAP = ApiSchema(
    name="CastlineGapAPI", doc="A gap: nothing, for a while.", properties=(*_ITEM, *_PLACE)
)
TRANSITION = ApiSchema(
    name="CastlineTransitionAPI",
    doc="A transition between its two neighbours.",
    properties=(*_OBJECT, _RATE, *_PLACE),
)
MARKER = ApiSchema(
    name="CastlineMarkerAPI",
    doc="A marker on the object above it.",
    properties=(*_OBJECT, _RATE, *_MARKED, _COLOR, _COMMENT),
)
OBJECT = ApiSchema(
    name="CastlineObjectAPI",
    doc="Any other object of OpenTimelineIO.",
    properties=(*_OBJECT, _ENABLED, _RATE),
)
APPEARANCE = ApiSchema(
    name="CastlineAppearanceAPI",
    doc="How well one character is met in the take that is shown.",
    properties=tuple(_appearance()),
    prefix="castline:appearance",
)

API_SCHEMAS = (TIMELINE, STACK, TRACK, CLIP, GAP, TRANSITION, MARKER, OBJECT, APPEARANCE)
"""Every API schema of ours."""


def schema_text() -> str:
    """Return the source that `usdGenSchema` takes, as the package ships it."""
    return _HEAD.format(library=LIBRARY) + "".join(map(_class_text, API_SCHEMAS))


_HEAD = """#usda 1.0
(
    subLayers = [
        @usd/schema.usda@
    ]
)

over "GLOBAL" (
    customData = {{
        string libraryName = "{library}"
        string libraryPath = "."
        string libraryPrefix = "Castline"
        bool skipCodeGeneration = true
    }}
)
{{
}}
"""


def _class_text(api: ApiSchema) -> str:
    kind = "multipleApply" if api.prefix else "singleApply"
    prefix = f"        token propertyNamespacePrefix = {_quoted(api.prefix)}\n"
    return (
        f'\nclass "{api.name}" (\n'
        "    inherits = </APISchemaBase>\n"
        f"    doc = {_quoted(api.doc)}\n"
        "    customData = {\n"
        f'        token apiSchemaType = "{kind}"\n'
        f"        string className = {_quoted(api.name.removeprefix('Castline'))}\n"
        f"{prefix if api.prefix else ''}"
        "    }\n"
        ")\n"
        "{\n" + "".join(map(_property_text, api.properties)) + "}\n"
    )


def _property_text(item: Property) -> str:
    varies = "" if item.type_name == RELATIONSHIP or not item.uniform else "uniform "
    value = "" if item.fallback is None else f" = {_quoted(item.fallback)}"
    choices = f"        allowedTokens = {_quoted(item.choices)}\n" if item.choices else ""
    return (
        f"    {varies}{item.type_name} {item.name}{value} (\n"
        f"{choices}"
        f"        displayGroup = {_quoted(item.group)}\n"
        f"        displayName = {_quoted(item.label)}\n"
        f"        doc = {_quoted(item.doc)}\n"
        "    )\n"
    )


def _quoted(value: bool | str | tuple[str, ...]) -> str:
    """Return the value as usda writes it; for texts, truths and lists that is as in JSON."""
    return json.dumps(value, ensure_ascii=False)
