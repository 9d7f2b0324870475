"""What a scored cut says: flags, decisions, figures, who is in which file, who is forgotten."""

from __future__ import annotations

import json
import shutil
from xml.etree import ElementTree

import pytest
from scoring_desk import SCORE, locators, measured, of, run
from test_drift import MIRA, TOM, drawn, write_movie

import castline
from castline.inference.specification import Specification
from castline.schemas.places import get_slot, get_take, set_slot
from castline.schemas.values import Decision

np = pytest.importorskip("numpy")
pytest.importorskip("dlib", reason="dlib is not installed")
pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("av", reason="PyAV is not installed")


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
    assert "MIRA" not in locators(desk / "out")
    castline.deliver(castline.read(scored), ["edl"], desk / "out", overwrite=True)
    assert "DRIFT" in locators(desk / "out")


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
    (line,) = locators(desk / "worst").splitlines()
    assert f"LOC: 00:00:{worst // 24:02}:{worst % 24:02} YELLOW  MIRA 0.99 DRIFT" in line


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
    assert "DRIFT" not in locators(desk / "approved")
    rejected = castline.decide(again, [said | {"verdict": "rejected", "character": "mira"}])
    castline.deliver(rejected, ["edl"], desk / "approved", overwrite=True)
    assert "DRIFT" in locators(desk / "approved")


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
        assert len(locators(desk / "flags").splitlines()) == 1
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
    shutil.copy(desk / "c.sqlite", desk / "forget.sqlite")
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
