"""Files from outside: refused in one line, never a crash, and outputs whole or absent."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import opentimelineio as otio
import pytest
from builders import clip, cut
from trip import CORPUS, clip_data, cuts, data_of

from castline.adapters import files
from castline.adapters.output import whole_file, whole_folder
from castline.schemas.errors import UnreadableFileError, UnwritableFileError
from castline.schemas.places import get_sequence
from castline.schemas.slots import slots_of

DEEP = "[" * 100_000 + "]" * 100_000
TWICE = '{"OTIO_SCHEMA":"Timeline.1","name":"a","name":"b"}'
BOMB = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><xmeml><x>&b;</x></xmeml>'


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        (
            "deep.otio",
            f'{{"OTIO_SCHEMA":"Timeline.1","metadata":{{"a":{DEEP}}}}}',
            "nested too deep",
        ),
        ("twice.otio", TWICE, "'name' twice"),
        ("cut.otio", '{"OTIO_SCHEMA":"Timeline.1",', "line 1"),
        ("text.otio", "hello", "line 1"),
        ("list.otio", "[1, 2]", "list.otio"),
        ("empty.edl", "", "empty file"),
        ("prose.edl", "This is a letter.\n", "Unknown event type"),
        ("bomb.xml", BOMB, "entity"),
        ("bomb.fcpxml", BOMB, "entity"),
        ("broken.xml", "<xmeml><sequence>", "ParseError"),
        ("broken.fcpxml", "<fcpxml", "ParseError"),
        ("text.aaf", "hello " * 400, "text.aaf"),
        ("text.ale", "hello", "expected"),
        ("text.otioz", "hello", "no otioz bundle"),
        ("text.usda", "hello", "text.usda"),
        ("text.usdc", "hello", "text.usdc"),
        ("cut.betamax", "x", "betamax"),
        ("cut", "x", "expected one of"),
    ],
)
def test_a_bad_file_is_refused_in_one_line_that_names_it(name, content, words, tmp_path):
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(UnreadableFileError) as refusal:
        files.read(path)
    text = str(refusal.value)
    assert text.startswith(str(path)) and words in text
    assert "\n" not in text and len(text) < 600


@pytest.mark.corpus
@pytest.mark.parametrize(
    "source",
    [
        "otio/nested_example.otio",
        "fcp7/premiere_example.xml",
        "fcpx/fcpx_clips.fcpxml",
        "aaf/simple.aaf",
    ],
)
def test_a_truncated_file_is_refused(source, tmp_path):
    whole = (CORPUS / source).read_bytes()
    path = tmp_path / Path(source).name
    for part in (0.1, 0.5, 0.9):
        path.write_bytes(whole[: int(len(whole) * part)])
        with pytest.raises(UnreadableFileError):
            files.read(path)


@pytest.mark.parametrize("kind", ["folder", "fifo", "missing", "dangling link"])
def test_what_is_no_file_is_refused_at_once(kind, tmp_path):
    path = tmp_path / "cut.otio"
    if kind == "folder":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "dangling link":
        path.symlink_to(tmp_path / "nowhere")
    with pytest.raises(UnreadableFileError):
        files.read(path)


def test_a_bundle_with_a_deep_cut_is_refused(tmp_path):
    path = tmp_path / "deep.otioz"
    with zipfile.ZipFile(path, "w") as bundle:
        bundle.writestr("content.otio", DEEP)
    with pytest.raises(UnreadableFileError, match="nested too deep"):
        files.read(path)


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "utf-16"])
def test_an_edl_is_read_whatever_its_encoding_and_line_ends(ending, encoding, tmp_path):
    lines = [
        "TITLE: CAFÉ",
        "FCM: NON-DROP FRAME",
        "001  AX       V     C        01:00:00:00 01:00:02:00 00:00:00:00 00:00:02:00",
        "* FROM CLIP NAME:  élan",
    ]
    path = tmp_path / "cut.edl"
    path.write_bytes((ending.join(lines) + ending).encode(encoding))
    found = files.read(path)
    assert [c.name for c in found.find_clips()] == ["élan"]


@pytest.mark.parametrize(
    "make",
    [
        lambda: clip(1),
        lambda: otio.schema.Track("V1", [clip(1)], kind="Video"),
        lambda: otio.schema.Stack("s", [otio.schema.Track("V1", [clip(1)], kind="Video")]),
        lambda: otio.schema.SerializableCollection("c", [clip(1)]),
        lambda: otio.schema.SerializableCollection("c", [cut(1)]),
        lambda: cut(1),
    ],
    ids=["clip", "track", "stack", "collection of clips", "collection of a timeline", "timeline"],
)
@pytest.mark.parametrize("suffix", ["otio", "edl", "xml", "fcpxml", "aaf", "ale", "usda"])
def test_any_root_is_read_as_a_timeline_and_written_by_plain_otio(make, suffix, tmp_path):
    root = make()
    path = tmp_path / f"cut.{suffix}"
    otio.adapters.write_to_file(root, str(path))
    timeline = files.read(path)
    assert isinstance(timeline, otio.schema.Timeline)
    (found,) = timeline.find_clips()
    assert clip_data(found) == clip_data(clip(1))


def test_a_collection_of_cuts_becomes_one_cut_with_nothing_left_out(tmp_path):
    collection = otio.schema.SerializableCollection("bin", [cut(1), clip(5), cut(2)])
    path = tmp_path / "bin.otio"
    otio.adapters.write_to_file(collection, str(path))
    found = files.read(path)
    assert [c.name for c in found.find_clips()] == ["sh001", "sh005", "sh001", "sh002"]


def test_the_rate_is_told_where_the_format_does_not_say_it(tmp_path):
    timeline = cut(2, rate=25)
    files.write(timeline, tmp_path / "cut.edl", rate=25)
    back = files.read(tmp_path / "cut.edl", rate=25)
    assert [c.source_range for c in back.find_clips()] == [
        c.source_range for c in timeline.find_clips()
    ]


def test_writing_does_not_replace_what_stands_there_unless_asked(tmp_path):
    path = tmp_path / "cut.otio"
    path.write_text("mine")
    with pytest.raises(UnwritableFileError, match="exists"):
        files.write(cut(1), path)
    assert path.read_text() == "mine"
    files.write(cut(1), path, overwrite=True)
    assert files.read(path).name == "cut_v1"


def test_a_writer_that_fails_leaves_nothing(tmp_path):
    timeline = cut(1)
    timeline.tracks.append(otio.schema.Track("V2", [clip(2)], kind="Video"))
    with pytest.raises(UnwritableFileError, match="single video track"):
        files.write(timeline, tmp_path / "cut.edl")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", ["otio", "edl", "aaf", "usda"])
def test_a_read_only_folder_is_said_and_left_alone(suffix, tmp_path):
    folder = tmp_path / "locked"
    folder.mkdir()
    folder.chmod(stat.S_IRUSR | stat.S_IXUSR)
    try:
        with pytest.raises(UnwritableFileError, match="read-only"):
            files.write(cut(1), folder / f"cut.{suffix}")
        assert not list(folder.iterdir())
    finally:
        folder.chmod(stat.S_IRWXU)


def test_a_folder_that_is_not_there_is_said(tmp_path):
    with pytest.raises(UnwritableFileError, match="no such folder"):
        files.write(cut(1), tmp_path / "none" / "cut.otio")


def test_outputs_are_whole_or_absent(tmp_path):
    with pytest.raises(RuntimeError), whole_file(tmp_path / "a.txt") as target:
        target.write_text("half")
        raise RuntimeError
    with pytest.raises(RuntimeError), whole_folder(tmp_path / "out") as scratch:
        (scratch / "a.txt").write_text("half")
        raise RuntimeError
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "payload",
    [
        {"kind": "clip", "id": "x", "references": {"a": {"OTIO_SCHEMA": "Clip.2"}}, "active": "b"},
        {
            "kind": "clip",
            "id": "x",
            "references": {"a": {"OTIO_SCHEMA": "NoReference.9"}},
            "active": "b",
        },
        {"kind": "clip", "id": "x", "markers": [{"OTIO_SCHEMA": "Marker.2"}]},
        {
            "kind": "clip",
            "id": "x",
            "data": {"t": {"OTIO_SCHEMA": "RationalTime.1", "value": "x"}},
        },
        {"kind": "clip", "id": "x", "data": {"t": {"OTIO_SCHEMA": "Clip.99"}}},
        {"kind": "clip", "id": "x", "undo": {"reference": {"OTIO_SCHEMA": "Track.1"}}},
        {
            "kind": "clip",
            "id": "x",
            "undo": {"range": {"OTIO_SCHEMA": "TimeRange.1"}, "written_range": 3},
        },
        {"kind": "clip", "id": 7},
        {"kind": ["clip"], "id": "x"},
        ["not", "ours"],
        {"kind": "timeline", "id": "timeline", "data": "text", "objects": [1, {"kind": "clip"}]},
    ],
    ids=str,
)
def test_a_payload_made_to_harm_never_costs_the_cut(payload, tmp_path):
    from castline.adapters.carrier import codec

    timeline = otio.schema.Timeline("t", [otio.schema.Track("V1", [clip(1), clip(2)])])
    path = tmp_path / "cut.edl"
    otio.adapters.write_to_file(timeline, str(path))
    lines = path.read_text().splitlines()
    lines += [f"* {frame}" for frame in codec.pack(payload, 400)]
    path.write_text("\n".join(lines) + "\n")
    back = files.read(path)
    assert len(list(back.find_clips())) == 2
    assert "sh001" in slots_of(back)


def test_a_payload_of_a_newer_castline_is_kept_and_reported(tmp_path):
    path = tmp_path / "cut.edl"
    files.write(cut(2), path)
    path.write_text(path.read_text().replace("%CASTLINE1", "%CASTLINE7"))
    back = files.read(path)
    assert len(list(back.find_clips())) == 2
    entries = get_sequence(back).unplaced
    assert {entry.reason for entry in entries} == {"newer"}
    assert all("%CASTLINE7" in entry.text for entry in entries)


def test_every_read_in_a_child_process_ends_orderly(tmp_path):
    path = tmp_path / "deep.otio"
    path.write_text(f'{{"OTIO_SCHEMA":"Timeline.1","metadata":{{"a":{DEEP}}}}}')
    code = f"import castline\ntry: castline.read({str(path)!r})\nexcept Exception as e: print(e)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0 and "nested too deep" in done.stdout


@pytest.mark.corpus
@pytest.mark.parametrize("path", cuts(), ids=lambda p: p.name)
def test_every_corpus_cut_reads_and_stays_as_it_is(path):
    before = path.read_bytes()
    timeline = files.read(path, 25 if path.name == "25fps.edl" else None)
    assert isinstance(timeline, otio.schema.Timeline)
    assert list(timeline.find_clips())
    assert path.read_bytes() == before


@pytest.mark.corpus
def test_an_edl_that_the_stock_reader_does_not_know_is_refused_in_one_line():
    with pytest.raises(UnreadableFileError, match="Unknown event type"):
        files.read(CORPUS / "edl" / "pxy5.edl")


@pytest.mark.corpus
def test_a_wrong_rate_is_answered_with_what_to_do():
    with pytest.raises(UnreadableFileError, match="say the rate it was made for with --rate"):
        files.read(CORPUS / "edl" / "25fps.edl")


@pytest.mark.parametrize("text", ['"hello"', "5", "null", "[]", '{"OTIO_SCHEMA":"SchemaDef.1"}'])
def test_json_that_is_no_cut_is_refused_in_one_line_that_names_the_file(text, tmp_path):
    path = tmp_path / "cut.otio"
    path.write_text(text)
    with pytest.raises(UnreadableFileError) as refusal:
        files.read(path)
    assert str(refusal.value).startswith(str(path))


def test_one_odd_clip_does_not_cost_the_others_their_data(tmp_path, caplog):
    timeline = cut(3)
    timeline.tracks[0][1].metadata["cmx_3600"] = {"comments": "a bare text"}
    path = tmp_path / "cut.edl"
    files.write(timeline, path)
    back = files.read(path)
    # What had no place of its own rode with the timeline, and its clip is unmistakable.
    assert [clip_data(c) for c in back.find_clips()] == [
        clip_data(c) for c in timeline.find_clips()
    ]
    assert any("sh002" in record.getMessage() for record in caplog.records)


def test_nothing_is_printed_by_the_stock_adapters(tmp_path, capsys):
    files.write(cut(2), tmp_path / "cut.fcpxml")
    files.read(tmp_path / "cut.fcpxml")
    assert capsys.readouterr().out == ""


def test_unplaced_data_is_not_lost_when_it_goes_on_to_another_format(tmp_path):
    timeline = cut(2)
    timeline.tracks[0][1].enabled = False
    files.write(timeline, tmp_path / "a.edl")
    once = files.read(tmp_path / "a.edl")
    (entry,) = get_sequence(once).unplaced
    assert (entry.reason, entry.payload["id"]) == ("not_returned", "sh002")
    files.write(once, tmp_path / "b.xml")
    twice = files.read(tmp_path / "b.xml")
    assert get_sequence(twice).unplaced == (entry,)
    assert json.dumps(data_of(twice)["unplaced"]) == json.dumps(data_of(once)["unplaced"])
