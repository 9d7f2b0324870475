"""What castline knows of shots and characters, in the schemas that USD has for it.

| what | where |
|---|---|
| how a take was made | `AuthorshipAPI:gen_<hash of the take id>` on the take |
| who should be seen | `SemanticsLabelsAPI:character` on the clip |
| who was seen, and how well they scored | `CastlineAppearanceAPI:<character>` on the take |
| which slot, which take | `assetInfo` of the clip |
| the cast | prims below `/Timeline/Characters` |

Classes that the running USD lacks are applied by name: the text is the same in all versions. Data
that is not of its declared shape stays in the JSON alone.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from posixpath import commonpath
from typing import Any

from castline.adapters.usd import layout
from castline.adapters.usd.appearances import appearance_instances, appearance_views
from castline.adapters.usd.characters import cast_of, expected_in, label_of, labels_of
from castline.adapters.usd.node import Node
from castline.adapters.usd.payload import data_of
from castline.adapters.usd.playing.clock import Clock
from castline.adapters.usd.playing.shot import Shot
from castline.adapters.usd.playing.specs import apply
from castline.adapters.usd.views import sayable
from castline.schemas.exact import exact_seconds
from castline.schemas.timemap import TimeMap
from castline.schemas.values import Appearance, Cast, Generation, Take

_AUTHORSHIP = "authorship"
_TEXTS = {
    "softwarePackage": "tool",
    "softwareVersion": "tool_version",
    "created": "created",
    "digitalSourceType": "digital_source_type",
}
"""Attributes of AuthorshipAPI by the fields of a `Generation`."""

_PARTS = ("model", "prompt", "negative_prompt", "seed")
_MAX_INPUT = 4000  # characters of a parameter; longer ones are records, which the JSON has


def author(
    layer: Any,
    root: Node,
    found: Sequence[Shot],
    clock: Clock,
    elsewhere: Mapping[str, Sequence[str]] | None = None,
) -> None:
    """Author what is known of a cut whose objects, and whose takes, have their specs.

    Characters that are `elsewhere` on the stage, paths by their ids, get no prims below the cut.
    """
    cast = cast_of(root)
    parent = layer.GetPrimAtPath(root.path)
    characters = _author_characters(parent, cast, found, elsewhere or {})
    for shot in found:
        data = data_of(shot.node.document)
        if data and isinstance(data.get("slot_id"), str):
            _author_slot(layer.GetPrimAtPath(shot.node.path), data, shot, cast)
        for key, take in shot.takes.items():
            owner = shot.owners[key]
            if take.generation is not None:
                _author_generation(owner, take, take.generation)
            for instance, appearance in appearance_instances(take.appearances).items():
                character = cast.find(appearance.character_id)
                known = character.character_id if character else appearance.character_id
                character_prim = _nearest(characters.get(known, ()), owner)
                _author_appearance(owner, instance, appearance, character_prim)
                _author_likeness(owner, instance, appearance, shot.maps.get(key), clock)


def _author_characters(
    parent: Any, cast: Cast, found: Sequence[Shot], elsewhere: Mapping[str, Sequence[str]]
) -> dict[str, Sequence[Any]]:
    """Author the characters of the cast, and whoever else is spoken of; return paths by id."""
    from pxr import Sdf

    known = {character.character_id: character for character in cast.characters}
    others = [spoken for spoken in spoken_of(found) if cast.find(spoken) is None]
    everyone = [key for key in (*known, *dict.fromkeys(others)) if key not in elsewhere]
    paths: dict[str, Sequence[Any]] = dict(elsewhere)
    if not everyone:
        return paths
    group = Sdf.PrimSpec(parent, layout.CHARACTERS_NAME, Sdf.SpecifierDef, "Scope")
    group.SetInfo("kind", "group")
    for character_id, name in layout.unique_names(
        (character_id, layout.instance_name(character_id)) for character_id in everyone
    ).items():
        prim = Sdf.PrimSpec(group, name, Sdf.SpecifierDef, "Scope")
        prim.SetInfo("kind", "component")
        called = label_of(character_id, cast)
        prim.SetInfo("displayName", called)
        if character_id in known and (description := known[character_id].description):
            prim.SetInfo("documentation", sayable(description))
        label(prim, [called])
        paths[character_id] = [prim.path]
    return paths


def _nearest(paths: Sequence[Any], owner: Any) -> Any:
    """Return the path that shares most with a spec's, the first of several, None of none.

    A character may stand in every shot of a sequence.
    """
    return max(paths, key=lambda path: len(commonpath([str(path), str(owner.path)])), default=None)


def _author_slot(prim: Any, slot: Mapping[str, Any], shot: Shot, cast: Cast) -> None:
    """Say which slot a clip is, which take it shows, and whom it should show."""
    info = {"name": sayable(slot["slot_id"])}
    if shot.active in shot.takes:
        info["version"] = sayable(shot.takes[shot.active].take_id)
    prim.SetInfo("assetInfo", info)
    if labels := labels_of(slot, cast):
        label(prim, labels)


def _author_likeness(
    owner: Any, instance: str, appearance: Appearance, time_map: TimeMap | None, clock: Clock
) -> None:
    """Author how like a character is at the time codes of the frames that are known of."""
    from pxr import Sdf

    score = appearance.score
    if time_map is None or score is None or score.worst is None or score.worst_time is None:
        return
    cut_time = time_map.to_cut(exact_seconds(score.worst_time))
    if cut_time is None:
        return
    name = f"{layout.APPEARANCE}:{instance}:likeness"
    spec = Sdf.AttributeSpec(owner, name, Sdf.ValueTypeNames.Double)
    owner.layer.SetTimeSample(spec.path, clock.code(cut_time), score.worst)


def _author_generation(owner: Any, take: Take, generation: Generation) -> None:
    from pxr import Sdf

    # A prim's records come down to those below it, so no two may have one name.
    digest = hashlib.sha256(take.take_id.encode("utf-8", "replace")).hexdigest()[:8]
    instance = f"gen_{digest}"
    apply(owner, f"AuthorshipAPI:{instance}")
    values: dict[str, tuple[Any, Any]] = {
        name: (Sdf.ValueTypeNames.String, sayable(text))
        for name, field in _TEXTS.items()
        if (text := getattr(generation, field))
    }
    values["instanceID"] = (Sdf.ValueTypeNames.String, sayable(take.take_id))
    inputs = [sayable(text) for pair in _inputs(generation) for text in pair]
    if inputs:
        values["inputs"] = (Sdf.ValueTypeNames.StringArray, inputs)
    if take.clearance is not None:
        terms = f"{take.clearance.use} use; likeness: {take.clearance.likeness}"
        values["usageTerms"] = (Sdf.ValueTypeNames.String, terms)
    for name, (kind, value) in values.items():
        full = f"{_AUTHORSHIP}:{instance}:{name}"
        Sdf.AttributeSpec(owner, full, kind, Sdf.VariabilityUniform).default = value


def _inputs(generation: Generation) -> Iterator[tuple[str, str]]:
    """Yield what shaped a take as names and values."""
    for name in _PARTS:
        value = getattr(generation, name)
        if value is not None:
            yield name, str(value)
    for path in generation.inputs:
        yield "input", path
    for name, value in generation.parameters.items():
        text = value if isinstance(value, str) else json.dumps(value, default=str)
        if len(text) <= _MAX_INPUT:
            yield name, text


def _author_appearance(owner: Any, instance: str, appearance: Appearance, character: Any) -> None:
    from pxr import Sdf

    apply(owner, f"{layout.APPEARANCE_API}:{instance}")
    for name, (kind, value) in appearance_views(instance, _plain(appearance)).items():
        found = Sdf.ValueTypeNames.Find(kind)
        Sdf.AttributeSpec(owner, name, found, Sdf.VariabilityUniform).default = value
    if character is not None:
        name = f"{layout.APPEARANCE}:{instance}:prim"
        rel = Sdf.RelationshipSpec(owner, name, False, Sdf.VariabilityUniform)
        rel.targetPathList.Prepend(character)


def _plain(appearance: Appearance) -> dict[str, Any]:
    data = appearance.to_data()
    if appearance.score is not None and appearance.score.worst_time is not None:
        data["score"]["worst_time"] = {"value": appearance.score.worst_time.value}
    return data


def label(prim: Any, labels: list[str]) -> None:
    """Label a prim's spec with names of characters."""
    from pxr import Sdf

    apply(prim, f"SemanticsLabelsAPI:{layout.CHARACTER_TAXONOMY}")
    Sdf.AttributeSpec(
        prim, layout.LABELS, Sdf.ValueTypeNames.TokenArray, Sdf.VariabilityVarying
    ).default = labels


def spoken_of(found: Sequence[Shot]) -> Iterator[str]:
    """Yield the ids of characters that shots expect or that were seen in their takes."""
    for shot in found:
        if data := data_of(shot.node.document):
            yield from expected_in(data)
        for take in shot.takes.values():
            yield from (appearance.character_id for appearance in take.appearances)
