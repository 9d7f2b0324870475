"""What stages cost: cuts of clips with 300 bytes of metadata each, written and read as usdc.

CPU seconds, of the child process that reads too, set against OTIO's own JSON in the same run; the
machine's noise only ever adds, so the fewest of a few calls count. Memory is that of a process of
its own. `python benchmarks/stages.py [N]`. Where `USDOTIO` names a command that takes a cut as
OTIO JSON and the names of two outputs (a usdc by `usdotio add`, an otio by `usdotio save`), it is
measured in the same run; else its published figure stands there: 54.9 s for 10,000 clips.
"""

from __future__ import annotations

import os
import resource
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import opentimelineio as otio
from opentimelineio.opentime import RationalTime, TimeRange

from castline.adapters import usd

COUNT = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
REPEATS = 4
WRITE_BAR, READ_BAR = 8.0, 6.0  # times OTIO's JSON
TOTAL_BAR = 4.0  # CPU seconds for 10,000 clips
MEMORY_BAR = 500  # MB
PEER_BAR = 15.0  # times less than usdotio
FLAT_BAR = 1.3  # cost per clip of 20,000 against 1,000
PEER_SECONDS = 54.9


def _span(start: float, length: float) -> TimeRange:
    return TimeRange(RationalTime(start, 24), RationalTime(length, 24))


def make_cut(count: int) -> otio.schema.Timeline:
    """Return a cut of clips with 300 bytes of metadata each."""
    timeline = otio.schema.Timeline("bench")
    track = otio.schema.Track("V1", kind="Video")
    timeline.tracks.append(track)
    for number in range(count):
        name = f"sh{number:05d}"
        media = otio.schema.ExternalReference(f"file:///show/{name}.mov", _span(0, 500))
        clip = otio.schema.Clip(name, media, _span(100, 48))
        clip.metadata["studio"] = {
            "shot": name,
            "score": number / 2001,
            "prompt": "é rain " * 20,
            "steps": {"a": [1, 2.5, None, True]},
            "model": "x" * 60,
        }
        track.append(clip)
    return timeline


def cpu(call: Callable[[], Any], repeats: int = REPEATS) -> tuple[float, Any]:
    """Return the fewest CPU seconds of a few calls, children's too, and what the last gave."""
    best, result = float("inf"), None
    for _ in range(repeats):
        before = _spent()
        result = call()
        best = min(best, _spent() - before)
    return best, result


def _spent() -> float:
    """Return this process's CPU seconds and its ended children's, finer than `os.times` has it."""
    own, children = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def trip(timeline: otio.schema.Timeline, path: Path) -> tuple[float, float]:
    """Return the CPU seconds of writing and of reading; what comes back is the same."""
    write, _ = cpu(lambda: usd.write(timeline, path))
    read, back = cpu(lambda: usd.read(path))
    assert back.to_json_string() == timeline.to_json_string()
    return write, read


def floor(timeline: otio.schema.Timeline, path: Path) -> tuple[float, float]:
    """Return what OTIO's own JSON costs: writing and reading."""
    write, _ = cpu(lambda: otio.adapters.write_to_file(timeline, str(path), "otio_json"))
    read, _ = cpu(lambda: otio.adapters.read_from_file(str(path), "otio_json"))
    return write, read


def memory(count: int, folder: Path) -> float:
    """Return the most megabytes that a process of its own takes, its child aside."""
    code = (
        "import sys\n"
        f"sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "import resource, stages\n"
        "from castline.adapters import usd\n"
        f"path = {str(folder / 'memory.usdc')!r}\n"
        f"usd.write(stages.make_cut({count}), path); usd.read(path)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return int(done.stdout) / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def peer(folder: Path) -> tuple[float, str]:
    """Return the CPU seconds of usdotio for the same cut, and where they are from."""
    command = os.environ.get("USDOTIO")
    if not command:
        return PEER_SECONDS * COUNT / 10_000, "published"
    paths = [str(folder / name) for name in ("peer.otio", "peer.usdc", "peer.back.otio")]
    otio.adapters.write_to_file(make_cut(COUNT), paths[0], "otio_json")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([*shlex.split(command), *paths], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, "this run"


def _says(value: float, bar: float) -> str:
    return "within" if value <= bar else "OVER"


def main() -> None:
    """Print the figures and their bars."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        timeline = make_cut(COUNT)
        json_write, json_read = floor(timeline, folder / "cut.otio")
        print(f"{COUNT} clips; CPU s, children's too, fewest of {REPEATS}")
        print(f"OTIO's JSON         write {json_write:.2f}  read {json_read:.2f}")
        for suffix in ("usdc", "usda"):
            write, read = trip(timeline, folder / f"cut.{suffix}")
            print(
                f"{suffix}                write {write:.2f}  read {read:.2f}; times the JSON: "
                f"write {write / json_write:.1f} ({_says(write / json_write, WRITE_BAR)} "
                f"{WRITE_BAR:g}), read {read / json_read:.1f} "
                f"({_says(read / json_read, READ_BAR)} {READ_BAR:g})"
            )
            if suffix == "usdc":
                total = write + read
        bar = TOTAL_BAR * COUNT / 10_000
        print(f"usdc together       {total:.2f} s ({_says(total, bar)} {bar:g})")
        seconds, source = peer(folder)
        ratio = seconds / total
        verdict = "within" if ratio >= PEER_BAR else "UNDER"
        print(f"usdotio, {source:<10} {seconds:.1f} s: {ratio:.1f} times ({verdict} {PEER_BAR:g})")
        peak = memory(COUNT, folder)
        print(f"memory              {peak:.0f} MB ({_says(peak, MEMORY_BAR)} {MEMORY_BAR})")
        costs = {}
        for count in (1_000, 20_000):
            costs[count] = sum(trip(make_cut(count), folder / "flat.usdc")) / count
        flat = costs[20_000] / costs[1_000]
        print(
            f"per clip            {costs[1_000] * 1e6:.0f} us of 1,000, "
            f"{costs[20_000] * 1e6:.0f} us of 20,000: {flat:.2f} ({_says(flat, FLAT_BAR)} "
            f"{FLAT_BAR:g})"
        )


if __name__ == "__main__":
    main()
