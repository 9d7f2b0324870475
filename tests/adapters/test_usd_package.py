"""Stages with their media inside."""

from __future__ import annotations

import os
import time
import zipfile

import pytest
import usd_clips as clips
from opentimelineio import schema
from usd_oracle import Cut
from usd_player import Played, problems
from usd_scenes import make_all

from castline.adapters import usd

pytest.importorskip("pxr")
pytest.importorskip("PIL")


@pytest.fixture(scope="module")
def m(tmp_path_factory):
    return make_all(tmp_path_factory.mktemp("usd") / "media")


def names_in(path) -> list[str]:
    with zipfile.ZipFile(path) as package:
        assert package.testzip() is None
        for entry in package.infolist():
            assert entry.compress_type == zipfile.ZIP_STORED
            assert entry.date_time == (1980, 1, 1, 0, 0, 0)
            with path.open("rb") as stream:
                stream.seek(entry.header_offset + 26)
                name, extra = (int.from_bytes(stream.read(2), "little") for _ in range(2))
            assert (entry.header_offset + 30 + name + extra) % 64 == 0, entry.filename
        return package.namelist()


def full(m) -> schema.Timeline:
    return clips.cut(
        clips.video(clips.scene(m / "moving.usda"), clips.scene(m / "layered" / "shot.usda")),
        clips.video(clips.gap(30), clips.sequence(m / "plates")),
        clips.audio(clips.sound(m / "sound.wav")),
    )


def test_a_package_plays_where_there_is_nothing_else(m, tmp_path):
    timeline = full(m)
    losses = usd.write(timeline, tmp_path / "cut.usdz")
    assert losses == []
    names = names_in(tmp_path / "cut.usdz")
    assert names[0] == "timeline.usdc"
    assert {name.rsplit(".")[-1] for name in names} == {"usdc", "usda", "png", "wav"}
    assert not any(name.startswith(("/", "..")) for name in names)
    assert usd.read(tmp_path / "cut.usdz").to_json_string() == timeline.to_json_string()


def test_what_is_seen_through_a_package_is_what_the_cut_says(m, tmp_path):
    timeline = clips.cut(
        clips.video(clips.scene(m / "moving.usda"), clips.scene(m / "turning.usda"))
    )
    usd.write(timeline, tmp_path / "cut.usdz")
    played = Played(tmp_path / "cut.usdz", timeline)
    assert list(problems(played, Cut(timeline, m))) == []


def test_the_same_cut_gives_the_same_package(m, tmp_path):
    usd.write(full(m), tmp_path / "one.usdz")
    time.sleep(2.1)  # a zip counts in steps of two seconds
    os.utime(m / "moving.usda")
    usd.write(full(m), tmp_path / "two.usdz")
    assert (tmp_path / "one.usdz").read_bytes() == (tmp_path / "two.usdz").read_bytes()


def test_a_movie_is_not_inside_and_is_named(tmp_path):
    movie = tmp_path / "a.mp4"
    movie.write_bytes(b"x" * 1000)
    clip = schema.Clip("a", schema.ExternalReference(str(movie)), clips.span(0, 10))
    losses = usd.write(clips.cut(clips.video(clip)), tmp_path / "cut.usdz")
    assert names_in(tmp_path / "cut.usdz") == ["timeline.usdc"]
    assert "movie" in losses[0].reason


def test_what_no_package_may_hold_is_left_out_and_named(m, tmp_path):
    sound = tmp_path / "voice.aif"
    sound.write_bytes((m / "sound.wav").read_bytes())
    timeline = clips.cut(
        clips.video(clips.scene(m / "moving.usda")), clips.audio(clips.sound(sound))
    )
    losses = usd.write(timeline, tmp_path / "cut.usdz")
    assert [loss.reason for loss in losses] == ["no usdz may hold a .aif"]
    assert names_in(tmp_path / "cut.usdz") == ["timeline.usdc", "0/moving.usda"]


def test_a_scene_that_lacks_something_leaves_the_cut_alone_in_the_package(m, tmp_path):
    text = (m / "static.usda").read_text(encoding="utf-8")
    lacking = tmp_path / "lacking.usda"
    lacking.write_text(f'{text}\ndef "more" (references = @./gone.usda@)\n{{\n}}\n')
    timeline = clips.cut(clips.video(clips.scene(lacking)))
    losses = usd.write(timeline, tmp_path / "cut.usdz")
    assert names_in(tmp_path / "cut.usdz") == ["timeline.usdc"]
    assert "not in the package" in losses[0].reason
    assert "gone.usda" in losses[0].reason
    assert usd.read(tmp_path / "cut.usdz").to_json_string() == timeline.to_json_string()


def test_names_in_any_script_are_found_in_a_package(m, tmp_path):
    from pxr import Usd

    scene = tmp_path / "größe 雨.usda"
    scene.write_bytes((m / "static.usda").read_bytes())
    usd.write(clips.cut(clips.video(clips.scene(scene))), tmp_path / "cut.usdz")
    assert names_in(tmp_path / "cut.usdz")[1].endswith("größe 雨.usda")
    stage = Usd.Stage.Open(str(tmp_path / "cut.usdz"))
    assert stage.GetCompositionErrors() == []
    assert any(prim.GetName() == "media" and prim.GetChildren() for prim in stage.Traverse())
