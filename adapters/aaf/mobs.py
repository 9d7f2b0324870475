"""Master mobs: which id a use of a clip keeps or gets, and where its comments lie.

An id that came with the file is kept as long as the clip shows the media it came with. Any other
is made from the slot and the media, so that the same cut gives the same ids and no two uses share
one: programs take two clips with one id for the same clip, whatever else a file says.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from pathlib import Path
from typing import Any

from castline.adapters.carrier.document import (
    Node,
    active_reference_of,
    data_of,
    metadata_of,
    references_of,
    url_of,
)
from castline.adapters.carrier.match import describe, media_name

KEY = "AAF"
"""The metadata key of the stock adapter."""

OWN_MOB = "urn:smpte:umid:060a2b34.01010105.01010f20.13ca571e."
"""How the ids begin that we make: a UMID of the UUID method with an instance number of ours."""

PATH_KEY = "UNC Path"
"""The comment whose file the stock reader shows before any other media of the mob."""

HELD_PATH_KEY = "castline_unc_path"
"""Where that path waits while the clip shows other media."""

_MOB_NAMESPACE = uuid.UUID("b8a2e0c4-5f7d-5c1e-9d43-0e6f3a8c2b71")


class MobIds:
    """The mob ids of one timeline, and what they stand for."""

    def __init__(self) -> None:
        self._media: dict[tuple[str, Any], str | None] = {}
        self._counts: dict[str, int] = defaultdict(int)

    def give(self, clip: Node, kind: Any) -> str:
        """Give a use its own mob id unless it came with one; return what its uses share."""
        mob = mob_id_of(clip)
        shown = media_name(url_of(active_reference_of(clip)))
        if mob is not None and (mob.startswith(OWN_MOB) or _shows_new_media(clip)):
            mob = None
        # One mob shows one media: a use of other media cannot share it.
        if mob is not None and self._media.setdefault((mob, kind), shown) != shown:
            mob = None
        if mob is None and not _brings_mob(clip):
            mob = self._new(clip, shown)
            make_own(clip)["MobID"] = mob
        hold_path(clip, shown)
        return mob or str(url_of(active_reference_of(clip)))

    def _new(self, clip: Node, shown: str | None) -> str:
        data = data_of(clip)
        slot = data.get("slot_id") if isinstance(data, dict) else None
        seed = repr((slot, shown) if slot else describe(clip))
        self._counts[seed] += 1
        number = uuid.uuid5(_MOB_NAMESPACE, f"{seed}{self._counts[seed]}").hex
        return OWN_MOB + ".".join(number[n : n + 8] for n in range(0, 32, 8))


def mob_id_of(clip: Node) -> str | None:
    """Return the id that the stock writer would find on the clip or its media."""
    for node in (clip, active_reference_of(clip) or {}):
        own = (node.get("metadata") or {}).get(KEY)
        if isinstance(own, dict) and (mob := own.get("MobID") or own.get("SourceID")):
            return str(mob)
    return None


def _brings_mob(clip: Node) -> bool:
    """Say whether the stock writer takes the id from the media, an AAF file on this disk."""
    url = url_of(active_reference_of(clip)) or ""
    return url.endswith("aaf") and Path(url).is_file()


def _shows_new_media(clip: Node) -> bool:
    """Say whether the clip shows media that its master mob did not come with."""
    active = active_reference_of(clip) or {}
    born = [
        reference
        for reference in references_of(clip).values()
        if reference and KEY in (reference.get("metadata") or {})
    ]
    if not born or any(reference is active for reference in born):
        return False
    known = {media_name(url_of(reference)) for reference in born}
    return media_name(url_of(active)) not in {*known, media_name(_path_of(clip))}


def hold_path(clip: Node, shown: str | None) -> None:
    """Put the path of media that the clip does not show where the stock reader leaves it alone."""
    path = _path_of(clip)
    if path is not None and media_name(path) != shown:
        comments = make_comments(clip)
        comments[HELD_PATH_KEY] = comments.pop(PATH_KEY)


def _path_of(clip: Node) -> str | None:
    path = comments_of(clip).get(PATH_KEY)
    return path if isinstance(path, str) else None


def tag_of(mob: str) -> str:
    """Return a short word that stands for the mob in a comment's name."""
    return uuid.uuid5(_MOB_NAMESPACE, mob).hex[:12]


def comments_of(node: Node) -> dict[str, Any]:
    """Return the object's user comments, or an empty dict that is not the object's."""
    own = (node.get("metadata") or {}).get(KEY)
    comments = own.get("UserComments") if isinstance(own, dict) else None
    return comments if isinstance(comments, dict) else {}


def make_comments(node: Node) -> dict[str, Any]:
    """Return the object's user comments, made if there are none."""
    own = make_own(node)
    if not isinstance(own.get("UserComments"), dict):
        own["UserComments"] = {}
    comments: dict[str, Any] = own["UserComments"]
    return comments


def make_own(node: Node) -> Node:
    """Return what the object says to the stock adapter, made if it says nothing."""
    metadata = metadata_of(node)
    if not isinstance(metadata.get(KEY), dict):
        metadata[KEY] = {}
    own: Node = metadata[KEY]
    return own
