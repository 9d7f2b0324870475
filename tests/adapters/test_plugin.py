"""castline as OTIO sees it: manifest, adapters, hooks and linker."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import opentimelineio as otio
import pytest
from builders import cut, span
from trip import clip_data

from castline.adapters import otio as plugin
from castline.adapters.hooks import after_read, before_write
from castline.schemas.places import get_slot, set_slot
from castline.schemas.takes import active_take
from castline.schemas.values import Decision

MANIFEST = Path(plugin.__file__).with_name("plugin_manifest.json")


@pytest.mark.parametrize("way", ["entry point", "manifest path"])
def test_otio_finds_everything_both_ways(way):
    environment = dict(os.environ)
    if way == "manifest path":
        environment["OTIO_DISABLE_ENTRYPOINTS_PLUGINS"] = "1"
        environment["OTIO_PLUGIN_MANIFEST_PATH"] = str(MANIFEST)
    done = subprocess.run(
        [sys.executable, "-m", "opentimelineio.console.otiopluginfo", "*castline*"],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    for name in ("castline_usd", "castline_embed", "castline_restore"):
        assert name in done.stdout
    assert "ERROR" not in done.stdout + done.stderr


def test_every_file_of_the_manifest_is_a_documented_shim():
    manifest = json.loads(MANIFEST.read_text())
    plugins = [*manifest["adapters"], *manifest["media_linkers"], *manifest["hook_scripts"]]
    for entry in plugins:
        lines = (MANIFEST.parent / entry["filepath"]).read_text().splitlines()
        assert lines[0].startswith('"""')
        assert len(lines) < 15
    assert all(s == s.lower() for a in manifest["adapters"] for s in a["suffixes"])


@pytest.mark.parametrize("suffix", ["usd", "usda", "usdc", "usdz"])
def test_usd_suffixes_are_ours(suffix):
    assert otio.adapters.from_filepath(f"cut.{suffix.upper()}").name == "castline_usd"


def _linked(path, take):
    return otio.adapters.read_from_file(
        str(path), media_linker_name="castline", media_linker_argument_map={"take": take}
    )


@pytest.mark.parametrize(
    ("take", "shown"),
    [
        ("latest", "v001"),
        ("temp", "temp"),
        ("sh001-v001", "v001"),
        ("approved", "temp"),
        ("x", "temp"),
    ],
)
def test_the_linker_chooses_the_take_with_its_placement(take, shown, tmp_path):
    path = tmp_path / "cut.otio"
    otio.adapters.write_to_file(cut(1), str(path))
    (clip,) = _linked(path, take).find_clips()
    assert shown in active_take(clip).take_id
    assert clip.source_range == (span(8, 48) if shown == "v001" else span(86500, 48))
    assert len(clip.media_references()) == 2


def test_the_linker_shows_what_was_approved(tmp_path):
    timeline = cut(2)
    first = timeline.tracks[0][0]
    said = Decision(verdict="approved", by="ann", at="2026-01-01", take_id="sh001-v001")
    set_slot(first, get_slot(first).replace(decisions=(said,)))
    path = tmp_path / "cut.edl"
    otio.adapters.write_to_file(timeline, str(path))
    roles = [active_take(clip).role for clip in _linked(path, "approved").find_clips()]
    assert roles == ["take", "temp"]


def test_the_linker_works_through_otioconvert(tmp_path):
    start, end = tmp_path / "cut.otio", tmp_path / "latest.otio"
    otio.adapters.write_to_file(cut(1), str(start))
    subprocess.run(
        [
            sys.executable,
            "-m",
            "opentimelineio.console.otioconvert",
            "-i",
            start,
            "-o",
            end,
            "-m",
            "castline",
            "-M",
            "take=latest",
        ],
        check=True,
        capture_output=True,
    )
    (clip,) = otio.adapters.read_from_file(str(end)).find_clips()
    assert active_take(clip).role == "take"


def test_the_linker_never_raises(tmp_path):
    path = tmp_path / "cut.otio"
    timeline = cut(1)
    timeline.tracks[0][0].media_reference.metadata["castline"] = "a bare word"
    otio.adapters.write_to_file(timeline, str(path))
    assert list(_linked(path, "latest").find_clips())


@pytest.mark.parametrize("thing", [None, 3, "x", {"a": 1}], ids=str)
def test_hooks_never_raise_and_hand_back_what_they_cannot_read(thing):
    assert before_write(thing, {"_filepath": "x.edl"}) is thing
    assert after_read(thing, None) is thing


@pytest.mark.parametrize("value", ["a word", 3, [1, 2], None, {"version": "x"}, {"version": 99}])
def test_whatever_is_under_our_key_rides_along(value, tmp_path):
    timeline = cut(2)
    timeline.tracks[0][0].metadata["castline"] = value
    before = clip_data(timeline.tracks[0][0])
    path = tmp_path / "cut.edl"
    otio.adapters.write_to_file(timeline, str(path))
    back = otio.adapters.read_from_file(str(path))
    assert clip_data(back.tracks[0][0]) == before


def test_otiotool_with_two_inputs_carries_both(tmp_path):
    for name in ("a", "b"):
        otio.adapters.write_to_file(cut(1), str(tmp_path / f"{name}.otio"))
    subprocess.run(
        [
            sys.executable,
            "-m",
            "opentimelineio.console.otiotool",
            "-i",
            tmp_path / "a.otio",
            tmp_path / "b.otio",
            "-o",
            tmp_path / "both.usda",
        ],
        check=True,
        capture_output=True,
    )
    back = otio.adapters.read_from_file(str(tmp_path / "both.usda"))
    assert [clip_data(c) for c in back.find_clips()] == [clip_data(cut(1).tracks[0][0])] * 2


def test_stock_otio_without_castline_opens_everything_we_write(tmp_path):
    path = tmp_path / "cut.otio"
    otio.adapters.write_to_file(cut(2), str(path))
    environment = {**os.environ, "OTIO_DISABLE_ENTRYPOINTS_PLUGINS": "1"}
    code = (
        "import opentimelineio as otio, sys\n"
        f"t = otio.adapters.read_from_file({str(path)!r})\n"
        "kinds = {type(x).__name__ for x in t.find_children()}\n"
        "print(kinds, 'castline' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    assert "Unknown" not in done.stdout and "False" in done.stdout
