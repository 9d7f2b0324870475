"""The verb `publish`: what it tells, and what it refuses, in one line and with nothing written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from opentimelineio import schema
from published import clip_of, cut_of, hashes, write_stage

import castline
from castline.adapters import files
from castline.adapters.usd.sandbox import Sandbox
from castline.cli import cli
from castline.schemas.errors import (
    CastlineError,
    NeedsPersonError,
    UnreadableFileError,
    UnwritableFileError,
)

pytest.importorskip("pxr")

CORPUS = Path(__file__).resolve().parents[2].parent / "shared" / "corpus" / "usd"
TWO_CAMERAS = 'def Camera "left"\n{\n}\ndef Camera "right"\n{\n}'


def shot_cut(folder: Path, *names: str):
    return cut_of(
        *(clip_of(folder / "takes", name, "mara") for name in names), cast={"mara": "MARA"}
    )


def refused(kind: type[CastlineError], folder: Path, *arguments, **options) -> str:
    """Return the one line of a publishing that leaves nothing in a folder."""
    before = hashes(folder)
    with pytest.raises(kind) as caught:
        castline.publish(*arguments, **options)
    text = str(caught.value)
    assert "\n" not in text
    assert hashes(folder) == before
    assert not list(folder.rglob(".castline-*"))
    return text


def run(*arguments: str | Path) -> tuple[int, str]:
    """Return the exit code and the output of the command line."""
    result = CliRunner().invoke(cli, [str(argument) for argument in arguments])
    if isinstance(result.exception, CastlineError):
        return result.exception.exit_code, str(result.exception)
    return result.exit_code, result.output


def test_it_tells_what_was_found_and_what_to_open(tmp_path):
    files.write(shot_cut(tmp_path, "sh010"), tmp_path / "cut.otio")
    stage = write_stage(tmp_path / "sh010.usda")
    code, said = run("publish", tmp_path / "cut.otio", stage, "-o", tmp_path / "out")
    assert code == 0
    assert "sh010            /World/cam" in said
    assert "mara             /World/MARA" in said
    assert "sh010_castline.usda: open this" in said
    code, said = run("publish", tmp_path / "cut.otio", stage, "-o", tmp_path / "out", "--json")
    facts = json.loads(said)
    assert facts["shots"] == {"sh010": "/World/cam"}
    assert Path(facts["root"]).is_file()


def test_a_shot_of_no_name_and_of_two_clips_is_a_persons_to_decide(tmp_path):
    stage = write_stage(tmp_path / "sequence.usda")
    cut = shot_cut(tmp_path, "sh010", "sh020", "sh010")
    out = tmp_path / "out"
    text = refused(NeedsPersonError, tmp_path, cut, stage, out, shot="sh090")
    assert "no clip of that name, expected one of: id:sh010, sh020, id:sh010-2" in text
    text = refused(NeedsPersonError, tmp_path, cut, stage, out, shot="sh010")
    assert "found 2 clips of that name, expected one of: id:sh010, id:sh010-2" in text
    assert castline.publish(cut, stage, out, shot="id:sh010-2").shots == {"sh010-2": "/World/cam"}
    text = refused(NeedsPersonError, tmp_path, cut, stage, tmp_path / "more")
    assert "--shot, one of: id:sh010, sh020, id:sh010-2" in text


def test_two_cameras_are_a_persons_to_decide(tmp_path):
    stage = write_stage(tmp_path / "sh010.usda", TWO_CAMERAS)
    cut = shot_cut(tmp_path, "sh010")
    text = refused(NeedsPersonError, tmp_path, cut, stage, tmp_path / "out")
    assert "--camera: /World/left, /World/right" in text
    text = refused(NeedsPersonError, tmp_path, cut, stage, tmp_path / "out", camera="/World/c")
    assert "found no such camera" in text
    named = castline.publish(cut, stage, tmp_path / "out", camera="/World/right")
    assert named.shots == {"sh010": "/World/right"}


def test_two_prims_of_one_name_are_a_persons_to_decide(tmp_path):
    twice = "".join(
        f'def Scope "{above}"\n{{\n def Camera "sh010"\n {{\n }}\n}}\n' for above in ("a", "b")
    )
    stage = write_stage(tmp_path / "sequence.usda", twice)
    cut = shot_cut(tmp_path, "sh010", "sh020")
    text = refused(NeedsPersonError, tmp_path, cut, stage, tmp_path / "out", shot="sh010")
    assert "/World/a/sh010, /World/b/sh010" in text


def test_exit_code_three_where_a_person_must_decide(tmp_path):
    files.write(shot_cut(tmp_path, "sh010", "sh020"), tmp_path / "cut.otio")
    stage = write_stage(tmp_path / "sequence.usda")
    code, _ = run("publish", tmp_path / "cut.otio", stage, "-o", tmp_path / "out")
    assert code == 3


def test_a_read_only_folder_is_refused(tmp_path):
    stage = write_stage(tmp_path / "sh010.usda")
    out = tmp_path / "out"
    out.mkdir()
    out.chmod(0o555)
    text = refused(UnwritableFileError, tmp_path, shot_cut(tmp_path, "sh010"), stage, out)
    assert "read-only" in text
    out.chmod(0o755)


def test_a_folder_that_is_a_file_is_refused(tmp_path):
    stage = write_stage(tmp_path / "sh010.usda")
    (tmp_path / "out").write_text("mine")
    cut = shot_cut(tmp_path, "sh010")
    assert "a file" in refused(UnwritableFileError, tmp_path, cut, stage, tmp_path / "out")


def test_other_peoples_files_stay_unless_asked(tmp_path):
    stage = write_stage(tmp_path / "sh010.usda")
    standing = write_stage(tmp_path / "out" / "sh010_castline.usda")
    cut = shot_cut(tmp_path, "sh010")
    assert "exists" in refused(UnwritableFileError, tmp_path, cut, stage, tmp_path / "out")
    castline.publish(cut, stage, tmp_path / "out", overwrite=True)
    assert "subLayers" in standing.read_text()


@pytest.mark.parametrize("change", ["more", "gone", "below"])
def test_a_stage_that_changes_meanwhile_is_refused(change, tmp_path, monkeypatch):
    below = write_stage(tmp_path / "below.usda")
    stage = write_stage(tmp_path / "sh010.usda", head="subLayers = [@./below.usda@]")
    cut = shot_cut(tmp_path, "sh010")
    run = Sandbox.run

    def run_late(sandbox, function, *arguments, **bounds):
        found = run(sandbox, function, *arguments, **bounds)
        if function.endswith(":lay"):
            if change == "gone":
                stage.unlink()
            else:
                touched = below if change == "below" else stage
                touched.write_text(touched.read_text() + "\n")
        return found

    monkeypatch.setattr(Sandbox, "run", run_late)
    with pytest.raises(UnreadableFileError, match="meanwhile"):
        castline.publish(cut, stage, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert not list(tmp_path.rglob(".castline-*"))


@pytest.mark.parametrize("answer", [7, [7], [{"where": 1}]])
def test_what_a_confused_child_says_of_its_work_is_refused_and_nothing_written(
    answer, tmp_path, monkeypatch
):
    stage = write_stage(tmp_path / "sh010.usda")
    cut = shot_cut(tmp_path, "sh010")
    run = Sandbox.run

    def run_confused(sandbox, function, *arguments, **bounds):
        found = run(sandbox, function, *arguments, **bounds)
        return answer if function.endswith(":lay") else found

    monkeypatch.setattr(Sandbox, "run", run_confused)
    assert refused(CastlineError, tmp_path, cut, stage, tmp_path / "out")


def test_a_stage_that_is_not_there_or_no_stage_is_refused(tmp_path):
    cut = shot_cut(tmp_path, "sh010")
    out = tmp_path / "out"
    assert "no such file" in refused(UnreadableFileError, tmp_path, cut, tmp_path / "a.usda", out)
    (tmp_path / "b.usda").write_text("hello")
    assert "b.usda" in refused(UnreadableFileError, tmp_path, cut, tmp_path / "b.usda", out)
    (tmp_path / "c.usda").write_text("#usda 1.0\n" + 'def "a" {' * 50_000)
    assert "nested" in refused(UnreadableFileError, tmp_path, cut, tmp_path / "c.usda", out)


def test_a_stage_that_sublayers_itself_is_published_onto(tmp_path):
    stage = write_stage(tmp_path / "sh010.usda", head="subLayers = [@./sh010.usda@]")
    published = castline.publish(shot_cut(tmp_path, "sh010"), stage, tmp_path / "out")
    assert any("cycl" in problem.message.lower() for problem in published.problems)


def test_remote_assets_are_problems(tmp_path):
    body = 'def Camera "cam" (\n references = @https://show.example/cam.usd@\n)\n{\n}'
    stage = write_stage(tmp_path / "sh010.usda", body)
    published = castline.publish(shot_cut(tmp_path, "sh010"), stage, tmp_path / "out")
    assert any("show.example" in problem.message for problem in published.problems)


@pytest.mark.corpus
@pytest.mark.parametrize("path", sorted((CORPUS / "malformed").glob("*")), ids=lambda p: p.name)
def test_malformed_stages_are_refused(path, tmp_path):
    refused(UnreadableFileError, tmp_path, shot_cut(tmp_path, "a"), path, tmp_path / "out")


def test_a_cut_without_pictures_is_refused(tmp_path):
    stage = write_stage(tmp_path / "sh010.usda")
    text = refused(CastlineError, tmp_path, cut_of(), stage, tmp_path / "out")
    assert "found no clip on its video tracks" in text
    text = refused(CastlineError, tmp_path, cut_of(schema.Clip("a")), stage, tmp_path / "out")
    assert "found only clips of unknown length" in text
