"""What the README says is run as it is written."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import opentimelineio as otio
import pytest
from readme_table import standing, table

from castline.demo import draw

README = (Path(__file__).resolve().parents[1] / "README.md").read_text(encoding="utf-8")


def _block(name: str) -> str:
    found = re.search(rf"<!-- tested: {name} -->\n```\w+\n(.*?)```", README, re.DOTALL)
    assert found, name
    return found[1]


@pytest.fixture
def desk(tmp_path):
    draw(tmp_path)
    return tmp_path


def _environment():
    folder = str(Path(sys.executable).parent)
    return {**os.environ, "PATH": os.pathsep.join([folder, os.environ["PATH"]])}


def test_the_main_job_in_the_shell_runs_as_written(desk):
    lines = _block("shell")
    assert len(lines.strip().splitlines()) == 5
    done = subprocess.run(
        ["sh", "-e", "-c", lines], cwd=desk, env=_environment(), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    suffixes = {path.suffix for path in (desk / "delivery").iterdir()}
    assert suffixes == {
        ".edl",
        ".xml",
        ".fcpxml",
        ".aaf",
        ".ale",
        ".otio",
        ".usda",
        ".json",
        ".md",
    }


def test_the_main_job_in_python_runs_as_written(desk):
    lines = _block("python")
    assert len(lines.strip().splitlines()) == 5
    done = subprocess.run(
        [sys.executable, "-c", lines], cwd=desk, env=_environment(), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert (desk / "python_delivery" / "losses.json").is_file()


def test_characters_are_measured_as_written(desk):
    pytest.importorskip("dlib", reason="dlib is not installed")
    pytest.importorskip("torch", reason="torch is not installed")
    said = _after_the_main_job(desk, "score")
    assert "1 drift" in said and "missing" not in said
    assert "<title>1.000</title>" in (desk / "matrix.svg").read_text(encoding="utf-8")
    assert "MIRA 0.99 DRIFT" in next((desk / "delivery_scored").glob("*.edl")).read_text()


def test_a_cut_becomes_a_stage_and_comes_back_as_written(desk):
    _after_the_main_job(desk, "stage")
    assert any((desk / "plates").iterdir())
    assert "BackPlateAPI:plate" in (desk / "cut_seen.usda").read_text(encoding="utf-8")
    before, after = (
        otio.adapters.read_from_file(str(desk / name)) for name in ("cut_ok.otio", "back.otio")
    )
    assert after.to_json_string() == before.to_json_string()


def _after_the_main_job(desk: Path, name: str) -> str:
    """Run a block of the README after the first three lines of the main job; return its output."""
    lines = _block("shell").strip().splitlines()[:3] + _block(name).strip().splitlines()
    done = subprocess.run(
        ["sh", "-e", "-c", "\n".join(lines)],
        cwd=desk,
        env={**_environment(), "XDG_CACHE_HOME": str(desk / "home")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_what_a_cut_knows_is_laid_over_a_stage_as_written(desk):
    scene = desk / "scenes" / "SQ010_SH010.usda"
    before = scene.read_bytes()
    said = _after_the_main_job(desk, "publish")
    assert "SQ010_SH010      /World/cams/render_cam" in said
    assert "mira             /World/chars/rig_main" in said
    assert scene.read_bytes() == before
    assert len(list((desk / "published" / "plates").iterdir())) == 48


def test_every_verb_of_the_command_line_is_in_the_readme():
    from castline.cli import cli

    for name in cli.commands:
        assert f"`castline {name}" in README


def test_golden_the_table_of_what_survives_is_the_truth():
    assert standing() == table(), "run `make golden` and review the difference"
