"""Who is in a cut, and by what name a stage calls them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from castline.adapters.usd.node import Node
from castline.adapters.usd.payload import data_of, record
from castline.adapters.usd.views import sayable
from castline.schemas.values import Cast


def cast_of(root: Node) -> Cast:
    """Return the cast that the cut carries."""
    data = data_of(root.document)
    return record(Cast, data.get("cast") if data else None) or Cast()


def expected_in(slot: Mapping[str, Any]) -> list[str]:
    """Return the ids of the characters that a slot's data expects."""
    expected = slot.get("expected")
    if not isinstance(expected, list):
        return []
    found = [item.get("character_id") for item in expected if isinstance(item, dict)]
    return [item for item in found if isinstance(item, str)]


def labels_of(slot: Mapping[str, Any], cast: Cast) -> list[str]:
    """Return the names of the characters that a slot expects."""
    return [label_of(character_id, cast) for character_id in expected_in(slot)]


def label_of(character_id: str, cast: Cast) -> str:
    """Return what people call a character."""
    character = cast.find(character_id)
    return sayable(character.name if character else character_id)
