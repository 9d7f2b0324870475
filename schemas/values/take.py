"""The take: one media file offered for a slot, how it sits there and how it was made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from opentimelineio.opentime import TimeRange

from castline.schemas.values.appearance import Appearance
from castline.schemas.values.clearance import Clearance
from castline.schemas.values.record import Record

Role = Literal["temp", "take"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Placement(Record):
    """How one reference sits in its clip.

    A clip has one source range and one list of effects for all its references, and they rarely
    fit a second file; switching the take swaps both.
    """

    source_range: Annotated[
        TimeRange | None, "the clip's range in this media; none: all of it"
    ] = None
    effects: Annotated[
        tuple[Mapping[str, Any], ...], "the clip's effects with this media, each as OTIO's JSON"
    ] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class Generation(Record):
    """How a take was made. Given by others; castline records it and does not vouch for it."""

    tool: Annotated[str | None, "program or service"] = None
    tool_version: Annotated[str | None, "its version"] = None
    model: Annotated[str | None, "checkpoint or model name"] = None
    prompt: Annotated[str | None, "what was asked for"] = None
    negative_prompt: Annotated[str | None, "what was asked to be absent"] = None
    seed: Annotated[int | None, "seed, an integer; 0 is a seed"] = None
    created: Annotated[str | None, "when, ISO 8601"] = None
    digital_source_type: Annotated[str | None, "IPTC digital source type, a URI"] = None
    inputs: Annotated[tuple[str, ...], "media that went in, paths or URLs"] = ()
    parameters: Annotated[Mapping[str, Any], "further settings, as the tool names them"] = field(
        default_factory=dict
    )
    record: Annotated[str | None, "the tool's own record, verbatim"] = None
    record_sha256: Annotated[str | None, "hash of that record"] = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Take(Record):
    """One generated media file offered for a slot, or the temp that stood there before."""

    take_id: Annotated[str, "identifier, unique in the cut"]
    role: Annotated[Role, "a generated take, or the temp it replaces"] = "take"
    number: Annotated[int | None, "the how-manyth offer for this slot it is"] = None
    sha256: Annotated[str | None, "hash of the media file's bytes"] = None
    generation: Annotated[Generation | None, "how it was made"] = None
    clearance: Annotated[Clearance | None, "what it may be used for"] = None
    placement: Annotated[Placement | None, "how it sits in the clip"] = None
    appearances: Annotated[tuple[Appearance, ...], "who is in it"] = ()
    camera: Annotated[str | None, "prim path of the camera that a scene is seen through"] = None
