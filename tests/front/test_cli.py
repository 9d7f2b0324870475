"""The command line: every failure is one line and the right exit code."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from castline import cli
from castline.demo import CUT, draw


@pytest.fixture(scope="module")
def material(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("material")
    draw(folder)
    return folder


@pytest.fixture
def run(capsys):
    def call(*arguments):
        with pytest.raises(SystemExit) as end:
            cli.main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return end.value.code, out, err

    return call


def _hashes(folder: Path) -> dict[str, str]:
    return {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture
def conformed(run, material, tmp_path):
    plan, cut = tmp_path / "plan.json", tmp_path / "conformed.otio"
    run("plan", material / CUT, material / "takes", "--cast", material / "cast", "-o", plan)
    run("conform", material / CUT, plan, "--cast", material / "cast", "-o", cut)
    return cut


def test_the_whole_way_leaves_every_input_byte_identical(run, material, tmp_path):
    before = _hashes(material)
    plan, cut = tmp_path / "plan.json", tmp_path / "cut.otio"
    said = tmp_path / "decisions.json"
    said.write_text(json.dumps([{"slot": "SQ010_SH010", "verdict": "approved", "by": "ann"}]))
    calls = [
        (3, ["plan", material / CUT, material / "takes", "--cast", material / "cast", "-o", plan]),
        (0, ["conform", material / CUT, plan, "--cast", material / "cast", "-o", cut]),
        (0, ["decide", cut, said, "-o", tmp_path / "decided.otio"]),
        (0, ["check", tmp_path / "decided.otio"]),
        (0, ["info", cut, material / CUT]),
        (0, ["deliver", cut, "--to", "edl", "ale", "otio", "usd", "-o", tmp_path / "out"]),
    ]
    for expected, arguments in calls:
        code, _, err = run(*arguments)
        assert code == expected, (arguments, err)
    assert _hashes(material) == before


def test_a_plan_with_open_questions_is_written_and_ends_with_three(run, material, tmp_path):
    plan = tmp_path / "plan.json"
    code, out, err = run("plan", material / CUT, material / "takes", "-o", plan)
    assert code == 3
    assert plan.is_file()
    assert err.startswith("castline: a person must decide: ") and err.count("\n") == 1
    assert "14 short" in out


def test_json_is_for_machines(run, material, conformed, tmp_path):
    code, out, _ = run("info", "--json", conformed)
    assert (code, json.loads(out)[str(conformed)]["clips"]) == (0, 12)
    code, out, _ = run("check", "--json", conformed)
    assert code == 0 and isinstance(json.loads(out), list)
    code, out, _ = run("deliver", "--json", conformed, "--to", "edl", "-o", tmp_path / "out")
    assert json.loads(out)["formats"]["edl"]["clips_with_data"] == 12
    code, out, _ = run("plan", "--json", material / CUT, material / "takes", "-o", tmp_path / "p")
    assert json.loads(out)["castline_plan"] == 1


def test_only_what_is_there_is_listed(run):
    code, out, _ = run("--help")
    assert code == 0
    listed = {
        line.split()[0] for line in out.partition("Commands:")[2].splitlines() if line.strip()
    }
    assert listed == {
        "boxes",
        "cache",
        "calibrate",
        "check",
        "conform",
        "decide",
        "deliver",
        "demo",
        "info",
        "plan",
        "plugin-path",
        "publish",
        "schema-path",
        "score",
    }


def _prepare(folder: Path, material: Path) -> None:
    (folder / "empty").mkdir()
    (folder / "deep.otio").write_text("[" * 100_000 + "]" * 100_000)
    (folder / "twice.otio").write_text('{"OTIO_SCHEMA":"Timeline.1","name":"a","name":"b"}')
    (folder / "short.otio").write_text('{"OTIO_SCHEMA":"Timel')
    (folder / "bad.betamax").write_text("x")
    (folder / "no_file.csv").write_text("file,slot\n,SQ010_SH010\n")
    (folder / "climbs.csv").write_text("file,slot\n../../secret.mp4,SQ010_SH010\n")
    (folder / "plan.json").write_text("{}")
    (folder / "newer.json").write_text('{"castline_plan": 99}')
    (folder / "nan.json").write_text('[{"slot":"SQ010_SH010","verdict":NaN,"by":"a"}]')
    (folder / "taken.json").write_text("mine")
    (folder / "locked").mkdir()
    (folder / "locked").chmod(stat.S_IRUSR | stat.S_IXUSR)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ("info {}/none.otio", 1, "no such file"),
        ("info {}/deep.otio", 1, "nested too deep"),
        ("info {}/twice.otio", 1, "'name' twice"),
        ("info {}/short.otio", 1, "found no JSON"),
        ("info {}/bad.betamax", 1, "betamax"),
        ("info {}/empty", 1, "expected one of"),
        ("info", 2, "Missing argument"),
        ("frobnicate", 2, "No such command"),
        ("info --frobnicate x", 2, "No such option"),
        ("plan CUT {}/empty -o {}/p", 1, "found no takes"),
        ("plan CUT {}/nowhere -o {}/p", 1, "no such folder"),
        ("plan CUT TAKES --manifest {}/no_file.csv -o {}/p", 1, "row 2"),
        ("plan CUT TAKES --manifest {}/climbs.csv -o {}/p", 1, "climbs out"),
        ("plan CUT TAKES --size huge -o {}/p", 2, "1920x1080"),
        ("plan CUT TAKES --cast {}/empty -o {}/p", 1, "empty"),
        ("plan CUT TAKES -o {}/taken.json", 1, "exists"),
        ("plan CUT TAKES -o {}/locked/p.json", 1, "read-only"),
        ("plan CUT TAKES -o {}/nowhere/p.json", 1, "no such folder"),
        ("conform CUT {}/plan.json -o {}/c.otio", 1, "expected a plan"),
        ("conform CUT {}/newer.json -o {}/c.otio", 1, "plan version 99"),
        ("decide CUT {}/nan.json -o {}/c.otio", 1, "decision 1"),
        ("deliver CUT --to betamax -o {}/out", 2, "betamax"),
        ("deliver CUT --to edl -o {}/locked", 1, "read-only"),
        ("deliver CUT --to edl -o {}/taken.json", 1, "expected a folder"),
        ("check {}/short.otio", 1, "found no JSON"),
        ("demo -o {}", 1, "not the demo's"),
    ],
)
def test_every_failure_is_one_line_and_an_exit_code(
    run, material, tmp_path, arguments, code, words
):
    _prepare(tmp_path, material)
    before = _hashes(tmp_path)
    words_given = [
        part.replace("{}", str(tmp_path))
        .replace("CUT", str(material / CUT))
        .replace("TAKES", str(material / "takes"))
        for part in arguments.split()
    ]
    try:
        found, _, err = run(*words_given)
    finally:
        (tmp_path / "locked").chmod(stat.S_IRWXU)
    assert found == code, err
    assert words in err
    assert "Traceback" not in err
    last = [line for line in err.splitlines() if line.strip()]
    assert len(last) == 1 or last[0].startswith("Usage:")
    assert _hashes(tmp_path) == before


def test_a_broken_rule_ends_with_one(run, conformed, material):
    text = conformed.read_text().replace("SQ010_SH010_ai_v001.mp4", "gone.mp4")
    conformed.write_text(text)
    code, out, _ = run("check", conformed)
    assert code == 1
    assert "online-media" in out


@pytest.mark.parametrize("value", ["NaN", "Infinity", '"high"'])
def test_a_score_that_is_no_number_is_a_problem_and_no_crash(run, conformed, tmp_path, value):
    head, mark, tail = conformed.read_text().partition('"appearances"')
    assert mark
    spoiled = tail.replace('"character_id":', f'"score": {{"value": {value}}}, "character_id":', 1)
    conformed.write_text(head + mark + spoiled)
    code, out, err = run("check", conformed)
    assert code == 1 and "readable-data" in out and "score.value" in out
    assert run("info", conformed)[0] == 0
    assert run("deliver", conformed, "--to", "edl", "-o", tmp_path / "out")[0] == 0
    said = tmp_path / "said.json"
    said.write_text("[]")
    code, _, err = run("decide", conformed, said, "-o", tmp_path / "new.otio")
    assert code == 0, err


def test_an_input_is_never_written_on_whatever_is_asked(run, conformed, material, tmp_path):
    said = tmp_path / "said.json"
    said.write_text("[]")
    plan = tmp_path / "plan.json"
    for arguments in (
        ["decide", conformed, said, "-o", conformed, "--overwrite"],
        ["decide", conformed, said, "-o", said, "--overwrite"],
        ["conform", conformed, plan, "-o", conformed, "--overwrite"],
        ["conform", conformed, plan, "-o", plan, "--overwrite"],
        ["plan", conformed, material / "takes", "-o", conformed, "--overwrite"],
        [
            "deliver",
            conformed,
            "--to",
            "otio",
            "-o",
            tmp_path,
            "--name",
            "conformed",
            "--overwrite",
        ],
    ):
        before = _hashes(tmp_path)
        code, _, err = run(*arguments)
        assert code in (1, 2) and "input" in err, arguments
        assert _hashes(tmp_path) == before


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"url": "/', '"url": "x/'),
        ('"frames": 64', '"frames": -5'),
        ('"rate": 24.0', '"rate": 0.0'),
    ],
)
def test_a_plan_edited_badly_by_hand_is_refused_in_one_line(run, material, tmp_path, old, new):
    plan = tmp_path / "plan.json"
    run("plan", material / CUT, material / "takes", "-o", plan)
    text = plan.read_text()
    assert old in text
    plan.write_text(text.replace(old, new))
    code, _, err = run("conform", material / CUT, plan, "-o", tmp_path / "new.otio")
    assert code == 1 and err.startswith("castline: ") and "unexpected" not in err
    assert not (tmp_path / "new.otio").exists()


@pytest.mark.parametrize("rate", ["0", "-24", "nan", "inf"])
def test_a_rate_that_is_none_is_a_question_of_usage(run, material, rate):
    assert run("info", material / CUT, "--rate", rate)[0] == 2


def test_several_formats_may_follow_one_option(run, conformed, tmp_path):
    code, out, _ = run("deliver", conformed, "--to", "ale", "--to", "otio", "-o", tmp_path / "out")
    assert code == 0 and "12 of 12" in out


def test_the_plugin_path_is_a_manifest(run):
    code, out, _ = run("plugin-path")
    assert code == 0
    assert json.loads(Path(out.strip()).read_text())["OTIO_SCHEMA"] == "PluginManifest.1"


def test_the_installed_command_runs():
    done = subprocess.run(
        [sys.executable, "-c", "from castline.cli import main; main(['--version'])"],
        capture_output=True,
        text=True,
        env=dict(os.environ),
    )
    assert done.returncode == 0 and "castline" in done.stdout


def test_the_demo_removes_nobodys_file(run, tmp_path):
    draw(tmp_path / "demo")
    mine = tmp_path / "demo" / "takes" / "my_take_v001.mp4"
    mine.write_text("mine")
    before = _hashes(tmp_path)
    code, _, err = run("demo", "-o", tmp_path / "demo")
    assert code == 1 and "my_take_v001.mp4" in err
    assert _hashes(tmp_path) == before


def test_the_demo_runs_and_runs_again(run, tmp_path):
    for _ in range(2):
        code, out, err = run("demo", "-o", tmp_path / "demo")
        assert code == 0, err
    for name in ("edl", "fcp7", "fcpx", "aaf", "ale", "otio", "usd"):
        line = next(line for line in out.splitlines() if line.startswith(f"{name} "))
        assert "12 of 12" in line
        assert Path(line.split()[-1]).is_file()
