"""Takes of a slot: switching swaps the placement, decisions go stale, ids stay unique."""

from __future__ import annotations

import opentimelineio as otio
import pytest
from opentimelineio.opentime import RationalTime, TimeRange

from castline.schemas.decisions import approved_take_ids, stale_reason
from castline.schemas.errors import UsageError
from castline.schemas.places import get_slot, get_take, set_slot, set_take
from castline.schemas.slots import give_slot_ids, slots_of
from castline.schemas.takes import active_take, add_take, choose_take, placement_of, switch_take
from castline.schemas.values import Decision, Placement, Slot, Take


def _range(start, length, rate=24):
    return TimeRange(RationalTime(start, rate), RationalTime(length, rate))


@pytest.fixture
def clip():
    clip = otio.schema.Clip("sh010", otio.schema.ExternalReference("temp.mov"), _range(100, 48))
    clip.effects.append(otio.schema.LinearTimeWarp("slow", time_scalar=0.5))
    set_slot(clip, Slot(slot_id="sh010"))
    set_take(clip.media_reference, Take(take_id="temp-sh010", role="temp", number=0))
    for number, start in ((1, 8), (2, 4)):
        take = Take(
            take_id=f"t{number}",
            number=number,
            sha256=str(number) * 8,
            placement=Placement(source_range=_range(start, 48)),
        )
        add_take(clip, f"take_{number:03d}", otio.schema.ExternalReference(f"{number}.mp4"), take)
    return clip


def test_adding_a_take_leaves_the_clip_showing_what_it_showed(clip):
    assert clip.active_media_reference_key == "DEFAULT_MEDIA"
    assert clip.source_range == _range(100, 48)
    with pytest.raises(UsageError, match="already"):
        add_take(clip, "take_001", otio.schema.MissingReference(), Take(take_id="t9"))


def test_switching_swaps_range_and_effects_and_back_again(clip):
    before = placement_of(clip)
    switch_take(clip, "take_001")
    assert (clip.source_range, list(clip.effects)) == (_range(8, 48), [])
    assert active_take(clip).take_id == "t1"
    switch_take(clip, "DEFAULT_MEDIA")
    assert placement_of(clip) == before
    assert isinstance(clip.effects[0], otio.schema.LinearTimeWarp)
    assert clip.effects[0].time_scalar == 0.5


def test_a_trim_made_on_a_take_is_kept_as_its_placement(clip):
    switch_take(clip, "take_001")
    clip.source_range = _range(10, 40)
    switch_take(clip, "take_002")
    switch_take(clip, "take_001")
    assert clip.source_range == _range(10, 40)


def test_switching_survives_a_file(clip):
    track = otio.schema.Track("V1", [clip.deepcopy()])
    text = otio.schema.Timeline("t", [track]).to_json_string()
    back = next(iter(otio.adapters.read_from_string(text, "otio_json").find_clips()))
    switch_take(back, "take_002")
    assert back.source_range == _range(4, 48)
    switch_take(back, "DEFAULT_MEDIA")
    assert back.effects[0].time_scalar == 0.5


def test_switching_to_what_is_not_there_names_what_is(clip):
    with pytest.raises(UsageError, match="take_001, take_002"):
        switch_take(clip, "take_009")


def _decision(verdict, take_id="t1", **more):
    values = {"verdict": verdict, "by": "ann", "at": "2026-01-01T00:00:00+00:00"}
    return Decision(**values, take_id=take_id, **more)


def test_takes_are_chosen_by_word_or_id(clip):
    set_slot(clip, Slot(slot_id="sh010", decisions=(_decision("approved"),)))
    assert choose_take(clip, "latest") == "take_002"
    assert choose_take(clip, "temp") == "DEFAULT_MEDIA"
    assert choose_take(clip, "approved") == "take_001"
    assert choose_take(clip, "t2") == "take_002"
    assert choose_take(clip, "t9") is None


def test_the_last_word_on_a_take_counts(clip):
    said = (_decision("approved"), _decision("approved", "t2"), _decision("rejected"))
    assert approved_take_ids(clip, said) == {"t2"}


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"sha256": "1" * 8}, None),
        ({"sha256": "9" * 8}, "the file has changed"),
        ({"media_range": _range(8, 48)}, None),
        ({"media_range": _range(0, 96)}, None),
        ({"media_range": _range(8, 24)}, "other frames are used"),
    ],
)
def test_a_decision_is_stale_when_what_it_was_made_on_changed(clip, more, words):
    assert stale_reason(_decision("approved", **more), clip) == words
    assert bool(approved_take_ids(clip, [_decision("approved", **more)])) == (words is None)


def test_a_decision_on_a_take_that_is_gone_is_stale(clip):
    assert stale_reason(_decision("approved", "t9"), clip) == "the take is gone"


def _timeline(*clips):
    return otio.schema.Timeline("cut", [otio.schema.Track("V1", list(clips))])


def test_slot_ids_are_given_after_the_clips_names_and_are_unique():
    timeline = _timeline(*(otio.schema.Clip(name) for name in ("SH 010/A", "SH 010/A", "", "é")))
    give_slot_ids(timeline)
    assert list(slots_of(timeline)) == ["SH_010_A", "SH_010_A-2", "slot", "é"]
    assert not give_slot_ids(timeline)


def test_a_copied_clip_gets_an_id_of_its_own_and_says_where_it_is_from():
    first = otio.schema.Clip("a")
    set_slot(first, Slot(slot_id="s1"))
    timeline = _timeline(first, first.deepcopy(), first.deepcopy())
    changed = give_slot_ids(timeline)
    slots = [get_slot(clip) for clip in timeline.find_clips()]
    assert [slot.slot_id for slot in slots] == ["s1", "s1-2", "s1-3"]
    assert [slot.derived_from for slot in slots] == [None, "s1", "s1"]
    assert len(changed) == 2


def test_ten_thousand_clips_of_one_name_get_ids_in_linear_time():
    timeline = _timeline(*(otio.schema.Clip("same") for _ in range(3000)))
    give_slot_ids(timeline)
    assert len(slots_of(timeline)) == 3000


def test_a_take_without_data_of_ours_is_none(clip):
    assert get_take(otio.schema.ExternalReference("x.mov")) is None
