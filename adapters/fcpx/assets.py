"""Where texts of ours ride in an FCPXML of OTIO's stock adapter, and finding them there again.

The writer makes one asset for each file, and an `asset-clip` with people's note and metadata for
each clip outside compound clips whose name no `asset-clip` has yet; the reader gives a clip those
of the first `asset-clip` of its asset. So what is put on a clip comes back with every use of its
file, if at all.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from castline.adapters.carrier import codec
from castline.adapters.carrier.document import (
    Node,
    active_reference_of,
    children_of,
    metadata_of,
    schema_of,
    url_of,
)
from castline.adapters.carrier.mend import Mends, range_node
from castline.adapters.fcpx import layout, times

KEY = "fcpx"
DATA_KEY = "castline.data."
HELD_KEY = "castline.held."
WHOLE = "T"

_MARK = "%CASTLINE"
_MOST_SHARING = 8
"""Uses of one asset whose payloads all ride in it; the reader hands each use all of them."""


class Native(dict[str, Any]):
    """The `fcpx` metadata of a clip's media, and where the clip's payload is put."""

    head = "V"
    """What stands before the frames: the track's kind; with many timelines, which and of which."""
    own: list[Node] | None = None
    """The metadata of the clip's own asset, where that comes back and has few uses."""
    noted: Native | None = None
    """What has the note of the clip's asset."""
    held: tuple[list[Node], ...] = ()
    """The metadata of the assets that hold what has no place of its own."""
    compound: Node | None = None
    """The compound clip that holds it in its markers, where there is no such asset."""
    media_range: Node | None = None
    """The media's range as it will be read."""
    place: times.Place | None = None
    """Where the clip lies and where it will be read to lie, should that differ."""


@dataclass
class _Assets:
    """What the writer will make of the files of a document."""

    uses: Counter[str | None] = field(default_factory=Counter)
    first: dict[str | None, Node] = field(default_factory=dict)
    """The clip that an asset is made from."""
    makers: dict[str | None, Node] = field(default_factory=dict)
    """The clip that the first `asset-clip` of an asset is made from."""


def share(timelines: list[Node], places: dict[int, times.Place], mends: Mends) -> None:
    """Settle for each clip where its texts go, and foretell how its times will be read."""
    for timeline in timelines:
        assets = _assets(timelines)
        if not _holders(timeline, assets):
            _set_holders_aside(timeline, assets, mends)
    assets = _assets(timelines)
    names = [str(timeline.get("name") or "") for timeline in timelines]
    natives = _natives(timelines)
    for timeline in timelines:
        held = tuple(natives[id(clip)]["metadata"] for clip in _holders(timeline, assets))
        compound = next(_compounds(timeline), None) if not held else None
        tag = _tag(timeline, names) if len(timelines) > 1 else ""
        for clip, _, kind in layout.written_clips(timeline):
            native, url = natives[id(clip)], url_of(active_reference_of(clip))
            maker = assets.makers.get(url)
            native.head = f"{kind[0]}{tag}"
            native.held, native.compound = held, compound
            native.place = places.get(id(clip))
            if maker is not None:
                native.noted = natives[id(maker)]
                if assets.uses[url] <= _MOST_SHARING:
                    native.own = native.noted["metadata"]
            first = assets.first[url]
            fps = times.whole_rate(float(first["source_range"]["duration"]["rate"]))
            times.foretell_range(clip, fps, mends)
            available = (active_reference_of(first) or {}).get("available_range")
            if available:
                native.media_range = times.read_range(available, fps)


def able_clips(timelines: list[Node]) -> Iterator[Node]:
    """Yield the clips whose texts come back."""
    makers: set[int] | None = None
    for timeline in timelines:
        for clip, _, _ in layout.written_clips(timeline):
            reference = active_reference_of(clip) or {}
            native = (reference.get("metadata") or {}).get(KEY)
            if isinstance(native, Native):
                yield clip
            elif schema_of(reference) == "ExternalReference" and reference.get("target_url"):
                if makers is None:
                    makers = {id(maker) for maker in _assets(timelines).makers.values()}
                if id(clip) in makers:
                    yield clip


def native_of(clip: Node) -> Native:
    """Return the clip's place, made of its own media's metadata where none was settled."""
    reference = active_reference_of(clip)
    native = metadata_of(reference).get(KEY) if reference is not None else None
    if isinstance(native, Native):
        return native
    native = _native(native)
    native.own, native.noted = native["metadata"], native
    if reference is not None:
        metadata_of(reference)[KEY] = native
    return native


def put_text(native: Native, frames: Iterable[str]) -> None:
    """Put frames where the clip's asset, or those that hold for it, will bring them back."""
    if native.own is not None:
        _add(native.own, DATA_KEY, native.head, frames)
    else:
        _hold(native, native.head, frames)


def put_whole_text(native: Native, frames: Iterable[str]) -> None:
    """Put frames of the timeline itself with the assets that hold for this clip's timeline."""
    held = native.held or ((native.own,) if native.own is not None else ())
    head = WHOLE + native.head[1:]
    if held or native.compound is not None:
        for metadata in held:
            _add(metadata, HELD_KEY, head, frames)
        if not held:
            _hold(native, head, frames)


def pop_texts(clip: Node) -> tuple[list[str], list[str]]:
    """Take our texts out of a clip's media; return its asset's own and the held ones."""
    own: list[str] = []
    held: list[str] = []
    media = (active_reference_of(clip) or {}).get("metadata") or {}
    native = media.get(KEY)
    if not isinstance(native, dict):
        return own, held
    metadata, note = native.get("metadata"), native.get("note")
    if isinstance(metadata, list):
        kept = [entry for entry in metadata if not _take_entry(entry, own, held)]
        if kept or not (own or held):
            native["metadata"] = kept
        else:
            del native["metadata"]
    if (own or held) and isinstance(note, str):
        native["note"] = codec.cut_out(note)[1]
        if not native["note"]:
            del native["note"]
    if (own or held) and not native:
        del media[KEY]
    return own, held


def _take_entry(entry: Any, own: list[str], held: list[str]) -> bool:
    key, value = next(iter(entry.items()), ("", None)) if isinstance(entry, dict) else ("", None)
    if not isinstance(value, str) or not key.startswith((DATA_KEY, HELD_KEY)):
        return False
    (own if key.startswith(DATA_KEY) else held).append(value)
    return True


def pop_marker_texts(item: Node) -> list[str]:
    """Take our texts out of an item's markers."""
    markers = item.get("markers") or []
    texts = [m["name"] for m in markers if _MARK in str(m.get("name") or "")]
    if texts:
        item["markers"] = [m for m in markers if _MARK not in str(m.get("name") or "")]
    return texts


def kind_of(text: str) -> str:
    """Return what a text is about: a clip in a `V`ideo or `A`udio track, or the `T`imeline."""
    return text[:1]


def is_about(text: str, timeline: Node) -> bool:
    """Say whether a text may be this timeline's: its own, or no known one's of its file."""
    head = text.partition(_MARK)[0].split()
    about = [word[3:] for word in head if word.startswith("in=")]
    among = [word[3:] for word in head if word.startswith("of=")]
    name = quote(str(timeline.get("name") or ""), safe="")
    return not about or name in about or (bool(among) and name not in among[0].split(","))


def in_written_order(node: Node, kind: str = "Video") -> Iterator[tuple[str, Node]]:
    """Yield every item with its track's kind, tracks in the order in which they were written."""
    children = children_of(node)
    if schema_of(node) == "Stack":
        children = sorted(children, key=_lane)
    for child in children:
        if schema_of(child) not in ("Stack", "Track", "Timeline"):
            yield kind[:1], child
            continue
        if schema_of(child) == "Stack":
            yield kind[:1], child
        yield from in_written_order(child, str(child.get("kind") or kind))


def _lane(track: Node) -> tuple[bool, int]:
    name = str(track.get("name") or "")
    return track.get("kind") != "Video", abs(int(name)) if re.fullmatch(r"-?\d{1,6}", name) else 0


def _assets(timelines: list[Node]) -> _Assets:
    assets = _Assets()
    named = set()
    for timeline in timelines:
        for clip, nested, _ in layout.written_clips(timeline):
            url = url_of(active_reference_of(clip))
            assets.uses[url] += 1
            assets.first.setdefault(url, clip)
            if not nested and clip.get("name") not in named:
                named.add(clip.get("name"))
                assets.makers.setdefault(url, clip)
    return assets


def _holders(timeline: Node, assets: _Assets) -> list[Node]:
    """Return the makers of the first and the last of the timeline's assets with fewest uses."""
    urls = dict.fromkeys(
        url_of(active_reference_of(clip)) for clip, _, _ in layout.written_clips(timeline)
    )
    fit = [url for url in urls if url in assets.makers and assets.uses[url] <= _MOST_SHARING]
    fewest = min((assets.uses[url] for url in fit), default=0)
    best = [assets.makers[url] for url in fit if assets.uses[url] == fewest]
    return [*best[:1], *best[-1:]] if len(best) > 1 else best


def _set_holders_aside(timeline: Node, assets: _Assets, mends: Mends) -> None:
    """Give two clips of an asset with many uses one of their own: the same file, dotted.

    The reader would hand each use every payload otherwise, a million for a thousand clips.
    """
    makers = {id(clip) for clip in assets.makers.values()}
    able = [c for c, _, _ in layout.written_clips(timeline) if id(c) in makers]
    for clip in [*able[:1], *able[-1:]] if len(able) > 1 else able:
        reference = active_reference_of(clip) or {}
        folder, slash, file = str(reference.get("target_url") or "").rpartition("/")
        mends.set_reference(clip, {**reference, "target_url": f"{folder}{slash}./{file}"})


def _natives(timelines: list[Node]) -> dict[int, Native]:
    natives = {}
    for timeline in timelines:
        for clip, _, _ in layout.written_clips(timeline):
            reference = active_reference_of(clip) or {}
            metadata = reference.get("metadata") or {}
            native = _native(metadata.get(KEY))
            reference["metadata"] = {**metadata, KEY: native}
            natives[id(clip)] = native
    return natives


def _native(found: Any) -> Native:
    native = Native(found if isinstance(found, dict) else {})
    # Even an empty list: an `asset-clip` without content does not count as one.
    metadata = native.get("metadata")
    native["metadata"] = list(metadata) if isinstance(metadata, list) else []
    return native


def _compounds(timeline: Node) -> Iterator[Node]:
    for track in children_of(timeline["tracks"]):
        yield from (item for item in children_of(track) if schema_of(item) == "Stack")


def _tag(timeline: Node, names: list[str]) -> str:
    among = ",".join(quote(name, safe="") for name in names)
    return f" in={quote(str(timeline.get('name') or ''), safe='')} of={among}"


def _hold(native: Native, head: str, frames: Iterable[str]) -> None:
    for metadata in native.held:
        _add(metadata, HELD_KEY, head, frames)
    if native.compound is not None:
        own = native.compound["source_range"]
        start, rate = float(own["start_time"]["value"]), float(own["start_time"]["rate"])
        marker = {
            "OTIO_SCHEMA": "Marker.2",
            "metadata": {},
            "name": f"{head} {' '.join(frames)}",
            "color": "PURPLE",
            "comment": "",
            "marked_range": range_node(start, 1, rate),
        }
        native.compound.setdefault("markers", []).append(marker)


def _add(metadata: list[Node], key: str, head: str, frames: Iterable[str]) -> None:
    metadata.append({f"{key}{len(metadata) + 1}": f"{head} {' '.join(frames)}"})
