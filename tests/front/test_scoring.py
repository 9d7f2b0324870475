"""`castline score` as it is called: kept, stopped, recorded, without its extras, in boxes."""

from __future__ import annotations

import json
import shutil
import signal
import sqlite3
import subprocess
import time
from pathlib import Path
from xml.etree import ElementTree

import pytest
from scoring_desk import SCORE, SHOTS, command, run, same, scores

import castline
from castline.inference import calibration as calibrations
from castline.schemas.places import get_take

np = pytest.importorskip("numpy")
pytest.importorskip("dlib", reason="dlib is not installed")
pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("av", reason="PyAV is not installed")

HEAVY = ("torch", "transformers", "dlib", "av", "PIL", "safetensors", "ray", "pxr")


def test_the_shot_that_drifts_is_flagged_and_no_other(scored):
    assert [state for state, _, _ in scores(scored)] == ["ok", "ok", "drift", "ok"]
    first = next(iter(castline.read(scored).find_clips()))
    (mira,) = get_take(first.media_reference).appearances
    assert mira.score.neighbours > mira.score.threshold
    assert mira.score.anchor > mira.score.threshold


def test_recorded_features_give_the_same_scores_with_numpy_alone(desk, scored):
    """Nothing else is there: no media either."""
    bare = desk / "bare"
    bare.mkdir(exist_ok=True)
    for name in ("cut.otio", "known.json", "f.safetensors"):
        shutil.copy(desk / name, bare)
    shutil.copytree(desk / "cast", bare / "cast", dirs_exist_ok=True)
    said = run(
        bare, *SCORE, "--features", "f.safetensors", "-o", "again.otio", "--json", without=HEAVY
    )
    facts = json.loads(said.stdout)
    assert facts["frames_looked_at"] == 0 and facts["frames_known"] > 0
    assert same(bare / "again.otio", scored)
    for more in (("--light",), ("--engine", "ray")):
        said = run(bare, *SCORE, "--features", "f.safetensors", *more, "-o", "x.otio", code=2)
        assert "--features: says itself" in said.stderr


@pytest.mark.parametrize(
    ("missing", "extra"),
    [("torch", "torch"), ("dlib", "faces"), ("av", "media"), ("numpy", "score")],
)
def test_a_missing_extra_is_named_with_the_command_that_installs_it(desk, missing, extra):
    said = run(
        desk, *SCORE, "--cache", f"{missing}.sqlite", "-o", "x.otio", code=1, without=(missing,)
    )
    assert f"pip install 'castline[{extra}]'" in said.stderr
    assert not (desk / "x.otio").exists()


def test_the_light_way_needs_no_torch_and_sees_what_torch_sees(desk):
    made = run(
        desk, "calibrate", "--cast", "cast", "--light", "--cache", "light.sqlite",
        "-o", "light.json", "--overwrite",
    )  # fmt: skip
    assert "threshold" in made.stdout
    light = ("score", "cut.otio", "--cast", "cast", "--calibration", "light.json", "--light",
             "--overwrite", "-o")  # fmt: skip
    run(desk, *light, "with.otio", "--cache", "with.sqlite")
    run(desk, *light, "without.otio", "--cache", "without.sqlite", without=("torch",))
    assert same(desk / "with.otio", desk / "without.otio")
    states = [state for state, _, _ in scores(desk / "without.otio")]
    assert states == ["ok", "ok", "drift", "ok"]


def test_scores_are_the_same_cold_or_cached_on_one_thread_or_two(desk, scored):
    for threads in ("1", "2"):
        cache = ("--cache", f"threads{threads}.sqlite")
        cold = run(desk, *SCORE, *cache, "-o", "a.otio", "--json", OMP_NUM_THREADS=threads)
        warm = run(desk, *SCORE, *cache, "-o", "b.otio", "--json", OMP_NUM_THREADS=threads)
        assert json.loads(cold.stdout)["frames_known"] == 0
        assert json.loads(warm.stdout)["frames_looked_at"] == 0
        assert same(desk / "a.otio", scored)
        assert (desk / "a.otio").read_bytes() == (desk / "b.otio").read_bytes()


@pytest.mark.parametrize("size", [1, 3])
def test_scores_are_the_same_for_any_batch(desk, scored, size, monkeypatch):
    monkeypatch.setattr("castline.inference.measure.BATCH", size)
    monkeypatch.setattr("castline.inference.faces.BATCH", size)
    found = castline.score(
        castline.read(desk / "cut.otio"),
        castline.read_cast(desk / "cast"),
        desk / "cast",
        cache=desk / f"batch{size}.sqlite",
        folder=desk,
        calibration=calibrations.read(desk / "known.json"),
    )
    castline.write(found.cut, desk / "batch.otio", overwrite=True)
    assert same(desk / "batch.otio", scored)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_who_stops_in_the_middle_goes_on_there(desk, scored, how):
    """Ctrl-C and worse: nothing half-written, and what was measured is not measured again."""
    path = desk / f"stop{how}.sqlite"
    path.unlink(missing_ok=True)
    call = command(*SCORE, "--frames", "12", "--cache", path.name, "-o", f"stop{how}.otio")
    process = subprocess.Popen(call, cwd=desk, stderr=subprocess.PIPE, text=True)
    until = time.monotonic() + 120
    while _frames(path) < 26 and process.poll() is None:  # the references, and some of the cut
        assert time.monotonic() < until
        time.sleep(0.02)
    process.send_signal(how)
    said = process.communicate(timeout=60)[1]
    assert process.returncode == (130 if how == signal.SIGINT else -how), said
    assert "Traceback" not in said
    assert not (desk / f"stop{how}.otio").exists()
    assert not list(desk.glob(".castline-*"))
    kept = _frames(path)
    on = run(
        desk, *SCORE, "--frames", "12", "--cache", path.name, "-o", f"stop{how}.otio", "--json"
    )
    facts = json.loads(on.stdout)
    assert facts["frames_known"] >= kept - 24 and facts["frames_looked_at"] <= 48 - (kept - 24)
    assert _frames(path) == 24 + 48


def _frames(path: Path) -> int:
    """Return how many frames a cache knows."""

    if not path.is_file():
        return 0
    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        return database.execute("SELECT count(*) FROM looks").fetchone()[0]
    except sqlite3.OperationalError:  # not yet made
        return 0
    finally:
        database.close()


def test_the_matrix_is_a_picture_of_every_shot(desk, scored):
    root = ElementTree.parse(desk / "m.svg").getroot()
    words = [each.text for each in root.iter("{http://www.w3.org/2000/svg}text")]
    assert "mira" in words and "references" in words
    titles = [each.text for each in root.iter("{http://www.w3.org/2000/svg}title")]
    assert len(titles) == SHOTS * SHOTS + SHOTS and "1.000" in titles


def test_boxes_by_hand_are_looked_in(desk, scored):
    """A box beside the face leaves nobody to be scored; one around it gives what was found."""
    from castline.inference.features import read as read_features

    recorded = read_features(desk / "f.safetensors")
    media = next(key for key, each in recorded.footage.items() if each.path.name == "clip.mp4")
    boxes = {
        str(number): [[s.box.left, s.box.top, s.box.right, s.box.bottom] for s in sight.subjects]
        for number, sight in recorded.sights[media].items()
    }
    (desk / "boxes.json").write_text(json.dumps({"version": 1, "media": {"clip.mp4": boxes}}))
    run(desk, *SCORE, "--cache", "boxes.sqlite", "--boxes", "boxes.json", "-o", "boxes.otio")
    assert same(desk / "boxes.otio", scored)
    aside = {"0": [[0, 0, 90, 90]], "47": [[0, 0, 90, 90]]}
    (desk / "aside.json").write_text(json.dumps({"version": 1, "media": {media: aside}}))
    run(desk, *SCORE, "--cache", "boxes.sqlite", "--boxes", "aside.json", "-o", "aside.otio")
    states = {
        each.state
        for clip in castline.read(desk / "aside.otio").find_clips()
        for each in get_take(clip.media_reference).appearances
        if each.character_id == "mira"
    }
    assert states == {"not_scorable"}
