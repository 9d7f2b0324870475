"""Final Cut Pro 7 XML (xmeml), through OTIO's stock adapter.

The payload rides in the clip item's own fields: a line for people in its log note, the frames in
master comment 4; the timeline's frames in the sequence's master comment 4; those of a nested
stack in the clip item that shows it. What is there already stays in front of ours. What the stock
adapter cannot say, and where it goes:

* what is inside a nested stack is written, but not read back: the stack comes back empty, and
  what is attached to things inside it comes back in the timeline's `unplaced`;
* tracks that are neither video nor audio are not written, nor are audio channels that the reader
  takes for the second half of a pair: what is attached to their clips goes to `unplaced`;
* video tracks come back before audio tracks; a clip or stack outside a track comes back on a
  track, a track inside a track as a stack;
* of several media references the active one is written; the others ride in the payload, as does
  an image sequence, which is written as one file, and a generator's parameters;
* uses of one file have one name and one available range, the first one's; the payload restores;
* times are whole frames, edges those of the sequence's rate; the payload restores the clip's;
* a dissolve that is not centred comes back centred, its cut moved;
* effects are not written; markers lose their colour and comment;
* a gap beside a dissolve comes back shorter by the part of the dissolve that lies in it;
* characters that XML does not know become blanks; in a clip's name and media the payload
  restores them;
* trims of whole tracks, and metadata outside `fcp_xml`, are not written.

A disabled clip or track is written as disabled; where a file holds ours, it also comes back so.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from castline.adapters.carrier import codec, mend
from castline.adapters.carrier.document import (
    Node,
    active_reference_of,
    children_of,
    metadata_of,
    schema_of,
    walk,
)
from castline.adapters.carrier.envelope import Envelope
from castline.adapters.carrier.mend import Mends
from castline.adapters.fcp7 import references, timing, tracks

SUFFIXES = ("xml",)
LIMIT = 1_000_000  # one text element; neither XML nor the stock adapter has a limit
SHARES = False
MARKERS = True
LINE_FIELD = ("logginginfo", "lognote")
"""Where programs show the line for people: a column of their own, "Log Note"."""
DATA_FIELD = ("comments", "mastercomment4")
"""Where the frames lie: the last, least used of the master comments."""

KEY = tracks.KEY
_SECTIONS = ("logginginfo", "comments")
_WAS_EMPTY = "\n"  # in front of ours, for each level that was there and held nothing
_GONE = object()


def mend_copy(document: Node, mends: Mends) -> None:
    """Change on this copy what the stock FCP 7 writer would refuse or garble."""
    mend.snap_rates(document)
    mend.give_source_ranges(document, mends)
    tracks.arrange_tracks(document)
    tracks.say_enabled(document)
    tracks.write_legal_text(document, mends)
    references.mend_references(document, mends)
    timing.mend_times(document, mends)
    tracks.tell_apart(document)


def returned(document: Node) -> Iterator[tuple[str, Node]]:
    """Yield the clips and stacks that come back: those of the top tracks, not what is nested."""
    for _, node in walk(document):
        if schema_of(node) != "Timeline" or not node.get("tracks"):
            continue
        for place, track in enumerate(children_of(node["tracks"])):
            if _is_returned(track):
                for number, item in enumerate(children_of(track)):
                    if schema_of(item) in ("Clip", "Stack"):
                        yield f"{place}/{number}", item


def put(clip: Node, envelope: Envelope, line: str) -> None:
    """Put the line for people and the payload's frames into the clip item's fields."""
    own = _own(clip)
    _append(own, *LINE_FIELD, line)
    _append(own, *DATA_FIELD, _joined(envelope))
    if posted := len(envelope.get("posted") or []):
        _count_from_media_start(clip, clip["markers"][-posted:])


def put_whole(timeline: Node, envelope: Envelope) -> bool:
    """Put the timeline's payload into the sequence's comments."""
    _append(_own(timeline), *DATA_FIELD, _joined(envelope))
    return True


def take(document: Node) -> Iterator[tuple[Node, list[str]]]:
    """Take our texts out of every sequence and clip item.

    In a file that holds any, what the file says is disabled is disabled: the stock reader reads
    that as metadata only.
    """
    found = [(node, texts) for _, node in walk(document) if (texts := _take_texts(node))]
    if found:
        tracks.read_enabled(document)
    yield from found


def _is_returned(track: Node) -> bool:
    own = (track.get("metadata") or {}).get(KEY)
    own = own if isinstance(own, dict) else {}
    first = own.get("@currentExplodedTrackIndex", "0") == "0"
    alone = own.get("@totalExplodedTrackCount", "1") == "1"
    kind = track.get("kind")
    return kind == "Video" or (kind == "Audio" and (first or alone))


def _own(node: Node) -> Node:
    own: Node = metadata_of(node).setdefault(KEY, {})
    return own


def _joined(envelope: Envelope) -> str:
    return "\n".join(codec.pack(envelope, LIMIT))


def _append(own: Node, section: str, field: str, text: str) -> None:
    """Put a text behind what the field holds, whatever shape the stock reader gave it."""
    inside = own.get(section)
    if inside is None or inside == {}:
        own[section] = {field: (2 * _WAS_EMPTY if section in own else "") + text}
    elif not isinstance(inside, dict):
        own[section] = [*(inside if isinstance(inside, list) else [inside]), {field: text}]
    elif field not in inside:
        inside[field] = text
    elif isinstance(value := inside[field], dict | list):
        inside[field] = [*(value if isinstance(value, list) else [value]), text]
    else:
        inside[field] = f"{'' if value is None else value}\n{text}"


def _take_texts(node: Node) -> list[str]:
    own = (node.get("metadata") or {}).get(KEY)
    if not isinstance(own, dict):
        return []
    ours: list[str] = []
    for section in _SECTIONS:
        if section in own:
            found = len(ours)
            rest = _without_ours(own[section], ours)
            if len(ours) == found:
                continue
            own[section] = rest
            if rest is _GONE:
                del own[section]
    if ours and not own:
        del node["metadata"][KEY]
    return ours


def _without_ours(value: Any, ours: list[str]) -> Any:
    """Return the value without what is ours, which is added to the list."""
    if isinstance(value, str):
        return _text_without_ours(value, ours)
    if isinstance(value, list):
        rest = [left for item in value if (left := _without_ours(item, ours)) is not _GONE]
        return rest if len(rest) > 1 else rest[0] if rest else _GONE
    if isinstance(value, dict) and value:
        left = {key: _without_ours(item, ours) for key, item in value.items()}
        if _WAS_EMPTY in left.values() and len(left) == 1:
            return None
        return {key: item for key, item in left.items() if item is not _GONE} or _GONE
    return value


def _text_without_ours(text: str, ours: list[str]) -> Any:
    found, rest = codec.cut_out(text)
    if not found:
        return text
    ours.extend(found)
    if rest:
        return rest
    return None if text.startswith(_WAS_EMPTY) else _GONE


def _count_from_media_start(clip: Node, markers: list[Node]) -> None:
    """Let our markers' times count from the start of the media, as programs read them."""
    reference = active_reference_of(clip) or {}
    start = (reference.get("available_range") or {}).get("start_time")
    if start is None:
        return
    for marker in markers:
        time = marker["marked_range"]["start_time"]
        offset = float(start["value"]) * float(time["rate"]) / float(start["rate"])
        time["value"] = max(0.0, float(time["value"]) - offset)
