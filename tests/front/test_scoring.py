"""`castline score` as it is called: kept, stopped, recorded, without its extras, on bad input."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree

import pytest
from test_drift import ANN, MIRA, OTHER, TOM, cut_of, drawn, write_movie

import castline
from castline.demo.drawing import Figure, draw_cast
from castline.inference import calibration as calibrations
from castline.inference.cache import VERSION, Cache
from castline.inference.specification import Specification
from castline.schemas.errors import UsageError
from castline.schemas.places import get_slot, get_take, set_slot
from castline.schemas.values import Decision

np = pytest.importorskip("numpy")
pytest.importorskip("dlib", reason="dlib is not installed")
torch = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("av", reason="PyAV is not installed")

SHOTS = 4
HEAVY = ("torch", "transformers", "dlib", "av", "PIL", "safetensors", "ray", "pxr")


@pytest.fixture(scope="module")
def desk(tmp_path_factory) -> Path:
    """Return a folder with a cast of three, a movie of four shots, a cut and a calibration."""
    folder = tmp_path_factory.mktemp("desk")
    faces = {"mira": MIRA, "tom": TOM, "ann": ANN}
    draw_cast(folder / "cast", tuple(Figure(n, face, "#d8a21b") for n, face in faces.items()))
    write_movie(
        folder / "clip.mp4",
        [
            drawn(face, 0.4 + 0.02 * frame)
            for face in (MIRA, MIRA, MIRA.mixed(OTHER, 0.7), MIRA)
            for frame in range(12)
        ],
    )
    castline.write(cut_of(folder / "clip.mp4", SHOTS), folder / "cut.otio")
    made = castline.calibrate(
        castline.read_cast(folder / "cast"), folder / "cast", cache=folder / "c.sqlite"
    )
    (folder / "known.json").write_text(json.dumps(made.to_data()))
    return folder


def command(*arguments: str, without: tuple[str, ...] = ()) -> list[str]:
    """Return how castline is called, as if some packages were not installed."""
    code = (
        "import sys\n"
        f"sys.modules.update(dict.fromkeys({list(without)!r}))\n"
        "import importlib.util as u\n"
        "find = u.find_spec\n"
        f"u.find_spec = lambda n, *a: None if n in {list(without)!r} else find(n, *a)\n"
        "from castline.cli import main\n"
        f"main({list(arguments)!r})\n"
    )
    return [sys.executable, "-c", code]


def run(desk: Path, *arguments: str, code: int = 0, without: tuple[str, ...] = (), **variables):
    done = subprocess.run(
        command(*arguments, without=without),
        cwd=desk, env={**os.environ, **variables}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


SCORE = ("score", "cut.otio", "--cast", "cast", "--calibration", "known.json", "--overwrite")


def scores(path: Path) -> list[tuple[str, float, float]]:
    """Return state, value and worst likeness of mira, shot by shot."""
    found = []
    for clip in castline.read(path).find_clips():
        take = get_take(clip.media_reference)
        (mira,) = (each for each in take.appearances if each.character_id == "mira")
        found.append((mira.state, mira.score.value, mira.score.worst))
    return found


def same(one: Path, other: Path) -> bool:
    return all(
        a[0] == b[0] and abs(a[1] - b[1]) <= 1e-5 and abs(a[2] - b[2]) <= 1e-5
        for a, b in zip(scores(one), scores(other), strict=True)
    )


@pytest.fixture(scope="module")
def scored(desk) -> Path:
    run(desk, *SCORE, "--cache", "c.sqlite", "-o", "scored.otio", "--record", "f.safetensors",
        "--matrix", "m.svg")  # fmt: skip
    return desk / "scored.otio"


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
    import sqlite3

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


def test_a_decision_stands_whatever_is_measured(desk, scored):
    cut = castline.read(scored)
    clip = list(cut.find_clips())[2]
    take = get_take(clip.media_reference)
    said = Decision(
        verdict="approved", by="ann", at="2026-01-01T12:00:00+00:00", take_id=take.take_id,
        character_id="mira", sha256=take.sha256,
    )  # fmt: skip
    set_slot(clip, get_slot(clip).replace(decisions=(said,)))
    castline.write(cut, desk / "decided.otio", overwrite=True)
    arguments = ["decided.otio" if each == "cut.otio" else each for each in SCORE]
    run(desk, *arguments, "--cache", "c.sqlite", "-o", "after.otio")
    after = list(castline.read(desk / "after.otio").find_clips())[2]
    assert get_slot(after).decisions == (said,)
    (mira,) = get_take(after.media_reference).appearances
    assert mira.state == "drift"  # what was measured is said all the same
    castline.deliver(castline.read(desk / "after.otio"), ["edl"], desk / "out", overwrite=True)
    assert "MIRA" not in _locators(desk / "out")
    castline.deliver(castline.read(scored), ["edl"], desk / "out", overwrite=True)
    assert "DRIFT" in _locators(desk / "out")


def _locators(folder: Path) -> str:
    (path,) = folder.glob("*.edl")
    return "\n".join(line for line in path.read_text().splitlines() if "LOC" in line)


def test_the_marker_stands_on_the_worst_frame(desk, scored):
    """In what others read: Final Cut Pro 7's own element, an EDL's locator in media time."""
    cut = castline.read(scored)
    del cut.video_tracks()[0][0]  # so that the record time is not that of the media
    clip = list(cut.find_clips())[1]
    (mira,) = get_take(clip.media_reference).appearances
    worst = round(mira.score.worst_time.value)
    castline.deliver(cut, ["edl", "fcp7"], desk / "worst", overwrite=True)
    (path,) = (desk / "worst").glob("*.xml")
    markers = ElementTree.parse(path).getroot().iter("marker")
    found = {marker.findtext("name"): marker.findtext("in") for marker in markers}
    assert [(name[:15], at) for name, at in found.items()] == [("MIRA 0.99 DRIFT", str(worst))]
    (line,) = _locators(desk / "worst").splitlines()
    assert f"LOC: 00:00:{worst // 24:02}:{worst % 24:02} YELLOW  MIRA 0.99 DRIFT" in line


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


class Coat:
    """A stand-in for a whole-figure model: the colour of what the box holds."""

    kinds = frozenset({"figure", "other"})
    specification = Specification.of(kind="coat")

    def look(self, pictures, boxes=None):
        from castline.inference.figures import FigureModel

        return FigureModel(self).look(pictures, boxes)

    def embed(self, pictures):
        return np.array([p.mean((0, 1)) / np.linalg.norm(p.mean((0, 1))) for p in pictures])


def test_the_whole_figure_is_measured_beside_the_face_where_it_is_asked_for(desk, scored):
    cast_folder = desk / "dressed"
    shutil.copytree(desk / "cast", cast_folder, dirs_exist_ok=True)
    drawn(MIRA, 0.5).save(cast_folder / "mira" / "figure.png")
    lines = ["[[character]]", 'id = "mira"']
    for number in range(1, 9):
        lines += ["[[character.reference]]", f'path = "mira/mira_{number}.png"']
    lines += ["[[character.reference]]", 'path = "mira/figure.png"', 'kind = "figure"']
    (cast_folder / "cast.toml").write_text("\n".join(lines))
    found = castline.score(
        castline.read(desk / "cut.otio"),
        castline.read_cast(cast_folder),
        cast_folder,
        cache=desk / "c.sqlite",
        folder=desk,
        figure=Coat(),
    )
    assert not found.problems
    for clip in found.cut.find_clips():
        (mira,) = get_take(clip.media_reference).appearances
        assert mira.figure.model == Coat.specification.hash != mira.score.model
        assert 0.9 < mira.figure.value <= 1 and mira.figure.worst_time is not None
    bare = castline.read_cast(desk / "cast")  # nobody's figure is known: faces are measured
    again = measured(desk, castline.read(desk / "cut.otio"), cast=bare, figure=Coat())
    assert [each.where for each in again.problems] == ["figure"]
    assert of(again.cut, 0)["mira"][0] == "ok"
    castline.write(found.cut, desk / "dressed.otio", overwrite=True)
    back = next(iter(castline.read(desk / "dressed.otio").find_clips()))
    assert get_take(back.media_reference).appearances[0].figure is not None


def measured(desk: Path, cut, **options):
    """Score by the API, with what the desk has."""
    options = {"cache": desk / "c.sqlite", "folder": desk} | options
    options.setdefault("calibration", calibrations.read(desk / "known.json"))
    cast = options.pop("cast", castline.read_cast(desk / "cast"))
    return castline.score(cut, cast, desk / "cast", **options)


def of(cut, number: int) -> dict[str, tuple[str, float | None]]:
    """Return state and score of those in one clip."""
    take = get_take(list(cut.find_clips())[number].media_reference)
    return {
        each.character_id: (each.state, each.score and each.score.value)
        for each in (take.appearances if take else ())
    }


def test_what_cannot_be_looked_at_leaves_what_was_known(desk, scored):
    """A file that is damaged since, and features that lack frames, say nothing about anybody."""
    shutil.copy(desk / "clip.mp4", desk / "later.mp4")
    cut = castline.read(desk / "cut.otio")
    list(cut.find_clips())[3].media_reference.target_url = "later.mp4"
    once = measured(desk, cut)
    assert of(once.cut, 3)["mira"][0] == "ok"
    (desk / "later.mp4").write_bytes((desk / "clip.mp4").read_bytes()[:3000])
    again = measured(desk, once.cut)
    assert [problem.where for problem in again.problems] == ["3"]
    assert of(again.cut, 3) == of(once.cut, 3)


def test_who_was_in_another_file_is_not_in_this_one(desk):
    """A clip that expects nobody: those who are found are noted, by the bytes they are in."""
    from opentimelineio.schema import ExternalReference

    write_movie(desk / "other.mp4", [drawn(TOM, 0.4 + 0.02 * frame) for frame in range(12)])
    cut = castline.read(desk / "cut.otio")
    clip = next(iter(cut.find_clips()))
    set_slot(clip, get_slot(clip).replace(expected=()))
    first = measured(desk, cut)
    assert list(of(first.cut, 0)) == ["mira"]
    reference = next(iter(first.cut.find_clips())).media_reference
    assert isinstance(reference, ExternalReference)
    reference.target_url = "other.mp4"
    second = measured(desk, first.cut)
    assert list(of(second.cut, 0)) == ["tom"]


def test_who_is_approved_with_the_take_is_marked_no_more(desk, scored):
    """The decision that README shows names a take and no character."""
    cut = castline.read(scored)
    said = {"slot": "s2", "verdict": "approved", "by": "ann"}
    cut = castline.decide(cut, [said])
    again = measured(desk, cut).cut
    assert of(again, 2)["mira"][0] == "drift"
    castline.deliver(again, ["edl", "otio"], desk / "approved", overwrite=True)
    assert "DRIFT" not in _locators(desk / "approved")
    rejected = castline.decide(again, [said | {"verdict": "rejected", "character": "mira"}])
    castline.deliver(rejected, ["edl"], desk / "approved", overwrite=True)
    assert "DRIFT" in _locators(desk / "approved")


def test_a_flag_is_a_marker_with_its_reason_in_otio_and_usd_too_and_once(desk, scored):
    cut = castline.read(scored)
    (mira,) = get_take(list(cut.find_clips())[2].media_reference).appearances
    assert mira.note.startswith(f"likeness {mira.score.value:.3f} below ")
    for _ in range(2):  # the delivered cut is delivered again
        castline.deliver(cut, ["otio", "usd", "edl"], desk / "flags", overwrite=True)
        for name in ("cut.otio", "cut.usda"):
            back = castline.read(desk / "flags" / name)
            markers = [marker for clip in back.find_clips() for marker in clip.markers]
            (marker,) = markers
            assert marker.name == f"MIRA 0.99 DRIFT - {mira.note}"
            assert (marker.comment, marker.color) == (mira.note, "YELLOW")
            assert marker.marked_range.start_time == mira.score.worst_time
        assert len(_locators(desk / "flags").splitlines()) == 1
        cut = castline.read(desk / "flags" / "cut.otio")
    again = measured(desk, cut)
    assert not [marker for clip in again.cut.find_clips() for marker in clip.markers]


def test_who_is_expected_and_unknown_is_named(desk, scored):
    from castline.schemas.values import Expected

    cut = castline.read(desk / "cut.otio")
    clip = list(cut.find_clips())[1]
    expected = (Expected(character_id="ghost"), Expected(character_id="mira", look_id="wedding"))
    set_slot(clip, get_slot(clip).replace(expected=expected))
    found = measured(desk, cut)
    assert [(p.where, p.severity) for p in found.problems] == [("1", "warning")]
    assert "expects ghost" in found.problems[0].message
    looks = [
        each.replace(references=tuple(r.replace(look_id="day") for r in each.references))
        for each in castline.read_cast(desk / "cast").characters
    ]
    cast = castline.read_cast(desk / "cast").replace(characters=tuple(looks))
    found = measured(desk, cut, cast=cast)
    assert {p.severity for p in found.problems if "wedding" in p.message} == {"note"}


def test_everybody_who_may_be_in_media_is_forgotten_with_it(desk, scored):
    """Also who was found there unexpectedly; and an id that nobody has is no success."""
    run(desk, *SCORE, "--cache", "forget.sqlite", "-o", "forget.otio")
    gone = run(desk, "cache", "purge", "--character", "tom", "--cache", "forget.sqlite", "--json")
    assert json.loads(gone.stdout)["frames"] > 8  # not his pictures alone
    said = run(desk, "cache", "purge", "--character", "Mira", "--cache", "forget.sqlite", code=1)
    assert "found nothing of Mira" in said.stderr


def test_labelled_pairs_make_a_calibration_and_stay_nowhere(desk):
    names = ["mira", "tom", "ann"]
    files = {name: sorted((desk / "cast" / name).glob(f"{name}_*.png")) for name in names}
    lines = ["one,other,same"]
    for name in names:
        for one, two in zip(files[name], files[name][1:] + files[name][:1], strict=True):
            lines.append(f"cast/{name}/{one.name},cast/{name}/{two.name},yes")
            lines.append(
                f"cast/{name}/{two.name},cast/{name}/{one.name},yes"
            )  # the same once more
    for one in files["mira"]:
        lines += [f"cast/mira/{one.name},cast/tom/{two.name},no" for two in files["tom"][:4]]
    (desk / "pairs.csv").write_text("\n".join(lines))
    said = run(
        desk, "calibrate", "--pairs", "pairs.csv", "-o", "pairs.json", "--overwrite", "--json",
        "--cache", "pairs.sqlite",
    )  # fmt: skip
    made = json.loads(said.stdout)
    assert (made["people"], made["same"], made["other"]) == (3, 24, 32)
    assert not (desk / "pairs.sqlite").exists()
    (desk / "cast" / "nobody.png").write_bytes(b"no picture")
    (desk / "odd.csv").write_text("\n".join([*lines, "cast/nobody.png,cast/tom/tom_1.png,no"]))
    said = run(desk, "calibrate", "--pairs", "odd.csv", "-o", "pairs.json", "--overwrite")
    (desk / "cast" / "nobody.png").unlink()
    assert "warning  nobody.png: " in said.stdout and "from 24 and 32 pairs" in said.stdout
    (desk / "bad.csv").write_text("one,other,same\n../x.png,cast/a.png,yes")
    said = run(desk, "calibrate", "--pairs", "bad.csv", "-o", "bad.json", code=1)
    assert "bad.csv: line 2: found ../x.png, outside its folder" in said.stderr


# Bad input: a problem with its file, the rest goes on, and the cut is never worse than before.


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
    import sqlite3

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
