"""Numbered stills are frames of a shot when their names say so."""

from __future__ import annotations

import pytest

from castline.adapters.material import sequence
from castline.schemas.errors import UnreadableFileError


def touch(folder, *names):
    for name in names:
        (folder / name).write_bytes(b"x")


def names_of(folder):
    found, single = sequence.group(folder.iterdir())
    return [item.path.name for item in found], [path.name for path in single]


def test_numbers_after_a_dot_are_frames(tmp_path):
    touch(tmp_path, "sh010.1001.exr", "sh010.1002.exr", "sh010.1003.exr", "sh020.1001.exr")
    assert names_of(tmp_path) == (["sh010.[1001-1003].exr"], ["sh020.1001.exr"])


def test_single_stills_are_no_frames(tmp_path):
    names = [f"sh010_v{n:03d}.png" for n in range(12)]
    names += [f"ComfyUI_{n:05d}_.png" for n in range(12)]
    names += [f"{n:05d}-{n * 77777}.png" for n in range(12)]
    names += ["look.235284042.png", "look.77.png", "take_01.png", "take_02.png"]
    touch(tmp_path, *names)
    assert names_of(tmp_path) == ([], sorted(names))


def test_eight_frames_after_an_underscore_or_alone_are_a_shot(tmp_path):
    touch(tmp_path, *(f"walk_{n:04d}.png" for n in range(8)), *(f"{n}.jpg" for n in range(5, 15)))
    assert names_of(tmp_path) == (["[5-14].jpg", "walk_[0000-0007].png"], [])


def test_padding_tells_shots_apart_and_may_overflow(tmp_path):
    touch(tmp_path, *(f"a.{n:03d}.png" for n in range(997, 1003)), "a.001.png")
    touch(tmp_path, *(f"b.{n}.png" for n in (9, 10, 11)))
    found, single = sequence.group(p for p in tmp_path.iterdir() if p.name != "a.001.png")
    assert [item.path.name for item in found] == ["a.[997-1002].png", "b.[9-11].png"]
    assert single == []


@pytest.mark.parametrize(
    "pattern", ["s.[0001-0006].png", "s.%04d.png", "s.####.png", "s.@@@@.png", ""]
)
def test_a_written_pattern_and_its_folder_name_the_same_frames(tmp_path, pattern):
    touch(tmp_path, *(f"s.{n:04d}.png" for n in (1, 2, 4, 6)), "s.00003.png", "t.0003.png")
    (tmp_path / "s.0005.png").mkdir()
    if not pattern:
        (tmp_path / "s.00003.png").unlink()
    found = sequence.read(tmp_path / pattern)
    assert (found.first, found.last, found.frames, found.present) == (1, 6, 6, 4)
    assert found.gaps == ((3, 3), (5, 5))
    assert [p.name for p in found.frame_paths()] == [f"s.{n:04d}.png" for n in (1, 2, 4, 6)]


def test_a_range_counts_what_is_not_there_at_its_ends(tmp_path):
    touch(tmp_path, "s.1003.png", "s.1004.png", "s.2000.png")
    found = sequence.read(tmp_path / "s.[1001-1006].png")
    assert (found.frames, found.present, found.gaps) == (6, 2, ((1001, 1002), (1005, 1006)))
    assert found.path.name == "s.[1001-1006].png"


def test_a_range_of_billions_costs_nothing(tmp_path):
    touch(tmp_path, "s.1.png", "s.9999999999.png")
    found = sequence.read(tmp_path / "s.#.png")
    assert found.frames == 9999999999
    assert found.gaps == ((2, 9999999998),)
    assert len(list(found.frame_paths())) == 2


def test_a_file_whose_name_looks_like_a_pattern_is_a_file(tmp_path):
    touch(tmp_path, "s.[1-2].png")
    assert not sequence.is_pattern(tmp_path / "s.[1-2].png")
    assert sequence.is_pattern(tmp_path / "t.[1-2].png")


@pytest.mark.parametrize("name", ["s.[1-9].png", "s.[9-1].png", "none/s.%04d.png", "plain.png"])
def test_a_pattern_without_frames_is_one_line(tmp_path, name):
    touch(tmp_path, "t.1.png")
    with pytest.raises(UnreadableFileError, match="found no"):
        sequence.read(tmp_path / name)


def test_a_folder_with_two_sequences_is_refused(tmp_path):
    touch(tmp_path, "a.1.png", "a.2.png", "b.1.png", "b.2.png")
    with pytest.raises(UnreadableFileError, match=r"found 2 image sequences .*expected one"):
        sequence.read(tmp_path)
