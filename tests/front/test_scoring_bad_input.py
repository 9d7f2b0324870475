"""Bad input to `score`: a problem with its file, the rest goes on, the cut is never worse."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from pathlib import Path

import pytest
from scoring_desk import SCORE, SHOTS, run, same, scores
from test_drift import MIRA, TOM, drawn

import castline
from castline.inference import calibration as calibrations
from castline.inference.cache import VERSION, Cache
from castline.schemas.errors import UsageError
from castline.schemas.places import get_take

np = pytest.importorskip("numpy")
pytest.importorskip("dlib", reason="dlib is not installed")
pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("av", reason="PyAV is not installed")


def with_media(desk: Path, name: str, data: bytes | None) -> str:
    """Write the cut with its last clip on another file, and return its name."""
    cut = castline.read(desk / "cut.otio")
    list(cut.find_clips())[3].media_reference.target_url = f"{name}.mp4"
    castline.write(cut, desk / f"{name}.otio", overwrite=True)
    if data is not None:
        (desk / f"{name}.mp4").write_bytes(data)
    return f"{name}.otio"


@pytest.mark.parametrize("kind", ["offline", "empty", "text", "half", "noise"])
def test_media_that_cannot_be_looked_at_are_named_and_the_rest_goes_on(desk, scored, kind):
    whole = (desk / "clip.mp4").read_bytes()
    data = {
        "offline": None, "empty": b"", "text": b"no movie at all" * 99,
        "half": whole[: len(whole) // 2],
        "noise": whole[:200] + os.urandom(len(whole) - 200),
    }[kind]  # fmt: skip
    name = with_media(desk, kind, data)
    before = (desk / name).read_bytes()
    arguments = [name if each == "cut.otio" else each for each in SCORE]
    said = run(desk, *arguments, "--cache", "c.sqlite", "-o", f"{kind}_out.otio", code=1)
    assert f"{kind}.mp4" in said.stderr and len(said.stderr.splitlines()) == 1
    assert (desk / name).read_bytes() == before
    found = scores_of_first(desk / f"{kind}_out.otio", 3)
    assert found == [state for state, _, _ in scores(scored)][:3]


def scores_of_first(path: Path, count: int) -> list[str]:
    clips = list(castline.read(path).find_clips())[:count]
    return [
        next(a.state for a in get_take(c.media_reference).appearances if a.character_id == "mira")
        for c in clips
    ]


def test_a_picture_of_two_and_one_of_nobody_are_named(desk):
    from PIL import Image

    folder = desk / "odd"
    shutil.copytree(desk / "cast", folder, dirs_exist_ok=True)
    two = Image.new("RGB", (1280, 360))
    two.paste(drawn(MIRA, 0.5), (0, 0))
    two.paste(drawn(TOM, 0.5), (640, 0))
    two.save(folder / "mira" / "two.png")
    Image.new("RGB", (400, 400), "grey").save(folder / "tom" / "nobody.png")
    (folder / "ann" / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    arguments = ["odd" if each == "cast" else each for each in SCORE]
    said = run(desk, *arguments, "--cache", "c.sqlite", "-o", "odd.otio", code=1)
    assert "mira/two.png: found 2 in this picture, expected one" in said.stdout
    assert "tom/nobody.png: found nobody in this picture" in said.stdout
    assert "ann/bad.png" in said.stdout
    assert len(scores(desk / "odd.otio")) == SHOTS


def test_a_cast_without_a_face_is_one_line(desk):
    from PIL import Image

    (desk / "faceless" / "mira").mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (400, 400), "grey").save(desk / "faceless" / "mira" / "a.png")
    arguments = ["faceless" if each == "cast" else each for each in SCORE]
    said = run(desk, *arguments, "--cache", "c.sqlite", "-o", "none.otio", code=1)
    assert "found no reference picture with a face" in said.stderr
    assert not (desk / "none.otio").exists()


def test_a_cache_of_a_later_version_is_named_and_left(desk, scored):

    path = desk / "later.sqlite"
    Cache(path).close()
    database = sqlite3.connect(path)
    database.execute(f"PRAGMA user_version = {VERSION + 1}")
    database.close()
    before = path.read_bytes()
    said = run(desk, *SCORE, "--cache", path.name, "-o", "later.otio", code=1)
    assert f"later.sqlite: found version {VERSION + 1}" in said.stderr
    assert path.read_bytes() == before
    assert same(desk / "later.otio", scored)  # measured all the same, and not kept


def test_a_full_disk_is_told_and_the_scores_are_there(desk, scored, monkeypatch):
    opened = Cache.__init__

    def small(self, path):
        opened(self, path)
        self._database.execute("PRAGMA max_page_count = 8")

    monkeypatch.setattr(Cache, "__init__", small)
    found = castline.score(
        castline.read(desk / "cut.otio"),
        castline.read_cast(desk / "cast"),
        desk / "cast",
        cache=desk / "full.sqlite",
        folder=desk,
        calibration=calibrations.read(desk / "known.json"),
    )
    (problem,) = found.problems
    assert problem.where == "cache" and "full" in problem.message
    castline.write(found.cut, desk / "full.otio", overwrite=True)
    assert same(desk / "full.otio", scored)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--shard", "1/2", "--matrix", "y.svg"), "--shard: only looks"),
        (("--find", "x", "-o", "y.otio"), "--find: expected --embed too"),
        (("--light", "--embed", "x", "-o", "y.otio"), "--light: is for faces"),
        (("-o", "cut.otio"), "cut.otio: is an input"),
        (("-o", "y.otio", "--matrix", "y.otio"), "named twice as an output"),
        (("-o", "y.otio", "--record", "known.json"), "known.json: is an input"),
        ((), "expected either -o"),
    ],
)
def test_what_does_not_go_together_is_a_line(desk, arguments, words):
    said = run(desk, *SCORE, "--cache", "c.sqlite", *arguments, code=UsageError.exit_code)
    assert words in said.stderr and not (desk / "y.otio").exists()


def test_a_share_that_cannot_see_its_media_says_so(desk):
    name = with_media(desk, "share", b"no movie" * 99)
    plain = [each for each in SCORE if each not in ("--calibration", "known.json", "--overwrite")]
    arguments = [name if each == "cut.otio" else each for each in plain]
    said = run(desk, *arguments, "--cache", "share.sqlite", "--shard", "1/1", code=1)
    assert "share.mp4" in said.stderr and "looked at" in said.stdout


def test_what_stands_in_the_way_is_said_before_the_work(desk, scored):
    (desk / "there.svg").write_text("mine")
    arguments = [each for each in SCORE if each != "--overwrite"]
    said = run(
        desk,
        *arguments,
        "--cache",
        "cold.sqlite",
        "-o",
        "new.otio",
        "--matrix",
        "there.svg",
        code=1,
    )
    assert "there.svg: exists" in said.stderr
    assert not (desk / "new.otio").exists() and not (desk / "cold.sqlite").exists()


@pytest.mark.parametrize("change", [{"threshold": 7.5}, {"stranger": 5.0}, {"people": -1}])
def test_a_calibration_that_cannot_be_is_refused(desk, change):
    known = json.loads((desk / "known.json").read_text()) | change
    (desk / "odd.json").write_text(json.dumps(known))
    arguments = ["odd.json" if each == "known.json" else each for each in SCORE]
    said = run(desk, *arguments, "--cache", "c.sqlite", "-o", "oddcal.otio", code=1)
    assert "odd.json: found" in said.stderr and not (desk / "oddcal.otio").exists()


@pytest.mark.parametrize("name", ["model.bin", "model.safetensors"])
def test_a_folder_that_is_no_safe_checkpoint_is_one_line(desk, name):
    folder = desk / "checkpoint"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / name).write_bytes(b"\x80\x04\x95 a pickle" * 20)
    (folder / "config.json").write_text('{"model_type": "dinov2"}')
    (folder / "preprocessor_config.json").write_text('{"image_processor_type": "x"}')
    said = run(
        desk, *SCORE, "--cache", "c.sqlite", "--embed", "checkpoint", "-o", "z.otio", code=1
    )
    assert "checkpoint: " in said.stderr and "pip" not in said.stderr
    assert len(said.stderr.strip().splitlines()) == 1 and not (desk / "z.otio").exists()
