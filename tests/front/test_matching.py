"""Which slot a take is for, and why."""

from __future__ import annotations

import opentimelineio as otio
import pytest
from builders import span

from castline.matching import index_slots, key_of, match_take
from castline.schemas.slots import give_slot_ids


@pytest.fixture
def index():
    clips = [
        otio.schema.Clip(name, None, span(0, 48))
        for name in (
            "SQ010_SH010",
            "SQ010_SH020",
            "ZZ100_501 (LAY3)",
            "pier",
            "SQ010_SH030",
            "SQ010_SH030",
        )
    ]
    clips[1].markers.append(otio.schema.Marker("see LGT-0420", comment="or BOAT_7"))
    clips[3].metadata["cmx_3600"] = {"comments": ["SHOT: VFX_0900", "reel A003"]}
    timeline = otio.schema.Timeline("cut", [otio.schema.Track("V1", clips)])
    give_slot_ids(timeline)
    return index_slots(timeline.find_clips())


@pytest.mark.parametrize(
    ("file", "slot", "reason"),
    [
        ("SQ010_SH010_ai_v001.mp4", "SQ010_SH010", "slot id"),
        ("sq010-sh010.mp4", "SQ010_SH010", "slot id"),
        ("sq010_sh010v003.mp4", "SQ010_SH010", "slot id"),
        ("sq010_sh020/try 2.mp4", "SQ010_SH020", "slot id"),
        ("ZZ100_501_gen.mp4", "ZZ100_501_LAY3", "shot name"),
        ("lgt_0420_final.mov", "SQ010_SH020", "marker or comment"),
        ("boat 7.mov", "SQ010_SH020", "marker or comment"),
        ("VFX_0900-seed42.mp4", "pier", "marker or comment"),
        ("the pier at dusk.mp4", "pier", "slot id"),
        ("SQ010_SH030-2_v1.mp4", "SQ010_SH030-2", "slot id"),
    ],
)
def test_a_sign_in_the_files_name_is_found(index, file, slot, reason):
    answer = match_take(index, file)
    assert answer.slot_ids == (slot,)
    assert reason in answer.reason


def test_a_shot_name_that_two_clips_have_is_left_to_a_person(index):
    answer = match_take(index, "any.mp4", "sq010 sh030")
    assert answer.slot_ids == ("SQ010_SH030",)  # the slot id of the first is more certain
    index.ids.clear()
    assert match_take(index, "SQ010_SH030_v1.mp4").slot_ids == ("SQ010_SH030", "SQ010_SH030-2")


@pytest.mark.parametrize(
    "file", ["Gen-4 a boat 3829471 (2).mp4", "10.mp4", "v001.mp4", "sh01.mp4"]
)
def test_nothing_is_guessed_without_a_sign(index, file):
    assert match_take(index, file).slot_ids == ()


def test_the_manifest_is_believed_before_the_name(index):
    answer = match_take(index, "SQ010_SH010_ai.mp4", "pier")
    assert answer.slot_ids == ("pier",)
    assert "manifest" in answer.reason


def test_a_slot_that_only_the_manifest_knows_is_said(index):
    answer = match_take(index, "SQ010_SH010_ai.mp4", "SQ999")
    assert answer.slot_ids == ()
    assert "'SQ999', which is no slot" in answer.reason


def test_keys_ignore_case_and_punctuation():
    assert key_of("SQ010-SH010") == key_of("sq010 sh010") == "sq010_sh010"
    assert key_of("ZZ100_501 (LAY3)") == "zz100_501_lay3"
