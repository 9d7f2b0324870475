"""What a cut says of the scene it was read from: prims, and what was wrong with the stage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from castline.schemas.values.finding import Problem
from castline.schemas.values.record import Record


@dataclass(frozen=True, kw_only=True, eq=False)
class Prim(Record):
    """A prim of a scene: where it is, and what tells it from others where paths change."""

    path: Annotated[str, "its path on the stage"]
    type_name: Annotated[str | None, "its type, as USD names it"] = None
    layer: Annotated[str | None, "file of its strongest opinion, relative to the scene's"] = None
    identity: Annotated[str | None, "identifier of the asset it is (`assetInfo`)"] = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Scene(Record):
    """The stage that a cut was read from."""

    up_axis: Annotated[str | None, "Y or Z"] = None
    meters_per_unit: Annotated[float | None, "meters a unit"] = None
    codes_per_second: Annotated[float | None, "time codes a second, as they were taken"] = None
    unloaded: Annotated[int | None, "payloads that were not loaded"] = None
    problems: Annotated[tuple[Problem, ...], "what is wrong with it, and was lived with"] = ()
