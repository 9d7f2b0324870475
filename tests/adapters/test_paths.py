"""Paths that files name stay inside their folder, and only regular files are read."""

from __future__ import annotations

import os

import pytest

from castline.adapters import paths
from castline.adapters.material import jsontext
from castline.schemas.errors import UnreadableFileError


def test_a_path_inside_the_folder_is_resolved(tmp_path):
    assert paths.resolve(tmp_path, "a/../b/c.png", "x") == tmp_path.resolve() / "a/../b/c.png"
    assert paths.resolve(tmp_path, "a\\b.png", "x").name == "b.png"
    inside = tmp_path / "take.mp4"
    assert paths.resolve(tmp_path, str(inside), "x") == inside.resolve()


@pytest.mark.parametrize(
    "named",
    [
        "../x.png",
        "a/../../x.png",
        "/etc/passwd",
        "..\\x.png",
        "C:\\media\\x.png",
        "https://example.com/x.png",
        "file:///etc/passwd",
        "",
        "  ",
        "a\0b",
        "a\nb",
        "x\ud800.png",
        "n" * 5000,
    ],
)
def test_a_path_that_leads_out_or_cannot_be_is_refused_in_one_line(tmp_path, named):
    with pytest.raises(UnreadableFileError) as caught:
        paths.resolve(tmp_path, named, "list.csv: row 3")
    assert str(caught.value).startswith("list.csv: row 3: ")
    assert "\n" not in str(caught.value)


def test_a_link_that_leads_out_is_refused(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    (tmp_path / "secret.png").write_bytes(b"x")
    (home / "link.png").symlink_to(tmp_path / "secret.png")
    (home / "ring").symlink_to(home / "ring")
    with pytest.raises(UnreadableFileError, match="climbs out"):
        paths.resolve(home, "link.png", "x")
    with pytest.raises(UnreadableFileError):
        paths.require_file(home / "ring")


def test_pipes_folders_and_empty_files_are_refused_before_they_are_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe.mp4")
    (tmp_path / "empty.mp4").touch()
    for name, reason in (("pipe.mp4", "pipe"), ("empty.mp4", "0 bytes"), ("none", "no such")):
        with pytest.raises(UnreadableFileError, match=reason):
            paths.require_file(tmp_path / name)
    with pytest.raises(UnreadableFileError, match="folder"):
        paths.read_bytes(tmp_path)


def test_a_file_beyond_the_limit_is_refused(tmp_path):
    path = tmp_path / "list.csv"
    path.write_bytes(b"x" * 11)
    assert paths.read_bytes(path, 11) == b"x" * 11
    with pytest.raises(UnreadableFileError, match="more than"):
        paths.read_bytes(path, 10)


def test_text_is_decoded_by_its_mark_then_as_utf8_then_as_western_european():
    assert paths.decode_text("é".encode("utf-8-sig")) == "é"
    assert paths.decode_text("é".encode("utf-16")) == "é"
    assert paths.decode_text("é".encode()) == "é"
    assert paths.decode_text("“é”".encode("cp1252")) == "“é”"
    assert paths.decode_text(b"\x81\xe9") == "\x81é"


def test_json_keeps_long_integers_and_takes_what_is_no_number_as_nothing():
    value = jsontext.parse('\ufeff{"seed": 18446744073709551615, "x": NaN, "y": -Infinity}', "f")
    assert value == {"seed": 18446744073709551615, "x": None, "y": None}


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "[" * 300 + "]" * 300, "{'a': 1}"])
def test_json_that_is_none_or_nests_too_deeply_is_one_line(text):
    with pytest.raises(UnreadableFileError, match=r"^f: found") as caught:
        jsontext.parse(text, "f")
    assert "\n" not in str(caught.value)


def test_cleaned_values_can_be_written_by_everyone():
    dirty = {"a": ["\ud800x", 2**64, -(2**63), float("inf")], "b": "\U0001f600", 3: (1,)}
    assert jsontext.clean(dirty) == {
        "a": ["\ufffdx", str(2**64), -(2**63), None],
        "b": "\U0001f600",
        "3": [1],
    }
