"""What carrying costs: 2,000 clips with a kilobyte of data each, in CPU seconds.

Embedding and restoring are timed alone, the stock adapters' own time aside, and set against a
floor of the same run: the cut's own JSON out and in again. `python benchmarks/carriers.py [N]`.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import opentimelineio as otio
from opentimelineio.opentime import RationalTime, TimeRange

from castline.adapters import formats, hooks
from castline.adapters.carrier import document as tree
from castline.adapters.carrier import envelope
from castline.adapters.carrier.restore import restore_timeline

COUNT = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
BAR = 1.0


def _span(start: float, length: float) -> TimeRange:
    return TimeRange(RationalTime(start, 24), RationalTime(length, 24))


def make_cut(count: int) -> otio.schema.Timeline:
    """Return a cut of clips with a kilobyte of our data each."""
    timeline = otio.schema.Timeline("bench")
    track = otio.schema.Track("V1", kind="Video")
    timeline.tracks.append(track)
    for number in range(count):
        name = f"sh{number:05d}"
        url = f"file:///show/{name}.mov"
        clip = otio.schema.Clip(
            name, otio.schema.ExternalReference(url, _span(0, 500)), _span(100, 48)
        )
        clip.metadata["castline"] = {"version": 1, "slot_id": name, "prompt": "rain " * 90}
        take = {"version": 1, "take_id": name, "scores": [n / 7 for n in range(20)]}
        clip.media_reference.metadata["castline"] = take
        track.append(clip)
    timeline.metadata["castline"] = {"version": 1}
    return timeline


def cpu(call: Callable[[], Any]) -> tuple[float, Any]:
    """Return the CPU seconds of a call, and what it gave."""
    start = time.process_time()
    result = call()
    return time.process_time() - start, result


def main() -> int:
    """Print a row a format; return how many are over the bar."""
    timeline = make_cut(COUNT)
    data = sum(
        len(json.dumps(tree.data_of(node))) for _, node in tree.clips_of(tree.take_out(timeline))
    )
    floor, _ = cpu(lambda: tree.put_back(tree.take_out(timeline)))
    idle, _ = cpu(lambda: hooks.after_read(_bare(timeline)))
    print(f"{COUNT} clips, {data / COUNT:.0f} bytes of clip data each")
    print(f"floor (JSON out and in)      {floor:.3f} s CPU")
    print(f"hook on a cut without data   {idle:.3f} s CPU")
    over = 0
    for name, carrier in formats.EDITORIAL.items():
        document = tree.take_out(timeline)
        embed, _ = cpu(lambda c=carrier, d=document: envelope.embed(d, c))
        written, carried = cpu(lambda d=document: tree.put_back(d))
        restore, back = cpu(lambda c=carried: restore_timeline(c, formats.CARRIERS))
        assert len(list(back.find_clips())) == COUNT
        total = embed + written + restore
        over += total > BAR * COUNT / 2000
        print(
            f"{name:<5} embed {embed:.3f}  put back {written:.3f}  restore {restore:.3f}"
            f"  total {total:.3f} s CPU, {total / floor:.1f} times the floor"
        )
    return over


def _bare(timeline: otio.schema.Timeline) -> otio.schema.Timeline:
    document = tree.take_out(timeline)
    for _, node in tree.walk(document):
        tree.pop_data(node)
        for reference in tree.references_of(node).values():
            tree.pop_data(reference)
    return tree.put_back(document)


if __name__ == "__main__":
    raise SystemExit(main())
