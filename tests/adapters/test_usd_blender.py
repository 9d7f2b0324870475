"""Blender with a published stage: it opens as it should, and comes back to be published again.

Blender is a gigabyte, so `make blender` fetches it where it is wanted; else this is skipped.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from published import clip_of, cut_of, write_stage

import castline

pytest.importorskip("pxr")

ROOT = Path(__file__).resolve().parents[2]
BLENDER = ROOT / ".peers" / "bpy-4.5.0"
CORPUS = ROOT.parent / "shared" / "corpus" / "usd"

pytestmark = pytest.mark.skipif(
    not (BLENDER / "bpy").is_dir(), reason="Blender is not there; `make blender` fetches it"
)


def through_blender(stage: Path, exported: Path) -> dict:
    """Return what Blender found in a stage, and have it exported again."""
    done = subprocess.run(
        [sys.executable, Path(__file__).with_name("blender.py"), stage, exported],
        env={**os.environ, "PYTHONPATH": str(BLENDER)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.strip().rpartition("\n")[2])


@pytest.fixture
def cut(tmp_path):
    return cut_of(clip_of(tmp_path / "takes", "sh010", "mara"), cast={"mara": "MARA"})


def test_blender_opens_range_rate_and_camera_and_no_prim_of_ours(cut, tmp_path):
    head = "timeCodesPerSecond = 25\n framesPerSecond = 25"
    stage = write_stage(tmp_path / "sh010.usda", head=head)
    published = castline.publish(cut, stage, tmp_path / "out")
    plain = through_blender(stage, tmp_path / "plain.usda")
    found = through_blender(published.root, tmp_path / "again.usda")
    assert found["rate"] == plain["rate"]  # Blender keeps its own, and frames as they are
    assert found["start"] == 1001
    assert found["end"] == pytest.approx(1001 + 11 * 25 / 24, abs=1)
    assert found["objects"] == plain["objects"]
    assert found["lenses"] == plain["lenses"]


def test_what_blender_exports_is_found_again(cut, tmp_path):
    stage = write_stage(tmp_path / "sh010.usda")
    first = castline.publish(cut, stage, tmp_path / "out")
    through_blender(first.root, tmp_path / "again.usda")
    second = castline.publish(cut, tmp_path / "again.usda", tmp_path / "out")
    assert first.shots == {"sh010": "/World/cam"}
    assert second.shots == {"sh010": "/root/World/cam/cam"}
    assert first.characters == {"mara": ["/World/MARA"]}
    assert second.characters == {"mara": ["/root/World/MARA"]}


@pytest.mark.corpus
def test_a_scene_of_the_corpus_comes_back_from_blender(cut, tmp_path):
    scene = CORPUS / "wg" / "_common" / "animated_cube_translation.usda"
    first = castline.publish(cut, scene, tmp_path / "out")
    found = through_blender(first.root, tmp_path / "again.usda")
    assert found["objects"] == {"World": "EMPTY", "camera": "CAMERA", "animatedCube": "MESH"}
    assert (found["start"], found["end"], found["rate"]) == (0, 11, 24)
    second = castline.publish(cut, tmp_path / "again.usda", tmp_path / "out")
    assert second.shots == {"sh010": "/root/World/camera/camera"}
