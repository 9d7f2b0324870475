"""CMX 3600 edit decision lists, through OTIO's stock adapter.

The payload rides in `* ` comment lines of the clip's own event, the timeline's on the first and
the last event. What an EDL cannot say, and where it goes:

* one video track only: an EDL of several cannot be written (the stock adapter says so);
* audio, nested stacks and disabled clips are not written: what is attached to them comes back
  in the timeline's `unplaced`;
* a cut whose clips are all nested has no event: its data rides in the title line;
* of several media references the active one is written; the others ride in the payload;
* an image sequence comes back with its range cut to the part in use; the payload restores it;
* markers lose their length and comment, and their names come back in capitals;
* a track's name, the timeline's start and all other metadata are not written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import opentimelineio as otio

from castline.adapters.carrier import codec, mend
from castline.adapters.carrier.document import (
    Node,
    active_reference_of,
    children_of,
    each_clip,
    metadata_of,
    references_of,
    schema_of,
    url_of,
    walk,
)
from castline.adapters.carrier.envelope import Envelope
from castline.adapters.carrier.match import media_name
from castline.adapters.carrier.mend import Mends
from castline.schemas.errors import InvalidValueError

SUFFIXES = ("edl",)
LIMIT = 400  # one comment line; what programs cut off is not documented, long lines are a risk
TITLE_LIMIT = 1 << 30  # the title of an EDL without events, which no editing program reads
SHARES = False
MARKERS = True

_KEY = "cmx_3600"
KEY: str | None = None  # the title may hold texts too


def mend_copy(document: Node, mends: Mends) -> None:
    """Change on this copy what the stock EDL writer would refuse or garble."""
    mend.flatten_names(document, mends)
    mend.give_source_ranges(document, mends)
    mend.snap_rates(document)
    mend.reference_files(document, mends, ["ImageSequenceReference"], mend.sequence_url)
    _keep_generators(document, mends)
    mend.set_reels(document, _KEY, _reel)
    _name_reels(document)
    _put_video_first(document)
    _say_record_start(document)


def returned(document: Node) -> Iterator[tuple[str, Node]]:
    """Yield the clips that come back: the enabled ones of the first track, not nested."""
    for _, node in walk(document):
        if schema_of(node) == "Timeline" and (tracks := children_of(node["tracks"])):
            for number, item in enumerate(children_of(tracks[0])):
                if schema_of(item) == "Clip" and item.get("enabled", True):
                    yield f"0/{number}", item


def put(clip: Node, envelope: Envelope, line: str) -> None:
    """Put the line for people and the payload's frames into the event's comments."""
    comments = _comments(clip)
    comments[:0] = [line]
    comments.extend(codec.pack(envelope, LIMIT))


def put_whole(timeline: Node, envelope: Envelope) -> bool:
    """Put the timeline's payload on the first and the last event that are written.

    An EDL without any event has but its title.
    """
    clips = [clip for _, clip in returned(timeline)]
    for clip in {id(c): c for c in (*clips[:1], *clips[-1:])}.values():
        _comments(clip).extend(codec.pack(envelope, LIMIT))
    if not clips:
        (frame,) = codec.pack(envelope, TITLE_LIMIT)
        timeline["name"] = f"{timeline.get('name') or ''} {frame}"
    return True


def take(document: Node) -> Iterator[tuple[Node, list[str]]]:
    """Take our comment lines out of every event.

    The clip after a dissolve comes back with its neighbour's comments before its own.
    """
    before: list[str] = []
    media = None
    dissolve = False
    for _, item in walk(document):
        if schema_of(item) != "Clip":
            dissolve = schema_of(item) == "Transition"
            if schema_of(item) == "Timeline" and codec.holds_ours(item.get("name") or ""):
                texts, item["name"] = codec.cut_out(item["name"])
                item["name"] = item["name"].rstrip()
                yield item, texts
            continue
        ours = _pop_comments(item)
        if ours:
            inherited = set(before) if dissolve else set()
            kept = [text for text in ours if text not in inherited]
            if kept:
                if dissolve and media_name(url_of(active_reference_of(item))) == media:
                    _drop_media(item)
                yield item, kept
        before, dissolve = ours, False
        media = media_name(url_of(active_reference_of(item)))


def _pop_comments(clip: Node) -> list[str]:
    """Take our lines out of the event's comments; leave no empty list or dict behind."""
    own = metadata_of(clip).get(_KEY)
    if not isinstance(own, dict) or not isinstance(own.get("comments"), list):
        return []
    comments: list[Any] = own["comments"]
    ours: list[str] = []
    kept: list[Any] = []
    for text in comments:
        found, rest = codec.cut_out(text) if isinstance(text, str) else ([], text)
        ours += found
        if not found or rest.strip():
            kept.append(rest.strip() if found else rest)
    if any(map(codec.holds_ours, ours)):
        own["comments"] = kept
        if not kept:
            del own["comments"]
        if not own:
            del clip["metadata"][_KEY]
        return ours
    return []


def _drop_media(clip: Node) -> None:
    """Forget the media that the stock reader took from the other side of the dissolve."""
    key = clip.get("active_media_reference_key", "")
    references_of(clip)[key] = {"OTIO_SCHEMA": "MissingReference.1"}


def _comments(clip: Node) -> list[str]:
    own = metadata_of(clip).setdefault(_KEY, {})
    comments: list[str] = own.setdefault("comments", [])
    if not isinstance(comments, list):
        raise InvalidValueError(f"comments of {clip.get('name')!r}: expected a list")
    return comments


def _keep_generators(document: Node, mends: Mends) -> None:
    """An event has reels for black and bars; what else a generator is, it cannot say."""
    for clip in each_clip(document):
        if schema_of(active_reference_of(clip) or {}) == "GeneratorReference":
            mends.keep_reference(clip)


def _name_reels(document: Node) -> None:
    """Give a reel to clips whose name or media would make one that splits the event's line."""
    for clip in each_clip(document):
        own = metadata_of(clip).get(_KEY)
        if isinstance(own, dict) and own.get("reel"):
            continue
        source = _reel_source(clip)
        if " " in re.sub(r"[^ a-zA-Z0-9]+", "", source)[:8].strip() or not _reel(source):
            clip["metadata"][_KEY] = {**(own or {}), "reel": _reel(source) or "AX"}


def _reel_source(clip: Node) -> str:
    reference = references_of(clip).get(clip.get("active_media_reference_key", "")) or {}
    url = reference.get("target_url") or ""
    name = reference.get("name") or url or clip.get("name") or ""
    base = str(name).replace("\\", "/").rpartition("/")[2]
    return re.sub(r"([.][a-zA-Z]+)$", "", base)


def _reel(name: str) -> str:
    return re.sub(r"[^a-zA-Z0-9_]+", "", name)[:8]


def read_record_start(timeline: otio.schema.Timeline) -> None:
    """Say where the record timecode starts in the timeline's own word for it.

    The stock reader notes it as a trim of each track that begins at minus that time, which hides
    every clip when it is taken at its word. Tracks that begin later get a gap before them.
    """
    trims = {n: track.source_range for n, track in enumerate(timeline.tracks)}
    starts = {
        n: -trim.start_time for n, trim in trims.items() if trim and trim.start_time.value < 0
    }
    if not starts or timeline.global_start_time is not None:
        return
    first = min(starts.values())
    timeline.global_start_time = first
    for number, start in starts.items():
        timeline.tracks[number].source_range = None
        if start > first:
            zero = otio.opentime.RationalTime(0, start.rate)
            lead = otio.opentime.TimeRange(zero, start - first)
            timeline.tracks[number].insert(0, otio.schema.Gap(source_range=lead))


def _say_record_start(document: Node) -> None:
    """Write the timeline's start as the stock writer takes it: a trim from minus that time."""
    for _, node in walk(document):
        start = node.get("global_start_time") if schema_of(node) == "Timeline" else None
        if not start or float(start["value"]) <= 0:
            continue
        for track in children_of(node["tracks"]):
            if track.get("source_range") is None:
                begin = mend.time_node(-float(start["value"]), float(start["rate"]))
                length = mend.time_node(_length_of(track, begin["rate"]), begin["rate"])
                track["source_range"] = {
                    "OTIO_SCHEMA": "TimeRange.1",
                    "start_time": begin,
                    "duration": length,
                }


def _length_of(track: Node, rate: float) -> float:
    """Return a track's length in frames of this rate; transitions add none."""
    spans = (item.get("source_range") for item in children_of(track))
    return sum(
        round(float(mend.length_of(span["duration"]) * Fraction(rate))) for span in spans if span
    )


def _put_video_first(document: Node) -> None:
    """The stock writer writes the first track, whatever its kind."""
    for _, node in walk(document):
        if schema_of(node) == "Timeline" and node.get("tracks"):
            tracks = node["tracks"]["children"]
            tracks.sort(key=lambda track: track.get("kind") != "Video" or not track.get("enabled"))
