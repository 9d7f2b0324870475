"""USD files that others wrote, broke or armed: one line, never a crash."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import builders
import pytest
import usd_hostile as hostile
from opentimelineio import opentime, schema
from usd_hostile import MALFORMED, truncated
from usd_reads import otio_text, read, refused

from castline.adapters import usd
from castline.adapters.usd import guard, layout
from castline.adapters.usd.reading.reader import read_in
from castline.adapters.usd.sandbox import Sandbox
from castline.schemas.errors import CastlineError, NewerVersionError, UnreadableFileError

pytest.importorskip("pxr")


def cut() -> schema.Timeline:
    timeline = schema.Timeline("cut")
    whole = opentime.TimeRange(opentime.RationalTime(0, 24), opentime.RationalTime(48, 24))
    timeline.tracks.append(schema.Track("V1", [schema.Clip("sh010", None, whole)]))
    return timeline


def stage(tmp_path: Path, *jsons: str, suffix: str = "usda") -> Path:
    """Write prims, each below the one before, that hold these JSON texts."""
    from pxr import Sdf

    layer = Sdf.Layer.CreateAnonymous(".usda")
    parent = layer
    for index, text in enumerate(jsons):
        name = (
            layout.ROOT_NAME if index == 0 else layout.TRACKS_NAME if index == 1 else f"p{index}"
        )
        parent = Sdf.PrimSpec(parent, name, Sdf.SpecifierDef, "Scope")
        Sdf.AttributeSpec(parent, layout.JSON, Sdf.ValueTypeNames.String).default = text
    path = tmp_path / f"hostile.{suffix}"
    layer.Export(str(path))
    return path


@pytest.mark.corpus
@pytest.mark.parametrize("path", MALFORMED, ids=lambda p: p.name)
def test_malformed_files_are_refused_for_what_is_wrong_with_them(path):
    assert "found damaged" in refused(path)


@pytest.mark.parametrize("suffix", ["usd", "usda", "usdc", "usdz"])
def test_what_is_no_file_or_empty_is_refused_without_waiting(suffix, tmp_path):
    assert "no such file" in refused(tmp_path / f"none.{suffix}")
    (tmp_path / f"folder.{suffix}").mkdir()
    assert "folder" in refused(tmp_path / f"folder.{suffix}")
    (tmp_path / f"empty.{suffix}").touch()
    assert "empty" in refused(tmp_path / f"empty.{suffix}")
    os.mkfifo(tmp_path / f"pipe.{suffix}")
    assert "pipe" in refused(tmp_path / f"pipe.{suffix}")


@pytest.mark.parametrize("suffix", ["usd", "usda", "usdc", "usdz"])
@pytest.mark.parametrize("data", [b"hello", b"\0" * 100, b"PK\3\4" + b"\0" * 50, b"\x89PNG\r\n"])
def test_other_data_under_a_usd_suffix_is_refused(data, suffix, tmp_path):
    path = tmp_path / f"other.{suffix}"
    path.write_bytes(data)
    text = refused(path)
    assert "damaged data" in text if suffix == "usdz" else "expected" in text


def test_a_crate_named_as_text_and_text_named_as_a_crate_are_refused(tmp_path):
    usd.write(cut(), tmp_path / "a.usda")
    usd.write(cut(), tmp_path / "a.usdc")
    (tmp_path / "text.usdc").write_bytes((tmp_path / "a.usda").read_bytes())
    (tmp_path / "crate.usda").write_bytes((tmp_path / "a.usdc").read_bytes())
    assert "expected a USD crate" in refused(tmp_path / "text.usdc")
    assert "expected USD text" in refused(tmp_path / "crate.usda")


@pytest.mark.parametrize("source", ["a.usda", "a.usdc"])
def test_a_usd_may_be_text_or_crate_and_any_suffix_may_be_upper_case(source, tmp_path):
    usd.write(cut(), tmp_path / source)
    (tmp_path / "b.usd").write_bytes((tmp_path / source).read_bytes())
    shout = tmp_path / source.upper()
    shout.write_bytes((tmp_path / source).read_bytes())
    assert usd.read(tmp_path / "b.usd").name == usd.read(shout).name == "cut"


BOMBS = {
    "prims": 'def "a" {' * 50_000,
    "lists": "(customLayerData = {int[] a = " + "[" * 200_000,
    "dicts": "(customLayerData = {" + "dictionary a = {" * 50_000,
    "tuples": 'def "a" { float a = ' + "(" * 200_000,
    "target paths": 'def "a" { rel a = </a' + ".b[/a" * 100_000,
    "after a comment": '# "\n' + 'def "a" {' * 50_000,
    "after a long comment": '/* " */' + 'def "a" {' * 50_000,
    "after a path": 'def "a" { rel a = </a/b>\n rel b = </c>\n' + 'def "a" {' * 50_000,
    "after an asset": "(subLayers = [@a'b@, @@@c\"@d@@@@@])\n" + 'def "a" {' * 50_000,
    "after escapes": 'def "a" { string a = "\\\\"\n' + 'def "a" {' * 50_000,
    "after three quotes": 'def "a" { string a = """ \\""" " """\n' + 'def "a" {' * 50_000,
    "after an empty string": 'def "a" { string a = \'\'\n string b = ""\n' + 'def "a" {' * 50_000,
    "after a cr": "# a\r\n" + 'def "a" {' * 50_000,
}


@pytest.mark.parametrize("kind", BOMBS)
@pytest.mark.parametrize("suffix", ["usda", "usd", "usdz"])
def test_text_that_would_end_the_process_is_refused_before_it_is_parsed(kind, suffix, tmp_path):
    path = tmp_path / f"bomb.{suffix}"
    text = "#usda 1.0\n" + BOMBS[kind]
    if suffix == "usdz":
        with zipfile.ZipFile(path, "w") as package:
            package.writestr("bomb.usda", text)
    else:
        path.write_text(text, newline="")
    assert "nested deeper than 1000 levels" in refused(path)


def test_brackets_in_strings_assets_and_comments_are_not_counted(tmp_path):
    many = "[({" * 2000
    text = (
        f"#usda 1.0\n# {many}\n/* {many} */\n// {many}\n"
        f'def Scope "a" {{\n string a = "{many}\\" {many}"\n string b = """{many}\n{many}"""\n'
        f" string c = '{many}'\n asset d = @{many}@\n asset e = @@@{many}@ \\@@@{many}@@@\n}}\n"
    )
    path = tmp_path / "many.usda"
    path.write_text(text)
    assert read(path).name == "many"


@pytest.mark.parametrize("part", ['"""\\', "'", '"', "@", "@@@", "/*", '\\"', "1.", "{}"])
def test_the_look_at_the_text_takes_time_in_proportion(part):
    guard.check_nesting(b"#usda 1.0\n" + part.encode() * 400_000, "here")


def test_a_file_larger_than_the_limit_is_refused(tmp_path, monkeypatch):
    usd.write(cut(), tmp_path / "a.usda")
    usd.write(cut(), tmp_path / "a.usdc")
    usd.write(cut(), tmp_path / "a.usdz")
    monkeypatch.setattr(guard, "MAX_BYTES", 100)
    for suffix in ("usda", "usdc"):
        refused(tmp_path / f"a.{suffix}")
    with pytest.raises(UnreadableFileError, match="expected at most 100"):
        guard.open_layer(tmp_path / "a.usdz")  # its layer counts, not the media beside it


def test_a_compressed_usdz_and_one_without_a_layer_first_are_refused(tmp_path):
    path = tmp_path / "a.usdz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("bomb.usda", "#usda 1.0\n" + " " * 10_000_000)
    assert "stored" in refused(path)
    for name in ("picture.png", "inner.usdz"):
        with zipfile.ZipFile(path, "w") as package:
            package.writestr(name, "x")
            package.writestr("a.usda", "#usda 1.0\n")
        assert "first in the package" in refused(path)
    with zipfile.ZipFile(path, "w"):
        pass
    assert "nothing" in refused(path)


DEEP = "[" * 400_000 + "]" * 400_000
CLIP = otio_text(schema.Clip("a"))
HOSTILE = {
    "no JSON": "{",
    "nothing": "",
    "a list": "[1]",
    "no schema": "{}",
    "a schema that is a number": '{"OTIO_SCHEMA":3}',
    "deep lists": DEEP,
    "deep metadata": CLIP.replace('"metadata":{}', f'"metadata":{{"a":{DEEP}}}', 1),
    "deep objects": '{"OTIO_SCHEMA":"Stack.1","children":[' * 100_000 + "]}" * 100_000,
    "601 levels": CLIP.replace('"metadata":{}', f'"metadata":{{"a":{"[" * 600 + "]" * 600}}}', 1),
    "a key twice": CLIP.replace('"name"', '"name":"b","name"', 1),
    "a key twice in metadata": CLIP.replace('"metadata":{}', '"metadata":{"a":1,"a":2}', 1),
    "a schema twice": CLIP.replace('"OTIO_SCHEMA"', '"OTIO_SCHEMA":"Gap.1","OTIO_SCHEMA"', 1),
    "a later schema": CLIP.replace("Clip.2", "Clip.99", 1),
    "a schema without version": CLIP.replace("Clip.2", "Clip", 1),
    "a value": '{"OTIO_SCHEMA":"RationalTime.1","rate":24,"value":1}',
    "a wrong child": '{"OTIO_SCHEMA":"Stack.1","name":"","metadata":{},"children":[3]}',
    "a wrong field": CLIP.replace('"effects":[]', '"effects":3', 1),
    "a number of 5000 digits": CLIP.replace(
        '"metadata":{}', f'"metadata":{{"a":{"9" * 5000}}}', 1
    ),
    "half a surrogate": CLIP.replace('"name":"a"', '"name":"\\ud800"', 1),
    "a reference to nothing": '{"OTIO_SCHEMA":"SerializableObjectRef.1","id":"x"}',
}


@pytest.mark.parametrize("suffix", ["usda", "usdc"])
@pytest.mark.parametrize("kind", HOSTILE)
def test_json_that_otio_would_not_survive_or_not_understand_is_refused(kind, suffix, tmp_path):
    refused(stage(tmp_path, HOSTILE[kind], suffix=suffix))


def test_levels_add_up_over_prims(tmp_path):
    stack = otio_text(schema.Stack("s"))
    deep = CLIP.replace('"metadata":{}', f'"metadata":{{"a":{"[" * 300 + "]" * 300}}}', 1)
    assert usd.read(stage(tmp_path, *[stack] * 50, deep)).name == "s"
    assert "levels of JSON" in refused(stage(tmp_path, *[stack] * 150, deep))


def test_the_deepest_cut_that_is_read_is_read_in_a_thread_with_a_small_stack(tmp_path):
    levels = layout.MAX_DEPTH - 2
    deep = CLIP.replace('"metadata":{}', f'"metadata":{{"a":{"[" * levels + "]" * levels}}}', 1)
    path = stage(tmp_path, deep)
    before = threading.stack_size(512 * 1024)
    try:
        found = []
        thread = threading.Thread(target=lambda: found.append(usd.read(path)))
        thread.start()
        thread.join()
    finally:
        threading.stack_size(before)
    assert found[0].name == "a"


def test_objects_under_what_holds_none_are_refused(tmp_path):
    assert "no room" in refused(stage(tmp_path, CLIP, CLIP))
    full = json.loads(otio_text(cut().tracks))
    assert "no room" in refused(stage(tmp_path, json.dumps(full), CLIP))
    timeline = json.dumps(json.loads(otio_text(schema.Timeline("t"))) | {"tracks": None})
    assert "OTIO cannot read" in refused(stage(tmp_path, timeline, CLIP))


def test_a_prim_that_lost_its_json_is_refused_rather_than_left_out(tmp_path):
    from pxr import Sdf

    usd.write(cut(), tmp_path / "a.usda")
    layer = Sdf.Layer.OpenAsAnonymous(str(tmp_path / "a.usda"))
    prim = layer.GetPrimAtPath("/Timeline/tracks/track_0_V1/clip_0_sh010")
    prim.RemoveProperty(prim.properties[layout.JSON])
    layer.Export(str(tmp_path / "b.usda"))
    assert "without castline:json" in refused(tmp_path / "b.usda")


def test_prims_that_others_put_between_ours_are_left_alone(tmp_path):
    from pxr import Sdf

    usd.write(cut(), tmp_path / "a.usda")
    layer = Sdf.Layer.OpenAsAnonymous(str(tmp_path / "a.usda"))
    track = layer.GetPrimAtPath("/Timeline/tracks/track_0_V1")
    Sdf.PrimSpec(track, "light", Sdf.SpecifierDef, "Xform")
    Sdf.PrimSpec(layer, "World", Sdf.SpecifierDef, "Xform")
    Sdf.PrimSpec(track.nameChildren[0], "camera", Sdf.SpecifierDef, "Camera")
    layer.Export(str(tmp_path / "b.usda"))
    assert otio_text(usd.read(tmp_path / "b.usda")) == otio_text(cut())


def test_the_order_that_a_layer_gives_its_prims_is_followed(tmp_path):
    track = schema.Track("V", [schema.Clip("a"), schema.Clip("b"), schema.Clip("c")])
    usd.write(track, tmp_path / "a.usda")
    text = (tmp_path / "a.usda").read_text()
    order = 'reorder nameChildren = ["clip_2_c", "clip_0_a"]\n    def Scope "clip_0_a"'
    (tmp_path / "b.usda").write_text(text.replace('def Scope "clip_0_a"', order, 1))
    result = usd.read(tmp_path / "b.usda")
    assert [item.name for item in result] == ["c", "a", "b"]


def test_a_root_that_was_renamed_is_found(tmp_path):
    usd.write(cut(), tmp_path / "a.usda")
    text = (tmp_path / "a.usda").read_text().replace('"Timeline"', '"Sequence"')
    (tmp_path / "b.usda").write_text(text)
    assert otio_text(usd.read(tmp_path / "b.usda")) == otio_text(cut())


def test_a_file_of_a_later_castline_is_not_guessed_at(tmp_path):
    usd.write(cut(), tmp_path / "a.usda")
    text = (tmp_path / "a.usda").read_text()
    later = text.replace("castline:version = 2", "castline:version = 3")
    assert later != text
    (tmp_path / "b.usda").write_text(later)
    with pytest.raises(NewerVersionError, match="found version 3"):
        usd.read(tmp_path / "b.usda")


def test_a_broken_usdotio_timeline_is_refused_with_the_files_name(tmp_path):
    path = tmp_path / "a.usda"
    path.write_text('#usda 1.0\ndef OtioTimeline "t"\n{\n}\n')
    assert refused(path).startswith(f"{path}: /t: ")


def test_what_a_file_references_is_never_opened(tmp_path):
    usd.write(cut(), tmp_path / "a.usda")
    text = (tmp_path / "a.usda").read_text()
    bomb = tmp_path / "bomb.usda"
    bomb.write_text("#usda 1.0\n" + 'def "a" {' * 50_000)
    armed = text.replace("(\n", f"(\n    subLayers = [@{bomb}@]\n", 1)
    assert armed != text
    (tmp_path / "b.usda").write_text(armed)
    assert usd.read(tmp_path / "b.usda").name == "cut"


@pytest.mark.parametrize("suffix", ["usda", "usdc"])
def test_a_cut_is_read_whatever_waits_below_it(suffix, tmp_path):
    from pxr import Sdf

    usd.write(cut(), tmp_path / "a.usda")
    os.mkfifo(tmp_path / "pipe.usda")
    layer = Sdf.Layer.OpenAsAnonymous(str(tmp_path / "a.usda"))
    layer.subLayerPaths.append("./pipe.usda")
    scene = Sdf.PrimSpec(layer, "World", Sdf.SpecifierDef)
    scene.referenceList.Prepend(Sdf.Reference("./pipe.usda", "/World"))
    layer.Export(str(tmp_path / f"b.{suffix}"))
    assert otio_text(read(tmp_path / f"b.{suffix}")) == otio_text(cut())


def test_a_cut_with_a_bomb_in_it_or_with_itself_below_it_reads_at_once(tmp_path):
    usd.write(cut(), tmp_path / "a.usda")
    text = (tmp_path / "a.usda").read_text()
    (tmp_path / "b.usda").write_text(text + hostile.bomb_text())
    assert otio_text(usd.read(tmp_path / "b.usda")) == otio_text(cut())
    itself = text.replace("(\n", f"(\n    subLayers = [@{tmp_path / 'c.usda'}@]\n", 1)
    assert itself != text
    (tmp_path / "c.usda").write_text(itself)
    assert otio_text(usd.read(tmp_path / "c.usda")) == otio_text(cut())


def info(path: Path) -> str:
    """Ask the command line what is in a file that it must refuse; return what it says."""
    done = subprocess.run(
        [sys.executable, "-m", "castline", "info", str(path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert str(path) in done.stderr
    return done.stderr


REFUSED = [kind for kind in hostile.HOSTILE if kind not in {*hostile.LIVED_WITH, "a bomb"}]


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_made_to_hurt_is_refused_here_and_on_the_command_line(kind, tmp_path):
    suffix, make = hostile.HOSTILE[kind]
    path = make(tmp_path / f"a.{suffix}")
    assert refused(path) in info(path)


@pytest.mark.corpus
@pytest.mark.parametrize("path", MALFORMED, ids=lambda p: p.name)
def test_malformed_files_are_one_line_on_the_command_line(path):
    info(path)


@pytest.mark.parametrize("suffix", ["usda", "usdc", "usdz"])
def test_a_file_that_ends_too_early_is_refused(suffix, tmp_path):
    usd.write(builders.cut(30), tmp_path / f"a.{suffix}")
    paths = truncated(tmp_path / f"a.{suffix}", tmp_path / "truncated")
    assert len(paths) > 5
    with Sandbox() as sandbox:
        for path in paths:
            with pytest.raises(UnreadableFileError) as caught:
                read_in(sandbox, path)
            assert "\n" not in str(caught.value)
            assert "signal" not in str(caught.value)


def read_all_flipped(source: Path, places: list[int]) -> list[str]:
    """Read 200 copies, each with some of these bytes changed or cut short; return what each gave.

    In one child process, as long as it lives.
    """
    whole = source.read_bytes()
    chance = random.Random(7)
    path = source.with_name(f"flipped{source.suffix}")
    found = []
    with Sandbox() as sandbox:
        for index in range(200):
            data = bytearray(whole)
            for _ in range(chance.randrange(1, 6)):
                data[chance.choice(places)] = chance.choice([0, 255, chance.randrange(256)])
            if index % 4 == 0:
                del data[chance.randrange(len(data)) :]
            path.write_bytes(data)
            try:
                read_in(sandbox, path)
                found.append("read")
            except CastlineError as error:
                assert "\n" not in str(error)
                found.append(type(error).__name__)
    return found


@pytest.mark.parametrize("suffix", ["usda", "usdz"])
def test_flipped_bytes_give_an_error_or_a_cut(suffix, tmp_path):
    source = tmp_path / f"a.{suffix}"
    usd.write(cut(), source)
    found = read_all_flipped(source, list(range(source.stat().st_size)))
    assert set(found) <= {"read", "UnreadableFileError", "NewerVersionError"}
    assert found.count("UnreadableFileError") > 100


def test_flipped_bytes_in_the_outline_of_a_crate_give_an_error_or_a_cut(tmp_path):
    source = tmp_path / "a.usdc"
    usd.write(cut(), source)
    data = source.read_bytes()
    table = int.from_bytes(data[16:24], "little")
    found = read_all_flipped(source, [*range(24), *range(table, len(data))])
    assert set(found) <= {"read", "UnreadableFileError"}
    assert found.count("UnreadableFileError") > 100


SHOT = "/Timeline/tracks/track_0_V1/clip_0_sh010"
ODD = {
    "a rate of nothing": ("source_range", {"OTIO_SCHEMA": "TimeRange.1"}),
    "a key that is a list": ("active_media_reference_key", [1]),
    "markers that are none": ("markers", {"a": 1}),
    "a range of numbers": ("source_range", {"start_time": 1, "duration": 2}),
}


@pytest.mark.parametrize("kind", ODD)
def test_values_that_no_cut_has_are_refused_where_edits_are_looked_for(kind, tmp_path):
    from pxr import Sdf

    key, value = ODD[kind]
    usd.write(cut(), tmp_path / "a.usda")
    layer = Sdf.Layer.OpenAsAnonymous(str(tmp_path / "a.usda"))
    attribute = layer.GetAttributeAtPath(f"{SHOT}.{layout.JSON}")
    document = json.loads(attribute.default) | {key: value}
    attribute.default = json.dumps(document)
    layer.Export(str(tmp_path / "b.usda"))
    refused(tmp_path / "b.usda")


@pytest.mark.parametrize("value", ["x", 3, None, [], {"characters": 3}, True])
def test_a_cast_that_is_none_is_carried_as_it_is(value, tmp_path):
    timeline = cut()
    timeline.metadata["castline"] = {"version": 1, "cast": value}
    usd.write(timeline, tmp_path / "a.usda")
    assert otio_text(usd.read(tmp_path / "a.usda")) == otio_text(timeline)
