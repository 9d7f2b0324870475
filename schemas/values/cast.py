"""The cast: who is in the story, and how they look in each stretch of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from castline.schemas.values.clearance import Clearance
from castline.schemas.values.record import Record
from castline.schemas.values.scene import Prim

ReferenceKind = Literal["face", "figure", "other"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Reference(Record):
    """One picture that says what a character looks like."""

    path: Annotated[str, "path of the picture, relative to the cast's folder"]
    sha256: Annotated[str | None, "hash of the picture's bytes"] = None
    look_id: Annotated[str | None, "the look it shows; none: any look"] = None
    kind: Annotated[ReferenceKind, "what it shows of the character"] = "face"


@dataclass(frozen=True, kw_only=True, eq=False)
class Look(Record):
    """How a character looks in one stretch of story: costume, hair, age."""

    look_id: Annotated[str, "identifier, unique within the character"]
    name: Annotated[str | None, "what people call it"] = None
    description: Annotated[str | None, "what makes this look"] = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Character(Record):
    """Somebody in the story, with the pictures that say who they are."""

    character_id: Annotated[str, "identifier, unique within the cast"]
    name: Annotated[str, "what people call them"]
    description: Annotated[str | None, "who they are"] = None
    looks: Annotated[tuple[Look, ...], "their looks, in story order"] = ()
    references: Annotated[tuple[Reference, ...], "pictures of them"] = ()
    clearance: Annotated[Clearance | None, "likeness and consent, where one applies"] = None
    prims: Annotated[tuple[Prim, ...], "where they stand in a scene"] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class Cast(Record):
    """All characters of a production; other people's "bible"."""

    characters: Annotated[tuple[Character, ...], "the characters, in order of the list"] = ()

    def find(self, character_id: str) -> Character | None:
        """Return the character with this id, or with this name whatever its case."""
        wanted = character_id.casefold()
        for character in self.characters:
            if wanted in (character.character_id.casefold(), character.name.casefold()):
                return character
        return None
