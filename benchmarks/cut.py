"""What it costs to score a cut: a hundred shots, looked at anew and looked at again.

CPU seconds of whole processes, and the most memory that one took; the bars are those that a farm
would be planned by. The shots are parts of movies that are drawn here, faces in each.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import opentimelineio as otio
from opentimelineio import schema
from opentimelineio.opentime import RationalTime, TimeRange

from castline.demo.drawing import Figure, Shot, draw_cast, draw_take
from castline.demo.faces import Face
from castline.schemas.places import set_slot
from castline.schemas.values import Expected, Slot

RATE = 24
SECONDS = 4
COLD = 0.8
"""CPU seconds a shot."""
WARM = 0.02
"""Of that."""
MEMORY = 1500
"""MB."""


def write_cut(folder: Path, shots: int) -> Path:
    """Draw so many shots of four seconds, a file each, and write the cut that shows them."""
    mira = Figure("mira", Face(), "#d8a21b")
    tom = Figure("tom", Face((175, 125, 95), (30, 26, 26), width=0.66, gap=0.29), "#2c5d8f")
    if not (folder / "cast").is_dir():
        draw_cast(folder / "cast", (mira, tom))
    track = schema.Track("V1")
    whole = TimeRange(RationalTime(0, RATE), RationalTime(SECONDS * RATE, RATE))
    for number in range(shots):
        name = f"shot{number:04}.mp4"
        if not (folder / name).is_file():
            figure = (mira, tom)[number % 2]
            draw_take(folder, Shot(name, SECONDS * RATE, (figure,), f"shot {number}", number))
        clip = schema.Clip(f"{number}", schema.ExternalReference(name, whole), whole)
        who = ("mira", "tom")[number % 2]
        set_slot(clip, Slot(slot_id=f"s{number}", expected=(Expected(character_id=who),)))
        track.append(clip)
    timeline = schema.Timeline("cut")
    timeline.tracks.append(track)
    path = folder / f"cut{shots}.otio"
    otio.adapters.write_to_file(timeline, str(path))
    return path


def score(cut: Path, cache: str) -> tuple[float, float]:
    """Score a cut in a process of its own; return CPU seconds and MB at the most."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    call = ["score", cut.name, "--cast", "cast", "--cache", cache, "--overwrite", "-o", "out.otio"]
    code = (
        "import resource, sys\n"
        "from castline.cli import main\n"
        "try:\n"
        f"    main({call!r})\n"
        "finally:\n"
        "    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=cut.parent,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return spent, int(done.stderr.split()[-1]) / 1024


def main() -> None:
    """Print a line a length of cut, cold and warm."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        empty, _ = score(write_cut(folder, 1), "start.sqlite")
        for shots in (25, 100):
            cut = write_cut(folder, shots)
            cold, memory = score(cut, f"{shots}.sqlite")
            warm, _ = score(cut, f"{shots}.sqlite")
            a_shot, again = cold / shots, warm / cold
            print(f"{shots:4} shots  cold {a_shot:5.3f} CPU-s a shot ({says(a_shot, COLD)}), "
                  f"warm {again:6.1%} of that ({says(again, WARM)}), "
                  f"{memory:5.0f} MB ({says(memory, MEMORY)})")  # fmt: skip
        print(f"starting, and the cast's pictures: {empty:.1f} CPU-s")


def says(value: float, bar: float) -> str:
    """Return whether a value is within its bar."""
    return f"{'within' if value <= bar else 'OVER'} {bar:g}"


if __name__ == "__main__":
    main()
