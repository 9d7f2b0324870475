"""What prims usdotio makes of a cut: a shape for each type, as its own schema declares them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

ROOT = "OtioTimeline"


@dataclass(frozen=True, slots=True)
class Shape:
    """What a prim of one type holds: a field is an attribute, one prim, or prims in order."""

    attributes: Mapping[str, type]
    named: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # by the child's type
    listed: Mapping[str, str] = field(default_factory=dict)  # by the child's type
    needed: tuple[str, ...] = ()
    schema: str = ""  # where no attribute says it
    has_metadata: bool = True


_TIME = "OtioRationalTime"
_RANGE = "OtioTimeRange"
_BOX = "OtioBox2d"
_POINT = "OtioV2d"
_ITEM: dict[str, type] = {"name": str, "enabled": bool}
_ITEM_RANGE = {_RANGE: ("source_range",)}
_MARKS = {"OtioEffect": "effects", "OtioLinearTimeWarp": "effects", "OtioMarker": "markers"}
_PARTS = dict.fromkeys(
    ("OtioStack", "OtioTrack", "OtioClip", "OtioGap", "OtioTransition"), "children"
)
_MEDIA = dict.fromkeys(
    ("OtioExternalReference", "OtioImageSequenceReference", "OtioMissingReference"),
    "media_references",
)
_MEDIA_PRIMS = {_RANGE: ("available_range",), _BOX: ("available_image_bounds",)}

SHAPES = {
    ROOT: Shape(
        {"name": str}, {_TIME: ("global_start_time",)}, {"OtioStack": "tracks"}, ("tracks",)
    ),
    "OtioStack": Shape(_ITEM, _ITEM_RANGE, _PARTS | _MARKS),
    "OtioTrack": Shape(_ITEM | {"kind": str}, _ITEM_RANGE, _PARTS | _MARKS),
    "OtioGap": Shape(_ITEM, _ITEM_RANGE, _MARKS),
    "OtioClip": Shape(
        _ITEM | {"active_media_reference_key": str},
        _ITEM_RANGE | {_BOX: ("available_image_bounds",)},
        _MEDIA | _MARKS,
    ),
    "OtioTransition": Shape(
        {"name": str, "transition_type": str},
        {_TIME: ("in_offset", "out_offset")},
        needed=("in_offset", "out_offset"),
    ),
    "OtioEffect": Shape({"name": str, "effect_name": str}),
    "OtioLinearTimeWarp": Shape({"name": str, "effect_name": str, "time_scalar": float}),
    "OtioMarker": Shape(
        {"name": str, "color": str}, {_RANGE: ("marked_range",)}, needed=("marked_range",)
    ),
    "OtioMissingReference": Shape({"name": str}, _MEDIA_PRIMS),
    "OtioExternalReference": Shape({"name": str, "target_url": str}, _MEDIA_PRIMS),
    "OtioImageSequenceReference": Shape(
        {
            "name": str,
            "target_url_base": str,
            "name_prefix": str,
            "name_suffix": str,
            "start_frame": int,
            "frame_step": int,
            "rate": float,
            "frame_zero_padding": int,
            "missing_frame_policy": str,
        },
        _MEDIA_PRIMS,
    ),
    _RANGE: Shape(
        {},
        {_TIME: ("start_time", "duration")},
        needed=("start_time", "duration"),
        has_metadata=False,
    ),
    _TIME: Shape({"rate": float, "value": float}, has_metadata=False),
    _BOX: Shape(
        {}, {_POINT: ("min", "max")}, needed=("min", "max"), schema="Box2d.1", has_metadata=False
    ),
    _POINT: Shape({"x": float, "y": float}, schema="V2d.1", has_metadata=False),
}
