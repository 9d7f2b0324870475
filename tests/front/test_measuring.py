"""Characters of a cut are measured on real media, flagged once calibrated, and forgotten."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import opentimelineio as otio
import pytest
from opentimelineio import schema
from opentimelineio.opentime import RationalTime, TimeRange
from trip import CORPUS

import castline
from castline.inference import calibration as calibrations
from castline.inference.faces import FaceModel
from castline.schemas.errors import InvalidValueError
from castline.schemas.places import get_slot, get_take, set_slot, set_take
from castline.schemas.values import Appearance, Expected, Take
from castline.verdicts import count_states

np = pytest.importorskip("numpy")
pytest.importorskip("dlib", reason="dlib is not installed")
pytest.importorskip("torch", reason="torch is not installed")
pytestmark = pytest.mark.corpus


FACES = CORPUS / "faces"
CLIP = FACES / "short_hamilton_clip.mp4"
RATE = 29.97


def span(start: float, length: float) -> TimeRange:
    return TimeRange(RationalTime(start, RATE), RationalTime(length, RATE))


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Return a folder with a cast of two, a cut of three shots, and a calibration."""
    from PIL import Image

    folder = tmp_path_factory.mktemp("score")
    for name, source in (("lin", "lin-manuel-miranda"), ("alex", "alex-lacamoire")):
        (folder / "cast" / name).mkdir(parents=True)
        with Image.open(FACES / f"{source}.png") as picture:
            picture.convert("RGB").reduce(2).save(folder / "cast" / name / "front.png")
    (folder / "clip.mp4").write_bytes(CLIP.read_bytes())
    timeline = schema.Timeline("cut")
    track = schema.Track("V1")
    for name, start, length in (("lead", 84, 120), ("crowd", 216, 59), ("first", 0, 20)):
        media = schema.ExternalReference("clip.mp4", span(1000, 275))
        track.append(schema.Clip(name, media, span(1000 + start, length)))
        media_slot = get_slot(track[-1])
        assert media_slot is None
    track.append(schema.Clip("offline", schema.ExternalReference("none.mp4"), span(0, 24)))
    timeline.tracks.append(track)
    for clip in track[:2]:
        set_slot(clip, castline_slot(clip.name))
    otio.adapters.write_to_file(timeline, str(folder / "cut.otio"))
    model = FaceModel()
    made = {
        "model": model.specification.hash, "threshold": 0.92, "stranger": 0.9, "people": 9,
        "same": 99, "other": 99, "area": 1.0, "equal_error": 0.0, "rate": 0.05, "comparisons": 10,
        "bound": 0.03, "elsewhere": 0.1, "version": calibrations.VERSION,
    }  # fmt: skip
    (folder / "calibration.json").write_text(json.dumps(made))
    return folder


def castline_slot(name: str):
    from castline.schemas.values import Slot

    return Slot(slot_id=name, expected=(Expected(character_id="lin"),))


def run(folder: Path, *arguments: str, code: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "castline", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout if "--json" in arguments and code < 2 else done.stdout + done.stderr


def appearances(cut: schema.Timeline, name: str) -> dict[str, Appearance]:
    clip = next(clip for clip in cut.find_clips() if clip.name == name)
    take = get_take(clip.media_reference)
    return {each.character_id: each for each in take.appearances} if take else {}


def test_a_cut_is_scored_flagged_kept_and_forgotten(folder):
    common = ("score", "cut.otio", "--cast", "cast", "--cache", "c.sqlite", "--json")
    first = json.loads(run(folder, *common, "-o", "plain.otio", code=1))
    assert (first["shots"], first["is_calibrated"]) == (3, False)
    assert first["frames_looked_at"] == 12 and first["frames_known"] == 0
    assert [p["where"] for p in first["problems"]] == ["offline"]
    plain = castline.read(folder / "plain.otio")
    lead = appearances(plain, "lead")["lin"]
    assert lead.state == "expected"  # scored, not flagged
    assert 0.92 < lead.score.worst <= lead.score.value < 1
    assert 3 <= lead.score.frames <= 5 and lead.score.threshold is None
    assert 1084 <= lead.score.worst_time.value < 1204 and lead.score.worst_time.rate == RATE
    assert lead.media_range == span(1084, 120)

    again = json.loads(
        run(folder, *common, "--calibration", "calibration.json", "-o", "flagged.otio", code=1)
    )
    assert (again["frames_looked_at"], again["frames_known"]) == (0, 12)
    assert again["is_calibrated"]
    flagged = castline.read(folder / "flagged.otio")
    assert {n: a.state for n, a in appearances(flagged, "lead").items()} == {"lin": "ok"}
    crowd = {name: a.state for name, a in appearances(flagged, "crowd").items()}
    assert crowd == {"lin": "not_scorable", "unknown": "unexpected"}
    assert appearances(flagged, "lead")["lin"].score.value == lead.score.value

    words = run(folder, *common[:-1], "-o", "words.otio", code=1)
    assert "not calibrated, nothing is flagged" in words and "none.mp4" in words
    assert "frames forgotten" in run(
        folder, "cache", "purge", "--character", "lin", "--cache", "c.sqlite"
    )
    third = json.loads(run(folder, *common, "-o", "third.otio", code=1))
    assert third["frames_looked_at"] == 12
    assert b"vector" not in (folder / "flagged.otio").read_bytes()


def test_shares_of_a_farm_are_the_whole(folder, tmp_path):
    """Two shares, merged, leave nothing to be looked at, and give the same scores."""
    (folder / "copy.mov").write_bytes(CLIP.read_bytes() + b"\0")
    cut = castline.read(folder / "cut.otio")
    cut.tracks[0][1].media_reference.target_url = "copy.mov"
    castline.write(cut, folder / "two.otio", overwrite=True)
    common = ("score", "two.otio", "--cast", "cast", "--json")
    looked = []
    for share in ("1/2", "2/2"):
        cache = tmp_path / f"{share[0]}.sqlite"
        said = json.loads(run(folder, *common, "--shard", share, "--cache", str(cache), code=1))
        looked.append(said["frames_looked_at"])
    assert sorted(looked) == [4, 8]
    whole = str(tmp_path / "1.sqlite")
    run(folder, "cache", "merge", str(tmp_path / "2.sqlite"), "--cache", whole)
    merged = json.loads(
        run(folder, *common, "-o", str(tmp_path / "m.otio"), "--cache", whole, code=1)
    )
    assert (merged["frames_looked_at"], merged["frames_known"]) == (0, 12)
    alone = json.loads(
        run(
            folder,
            *common,
            "-o",
            str(tmp_path / "a.otio"),
            "--cache",
            str(tmp_path / "a.sqlite"),
            code=1,
        )
    )
    assert alone["frames_looked_at"] == 12
    one, other = (castline.read(tmp_path / f"{name}.otio") for name in "ma")
    for clip in ("lead", "crowd"):
        a, b = (appearances(each, clip) for each in (one, other))
        assert a.keys() == b.keys()
        for name in a:
            if a[name].score:
                assert abs(a[name].score.value - b[name].score.value) < 1e-5
    for share in ("0/2", "3/2", "x", "1/"):
        assert "--shard: found" in run(folder, *common, "--shard", share, code=2)
    assert "either -o" in run(folder, *common, code=2)
    nothing = run(folder, "cache", "merge", "none.sqlite", "--cache", whole, code=2)
    assert "found no cache" in nothing


def test_what_was_said_of_others_stays_and_strangers_are_not_counted_twice(folder, tmp_path):
    cut = castline.read(folder / "cut.otio")
    clip = next(clip for clip in cut.find_clips() if clip.name == "crowd")
    said = Appearance(character_id="tom", state="ok", note="seen by a person")
    set_take(clip.media_reference, Take(take_id="t1", appearances=(said,)))
    known = calibrations.read(folder / "calibration.json")
    cast = castline.read_cast(folder / "cast")
    arguments = {"cache": tmp_path / "c.sqlite", "folder": folder, "calibration": known}
    once = castline.score(cut, cast, folder / "cast", **arguments)
    twice = castline.score(once.cut, cast, folder / "cast", **arguments)
    found = get_take(next(c for c in twice.cut.find_clips() if c.name == "crowd").media_reference)
    assert found.take_id == "t1"
    assert [a.character_id for a in found.appearances] == ["tom", "lin", "unknown"]
    assert found.appearances[0] == said
    assert once.cut.is_equivalent_to(twice.cut)
    assert count_states(twice.cut)["ok"] == 2
    assert get_take(clip.media_reference).appearances == (said,)  # the cut given stays as it is


def test_a_calibration_of_another_model_flags_nothing(folder, tmp_path):
    known = calibrations.read(folder / "calibration.json").to_data() | {"model": "other"}
    found = castline.score(
        castline.read(folder / "cut.otio"),
        castline.read_cast(folder / "cast"),
        folder / "cast",
        cache=tmp_path / "c.sqlite",
        folder=folder,
        calibration=calibrations.Calibration(**known),
    )
    assert not found.is_calibrated
    assert set(count_states(found.cut)) <= {"expected", "not_visible", "not_scorable"}


def test_too_few_pictures_are_no_calibration(folder):
    said = run(
        folder, "calibrate", "--cast", "cast", "-o", "own.json", "--cache", "k.sqlite", code=1
    )
    assert "found 0 pairs of one person and 1 of two, expected at least 20" in said
    assert not (folder / "own.json").exists()


def test_bad_input_is_one_line(folder, tmp_path):
    from PIL import Image

    (tmp_path / "cast" / "grey").mkdir(parents=True)
    Image.new("RGB", (200, 200), (99, 99, 99)).save(tmp_path / "cast" / "grey" / "a.png")
    with pytest.raises(InvalidValueError, match="no reference picture with a face"):
        castline.score(
            castline.read(folder / "cut.otio"),
            castline.read_cast(tmp_path / "cast"),
            tmp_path / "cast",
            cache=tmp_path / "c.sqlite",
        )
    (folder / "bad.json").write_text("[1]")
    cases = (
        (("--calibration", "bad.json"), 1, "expected what `castline calibrate` writes"),
        (("--frames", "0"), 2, "--frames"),
    )
    for extra, code, words in cases:
        said = run(
            folder, "score", "cut.otio", "--cast", "cast", "-o", "x.otio",
            "--cache", "b.sqlite", *extra, code=code,
        )  # fmt: skip
        assert words in said and not (folder / "x.otio").exists()
    assert "--cast: found none" in run(folder, "score", "cut.otio", "-o", "x.otio", code=2)
