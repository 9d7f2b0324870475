"""EDL: a person edits the text without castline, and the edit wins."""

from __future__ import annotations

import re

import opentimelineio as otio
import pytest
from builders import bare, clip, cut, span
from trip import CORPUS, attach, clip_data, data_of, quiet, read_cut

from castline.adapters import files
from castline.schemas.places import get_sequence, get_slot
from castline.schemas.slots import slots_of

REAL = ["screening_example.edl", "079_HA_V05.edl", "cdl.edl", "SR_010.edl", "speed_effects.edl"]


def _write(timeline, folder):
    path = folder / "cut.edl"
    with quiet():
        otio.adapters.write_to_file(timeline, str(path))
    return path


def _read(path):
    with quiet():
        return otio.adapters.read_from_file(str(path))


def _events(text):
    """Return the head of an EDL and its events, each with its comments."""
    head, *events = re.split(r"(?m)^(?=\d{3}  )", text)
    return head, events


def _edit(path, change):
    head, events = _events(path.read_text())
    events = change(events)
    path.write_text(head + "".join(events))


def _recorded_back_to_back(events):
    """Give the events record times that follow each other, as an editor's program would."""
    record = 0
    answer = []
    for event in events:
        line, *rest = event.split("\n")
        times = re.findall(r"\d\d:\d\d:\d\d:\d\d", line)
        first, last = (otio.opentime.from_timecode(t, 24).value for t in times[2:])
        length = last - first
        for old, new in zip(times[2:], (record, record + length), strict=True):
            code = otio.opentime.to_timecode(otio.opentime.RationalTime(new, 24), 24)
            head, _, tail = line.rpartition(old) if old == times[3] else line.partition(old)
            line = f"{head}{code}{tail}"
        record += length
        answer.append("\n".join([line, *rest]))
    return answer


@pytest.fixture(params=["own", *REAL])
def written(request, tmp_path):
    """A written EDL, of our own cut or of a real one, and what each of its clips had."""
    if request.param == "own":
        timeline = cut(5)
    else:
        path = CORPUS / "edl" / request.param
        if not path.is_file():
            pytest.skip("the shared corpus is not there")
        timeline = read_cut(path)
        attach(timeline)
    before = [clip_data(c) for c in timeline.find_clips()]
    return _write(timeline, tmp_path), before


def test_a_deleted_event_takes_only_its_own_data_away(written):
    path, before = written
    _edit(path, lambda events: [*events[:1], *events[2:]])
    back = _read(path)
    assert [clip_data(c) for c in back.find_clips()] == [before[0], *before[2:]]
    assert data_of(back) is not None


def test_the_last_event_deleted_leaves_the_timelines_data(written):
    path, before = written
    _edit(path, lambda events: events[:-1])
    back = _read(path)
    assert [clip_data(c) for c in back.find_clips()] == before[:-1]
    assert data_of(back).get("unplaced") is None


def test_the_first_event_deleted_leaves_the_timelines_data(written):
    path, before = written
    _edit(path, lambda events: events[1:])
    back = _read(path)
    assert [clip_data(c) for c in back.find_clips()] == before[1:]
    assert data_of(back) is not None


def test_swapped_events_keep_their_data(written):
    path, before = written
    _edit(path, lambda e: _recorded_back_to_back([e[1], e[0], *e[2:]]))
    back = _read(path)
    assert [clip_data(c) for c in back.find_clips()] == [before[1], before[0], *before[2:]]


def test_a_renamed_clip_keeps_its_data_and_its_new_name(written):
    path, before = written
    _edit(path, lambda e: [re.sub(r"(FROM CLIP NAME:  ).*", r"\1RENAMED", e[0]), *e[1:]])
    back = _read(path)
    first, *rest = back.find_clips()
    assert first.name.startswith("RENAMED")
    assert clip_data(first) == before[0]
    assert [clip_data(c) for c in rest] == before[1:]


def test_a_trimmed_event_keeps_its_data_and_its_new_length(tmp_path):
    timeline = cut(3)
    before = [clip_data(c) for c in timeline.find_clips()]
    path = _write(timeline, tmp_path)

    def trim(events):
        events[0] = (
            events[0]
            .replace("01:00:06:04", "01:00:05:04", 1)
            .replace("00:00:02:00", "00:00:01:00", 1)
        )
        return _recorded_back_to_back(events)

    _edit(path, trim)
    back = _read(path)
    assert [c.source_range.duration.value for c in back.find_clips()] == [24, 48, 48]
    assert [clip_data(c) for c in back.find_clips()] == before


def test_a_copied_event_gets_a_slot_of_its_own(written):
    path, before = written
    _edit(path, lambda e: _recorded_back_to_back([*e, e[0]]))
    back = _read(path)
    *clips, copy = back.find_clips()
    assert [clip_data(c) for c in clips] == before
    slot = get_slot(copy)
    assert slot.derived_from == before[0]["clip"]["slot_id"]
    assert slot.slot_id not in {data["clip"]["slot_id"] for data in before}
    assert clip_data(copy)["references"] == before[0]["references"]


def test_relinked_media_stands_and_what_was_there_becomes_an_alternate(tmp_path):
    path = _write(cut(2), tmp_path)
    text = path.read_text()
    path.write_text(text.replace("file:///show/sh001_temp.mov", "file:///new/regrade.mov", 1))
    found = slots_of(_read(path))["sh001"]
    assert found.media_reference.target_url == "file:///new/regrade.mov"
    assert set(found.media_references()) == {"DEFAULT_MEDIA", "take_001", "editorial"}


def test_relinking_to_a_take_shows_that_take(tmp_path):
    path = _write(cut(2), tmp_path)
    text = path.read_text()
    path.write_text(
        text.replace(
            "FROM CLIP: file:///show/sh001_temp.mov",
            "FROM CLIP: file:///elsewhere/sh001_v001.mp4",
            1,
        )
    )
    found = slots_of(_read(path))["sh001"]
    assert found.active_media_reference_key == "take_001"


def test_an_editors_own_comments_stay(tmp_path):
    timeline = cut(2)
    timeline.tracks[0][0].metadata["cmx_3600"] = {"comments": ["director likes this"]}
    path = _write(timeline, tmp_path)
    path.write_text(path.read_text().replace("* castline: sh002", "* MUSIC IN\n* castline: sh002"))
    first, second = _read(path).find_clips()
    assert "director likes this" in first.metadata["cmx_3600"]["comments"]
    assert "MUSIC IN" in second.metadata["cmx_3600"]["comments"]


def test_both_sides_of_a_dissolve_keep_their_own_data(tmp_path):
    timeline = cut(3)
    before = {c.name: clip_data(c) for c in timeline.find_clips()}
    half = otio.opentime.RationalTime(6, 24)
    timeline.tracks[0].insert(1, otio.schema.Transition("x", "SMPTE_Dissolve", half, half))
    back = _read(_write(timeline, tmp_path))
    assert {c.name: clip_data(c) for c in back.find_clips()} == before


def test_a_clip_without_data_inherits_none_through_a_dissolve(tmp_path):
    timeline = bare(cut(3))
    timeline.tracks[0][0] = clip(1)
    half = otio.opentime.RationalTime(0, 24)
    length = otio.opentime.RationalTime(12, 24)
    timeline.tracks[0].insert(1, otio.schema.Transition("x", "SMPTE_Dissolve", half, length))
    found = {c.name: data_of(c) for c in _read(_write(timeline, tmp_path)).find_clips()}
    assert found["sh002"] is None and found["sh001"]["slot_id"] == "sh001"


def test_what_an_edl_does_not_write_comes_back_unplaced(tmp_path):
    timeline = cut(3)
    timeline.tracks[0][1].enabled = False
    timeline.tracks.append(otio.schema.Track("A1", [clip(8)], kind="Audio"))
    back = _read(_write(timeline, tmp_path))
    assert set(slots_of(back)) == {"sh001", "sh003"}
    unplaced = get_sequence(back).unplaced
    assert {e.payload["id"] for e in unplaced} == {"sh002", "sh008"}
    assert {e.reason for e in unplaced} == {"not_returned"}


def test_an_independent_reader_understands_the_edl(tmp_path):
    pycmx = pytest.importorskip("pycmx")
    path = _write(cut(4), tmp_path)
    with path.open() as file:
        events = pycmx.parse_cmx3600(file).events
    edits = [edit for event in events for edit in event.edits]
    assert [edit.clip_name for edit in edits] == ["sh001", "sh002", "sh003", "sh004"]


def test_comment_lines_stay_within_the_limit(tmp_path):
    text = _write(cut(4), tmp_path).read_text()
    assert max(len(line) for line in text.splitlines()) <= 402
    assert text.isascii()


def test_reels_with_blanks_do_not_split_the_line(tmp_path):
    timeline = cut(2)
    timeline.tracks[0][0].media_reference.name = "UNC Path of media"
    timeline.tracks[0][1].metadata["cmx_3600"] = {"reel": "A 001/C"}
    assert len(list(_read(_write(timeline, tmp_path)).find_clips())) == 2


def test_a_track_trim_of_the_edl_reader_does_not_stop_the_writer(tmp_path):
    timeline = cut(2)
    timeline.tracks[0].source_range = span(-86400, 96)
    assert len(list(_read(_write(timeline, tmp_path)).find_clips())) == 2


def test_a_cut_without_any_event_carries_its_data_in_the_title(tmp_path):
    timeline = cut(1)
    nested = otio.schema.Stack("nest", [otio.schema.Track("N1", [clip(7)], kind="Video")])
    nested.source_range = span(0, 48)
    nested.metadata["castline"] = {"note": "TITLE: of a nest"}
    timeline.tracks[0][:] = [nested]
    back = _read(_write(timeline, tmp_path))
    assert back.name == "cut_v1"
    data = data_of(back)
    unplaced = data.pop("unplaced")
    assert data == data_of(timeline)
    assert {entry["payload"]["id"] for entry in unplaced} == {"sh007", "@0/0"}
    assert unplaced[0]["payload"]["data"]["note"] == "TITLE: of a nest" or (
        unplaced[1]["payload"]["data"]["note"] == "TITLE: of a nest"
    )


def test_a_generator_beside_a_dissolve_comes_back_as_it_was(tmp_path):
    timeline = cut(3)
    bars = otio.schema.GeneratorReference("bars", "SMPTEBars", span(0, 200), {"size": [2, 1]})
    bars.metadata["castline"] = {"version": 1, "take_id": "bars"}
    timeline.tracks[0][1].set_media_references({"DEFAULT_MEDIA": bars}, "DEFAULT_MEDIA")
    timeline.tracks[0][1].source_range = span(20, 48)
    half = otio.opentime.RationalTime(6, 24)
    timeline.tracks[0].insert(1, otio.schema.Transition("x", "SMPTE_Dissolve", half, half))
    found = slots_of(_read(_write(timeline, tmp_path)))["sh002"]
    assert found.media_reference.is_equivalent_to(bars)


def _record_starts(path):
    lines = [line for line in path.read_text().splitlines() if re.match(r"\d{3}  ", line)]
    return [re.findall(r"\d\d:\d\d:\d\d:\d\d", line)[2] for line in lines]


@pytest.mark.corpus
@pytest.mark.parametrize("name", ["screening_example.edl", "079_HA_V05.edl", "SR_010.edl"])
@pytest.mark.parametrize("way", ["castline", "plain otio"])
def test_record_timecode_stays_what_the_editor_had(name, way, tmp_path):
    source = CORPUS / "edl" / name
    timeline = files.read(source) if way == "castline" else read_cut(source)
    attach(timeline)
    path = tmp_path / "cut.edl"
    if way == "castline":
        files.write(timeline, path)
    else:
        path = _write(timeline, tmp_path)
    original = [
        line for line in source.read_text().splitlines() if re.match(r"\s*\d{3,6}\b", line)
    ]
    expected = [re.findall(r"\d\d:\d\d:\d\d:\d\d", line)[2] for line in original]
    assert _record_starts(path) == expected


def test_the_start_of_the_timeline_is_the_record_start_both_ways(tmp_path):
    timeline = cut(2)
    timeline.global_start_time = otio.opentime.RationalTime(86400, 24)
    files.write(timeline, tmp_path / "cut.edl")
    assert _record_starts(tmp_path / "cut.edl") == ["01:00:00:00", "01:00:02:00"]
    back = files.read(tmp_path / "cut.edl")
    assert back.global_start_time == timeline.global_start_time
    assert back.tracks[0].source_range is None
    assert back.duration() == timeline.duration()


def test_what_an_editor_writes_on_our_lines_stays(tmp_path):
    timeline = cut(2)
    before = [clip_data(c) for c in timeline.find_clips()]
    path = _write(timeline, tmp_path)
    lines = path.read_text().splitlines()
    summary = next(n for n, line in enumerate(lines) if line.startswith("* castline: "))
    lines[summary] += " -- REGRADE"
    frame = next(n for n, line in enumerate(lines) if "%CASTLINE1" in line)
    lines[frame] += " SEE NOTES"
    path.write_text("\n".join(lines) + "\n")
    back = _read(path)
    assert [clip_data(c) for c in back.find_clips()] == before
    comments = " | ".join(next(iter(back.find_clips())).metadata["cmx_3600"]["comments"])
    assert "-- REGRADE" in comments and "SEE NOTES" in comments
    assert "%CASTLINE" not in comments


def test_a_file_without_a_payload_is_left_alone_whatever_its_comments_say(tmp_path):
    timeline = bare(cut(2))
    comment = "castline: please regrade this shot"
    timeline.tracks[0][0].metadata["cmx_3600"] = {"comments": [comment]}
    back = _read(_write(timeline, tmp_path))
    assert comment in back.tracks[0][0].metadata["cmx_3600"]["comments"]
