"""The media of clips as the stock Final Cut Pro 7 XML writer can say it."""

from __future__ import annotations

from typing import Any

import opentimelineio as otio

from castline.adapters.carrier import mend
from castline.adapters.carrier.document import Node, active_reference_of, each_clip, schema_of
from castline.adapters.carrier.envelope import clip_envelope
from castline.adapters.carrier.mend import Mends, range_node
from castline.adapters.fcp7.timing import frames_of, is_whole

_KEY = "fcp_xml"


def mend_references(document: Node, mends: Mends) -> None:
    """Let every clip show a file, a generator or nothing, each complete, one file the same."""
    for clip in each_clip(document):
        _mend_reference(clip, mends)
    first: dict[str, Node] = {}
    for clip in each_clip(document):
        reference = active_reference_of(clip) or {}
        if schema_of(reference) != "ExternalReference":
            continue
        one = first.setdefault(reference["target_url"], reference)
        if one.get("available_range") != reference.get("available_range"):
            shared = {**reference, "available_range": one.get("available_range")}
            mends.set_reference(clip, shared)
        elif _file_part(one) != _file_part(reference) and _has_data(clip):
            mends.keep_reference(clip)
        if "reference" in (mends.undo_of(clip) or {}):
            mends.watch_media_range(clip)


def _mend_reference(clip: Node, mends: Mends) -> None:
    reference = active_reference_of(clip)
    kind = schema_of(reference or {})
    used = clip.get("source_range")
    if reference is None or (kind == "ExternalReference" and not reference.get("target_url")):
        missing = {**(reference or {}), "OTIO_SCHEMA": "MissingReference.1"}
        missing.pop("target_url", None)
        mends.set_reference(clip, missing)
    elif kind == "MissingReference":
        if reference.get("available_range") is None and _has_data(clip):
            mends.keep_reference(clip)  # the reader invents a range of no length
    elif kind == "GeneratorReference":
        _mend_generator(clip, reference, mends)
        return
    elif kind != "ExternalReference":
        url = mend.sequence_url if kind == "ImageSequenceReference" else mend.placeholder_url
        name = reference.get("name") or ""
        available = reference.get("available_range")
        written = mend.external_reference(url(clip, reference), available, name)
        mends.set_reference(clip, written)
    shown = active_reference_of(clip) or {}
    available = _writable_range(shown, used)
    if available != shown.get("available_range"):
        mends.set_reference(clip, {**shown, "available_range": available})


def _mend_generator(clip: Node, generator: Node, mends: Mends) -> None:
    """A generator is written as a file with a source; it needs a range and a kind of media."""
    own = (generator.get("metadata") or {}).get(_KEY) or {}
    if "effecttype" in own:
        if not {"mediatype", "effectcategory"} <= set(own) or generator.get("parameters"):
            mends.keep_reference(clip)
        return
    written = {
        **generator,
        "available_range": _writable_range(generator, clip.get("source_range")),
    }
    metadata = dict(generator.get("metadata") or {})
    if not (isinstance(own.get("media"), dict) and own["media"]):
        metadata[_KEY] = {**own, "media": {"video": None}}
    if written != generator or metadata != generator.get("metadata"):
        mends.set_reference(clip, written)
        written["metadata"] = metadata
    elif generator.get("parameters"):
        mends.keep_reference(clip)


def _writable_range(reference: Node, used: Node | None) -> Node | None:
    """Return the media's range as the file can say it: whole frames of a timecode, from zero."""
    available = reference.get("available_range")
    if available is None:
        if schema_of(reference) == "MissingReference":
            return None
        available = used
    if available is None:
        return None
    start, length = available["start_time"], available["duration"]
    rate = float(start["rate"])
    if not otio.opentime.RationalTime.is_smpte_timecode_rate(rate):
        rate = float((used or available)["start_time"]["rate"])
        if not otio.opentime.RationalTime.is_smpte_timecode_rate(rate):
            rate = 24.0
    exact = (frames_of(start, rate), frames_of(length, rate))
    sayable = exact[0] >= 0 and all(is_whole(value) for value in exact)
    if sayable and rate == start["rate"] == length["rate"]:
        return dict(available)
    begin = max(0, round(exact[0]))
    return range_node(begin, max(1, round(exact[0] + exact[1]) - begin), rate)


def _file_part(reference: Node) -> tuple[Any, Any]:
    return reference.get("name"), (reference.get("metadata") or {}).get(_KEY)


def _has_data(clip: Node) -> bool:
    return clip_envelope(clip, "") is not None
