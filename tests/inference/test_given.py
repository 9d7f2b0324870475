"""Boxes by hand: where they hold, where they move, and what is none."""

from __future__ import annotations

import json

import pytest

from castline.inference import given
from castline.inference.find.box import Box
from castline.inference.given import Boxes
from castline.schemas.errors import CastlineError

ONE, TWO = Box(0, 0, 9, 19), Box(10, 20, 29, 59)


def test_boxes_move_evenly_between_frames():
    boxes = Boxes((10, 20), ((ONE,), (TWO,)))
    assert boxes.at(10) == (ONE,)
    assert boxes.at(15) == (Box(5, 10, 19, 39),)
    assert boxes.at(20) == (TWO,)
    assert boxes.at(9) == boxes.at(21) == ()


def test_with_another_number_of_boxes_those_before_hold():
    boxes = Boxes((0, 5, 9), ((ONE, TWO), (TWO,), ()))
    assert boxes.at(4) == (ONE, TWO)
    assert boxes.at(7) == (TWO,)
    assert boxes.at(9) == ()
    assert Boxes((), ()).at(0) == ()


def test_what_is_measured_in_other_boxes_is_kept_apart():
    hashes = {
        Boxes((0,), ((ONE,),)).hash,
        Boxes((0,), ((TWO,),)).hash,
        Boxes((1,), ((ONE,),)).hash,
    }
    assert len(hashes) == 3


def write(tmp_path, value):
    path = tmp_path / "boxes.json"
    path.write_text(json.dumps(value))
    return path


def test_a_file_gives_boxes_by_hash_or_by_name(tmp_path):
    media = {"pier.mp4": {"48": [[1, 2, 3, 4]], "0": [[0, 0, 9, 19]]}, "ab12": {"3": []}}
    found = given.read(write(tmp_path, {"version": 1, "media": media}))
    assert found.of("", "pier.mp4") == Boxes((0, 48), ((ONE,), (Box(1, 2, 3, 4),)))
    assert found.of("ab12", "other") == Boxes((3,), ((),))
    assert found.of("x", "y") is None


@pytest.mark.parametrize(
    "value",
    [
        [],
        {"version": 2, "media": {}},
        {"version": 1},
        {"version": 1, "media": []},
        {"version": 1, "media": {"a": []}},
        {"version": 1, "media": {"a": {"x": []}}},
        {"version": 1, "media": {"a": {"-1": []}}},
        {"version": 1, "media": {"a": {"1": 5}}},
        {"version": 1, "media": {"a": {"1": [[1, 2, 3]]}}},
        {"version": 1, "media": {"a": {"1": [[1, 2, 3, "4"]]}}},
        {"version": 1, "media": {"a": {"1": [[1, 2, 3, True]]}}},
        {"version": 1, "media": {"a": {"1": [[5, 2, 3, 4]]}}},
        {"version": 1, "media": {"a": {"1": [[0, 0, 1 << 40, 4]]}}},
    ],
)
def test_what_is_no_box_is_one_line(tmp_path, value):
    with pytest.raises(CastlineError, match=r"boxes\.json"):
        given.read(write(tmp_path, value))
