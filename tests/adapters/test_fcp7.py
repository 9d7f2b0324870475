"""Final Cut Pro 7 XML: what rides along, what the stock adapter does to it, what editors may do."""

from __future__ import annotations

import contextlib
import copy
import json

import opentimelineio as otio
import otio_fcp_adapter  # noqa: F401 - the stock adapter under test must be there
import pytest
from lxml import etree
from opentimelineio.opentime import RationalTime, TimeRange
from trip import SAMPLE, attach, clip_data, data_of, quiet

from castline.adapters import fcp7, hooks
from castline.adapters.carrier import envelope

NESTED = {  # the stock reader hands back what is in a nest as nothing
    "nested_example.otio": 3,
    "fcpx_clips.fcpxml": 6,
    "fcpx_library.fcpxml": 62,
    "normalclip_sourceclip_references_compositionmob_has_also_mastermob_usercomments.aaf": 1,
}


def span(start, length, rate=24.0):
    return TimeRange(RationalTime(start, rate), RationalTime(length, rate))


def movie(name, start=0, length=1000, rate=24.0):
    return otio.schema.ExternalReference(f"file:///m/{name}.mov", span(start, length, rate))


def clip(name, start=100, length=20, media=None, rate=24.0, note=True, **metadata):
    made = otio.schema.Clip(name, media or movie(name, rate=rate), span(start, length, rate))
    made.metadata.update(metadata)
    if note:
        made.metadata["castline"] = {"version": 1, "slot_id": f"slot_{name}", **SAMPLE}
    return made


def stack(name, *tracks, source_range=None, note=False):
    made = otio.schema.Stack(name, tracks, source_range=source_range)
    if note:
        made.metadata["castline"] = {"version": 1, "slot_id": f"slot_{name}", **SAMPLE}
    return made


def track(*items, name="V1", kind="Video"):
    return otio.schema.Track(name, items, kind=kind)


def cut(*items, name="Schnitt é 雨", note=True):
    timeline = otio.schema.Timeline(name)
    timeline.global_start_time = RationalTime(86400, 24)
    tracks = [item for item in items if isinstance(item, otio.schema.Track)]
    timeline.tracks.extend(tracks or [track(*items)])
    if note:
        timeline.metadata["castline"] = {"version": 1, "cast": {"characters": []}, **SAMPLE}
    return timeline


def write(timeline, path):
    with quiet():
        otio.adapters.write_to_file(timeline, str(path))
    return path


def read(path):
    with quiet():
        return otio.adapters.read_from_file(str(path))


def raw(path):
    """What the stock adapter alone reads."""
    module = otio.adapters.from_name("fcp_xml").module()
    with quiet():
        return module.read_from_string(path.read_text(encoding="utf-8"))


def raw_trip(timeline):
    """What the stock adapter alone makes of a cut, with no hooks."""
    module = otio.adapters.from_name("fcp_xml").module()
    with quiet():
        return module.read_from_string(module.write_to_string(timeline))


def trip(timeline, tmp_path):
    return read(write(timeline, tmp_path / "cut.xml"))


def by_slot(timeline):
    return {(data_of(c) or {}).get("slot_id", c.name): c for c in timeline.find_clips()}


def first(timeline):
    return timeline.find_clips()[0]


def own(thing):
    return json.loads(thing.to_json_string())["metadata"].get("fcp_xml", {})


def plain(thing):
    """The object as JSON, without the ids that the format gives it."""
    return json.loads(thing.to_json_string())


def unplaced(timeline):
    return (data_of(timeline) or {}).get("unplaced", [])


@contextlib.contextmanager
def edited(path):
    """A person's edit of the written file, made without castline."""
    tree = etree.parse(str(path))
    yield tree.getroot()
    tree.write(str(path), xml_declaration=True, encoding="UTF-8")


def items_of(root):
    return root.findall(".//clipitem") + root.findall(".//generatoritem")


def move(item, frames):
    for edge in ("start", "end"):
        item.find(edge).text = str(int(item.find(edge).text) + frames)


@pytest.fixture
def written(tmp_path):
    """Three clips with data and two takes each, as a file."""
    timeline = cut(clip("a"), clip("b", 200), clip("c", 300))
    attach(timeline)
    return timeline, write(timeline, tmp_path / "cut.xml")


# What rides along


def test_everything_comes_back_with_plain_otio_and_no_arguments(written):
    timeline, path = written
    back = read(path)
    assert [clip_data(c) for c in back.find_clips()] == [
        clip_data(c) for c in timeline.find_clips()
    ]
    assert data_of(back) == data_of(timeline)
    assert [c.source_range for c in back.find_clips()] == [
        c.source_range for c in timeline.find_clips()
    ]


def test_callers_timeline_is_not_changed(tmp_path):
    timeline = cut(clip("a"), otio.schema.Clip("b", source_range=span(0, 7.5)))
    before = timeline.to_json_string()
    write(timeline, tmp_path / "cut.xml")
    assert timeline.to_json_string() == before


def test_people_see_a_line_in_the_log_note_and_no_trace_stays_after_reading(written):
    _, path = written
    item = items_of(etree.parse(str(path)))[0]
    assert item.findtext("logginginfo/lognote") == "castline: s0000 | temp t0-DEFAULT_MEDIA"
    assert item.findtext("comments/mastercomment4").startswith("%CASTLINE1 ")
    back = read(path)
    for thing in (back, *back.find_clips()):
        assert not {"comments", "logginginfo"} & set(own(thing))


def test_payloads_of_any_size_and_any_text_come_back(tmp_path):
    text = "".join(map(chr, [*range(1, 0x300), 0x2028, 0x1F3AC])) * 200
    made = clip("a", castline={"version": 1, "slot_id": "a", "text": text})
    assert data_of(first(trip(cut(made), tmp_path)))["text"] == text


def test_names_and_paths_outside_ascii_come_back(tmp_path):
    made = clip("Schuß 01 é 雨 & <b>", media=movie("Ordner é/雨 & 1"))
    back = first(trip(cut(made), tmp_path))
    assert back.name == made.name
    assert back.media_reference.target_url == made.media_reference.target_url


def test_writing_what_was_read_gives_the_same_file(written, tmp_path):
    _, path = written
    once = read(path)
    second = write(once, tmp_path / "second.xml")
    again = read(second)
    assert [clip_data(c) for c in again.find_clips()] == [clip_data(c) for c in once.find_clips()]
    assert write(again, tmp_path / "third.xml").read_text() == second.read_text()


def test_embedding_twice_is_embedding_once(written):
    timeline, _ = written
    once = hooks.embed_for(timeline, "x.xml")
    assert hooks.embed_for(once, "x.xml").to_json_string() == once.to_json_string()
    document = json.loads(timeline.to_json_string())
    envelope.embed(document, fcp7, move=False)
    before = copy.deepcopy(document)
    envelope.embed(document, fcp7, move=False)
    texts = [c["metadata"]["fcp_xml"]["logginginfo"] for c in _clips(document)]
    assert texts == [c["metadata"]["fcp_xml"]["logginginfo"] for c in _clips(before)]


def _clips(document):
    return document["tracks"]["children"][0]["children"]


def test_a_file_without_our_data_is_read_as_the_stock_adapter_reads_it(tmp_path):
    timeline = cut(clip("a", note=False, fcp_xml={"enabled": "FALSE"}), note=False)
    path = write(timeline, tmp_path / "cut.xml")
    assert read(path).to_json_string() == raw(path).to_json_string()
    assert raw(path).to_json_string() == raw_trip(timeline).to_json_string()


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"logginginfo": {"lognote": "good take"}, "comments": {"mastercomment1": "one"}},
        {"logginginfo": {"lognote": None, "scene": "12A"}, "comments": {"mastercomment4": None}},
        {"logginginfo": {"lognote": " ends in blanks  "}, "comments": {"mastercomment4": "x\n\n"}},
        {"logginginfo": None, "comments": None},
        {"logginginfo": {}, "comments": {"mastercomment4": ["one", "two"]}},
        {"logginginfo": "text", "comments": [{"mastercomment4": "one"}, {"mastercomment4": "b"}]},
        {"logginginfo": [None, "text"], "comments": {"mastercomment4": {"deep": "er"}}},
        {"logginginfo": {"lognote": "see castline: the tool"}, "comments": {"mastercomment4": 5}},
    ],
)
def test_other_peoples_comments_come_back_as_the_stock_adapter_hands_them_back(fields, tmp_path):
    stranger = raw_trip(cut(clip("a", note=False, fcp_xml=copy.deepcopy(fields)), note=False))
    timeline = cut(clip("a", fcp_xml=copy.deepcopy(fields)))
    timeline.metadata["fcp_xml"] = copy.deepcopy(fields)
    back = trip(timeline, tmp_path)
    expected = {
        key: own(first(stranger)).get(key, "absent") for key in ("logginginfo", "comments")
    }
    for thing in (back, first(back)):
        assert {key: own(thing).get(key, "absent") for key in expected} == expected
    assert data_of(first(back)) == data_of(first(timeline))
    assert data_of(back) == data_of(timeline)


# Media and times


def _sequence():
    return otio.schema.ImageSequenceReference(
        "file:///plates/", "sh010.", ".exr", 1001, 1, 24.0, 4, available_range=span(1001, 99)
    )


MEDIA = {
    "image sequence": _sequence(),
    "generator": otio.schema.GeneratorReference("bars", "SMPTEBars", None, {"level": 0.75}),
    "generator of fcp": otio.schema.GeneratorReference(
        "Text",
        "Text",
        metadata={
            "fcp_xml": {
                "effecttype": "generator",
                "mediatype": "video",
                "effectcategory": "Text",
            }
        },
    ),
    "half a generator of fcp": otio.schema.GeneratorReference(
        "Text", "Text", metadata={"fcp_xml": {"effecttype": "generator"}}
    ),
    "file without range": otio.schema.ExternalReference("file:///m/a.mov"),
    "file without path": otio.schema.ExternalReference("", span(0, 500)),
    "file at a rate without timecode": movie("a", 8000, 960_000, 48000.0),
    "file from before zero": movie("a", -50, 500),
    "file of broken frames": movie("a", 10.25, 500.5),
    "nothing": otio.schema.MissingReference(),
    "nothing of a length": otio.schema.MissingReference("gone", span(86400, 100)),
}


@pytest.mark.parametrize("name", MEDIA)
@pytest.mark.parametrize("range_of", [span(100, 20), span(86410, 20), span(100, 20, 30000 / 1001)])
def test_any_media_is_written_and_comes_back_as_it_was(name, range_of, tmp_path):
    made = clip("a", media=MEDIA[name].deepcopy())
    made.source_range = range_of
    made.media_reference.name = "named"
    made.media_reference.metadata["castline"] = {"version": 1, "take_id": "t", **SAMPLE}
    back = first(
        trip(cut(clip("before"), made), tmp_path).tracks[0][1:][0:1] and _second(tmp_path)
    )
    assert data_of(back) == data_of(made)
    one, other = plain(back.media_reference), plain(made.media_reference)
    for reference in (one, other):
        reference["metadata"] = {"castline": reference["metadata"]["castline"]}
    if name in ("file without range", "generator of fcp"):
        one["available_range"] = other["available_range"]
    assert one == other
    assert back.source_range.start_time.almost_equal(made.source_range.start_time, 1e-4)
    assert back.source_range.duration.almost_equal(made.source_range.duration, 1e-4)
