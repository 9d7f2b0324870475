"""Taking cuts of the shared corpus through formats, and comparing what comes back."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import opentimelineio as otio

from castline.schemas.roots import timeline_of

CORPUS = Path(__file__).resolve().parents[1].parent / "shared" / "corpus"
UNREADABLE = {"pxy5.edl"}  # "Unknown event type" in the stock reader
RATES = {"25fps.edl": 25.0}
READERS = {".json": "otio_json", ".xml": "fcp_xml"}

SAMPLE: dict[str, Any] = {
    "prompt": 'Élodie walks → 雨 "rain" <b>&amp; 100% é',
    "seed": 6952411511246973023,
    "score": 0.9731234567890123,
    "characters": [{"id": "hero", "scores": [0.91, 1e-7, 1.0]}, {"id": "villäin", "scores": []}],
    "nested": {"a": {"b": {"c": [1, 2.5, None, True, {}]}}, "text": "line1\nline2\ttab  two"},
}


def cuts() -> list[Path]:
    """Return the corpus files that the stock adapters read."""
    folders = ("otio", "edl", "fcp7", "fcpx", "aaf", "ale")
    files = [p for f in folders for p in sorted((CORPUS / f).glob("*")) if p.is_file()]
    return [path for path in files if path.name not in UNREADABLE]


def read_cut(path: Path) -> otio.schema.Timeline:
    """Read a corpus file as a timeline."""
    arguments = {"rate": RATES[path.name]} if path.name in RATES else {}
    with quiet():
        root = otio.adapters.read_from_file(str(path), READERS.get(path.suffix), **arguments)
    return timeline_of(root, path.stem)


def attach(timeline: otio.schema.Timeline) -> None:
    """Attach data to every clip, to its references, and to the timeline."""
    for number, clip in enumerate(timeline.find_clips()):
        clip.metadata["castline"] = {"version": 1, "slot_id": f"s{number:04d}", **SAMPLE}
        references = dict(clip.media_references().items())
        for key, reference in references.items():
            take = {"version": 1, "take_id": f"t{number}-{key}", "role": "temp", "x": SAMPLE}
            reference.metadata["castline"] = take
        offer = otio.schema.ExternalReference(f"takes/s{number:04d}_v001.mp4")
        offer.metadata["castline"] = {"version": 1, "take_id": f"t{number}", **SAMPLE}
        active = clip.active_media_reference_key
        clip.set_media_references({**references, "take_001": offer}, active)
    timeline.metadata["castline"] = {"version": 1, "cast": {"characters": []}, **SAMPLE}


def data_of(thing: Any) -> Any:
    """Return our metadata as plain data."""
    if "castline" not in thing.metadata:
        return None
    return json.loads(thing.to_json_string())["metadata"]["castline"]


def clip_data(clip: otio.schema.Clip) -> dict[str, Any]:
    """Return everything of ours on a clip: its own, its references', and which is active."""
    return {
        "clip": data_of(clip),
        "references": {k: data_of(r) for k, r in clip.media_references().items()},
        "active": clip.active_media_reference_key,
    }


@dataclass
class Trip:
    """What became of one cut in one format."""

    clips: int
    error: str = ""
    returned: int = 0
    intact: int = 0
    unplaced: int = 0
    timeline: bool = False

    @property
    def whole(self) -> bool:
        return not self.error and self.returned == self.clips == self.intact


def travel(timeline: otio.schema.Timeline, path: Path, **arguments: Any) -> Trip:
    """Write with plain OTIO, read with plain OTIO, compare."""
    before = {data_of(c)["slot_id"]: clip_data(c) for c in timeline.find_clips()}
    trip = Trip(len(before))
    try:
        with quiet():
            otio.adapters.write_to_file(timeline, str(path), **arguments.get("write", {}))
            result = otio.adapters.read_from_file(str(path), **arguments.get("read", {}))
    except BaseException as error:
        trip.error = f"{type(error).__name__}: {' '.join(str(error).split())[:160]}"
        return trip
    if isinstance(result, otio.schema.Timeline) and "keep" in arguments:
        arguments["keep"].append(result)
    elif "keep" in arguments:
        arguments["keep"].append(timeline_of(result))
    clips = list(result.find_clips())
    trip.returned = len(clips)
    for clip in clips:
        data = data_of(clip)
        if data and clip_data(clip) == before.get(data.get("slot_id")):
            trip.intact += 1
    sequence = data_of(result) or {}
    unplaced = sequence.pop("unplaced", [])
    trip.unplaced = sum(entry.get("payload", {}).get("id") in before for entry in unplaced)
    trip.timeline = sequence == data_of(timeline)
    return trip


@contextlib.contextmanager
def quiet():
    """Keep the stock adapters' prints and warnings out of the test output."""
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(logging.NOTSET)
