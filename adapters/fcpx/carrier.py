"""Final Cut Pro X XML, through OTIO's stock adapter.

The stock adapter keeps people's text in one place only: note, keywords and metadata of the
`asset-clip` that stands for a media file, which all uses of that file share. The payloads ride
there as `castline.data.N`, the line for people in the note. An asset without an `asset-clip` of
its own (its clips are nested, or an earlier asset has the name) and one with many uses, each of
which would be handed every payload, leave theirs as `castline.held.N` with the first and the
last asset that can hold them; the timeline's payload is there too. Where all clips are nested
there is no such place, and the payloads ride in names of markers of the first compound clip.
What the stock adapter's FCPXML cannot say, and where it goes:

* one whole-frame rate a timeline out of 23.976, 24, 25, 29.97, 30, 50, 59.94 and 60: other
  clips' times are rounded to it, the payload restores them; a cut at another rate cannot be read
  back, nor can one at an NTSC rate whose connected clips would be written half a frame off;
* the reader cuts times down (frame 29 at 25 becomes 28, 23.976 becomes 23): clips get their own
  times back from the payload, unless they were changed, and the gaps that came of it are closed;
* empty slots and generators are written as placeholder files, image sequences under one name;
  the payload restores them, as it does all media references but the active one;
* an apostrophe in a compound clip's name comes back as a typographic one;
* a nested stack within a nested stack is refused or comes back twice;
* a timeline that holds no clip has no place for its payload;
* transitions, effects, names and order of tracks, the timeline's start and any other metadata
  are not written: what is attached to them comes back in `unplaced`;
* a disabled clip comes back enabled;
* a clip also shows the markers of the clips connected to it; a marker's comment is lost.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from castline.adapters.carrier import codec, mend
from castline.adapters.carrier.document import (
    Node,
    active_reference_of,
    clips_of,
    metadata_of,
    schema_of,
    url_of,
    walk,
)
from castline.adapters.carrier.envelope import Envelope
from castline.adapters.carrier.match import media_name
from castline.adapters.carrier.mend import Mends
from castline.adapters.fcpx import assets, layout, times

SUFFIXES = ("fcpxml",)
LIMIT = 1_000_000  # one attribute; the stock adapter has no limit of its own
KEY: str | None = None  # names of markers hold texts too
SHARES = True  # one asset serves all uses of a file
MARKERS = True

_NATIVE = "fcpx_asset"
"""Where people's own metadata of an asset waits while references are restored."""
_MOST_LINES = 8

Found = tuple[Node | list[Node], list[str]]


def mend_copy(document: Node, mends: Mends) -> None:
    """Change on this copy what the stock FCPXML writer would refuse or garble."""
    mend.flatten_names(document, mends)
    for _, clip in clips_of(document):
        (clip.get("metadata") or {}).pop(_NATIVE, None)
    timelines = _timelines(document)
    places: dict[int, times.Place] = {}
    for timeline in timelines:
        rate = layout.shape(timeline, mends)
        layout.show_as_files(timeline, mends)
        places.update(times.label_rate(timeline, rate, mends))
    assets.share(timelines, places, mends)


def returned(document: Node) -> Iterator[tuple[str, Node]]:
    """Yield the clips whose payloads come back: those in video and audio tracks, nested ones too.

    On a copy that was not mended, only those that an asset has its metadata from.
    """
    timelines = _timelines(document)
    able = {id(clip) for clip in assets.able_clips(timelines)}
    for address, clip in clips_of(document):
        if id(clip) in able or not timelines:
            yield address, clip


def put(clip: Node, envelope: Envelope, line: str) -> None:
    """Put the line for people and the payload's frames with the clip's asset."""
    native = assets.native_of(clip)
    if native.noted is not None and line:
        note = str(native.noted.get("note") or "")
        if note.count(codec.SUMMARY_PREFIX) < _MOST_LINES:
            native.noted["note"] = f"{note}\n{line}" if note else line
    if native.media_range and "reference" not in (envelope.get("undo") or {}):
        envelope["media_range"] = native.media_range
    if native.place:
        envelope["place"] = native.place
    assets.put_text(native, codec.pack(envelope, LIMIT))


def put_whole(timeline: Node, envelope: Envelope) -> bool:
    """Put the timeline's payload with the first and the last asset that can hold it."""
    first = next((clip for _, clip in returned(timeline)), None)
    if first is not None:
        native = assets.native_of(first)
        assets.put_whole_text(native, codec.pack(envelope, LIMIT))
    return first is not None


def take(document: Node) -> Iterator[Found]:
    """Take our texts out of every asset; the uses of one asset are given together."""
    uses: dict[Any, dict[str, list[Node]]] = defaultdict(lambda: defaultdict(list))
    texts: dict[Any, list[str]] = {}
    held: dict[str, None] = {}
    free: dict[str, list[Node]] = defaultdict(list)
    for kind, item in assets.in_written_order(document):
        held.update(dict.fromkeys(assets.pop_marker_texts(item)))
        if schema_of(item) != "Clip":
            continue
        own, lent = assets.pop_texts(item)
        held.update(dict.fromkeys(lent))
        if own:
            url = url_of(active_reference_of(item))
            uses[url][kind].append(item)
            texts.setdefault(url, own)
        else:
            free[kind].append(item)
    if texts or held:
        for _, clip in clips_of(document):
            _set_native_aside(clip)
    for url, clips in uses.items():
        yield from _pools(clips, _about(texts[url], document), document)
    yield from _pools(free, _about(list(held), document), document, strangers=True)


def settle(timeline: Node, placed: Sequence[tuple[Node, Envelope]]) -> None:
    """Put right what the stock reader made of media, markers and times."""
    as_read: dict[int, Node] = {}
    foretold: dict[int, times.Place] = {}
    posted: set[str] = set()
    for clip, envelope in placed:
        undo = envelope.get("undo") or {}
        posted.update(envelope.get("posted") or [])
        _restore_media_range(clip, envelope)
        written = undo.get("written_range")
        restored = "range" in undo and clip.get("source_range") is undo["range"]
        if restored and written is not None and times.is_range(written):
            as_read[id(clip)] = written
        if place := times.place_in(envelope.get("place")):
            foretold[id(clip)] = place
    for _, clip in clips_of(timeline):
        _restore_native(clip)
        if posted and clip.get("markers"):
            clip["markers"] = [m for m in clip["markers"] if m.get("name") not in posted]
    times.retime(timeline, as_read, foretold)


def _pools(
    clips: dict[str, list[Node]], texts: list[str], document: Node, *, strangers: bool = False
) -> Iterator[Found]:
    """Yield the texts of each kind of track with that kind's clips, or else with the others."""
    kinds = {kind for kind, found in clips.items() if found}
    shared: dict[str, list[str]] = defaultdict(list)
    for text in texts:
        kind = assets.kind_of(text)
        if kind != assets.WHOLE and kind not in kinds and kinds:
            kind = min(kinds)
        shared[kind].append(text)
    for kind, found in shared.items():
        able = clips[kind] if kind in kinds else []
        if strangers and len(able) == 1 and not _knows(found, able[0]):
            able = []
        if not able:
            yield document, found
        else:
            yield able if len(able) > 1 else able[0], found


def _knows(texts: list[str], clip: Node) -> bool:
    """Say whether any of these payloads is about a clip of this name or media."""
    about = clip.get("name"), media_name(url_of(active_reference_of(clip)))
    envelopes = [one for one in codec.unpack(texts).payloads if isinstance(one, dict)]
    return any(
        one.get("name") == about[0] or media_name(one.get("url")) == about[1] for one in envelopes
    )


def _about(texts: list[str], timeline: Node) -> list[str]:
    return [text for text in texts if assets.is_about(text, timeline)]


def _timelines(document: Node) -> list[Node]:
    return [
        node for _, node in walk(document) if schema_of(node) == "Timeline" and node.get("tracks")
    ]


def _set_native_aside(clip: Node) -> None:
    native = ((active_reference_of(clip) or {}).get("metadata") or {}).get(assets.KEY)
    if native:
        metadata_of(clip)[_NATIVE] = native


def _restore_native(clip: Node) -> None:
    """Keep what people said about an asset, where its reference was restored from a payload."""
    native = (clip.get("metadata") or {}).pop(_NATIVE, None)
    reference = active_reference_of(clip)
    if native and reference is not None:
        metadata_of(reference)[assets.KEY] = native


def _restore_media_range(clip: Node, envelope: Envelope) -> None:
    part = (envelope.get("references") or {}).get(envelope.get("active")) or {}
    reference = active_reference_of(clip)
    foretold = envelope.get("media_range")
    if reference is None or not foretold or not part.get("available_range"):
        return
    if times.is_range(foretold) and times.same_range(reference.get("available_range"), foretold):
        reference["available_range"] = part["available_range"]
