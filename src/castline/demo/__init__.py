"""The whole way on an example that castline draws itself.

An EDL of twelve events, takes as a generator leaves them, a cast of two: plan, conform, decide,
deliver to every format, read each back, and show what survived where.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import castline
from castline import losses, plans
from castline.demo.drawing import Figure, Shot, draw_cast, draw_take
from castline.schemas.errors import UnreadableFileError, UnwritableFileError

EDL = "lighthouse_sq010_v012.edl"
FORMATS = ("edl", "fcp7", "fcpx", "aaf", "ale", "otio", "usd")
HANDLES = 8

_MIRA = Figure("mira", hair="#1d1a20", skin="#d9a98a", coat="#d8a21b")
_JON = Figure("jon", hair="#b9b4aa", skin="#e3bfa5", coat="#2c5d8f")

_SHOTS = (
    Shot("SQ010_SH010_ai_v001.mp4", 64, (_MIRA,), "mira climbs the lighthouse stairs", 101),
    Shot("SQ010_SH020_ai_v001.mp4", 52, (_MIRA,), "mira looks up at the lamp", 102),
    Shot("SQ010_SH030_ai_v001.mp4", 96, (_MIRA, _JON), "mira and jon at the table", 103),
    Shot("SQ010_SH040_ai_v001.mp4", 60, (_JON,), "jon at the window, rain", 104),
    Shot("SQ010_SH050_ai_v001.mp4", 90, (_MIRA,), "mira lights the lamp", 105),
    Shot("SQ010_SH050_ai_v002.mp4", 90, (_MIRA,), "mira lights the lamp, wider", 106),
    Shot("SQ010_SH060_ai_v001.mp4", 46, (_JON,), "jon turns round", 107),
    Shot("SQ010_SH080_ai_v001.mp4", 60, (_MIRA,), "mira runs down the stairs", 108),
    Shot("SQ010_SH090_ai_v001.mp4", 40, (_JON,), "jon opens the door", 109),
    Shot("SQ010_SH100_ai_v001.mp4", 52, (_MIRA,), "mira in the doorway", 110),
    Shot("PIER_0110_try3.mp4", 72, (_MIRA, _JON), "mira and jon on the pier", 111),
    Shot("Gen-4 a boat leaves 3829471 (2).mp4", 80, (_JON,), "a boat leaves, jon aboard", 112),
)
_MANIFEST = "file,slot,characters\nGen-4 a boat leaves 3829471 (2).mp4,SQ010_SH120,jon\n"


def run(folder: str | Path, say: Callable[[str], None]) -> None:
    """Run the demo into a folder, which it makes anew; tell each step.

    Raises `UnwritableFileError` where the folder holds anything that a demo did not write.
    """
    folder = Path(folder)
    _clear(folder)
    draw(folder)
    say(f"drawn: {len(_SHOTS)} takes in {folder / 'takes'}, 2 characters in {folder / 'cast'}")

    cast = castline.read_cast(folder / "cast")
    cut = castline.read(folder / EDL)
    plan = castline.plan(cut, folder / "takes", cast=cast, handles=HANDLES)
    plans.write(plan, folder / "plan.json")
    say(f"\nplanned: {folder / 'plan.json'}\n{plans.as_table(plan)}")

    conformed = castline.conform(cut, plan, cast=cast)
    shown = next(o for o in plan.offers if o.show)
    said = {"slot": shown.slot_id, "verdict": "approved", "note": "the one", "by": "demo"}
    decided = castline.decide(conformed, [{**said, "at": "2026-01-01T12:00:00+00:00"}])
    castline.write(decided, folder / "conformed.otio")
    say(f"\nconformed, and one take approved: {folder / 'conformed.otio'}")

    deliveries = castline.deliver(decided, FORMATS, folder / "delivery")
    say(f"\ndelivered and read back:\n{losses.as_table(deliveries, folder / 'delivery')}")
    say(f"\nwhat each could not carry: {folder / 'delivery' / 'losses.md'}")


def draw(folder: Path) -> None:
    """Lay out the example's material: the EDL, the cast, the takes with their list."""
    (folder / "takes").mkdir(parents=True, exist_ok=True)
    shutil.copyfile(_fixture(EDL), folder / EDL)
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
    if folder.exists() and any(folder.iterdir()) and not (folder / EDL).is_file():
        raise UnwritableFileError(f"{folder}: found other files there; name an empty folder")
    for name in ("takes", "cast", "delivery"):
        shutil.rmtree(folder / name, ignore_errors=True)
    for name in (EDL, "plan.json", "conformed.otio"):
        (folder / name).unlink(missing_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
