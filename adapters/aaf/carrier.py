"""AAF, through OTIO's stock adapter (pyaaf2).

The payload rides in the user comments of the clip's master mob, `castline` for people and
`castline_data_001` and on for the frames; the timeline's in those of the composition mob. Each
use of a clip gets a master mob of its own, with an id made from its slot and media, so that the
same cut gives the same ids; an id that came with the file is kept, its uses share one place, and
where they are many the payload rides in the composition mob instead. What an AAF from the stock
adapter cannot say, and where it goes:

* one rate: times in others are rounded to the commonest; the payload restores them;
* of several media references the active one is written; the others ride in the payload, as does
  an image sequence or a generator, which are written as a file;
* any transition is written as a dissolve;
* a nested stack is not trimmed to its range, with several layers it is as long as all of them
  together, and with one item it comes back as that item; what is attached to the stack comes
  back in the timeline's `unplaced`;
* a disabled clip comes back enabled; effects and markers are not written;
* uses of one master mob have one name, the first one's; the payload restores the others;
* metadata of tracks, gaps and transitions is not written.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from castline.adapters.aaf import mobs
from castline.adapters.aaf.mobs import (
    HELD_PATH_KEY,
    OWN_MOB,
    PATH_KEY,
    MobIds,
    comments_of,
    make_comments,
    make_own,
    mob_id_of,
    tag_of,
)
from castline.adapters.carrier import codec, even, mend
from castline.adapters.carrier.document import (
    Node,
    active_reference_of,
    children_of,
    clips_of,
    data_of,
    each_clip,
    references_of,
    schema_of,
    walk,
)
from castline.adapters.carrier.envelope import Envelope, clip_envelope
from castline.adapters.carrier.mend import Mends

SUFFIXES = ("aaf",)
KEY = mobs.KEY
LIMIT = 30_000  # a comment's text has at most 32,767 UTF-16 units, its key and type included
SHARES = False
MARKERS = False
LINE_KEY = "castline"
DATA_KEY = "castline_data_"
SHARED_KEY = "castline_mob_"
_MOST_SHARING = 8
"""Uses of one master mob whose payloads all ride in it; the reader hands each use all of them."""
_FIRST_FRAME = re.compile(r"%CASTLINE\d+ [0-9a-f]{8} 1/")
_DISSOLVES = {
    "Picture": ("VideoDissolve_2", "89d9b67e-5584-302d-9abd-8bd330c46841", 100.0),
    "Sound": ("Audio Dissolve", "0c3bea41-fc05-11d2-8a29-0050040ef7d2", 1.0),
}
"""Name, id and last level of the dissolves as Avid's own files have them."""

_PICTURES = ("CDCIDescriptor", "RGBADescriptor", None)
_MISSING: Node = {
    "OTIO_SCHEMA": "MissingReference.1",
    "metadata": {},
    "name": "",
    "available_image_bounds": None,
}


class _Comments(dict[str, Any]):
    """Comments of a use whose master mob has its comments elsewhere."""

    home: dict[str, Any]
    prefix: str


def mend_copy(document: Node, mends: Mends) -> None:
    """Change on this copy what the stock AAF writer would refuse or garble."""
    for _, timeline in walk(document):
        if schema_of(timeline) == "Timeline" and timeline.get("tracks"):
            _wrap_groups(timeline["tracks"])
            mend.give_source_ranges(timeline, mends)
            rate = even.even_out(timeline, mends)
            groups: dict[str, list[Node]] = defaultdict(list)
            ids = MobIds()
            for track in children_of(timeline["tracks"]):
                _mend_track(track, groups, ids, mends)
            _cover(timeline, groups, rate, mends)
            for track in children_of(timeline["tracks"]):
                if track.get("kind") != "Audio":
                    _simplify_descriptions(track)
            _share_comments(timeline, groups, mends)


def returned(document: Node) -> Iterator[tuple[str, Node]]:
    """Yield the clips that come back: all, nested ones too, but slugs, which come back as gaps."""
    return ((address, clip) for address, clip in clips_of(document) if not _is_slug(clip))


def put(clip: Node, envelope: Envelope, line: str) -> None:
    """Put the line for people and the payload's frames into the master mob's comments."""
    comments = make_comments(clip)
    if isinstance(comments, _Comments):
        home, prefix = comments.home, comments.prefix
    else:
        home, prefix = comments, DATA_KEY
    # A clip that only has mends to undo has nothing to tell people.
    told = any(data_of(item) is not None for item in (clip, *references_of(clip).values()) if item)
    if prefix == DATA_KEY and told:
        lines = "\n".join(part for part in (home.get(LINE_KEY), line) if part)
        home[LINE_KEY] = lines if len(lines) < LIMIT // 2 else home[LINE_KEY]
    _add_frames(home, prefix, envelope)


def put_whole(timeline: Node, envelope: Envelope) -> bool:
    """Put the timeline's payload into the composition mob's comments."""
    _add_frames(make_comments(timeline), DATA_KEY, envelope)
    return True


def take(document: Node) -> Iterator[tuple[Node | list[Node], list[str]]]:
    """Take our comments out of every mob; uses of one master mob are given together."""
    uses: dict[tuple[str, ...], list[Node]] = defaultdict(list)
    shared: dict[str, tuple[Node, list[str]]] = {}
    by_mob: dict[str, list[Node]] = defaultdict(list)
    for _, node in walk(document):
        mob = mob_id_of(node) if schema_of(node) == "Clip" else None
        ours = _pop_comments(node)
        for reference in references_of(node).values():
            for key, text in _pop_comments(reference).items() if reference else ():
                ours.setdefault(key, text)
        if schema_of(node) == "Clip":
            by_mob[mob or ""].append(node)
        texts = [text for key, text in ours.items() if key.startswith(DATA_KEY)]
        for key, text in ours.items():
            if key.startswith(SHARED_KEY):
                tag = key.removeprefix(SHARED_KEY).partition("_")[0]
                shared.setdefault(tag, (node, []))[1].append(text)
        if ours and schema_of(node) == "Clip":
            _drop_chain(node)
        if texts and schema_of(node) == "Clip":
            uses[(mob or str(id(node)), *texts)].append(node)
        elif texts:
            yield node, texts
    for (_, *texts), clips in uses.items():
        if sum(len(_FIRST_FRAME.findall(text)) for text in texts) > 1:
            yield clips, texts
        else:  # every use has a payload when we write: further ones are an editor's copies
            yield from ((clip, texts) for clip in clips)
    by_tag = {tag_of(mob): clips for mob, clips in by_mob.items()} if shared else {}
    for tag, (node, texts) in shared.items():
        for clip in by_tag.get(tag, []):
            _drop_chain(clip)
        yield by_tag.get(tag) or node, texts


def _drop_chain(clip: Node) -> None:
    """Forget the file and tape mobs that the stock reader lists as further references.

    The payload holds what references the clip had.
    """
    references = references_of(clip)
    if any(data_of(item) is not None for item in (clip, *references.values()) if item):
        return  # not what the reader made
    active = clip.get("active_media_reference_key")
    for key, reference in list(references.items()):
        if key != active and reference and KEY in (reference.get("metadata") or {}):
            del references[key]


def _share_comments(timeline: Node, groups: dict[str, list[Node]], mends: Mends) -> None:
    """Let the uses of one mob put name and payload where the stock writer looks for them."""
    for mob, clips in groups.items():
        for clip in clips:
            if clip.get("name") != clips[0].get("name"):
                mends.set_name(clip, clips[0].get("name"))
        many = len(clips) > _MOST_SHARING and mob.startswith("urn:")
        if len(clips) > 1:
            home = make_comments(timeline if many else clips[0])
            prefix = f"{SHARED_KEY}{tag_of(mob)}_" if many else DATA_KEY
            for clip in clips[0 if many else 1 :]:
                comments = _Comments(make_comments(clip))
                comments.home, comments.prefix = home, prefix
                make_own(clip)["UserComments"] = comments


def _add_frames(home: dict[str, Any], prefix: str, envelope: Envelope) -> None:
    """Add the envelope's frames to the last comment of this prefix, or to new ones."""
    last = next((key for key in reversed(home) if key.startswith(prefix)), None)
    number = int(last.removeprefix(prefix)) if last else 0
    for frame in codec.pack(envelope, LIMIT):
        if last is None or len(home[last]) + len(frame) >= LIMIT:
            number += 1
            last = f"{prefix}{number:03d}"
            home[last] = frame
        else:
            home[last] += " " + frame


def _pop_comments(node: Node) -> dict[str, str]:
    """Take our comments, and what else we added, from the object's mob."""
    own = (node.get("metadata") or {}).get(KEY)
    if not isinstance(own, dict):
        return {}
    comments = comments_of(node)
    ours = {
        key: comments.pop(key) for key in list(comments) if key.startswith((DATA_KEY, SHARED_KEY))
    }
    line = comments.get(LINE_KEY)
    found, rest = codec.cut_out(line) if isinstance(line, str) else ([], line)
    if found:
        ours[LINE_KEY] = comments.pop(LINE_KEY)
        if rest:
            comments[LINE_KEY] = rest
    path = comments.pop(HELD_PATH_KEY, None)
    if path is not None:
        comments.setdefault(PATH_KEY, path)
    if not comments and (ours or isinstance(comments, _Comments)):
        del own["UserComments"]
    if (list(own) == ["MobID"] and str(own["MobID"]).startswith(OWN_MOB)) or (ours and not own):
        del node["metadata"][KEY]
    return {key: text for key, text in ours.items() if isinstance(text, str)}


# --- what the stock writer refuses


def _wrap_groups(stack: Node) -> None:
    """Put tracks in the top stack and nested tracks in stacks, as the stock writer wants them."""
    tracks = children_of(stack)
    for n, child in enumerate(tracks):
        if schema_of(child) != "Track":
            tracks[n] = _group("Track", child, kind=_kind_of(child))
    for _, track in list(walk(stack)):
        if schema_of(track) == "Track":
            items = children_of(track)
            for n, child in enumerate(items):
                if schema_of(child) == "Track":
                    items[n] = _group("Stack", child)


def _group(schema: str, child: Node, **more: Any) -> Node:
    return {"OTIO_SCHEMA": f"{schema}.1", "metadata": {}, "name": "", "children": [child], **more}


def _kind_of(node: Node) -> str:
    kinds = [track.get("kind") for _, track in walk(node) if schema_of(track) == "Track"]
    return "Audio" if kinds and all(kind == "Audio" for kind in kinds) else "Video"


def _is_slug(clip: Node) -> bool:
    reference = active_reference_of(clip) or {}
    return reference.get("generator_kind") == "Slug"


def _mend_track(track: Node, groups: dict[str, list[Node]], ids: MobIds, mends: Mends) -> None:
    kind = "Sound" if track.get("kind") == "Audio" else "Picture"
    for _, item in walk(track):
        if schema_of(item) == "Transition":
            _write_dissolve(item, kind)
        elif schema_of(item) == "Clip":
            _show_as_file(item, mends)
            shared = f"slug {id(item)}" if _is_slug(item) else ids.give(item, kind)
            groups[shared].append(item)


def _show_as_file(clip: Node, mends: Mends) -> None:
    reference = active_reference_of(clip) or {}
    kind = schema_of(reference)
    if kind == "ImageSequenceReference":
        url = mend.sequence_url(clip, reference)
    elif kind == "GeneratorReference" and not (_is_slug(clip) and clip_envelope(clip, "") is None):
        url = mend.placeholder_url(clip, reference)
    else:
        return
    available, name = reference.get("available_range"), reference.get("name") or ""
    mends.set_reference(clip, mend.external_reference(url, available, name))


def _cover(timeline: Node, groups: dict[str, list[Node]], rate: float, mends: Mends) -> None:
    """Give all uses of a mob one range of media in which all that they show lies."""
    shown = {id(clip): span for clip, span in even.visible_spans(timeline)}
    for clips in groups.values():
        spans = [shown[id(clip)] for clip in clips if id(clip) in shown]
        references = [active_reference_of(clip) for clip in clips]
        spans += [s for r in references if r and (s := even.available_span(r, rate))]
        if not spans:
            continue
        start, end = min(s for s, _ in spans), max(e for _, e in spans)
        covering = mend.range_node(start, end - start, rate)
        for clip, reference in zip(clips, references, strict=True):
            if reference is None:
                mends.set_reference(clip, {**_MISSING, "available_range": covering})
            elif even.same_range(reference.get("available_range"), covering):
                mends.keep_reference(clip)
            else:
                mends.set_reference(clip, {**reference, "available_range": covering})
            mends.watch_media_range(clip)


def _simplify_descriptions(track: Node) -> None:
    """Leave out descriptions of media that the stock writer mistakes for a picture's."""
    for clip in each_clip(track):
        reference = active_reference_of(clip)
        own = ((reference or {}).get("metadata") or {}).get(KEY)
        if reference is None or not isinstance(own, dict):
            continue
        described = own.get("EssenceDescription")
        if isinstance(described, dict) and described.get("ClassName") not in _PICTURES:
            plain = {key: own[key] for key in own if key != "EssenceDescription"}
            reference["metadata"] = {**reference["metadata"], KEY: plain}


def _write_dissolve(transition: Node, kind: str) -> None:
    """Give the transition what the stock writer reads from its metadata, where that is absent."""
    name, number, level = _DISSOLVES[kind]
    own = make_own(transition)
    if transition.get("transition_type") != "SMPTE_Dissolve" or not _is_dissolve(own):
        transition["transition_type"] = "SMPTE_Dissolve"
        own["PointList"] = [{"Time": 0.0, "Value": 0.0}, {"Time": 1.0, "Value": level}]
        own["OperationGroup"] = {
            "Operation": {
                "Name": name,
                "Description": "",
                "Identification": number,
                "DataDefinition": {"Name": kind},
                "IsTimeWarp": False,
                "Bypass": 1,
                "NumberInputs": 2,
                "OperationCategory": "OperationCategory_Effect",
            }
        }
    own["CutPoint"] = int(transition["in_offset"]["value"])


def _is_dissolve(own: Node) -> bool:
    points, operation = own.get("PointList"), (own.get("OperationGroup") or {}).get("Operation")
    return bool(
        isinstance(points, list)
        and len(points) > 1
        and isinstance(operation, dict)
        and {"Name", "Description", "Identification", "DataDefinition"} <= set(operation)
    )
