"""The README's table of what survives in which format; `python -m tests.readme_table` writes it.

Every cell is measured: one thing is put into a small cut, written and read by plain OTIO with
castline installed, and compared.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import opentimelineio as otio

sys.path.insert(0, str(Path(__file__).parent))

from builders import clip, cut, span
from trip import clip_data, data_of, quiet

from castline.schemas.places import get_sequence
from castline.schemas.slots import slots_of

README = Path(__file__).resolve().parents[1] / "README.md"
START, END = "<!-- survival table, made by `make golden` -->", "<!-- end of the table -->"
FORMATS = {
    "EDL": "edl",
    "FCP7": "xml",
    "FCPXML": "fcpxml",
    "AAF": "aaf",
    "ALE": "ale",
    "USD": "usda",
    "OTIO": "otio",
}

Change = Callable[[otio.schema.Timeline], None]
Look = Callable[[Any], Any]


def _first(timeline):
    return slots_of(timeline).get("sh001") or next(iter(timeline.find_clips()), None)


def _nothing(timeline):
    del timeline


def _disable(timeline):
    _first(timeline).enabled = False


def _nest(timeline):
    nested = otio.schema.Stack("nest", [otio.schema.Track("N1", [clip(7)], kind="Video")])
    nested.source_range = span(0, 48)
    timeline.tracks[0].append(nested)


def _second_track(timeline):
    timeline.tracks.append(otio.schema.Track("V2", [clip(9)], kind="Video"))


def _mark(timeline):
    _first(timeline).markers.append(otio.schema.Marker("LOOK HERE", span(86510, 1)))


def _retime(timeline):
    _first(timeline).effects.append(otio.schema.LinearTimeWarp("", time_scalar=2.0))


def _dissolve(timeline):
    half = otio.opentime.RationalTime(6, 24)
    timeline.tracks[0].insert(1, otio.schema.Transition("x", "SMPTE_Dissolve", half, half))


def _sequence(timeline):
    frames = otio.schema.ImageSequenceReference(
        "file:///show/", "a.", ".exr", 1001, 1, 24, 4, available_range=span(1001, 60)
    )
    first = _first(timeline)
    first.media_reference = frames
    first.source_range = span(1003, 48)


def _placed_and_unplaced(timeline):
    found = {slot: clip_data(item) for slot, item in slots_of(timeline).items()}
    for entry in get_sequence(timeline).unplaced if data_of(timeline) else ():
        found.setdefault((entry.payload or {}).get("id"), "unplaced")
    return found


ROWS: list[tuple[str, Change, Look]] = [
    (
        "names, order, source ranges",
        _nothing,
        lambda t: [(c.name, c.source_range) for c in t.find_clips()],
    ),
    (
        "slots, decisions, expected characters",
        _nothing,
        lambda t: [data_of(c) for c in t.find_clips()],
    ),
    (
        "takes, generations, appearances",
        _nothing,
        lambda t: [clip_data(c)["references"] for c in t.find_clips()],
    ),
    (
        "the temp beside the take, and which is shown",
        _nothing,
        lambda t: [clip_data(c)["active"] for c in t.find_clips()],
    ),
    ("cast and calibration", _nothing, data_of),
    ("data of a disabled clip", _disable, lambda t: "sh001" in _placed_and_unplaced(t)),
    ("data of a nested clip", _nest, lambda t: "sh007" in _placed_and_unplaced(t)),
    ("a nested clip as a clip", _nest, lambda t: "sh007" in slots_of(t)),
    ("an image sequence", _sequence, lambda t: type(_first(t).media_reference).__name__),
    (
        "a disabled clip, disabled",
        _disable,
        lambda t: [(c.name, c.enabled) for c in t.find_clips()],
    ),
    ("a marker", _mark, lambda t: [m.name for m in _first(t).markers]),
    ("a retime", _retime, lambda t: [getattr(e, "time_scalar", None) for e in _first(t).effects]),
    (
        "a dissolve of the same length",
        _dissolve,
        lambda t: [
            (i.in_offset + i.out_offset).value
            for i in t.find_children(descended_from_type=otio.schema.Transition)
        ],
    ),
    (
        "a second video track",
        _second_track,
        lambda t: [*sorted(slots_of(t)), len(t.video_tracks())],
    ),
]


def measure(change: Change, look: Look, suffix: str, folder: Path) -> str:
    """Return `yes`, `no`, or `refused` where the format's writer will not."""
    timeline = cut(3)
    change(timeline)
    before = look(timeline)
    path = folder / f"cut.{suffix}"
    path.unlink(missing_ok=True)
    try:
        with quiet():
            otio.adapters.write_to_file(timeline, str(path))
            back = otio.adapters.read_from_file(str(path))
    except Exception:
        return "refused"
    try:
        return "yes" if look(back) == before else "no"
    except (AttributeError, TypeError, IndexError):
        return "no"


def table() -> str:
    """Return the table as Markdown."""
    lines = ["| plain OTIO with castline installed | " + " | ".join(FORMATS) + " |"]
    lines.append("|---|" + "---|" * len(FORMATS))
    with tempfile.TemporaryDirectory() as folder:
        for name, change, look in ROWS:
            cells = [measure(change, look, s, Path(folder)) for s in FORMATS.values()]
            lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def standing() -> str:
    """Return the table that the README holds."""
    return README.read_text(encoding="utf-8").partition(START)[2].partition(END)[0].strip()


def write() -> None:
    """Put the table into the README."""
    text = README.read_text(encoding="utf-8")
    head, _, rest = text.partition(START)
    tail = rest.partition(END)[2]
    README.write_text(f"{head}{START}\n\n{table()}\n\n{END}{tail}", encoding="utf-8")


if __name__ == "__main__":
    write()
