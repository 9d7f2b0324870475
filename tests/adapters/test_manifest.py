"""A manifest says which take is for which slot, in whatever dialect it was exported."""

from __future__ import annotations

import json

import pytest

from castline.adapters.material import manifest
from castline.schemas.errors import UnreadableFileError
from castline.schemas.values import Generation

CSV = (
    "File,Slot,Characters,Look,Tool,Model,Prompt,Negative Prompt,Seed,Created,steps,cfg,Use,"
    "Note,Version\n"
    'a/one.mp4,sh010,"Mira; Tom",oilskin,ComfyUI,wan,"a quay, at night",people,'
    "18446744073709551615,2026-11-20,30,7.50,Temp,first,003\n"
    "\n"
    "two.mp4,sh020,,,,,,,,,,,,,\n"
)


def write(path, data):
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def test_a_csv_gives_entries_with_their_generation(tmp_path):
    one, two = manifest.read(write(tmp_path / "takes.csv", CSV))
    assert one.file == tmp_path.resolve() / "a/one.mp4"
    assert (one.row, two.row) == (2, 4)
    assert (one.slot_id, one.characters, one.look_id) == ("sh010", ("Mira", "Tom"), "oilskin")
    assert (one.use, one.note, one.version) == ("temp", "first", "003")
    assert one.generation == Generation(
        tool="ComfyUI",
        model="wan",
        prompt="a quay, at night",
        negative_prompt="people",
        seed=18446744073709551615,
        created="2026-11-20",
        parameters={"steps": 30, "cfg": "7.50"},
    )
    assert two == manifest.Entry(file=tmp_path.resolve() / "two.mp4", row=4, slot_id="sh020")


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.encode("utf-8-sig"),
        lambda text: text.replace("\n", "\r\n").encode(),
        lambda text: text.replace("\n", "\r").encode(),
        lambda text: text.replace("people", "é").encode("cp1252"),
        lambda text: text.encode("utf-16"),
        lambda text: text.replace(",", "\t").replace("quay\t", "quay,").encode(),
        lambda text: text.replace(",", "|").replace("quay|", "quay,").encode(),
        lambda text: (
            "sep=;\r\n" + text.replace(",", ";").replace("quay;", "quay,").replace("\n", "\r\n")
        ).encode(),
        lambda text: text.upper().replace("TWO.MP4", "two.mp4").encode(),
    ],
    ids=["bom", "crlf", "cr", "cp1252", "utf16", "tab", "pipe", "semicolon", "upper"],
)
def test_dialects_of_csv_give_the_same_takes(tmp_path, change):
    plain = manifest.read(write(tmp_path / "plain.csv", CSV))
    found = manifest.read(write(tmp_path / "takes.csv", change(CSV)))
    assert len(found) == 2
    assert found[1] == plain[1].__class__(
        file=plain[1].file, row=plain[1].row, slot_id=found[1].slot_id
    )
    assert found[0].generation.seed == plain[0].generation.seed
    assert found[0].generation.prompt.lower() == "a quay, at night"
    assert found[0].generation.negative_prompt.lower() in ("people", "é")
    assert [name.lower() for name in found[0].characters] == ["mira", "tom"]


def test_json_gives_the_same_and_takes_lists_and_nested_generations(tmp_path):
    takes = [
        {
            "file": "one.mp4",
            "shot": "sh010",
            "characters": ["Mira", "Tom", "Mira"],
            "version": 3,
            "use": "final",
            "generation": {"tool": "T", "seed": 0, "parameters": {"cfg": 7.5}, "x": None},
            "lens": 35,
        },
        {"file": "two.mp4", "slot_id": "sh020", "seed": 2**64 - 1},
    ]
    for data in (takes, {"takes": takes, "show": "Harbour"}):
        one, two = manifest.read(write(tmp_path / "takes.json", json.dumps(data)))
        assert (one.slot_id, one.characters, one.version) == ("sh010", ("Mira", "Tom"), "3")
        assert one.use == "final"
        assert one.generation == Generation(tool="T", seed=0, parameters={"lens": 35, "cfg": 7.5})
        assert two.generation.seed == 2**64 - 1


def test_a_sequence_may_be_listed_by_its_pattern(tmp_path):
    (entry,) = manifest.read(write(tmp_path / "t.csv", "file\nseq/s.[1001-1010].exr\n"))
    assert entry.file.name == "s.[1001-1010].exr"


def test_columns_of_text_stay_text(tmp_path):
    (entry,) = manifest.read(write(tmp_path / "t.csv", "file,slot,note,prompt\na.mp4,010,7,42\n"))
    assert (entry.slot_id, entry.note, entry.generation.prompt) == ("010", "7", "42")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("file,slot\na.mp4,1\n,2\n", "row 3: found no file"),
        ("file,slot\n../../etc/passwd,1\n", "row 2: found '../../etc/passwd', which climbs out"),
        ("file\nhttps://example.com/a.mp4\n", "row 2: found the address"),
        ("file\na.mp4\nb.mp4\n./a.mp4\n", "row 4: found a.mp4 again, listed in row 2"),
        ("name,slot\na.mp4,1\n", "row 1: found no column `file`"),
        ("file,Slot,slot\na.mp4,1,2\n", "row 1: found two columns 'slot'"),
        ("file,slot,shot\na.mp4,1,2\n", "row 2: found '1' and '2' for the slot_id"),
        ("file,use\na.mp4,always\n", "row 2: found the use 'always', expected temp, final"),
        ("file,seed\na.mp4,1.23E+15\n", "row 2: found the seed '1.23E+15'"),
        ("file,seed\na.mp4,random\n", "row 2: found the seed 'random'"),
        ("file,slot\na.mp4,1,2\n", "row 2: found 3 cells, expected 2"),
        ('file,slot\n"a.mp4,1\n', "after row 1"),
        ("file,slot\na\0.mp4,1\n", ""),
        ("file,note\na.mp4," + "x" * 200_000 + "\n", "after row 1"),
        ("file,slot\n", "no takes"),
        ("", "0 bytes"),
        ("\n\n", "found no column"),
        ("[1]", "row 1: found 1, expected a take"),
        ('{"a": []}', "expected a list of takes"),
        ("[]", "no takes"),
        ('[{"file": 3}]', "row 1: found no file"),
        ('[{"file": "a", "characters": {"a": 1}}]', "row 1: characters: found"),
        ('[{"file": "a", "note": ["x"]}]', "row 1: note: found"),
        ('[{"file": "a", "seed": 1.5}]', "row 1: found the seed '1.5'"),
        ("[" * 50_000, "too deeply"),
    ],
)
def test_a_row_that_cannot_be_is_one_line_that_names_file_and_row(tmp_path, text, found):
    path = write(tmp_path / "takes.csv", text)
    with pytest.raises(UnreadableFileError) as caught:
        manifest.read(path)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert found in message
    assert "\n" not in message


def test_too_many_rows_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(manifest, "ROW_LIMIT", 3)
    text = "file\n" + "".join(f"{n}.mp4\n" for n in range(4))
    with pytest.raises(UnreadableFileError, match="more than 3 rows"):
        manifest.read(write(tmp_path / "t.csv", text))
