"""Any OTIO object as a timeline: what files hold is not always one."""

from __future__ import annotations

import opentimelineio as otio
from opentimelineio import schema

from castline.schemas.errors import UnreadableFileError


def timeline_of(root: otio.core.SerializableObject, name: str = "") -> schema.Timeline:
    """Return the timeline that the object is or can be put into; the object is left as it is.

    A clip becomes a track's only item, a track the only track. A collection with one timeline
    and nothing else is that timeline; of any other collection the parts follow each other on
    one track, its timelines as nested stacks, so that nothing is left out.

    Raises `UnreadableFileError` for an object that no timeline can hold.
    """
    if isinstance(root, schema.Timeline):
        return root
    parts = _parts(root)
    only = parts[0] if len(parts) == 1 else None
    if isinstance(only, schema.Timeline):
        return only
    timeline = schema.Timeline(getattr(root, "name", "") or name)
    if isinstance(root, schema.SerializableCollection):
        timeline.metadata.update(root.metadata)
    if isinstance(only, schema.Stack):
        timeline.tracks = only.deepcopy()
    elif isinstance(only, schema.Track):
        timeline.tracks.append(only.deepcopy())
    else:
        timeline.tracks.append(_track(parts))
    return timeline


def _parts(root: otio.core.SerializableObject) -> list[otio.core.SerializableObject]:
    """Return what a collection holds, collections in it opened, or the object alone."""
    if not isinstance(root, schema.SerializableCollection):
        return [root]
    found = []
    waiting = [root]
    while waiting:
        item = waiting.pop()
        if isinstance(item, schema.SerializableCollection):
            waiting.extend(reversed(list(item)))
        else:
            found.append(item)
    return found


def _track(parts: list[otio.core.SerializableObject]) -> schema.Track:
    track = schema.Track("V1", kind=_kind(parts))
    for part in parts:
        if isinstance(part, schema.Timeline):
            nested = part.tracks.deepcopy()
            nested.name = part.name or nested.name
            nested.metadata.update(part.metadata)
            track.append(nested)
        elif isinstance(part, otio.core.Composable):
            track.append(part.deepcopy())
        else:
            raise UnreadableFileError(
                f"found a {part.schema_name()}, expected a timeline, track, clip or collection"
            )
    return track


def _kind(parts: list[otio.core.SerializableObject]) -> str:
    kinds = {part.kind for part in parts if isinstance(part, schema.Track)}
    return str(kinds.pop()) if len(kinds) == 1 else str(schema.TrackKind.Video)
