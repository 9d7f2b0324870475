"""What every carrier promises, through plain OTIO without a single argument."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import opentimelineio as otio
import pytest
from builders import bare, clip, cut, span
from trip import clip_data, data_of, quiet

from castline.adapters.hooks import after_read, before_write
from castline.schemas.places import get_sequence, get_take, set_take
from castline.schemas.slots import slots_of
from castline.schemas.takes import switch_take
from castline.schemas.values import Appearance, Score

SUFFIXES = ("edl", "xml", "fcpxml", "aaf", "ale", "usda", "usdc", "usdz", "otioz")
EDITORIAL = ("edl", "xml", "fcpxml", "aaf", "ale")
POLICY = otio.adapters.file_bundle_utils.MediaReferencePolicy.AllMissing


def _write(timeline, path):
    arguments = {"media_policy": POLICY} if path.suffix == ".otioz" else {}
    with quiet():
        otio.adapters.write_to_file(timeline, str(path), **arguments)
    return path


def _read(path):
    with quiet():
        return otio.adapters.read_from_file(str(path))


def _through(timeline, folder, suffix):
    return _read(_write(timeline, folder / f"cut.{suffix}"))


@pytest.mark.parametrize("suffix", SUFFIXES)
class TestEveryCarrier:
    def test_gives_back_everything_of_ours(self, suffix, tmp_path):
        timeline = cut()
        before = {c.name: clip_data(c) for c in timeline.find_clips()}
        back = _through(timeline, tmp_path, suffix)
        assert {c.name: clip_data(c) for c in back.find_clips()} == before
        assert data_of(back) == data_of(timeline)

    def test_leaves_the_callers_timeline_alone(self, suffix, tmp_path):
        timeline = cut()
        text = timeline.to_json_string()
        _write(timeline, tmp_path / f"cut.{suffix}")
        assert timeline.to_json_string() == text

    def test_can_go_round_again_and_again(self, suffix, tmp_path):
        timeline = cut()
        before = {c.name: clip_data(c) for c in timeline.find_clips()}
        for number in range(3):
            path = _write(timeline, tmp_path / f"cut_{number}.{suffix}")
            timeline = _read(path)
        assert {c.name: clip_data(c) for c in timeline.find_clips()} == before
        text = timeline.to_json_string()
        assert "%CASTLINE" not in text and "castline: " not in text

    def test_does_nothing_for_cuts_without_our_data(self, suffix, tmp_path):
        timeline = bare(cut())
        assert before_write(timeline, {"_filepath": f"x.{suffix}"}) is timeline
        assert after_read(timeline) is timeline

    def test_keeps_what_a_clip_alone_says(self, suffix, tmp_path):
        timeline = bare(cut())
        only = clip(2)
        timeline.tracks[0][1] = only
        back = _through(timeline, tmp_path, suffix)
        found = {c.name: clip_data(c) for c in back.find_clips()}
        assert found["sh002"] == clip_data(only)
        assert all(found[name]["clip"] is None for name in ("sh001", "sh003", "sh004"))

    @pytest.mark.parametrize("first", [True, False], ids=["data first", "data second"])
    def test_a_use_without_data_stays_without(self, suffix, first, tmp_path):
        timeline = bare(cut(3))
        other = bare(cut(1)).tracks[0][0].deepcopy()
        with_data = clip(1)
        with_data.media_reference.target_url = other.media_reference.target_url
        other.name = with_data.name = "same"
        other.source_range = span(86500 + (10 if first else 0), 48)
        pair = [with_data, other] if first else [other, with_data]
        timeline.tracks[0][:] = [*pair, bare(cut(3)).tracks[0][2].deepcopy()]
        back = _through(timeline, tmp_path, suffix)
        found = [data_of(c) for c in back.find_clips()]
        expected = [data_of(c) for c in timeline.find_clips()]
        assert found == expected

    def test_brings_all_references_back_whole(self, suffix, tmp_path):
        timeline = cut(2)
        back = _through(timeline, tmp_path, suffix)
        for old, new in zip(timeline.find_clips(), back.find_clips(), strict=True):
            offer, returned = (c.media_references()["take_001"] for c in (old, new))
            assert returned.is_equivalent_to(offer)
            assert get_take(returned) == get_take(offer)

    def test_a_take_that_is_shown_comes_back_shown_with_the_temp_beside_it(self, suffix, tmp_path):
        timeline = cut(3)
        for item in timeline.find_clips():
            switch_take(item, "take_001")
        before = {c.name: clip_data(c) for c in timeline.find_clips()}
        back = _through(timeline, tmp_path, suffix)
        assert {c.name: clip_data(c) for c in back.find_clips()} == before
        for old, new in zip(timeline.find_clips(), back.find_clips(), strict=True):
            assert new.source_range == old.source_range
            temps = [c.media_references()["DEFAULT_MEDIA"] for c in (old, new)]
            assert temps[0].is_equivalent_to(temps[1])

    def test_two_uses_of_one_file_keep_their_own_data(self, suffix, tmp_path):
        timeline = cut(1)
        timeline.tracks[0][:] = [clip(n, media="file:///show/one.mov") for n in (1, 2, 3)]
        before = {c.name: clip_data(c) for c in timeline.find_clips()}
        back = _through(timeline, tmp_path, suffix)
        assert {c.name: clip_data(c) for c in back.find_clips()} == before

    def test_clips_of_one_name_keep_their_own_data(self, suffix, tmp_path):
        timeline = cut(3)
        for item in timeline.find_clips():
            item.name = "same"
        before = [clip_data(c) for c in timeline.find_clips()]
        back = _through(timeline, tmp_path, suffix)
        assert [clip_data(c) for c in back.find_clips()] == before

    def test_an_empty_slot_stays_empty(self, suffix, tmp_path):
        timeline = cut(2)
        slot = timeline.tracks[0][1]
        slot.set_media_references(
            {"DEFAULT_MEDIA": otio.schema.MissingReference()}, "DEFAULT_MEDIA"
        )
        back = _through(timeline, tmp_path, suffix)
        found = slots_of(back)["sh002"]
        assert isinstance(found.media_reference, otio.schema.MissingReference)
        assert clip_data(found) == clip_data(slot)

    def test_an_image_sequence_comes_back_as_one(self, suffix, tmp_path):
        timeline = cut(2)
        frames = otio.schema.ImageSequenceReference(
            "file:///show/sh002/", "sh002.", ".exr", 1001, 1, 24, 4, available_range=span(1001, 60)
        )
        set_take(frames, get_take(timeline.tracks[0][1].media_reference))
        slot = timeline.tracks[0][1]
        slot.set_media_references({"DEFAULT_MEDIA": frames}, "DEFAULT_MEDIA")
        slot.source_range = span(1005, 48)
        found = slots_of(_through(timeline, tmp_path, suffix))["sh002"]
        assert found.media_reference.is_equivalent_to(frames)
        assert found.source_range == slot.source_range

    def test_a_large_payload_is_carried(self, suffix, tmp_path):
        timeline = cut(2)
        data = json.loads(json.dumps(data_of(timeline.tracks[0][0])))
        data["large"] = ["é雨%" * 10 + str(n) for n in range(3000)]
        timeline.tracks[0][0].metadata["castline"] = data
        back = _through(timeline, tmp_path, suffix)
        assert data_of(slots_of(back)["sh001"]) == data

    def test_nested_timelines_lose_nothing_in_silence(self, suffix, tmp_path):
        timeline = cut(2)
        nested = otio.schema.Stack("nest", [otio.schema.Track("N1", [clip(7)], kind="Video")])
        nested.source_range = span(0, 48)
        nested.metadata["castline"] = {"version": 1, "slot_id": "nest"}
        timeline.tracks[0].insert(1, nested)
        try:
            back = _through(timeline, tmp_path, suffix)
        except Exception as error:
            pytest.fail(f"{suffix}: {error}")
        placed = {s["slot_id"] for c in back.find_clips() if (s := data_of(c))}
        stacks = back.find_children(descended_from_type=otio.schema.Stack)
        placed |= {s["slot_id"] for c in stacks if (s := data_of(c))}
        unplaced = {(e.payload or {}).get("id") for e in get_sequence(back).unplaced}
        assert placed | unplaced == {"sh001", "sh002", "sh007", "nest"}
        assert not placed & unplaced

    def test_data_on_other_objects_comes_back_or_is_unplaced(self, suffix, tmp_path):
        timeline = cut(2)
        timeline.tracks[0].metadata["castline"] = {"track": True}
        marker = otio.schema.Marker("look", span(86520, 1))
        marker.metadata["castline"] = {"version": 1, "about": "sh001"}
        timeline.tracks[0][0].markers.append(marker)
        back = _through(timeline, tmp_path, suffix)
        text = back.to_json_string(indent=-1)
        assert '"track":true' in text and '"about":"sh001"' in text


@pytest.mark.parametrize("suffix", ["edl", "xml", "fcpxml"])
def test_a_character_warning_becomes_a_marker_that_goes_again(suffix, tmp_path):
    timeline = cut(2)
    slot = timeline.tracks[0][0]
    take = get_take(slot.media_reference)
    warning = Appearance(character_id="mira", state="drift", score=Score(value=0.62), note="hair")
    set_take(slot.media_reference, take.replace(appearances=(warning,)))
    before = clip_data(slot)
    path = _write(timeline, tmp_path / f"cut.{suffix}")
    assert "MIRA 0.62 DRIFT - HAIR" in path.read_text().upper()
    back = slots_of(_read(path))["sh001"]
    assert not back.markers
    assert clip_data(back) == before


@pytest.mark.parametrize("suffix", EDITORIAL)
def test_a_damaged_payload_never_costs_the_cut(suffix, tmp_path, caplog):
    timeline = cut(3)
    path = _write(timeline, tmp_path / f"cut.{suffix}")
    raw = path.read_bytes()
    for encoding in ("utf-8", "utf-16-le"):
        mark = '"slot_id":"sh002"'.encode(encoding)
        escaped = "&quot;slot_id&quot;:&quot;sh002&quot;".encode(encoding)
        swap = mark.replace("2".encode(encoding), "9".encode(encoding))
        raw = raw.replace(mark, swap)
        raw = raw.replace(escaped, escaped.replace("2".encode(encoding), "9".encode(encoding)))
    assert raw != path.read_bytes()
    path.write_bytes(raw)
    back = otio.adapters.read_from_file(str(path))
    assert len(list(back.find_clips())) == 3
    assert {"sh001", "sh003"} <= set(slots_of(back))
    reasons = [entry.reason for entry in get_sequence(back).unplaced]
    assert "damaged" in reasons
    assert any("damaged" in record.message for record in caplog.records)


@pytest.mark.parametrize("suffix", [suffix for suffix in EDITORIAL if suffix != "aaf"])
def test_without_a_path_the_data_goes_into_every_format_and_stays(suffix, tmp_path):
    timeline = cut(2)
    carrying = before_write(timeline, {})
    assert data_of(carrying) == data_of(timeline)
    with quiet():
        name = otio.adapters.from_filepath(f"x.{suffix}").name
        text = otio.adapters.write_to_string(timeline, name)
        back = otio.adapters.read_from_string(text, name)
    assert {c.name: clip_data(c) for c in back.find_clips()} == {
        c.name: clip_data(c) for c in timeline.find_clips()
    }
    again = after_read(carrying)
    assert again.is_equivalent_to(timeline)


def test_writing_json_to_a_string_keeps_our_data_readable_without_castline():
    timeline = cut(1)
    text = otio.adapters.write_to_string(timeline, "otio_json")
    assert data_of(otio.schema.Timeline.from_json_string(text)) == data_of(timeline)
    assert otio.adapters.read_from_string(text, "otio_json").is_equivalent_to(timeline)


@pytest.mark.parametrize("suffix", EDITORIAL)
@pytest.mark.parametrize("way", ["entry point", "manifest path"])
def test_plain_otioconvert_carries_the_data_both_ways(suffix, way, tmp_path):
    timeline = cut(2)
    start = tmp_path / "cut.otio"
    otio.adapters.write_to_file(timeline, str(start))
    environment = dict(os.environ)
    if way == "manifest path":
        environment["OTIO_DISABLE_ENTRYPOINTS_PLUGINS"] = "1"
        said = subprocess.run(
            [sys.executable, "-m", "castline", "plugin-path", "--with-stock"],
            check=True,
            capture_output=True,
            text=True,
        )
        environment["OTIO_PLUGIN_MANIFEST_PATH"] = said.stdout.strip()
    middle, end = tmp_path / f"cut.{suffix}", tmp_path / "back.otio"
    for source, target in ((start, middle), (middle, end)):
        subprocess.run(
            [
                sys.executable,
                "-m",
                "opentimelineio.console.otioconvert",
                "-i",
                source,
                "-o",
                target,
            ],
            check=True,
            env=environment,
            capture_output=True,
        )
    back = otio.adapters.read_from_file(str(end))
    assert {c.name: clip_data(c) for c in back.find_clips()} == {
        c.name: clip_data(c) for c in timeline.find_clips()
    }
    assert data_of(back) == data_of(timeline)
