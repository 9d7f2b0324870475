"""Recorded features come back, read with numpy alone, and damage is one line."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from castline.inference import features
from castline.inference.features import Recorded, to_bytes
from castline.inference.find.box import Box
from castline.inference.frames import Footage
from castline.inference.subject import Clarity, Sight, Subject
from castline.schemas.errors import CastlineError, InvalidValueError, UnreadableFileError

np = pytest.importorskip("numpy")


def subject(number: float, clarity: Clarity = Clarity.CLEAR) -> Subject:
    vector = np.linspace(number, number + 1, 4, dtype=np.float32)
    return Subject(Box(int(number), -2, 30, 40), 0.5, clarity, vector)


RATE = Fraction(24000, 1001)
SIGHTS = {
    0: Sight(0, (subject(1), subject(2, Clarity.POOR))),
    7: Sight(7, ()),
}
RECORDED = Recorded(
    "model",
    frozenset({"face"}),
    {"aa": Footage("aa", Path("pier.mp4"), RATE, 48), "bb": Footage("bb", Path("x"), RATE, 1)},
    {"aa": SIGHTS, "bb": {}},
)


def plain(recorded: Recorded):
    return {
        media: {
            n: [(x.box, x.confidence, x.clarity, x.vector.tolist()) for x in s.subjects]
            for n, s in sights.items()
        }
        for media, sights in recorded.sights.items()
    }


def test_what_was_recorded_comes_back(tmp_path):
    path = tmp_path / "f.safetensors"
    path.write_bytes(to_bytes(RECORDED))
    found = features.read(path)
    assert (found.model, found.kinds, found.footage) == ("model", {"face"}, RECORDED.footage)
    assert plain(found) == plain(RECORDED)
    assert to_bytes(found) == path.read_bytes()
    empty = Recorded("m", frozenset(), {}, {})
    path.write_bytes(to_bytes(empty))
    assert features.read(path) == empty


def test_the_file_is_a_safetensors_file(tmp_path):
    """By the format's own library, which castline does not need."""
    safetensors = pytest.importorskip("safetensors.numpy")
    arrays = safetensors.load(to_bytes(RECORDED))
    assert arrays["vector"].shape == (2, 4) and arrays["vector"].dtype == np.float32
    assert arrays["looked"].tolist() == [[0, 0], [0, 7]]
    assert arrays["clarity"].tolist() == [2, 0]


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_damage_is_one_line(tmp_path_factory, data):
    whole = bytearray(to_bytes(RECORDED))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(whole) - 1))
        whole[at] = data.draw(st.integers(0, 255))
    end = data.draw(st.integers(0, len(whole)))
    path = tmp_path_factory.mktemp("f") / "f.safetensors"
    path.write_bytes(whole[:end] if data.draw(st.booleans()) else whole)
    try:
        features.read(path)
    except CastlineError as error:
        assert str(path) in str(error) and "\n" not in str(error)


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"castline": "9"}, InvalidValueError, "found version '9', expected 1"),
        ({"media": "[]"}, InvalidValueError, "found no features"),
        ({"media": json.dumps([{"sha256": "a", "name": "n", "rate": "0", "count": 1}])},
         InvalidValueError, "found no features"),
        ({"kinds": "5"}, InvalidValueError, "found no features"),
    ],
)  # fmt: skip
def test_other_things_in_it_are_named(tmp_path, change, error, words):
    data = to_bytes(RECORDED)
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    header["__metadata__"] |= change
    text = json.dumps(header).encode()
    path = tmp_path / "f.safetensors"
    path.write_bytes(len(text).to_bytes(8, "little") + text + data[8 + length :])
    with pytest.raises(error, match=words):
        features.read(path)


def test_no_file_and_other_files_are_named(tmp_path):
    with pytest.raises(UnreadableFileError, match="no file of bearable size"):
        features.read(tmp_path / "none")
    (tmp_path / "text").write_text("hello, this is no tensor")
    with pytest.raises(UnreadableFileError, match="found no safetensors file"):
        features.read(tmp_path / "text")


def test_a_name_cannot_lead_out_of_its_folder(tmp_path):
    evil = Recorded(
        "m", frozenset(), {"aa": Footage("aa", Path("a"), RATE, 1)}, {"aa": {}}
    )  # fmt: skip
    data = to_bytes(evil).replace(b'\\"a\\"', b'\\"../../a\\"')
    length = int.from_bytes(data[:8], "little") + len("../../")
    path = tmp_path / "f.safetensors"
    path.write_bytes(length.to_bytes(8, "little") + data[8:])
    assert features.read(path).footage["aa"].path == Path("a")
