"""The whole way on an example that castline draws itself.

An EDL of twelve events, takes as a generator leaves them, a cast of two: plan, conform, decide,
deliver to every format, read each back, and show what survived where.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import castline
from castline import losses, plans
from castline.demo.drawing import REFERENCES, Figure, Shot, draw_cast, draw_take
from castline.demo.faces import Face
from castline.schemas.errors import UnreadableFileError, UnwritableFileError

EDL = "lighthouse_sq010_v012.edl"
CUT = "cut.edl"
SCENE = "SQ010_SH010.usda"
FORMATS = ("edl", "fcp7", "fcpx", "aaf", "ale", "otio", "usd")
HANDLES = 8

_MIRA = Figure("mira", Face(), coat="#d8a21b")
_JON = Figure(
    "jon",
    Face((175, 125, 95), (30, 26, 26), (40, 25, 15), (120, 60, 60), 0.66, 0.84, 0.29, 0.27, 0.30),
    coat="#2c5d8f",
)
_SOMEBODY = Face((235, 200, 180), (190, 140, 70), width=0.58, height=0.8, gap=0.25, nose=0.33)
_NOT_QUITE_MIRA = Figure("mira", _MIRA.face.mixed(_SOMEBODY, 0.7), coat="#d8a21b")
"""As generators leave them: the woman of one shot is not quite that of the others."""

_SHOTS = (
    Shot("SQ010_SH010_ai_v001.mp4", 64, (_MIRA,), "mira climbs the lighthouse stairs", 101),
    Shot("SQ010_SH020_ai_v001.mp4", 52, (_MIRA,), "mira looks up at the lamp", 102),
    Shot("SQ010_SH030_ai_v001.mp4", 96, (_MIRA, _JON), "mira and jon at the table", 103),
    Shot("SQ010_SH040_ai_v001.mp4", 60, (_JON,), "jon at the window, rain", 104),
    Shot("SQ010_SH050_ai_v001.mp4", 90, (_MIRA,), "mira lights the lamp", 105),
    Shot("SQ010_SH050_ai_v002.mp4", 90, (_MIRA,), "mira lights the lamp, wider", 106),
    Shot("SQ010_SH060_ai_v001.mp4", 46, (_JON,), "jon turns round", 107),
    Shot("SQ010_SH080_ai_v001.mp4", 60, (_NOT_QUITE_MIRA,), "mira runs down the stairs", 108),
    Shot("SQ010_SH090_ai_v001.mp4", 40, (_JON,), "jon opens the door", 109),
    Shot("SQ010_SH100_ai_v001.mp4", 52, (_MIRA,), "mira in the doorway", 110),
    Shot("PIER_0110_try3.mp4", 72, (_MIRA, _JON), "mira and jon on the pier", 111),
    Shot("Gen-4 a boat leaves 3829471 (2).mp4", 80, (_JON,), "a boat leaves, jon aboard", 112),
)
_DECISIONS = [
    {
        "slot": "SQ010_SH010",
        "verdict": "approved",
        "by": "ann",
        "at": "2026-01-01T12:00:00+00:00",
        "note": "the one",
    }
]
_MANIFEST = "file,slot,characters\nGen-4 a boat leaves 3829471 (2).mp4,SQ010_SH120,jon\n"


_DELIVERED = re.compile(r"done/delivery/(LIGHTHOUSE_SQ010_V012\.\w+|losses\.(json|md))")


def run(folder: str | Path, say: Callable[[str], None]) -> None:
    """Run the demo in a folder; tell each step.

    What an earlier demo wrote there is written anew. Raises `UnwritableFileError` where the
    folder holds anything else: nobody's file is removed.
    """
    folder = Path(folder)
    done = folder / "done"
    _clear(folder)
    draw(folder)
    done.mkdir()
    say(f"drawn: {len(_SHOTS)} takes in {folder / 'takes'}, 2 characters in {folder / 'cast'}")

    cast = castline.read_cast(folder / "cast")
    cut = castline.read(folder / CUT)
    plan = castline.plan(cut, folder / "takes", cast=cast, handles=HANDLES)
    plans.write(plan, done / "plan.json")
    say(f"\nplanned: {done / 'plan.json'}\n{plans.as_table(plan)}")

    conformed = castline.conform(cut, plan, cast=cast)
    decided = castline.decide(conformed, _DECISIONS)
    castline.write(decided, done / "cut_ok.otio")
    say(f"\nconformed, and one take approved: {done / 'cut_ok.otio'}")

    deliveries = castline.deliver(decided, FORMATS, done / "delivery")
    say(f"\ndelivered and read back:\n{losses.as_table(deliveries, done / 'delivery')}")
    say(f"\nwhat each could not carry: {done / 'delivery' / 'losses.md'}")


def draw(folder: Path) -> None:
    """Lay out the example's material: EDL, cast, takes with their list, decisions, a scene."""
    (folder / "takes").mkdir(parents=True, exist_ok=True)
    shutil.copyfile(_fixture(EDL), folder / CUT)
    (folder / "scenes").mkdir(exist_ok=True)
    shutil.copyfile(_fixture(SCENE), folder / "scenes" / SCENE)
    (folder / "decisions.json").write_text(json.dumps(_DECISIONS, indent=1), encoding="utf-8")
    draw_cast(folder / "cast", (_MIRA, _JON))
    for shot in _SHOTS:
        draw_take(folder / "takes", shot)
    (folder / "takes" / "takes.csv").write_text(_MANIFEST, encoding="utf-8")


def _fixture(name: str) -> Path:
    """Return a file of fixtures/demo, from the installed package or from a checkout."""
    package = Path(castline.__file__).parent
    homes = (package / "fixtures", package.parents[1] / "fixtures")
    found = next((home / "demo" / name for home in homes if (home / "demo" / name).is_file()), None)
    if found is None:
        raise UnreadableFileError(f"{name}: found no such fixture; the installation is incomplete")
    return found


def _clear(folder: Path) -> None:
    """Make room for a new demo: remove what an earlier one wrote, and only that."""
    known = {CUT, "decisions.json", "done/plan.json", "done/cut_ok.otio", "takes/takes.csv"}
    known |= {f"scenes/{SCENE}"}
    known |= {f"takes/{shot.file}" for shot in _SHOTS}
    known |= {f"cast/{f.name}/{f.name}_{n}.png" for f in (_MIRA, _JON) for n in range(1, REFERENCES + 1)}
    standing = [path for path in folder.rglob("*") if not path.is_dir()]
    for path in standing:
        name = path.relative_to(folder).as_posix()
        if name not in known and not _DELIVERED.fullmatch(name):
            raise UnwritableFileError(f"{path}: found a file that is not the demo's; move it away")
    for path in standing:
        path.unlink()
    for home in sorted((p for p in folder.rglob("*") if p.is_dir()), reverse=True):
        home.rmdir()
    folder.mkdir(parents=True, exist_ok=True)
