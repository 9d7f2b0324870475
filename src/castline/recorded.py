"""Features instead of models: scoring from what was seen elsewhere, or earlier."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from castline.adapters.material.media import hash_file
from castline.inference.cache import Cache
from castline.inference.features import Recorded
from castline.inference.frames import Footage
from castline.inference.measure import Asked, Done, key_of
from castline.inference.specification import Specification
from castline.inference.subject import Model, Sight
from castline.schemas.errors import UnreadableFileError


class RecordedModel:
    """Stands where a model stands, and looks at nothing."""

    def __init__(self, recorded: Recorded) -> None:
        """Take over with what the features were made."""
        self._recorded = recorded
        self.specification = Specification.known_as(recorded.model)
        self.kinds = recorded.kinds

    def look(self, *_: Any, **__: Any) -> Any:
        """Raise, since there are no pictures here."""
        raise UnreadableFileError("features: hold no pictures to look at")

    def engine(self, asked: Sequence[Asked]) -> Iterator[Done]:
        """Say of each file how many frames nobody recorded."""
        for each in asked:
            why = f"{each.footage.path}: {len(each.numbers)} frames are not in the features"
            yield Done(each.footage.sha256, {}, why)

    def store(self) -> Cache:
        """Return a cache, in memory, that knows what was recorded."""
        store = Cache.in_memory()
        for media, sights in self._recorded.sights.items():
            seen = {number: sight.subjects for number, sight in sights.items()}
            store.put(media, seen, self._recorded.model)
        return store

    def locate(self, path: Path) -> Footage | str:
        """Return what was recorded of a file: by its bytes, by its name where it is not here."""
        footage = self._recorded.footage
        if path.is_file():
            found = footage.get(hash_file(path))
            return found or f"{path}: is not the file that was recorded"
        named = [each for each in footage.values() if each.path.name == path.name]
        return named[0] if len(named) == 1 else f"{path}: is not in the features"


def record(footage: Sequence[Asked], model: Model, store: Cache) -> Recorded:
    """Return what the store knows of these files by this model."""
    media = {each.footage.sha256: each for each in footage}
    return Recorded(
        model.specification.hash,
        frozenset(model.kinds),
        {key: each.footage for key, each in media.items()},
        {
            key: {
                number: Sight(number, subjects)
                for number, subjects in store.all_of(key, key_of(model, each)).items()
            }
            for key, each in media.items()
        },
    )
