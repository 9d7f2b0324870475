"""The values: frozen, versioned, unknown keys kept, with a published schema."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import jsonschema
import opentimelineio as otio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentimelineio.opentime import RationalTime, TimeRange

from castline.schemas import names
from castline.schemas.errors import InvalidValueError, NewerVersionError
from castline.schemas.jsonschema import PLACES, make_schema, schema_text
from castline.schemas.places import (
    get_sequence,
    get_slot,
    get_take,
    set_sequence,
    set_slot,
    set_take,
)
from castline.schemas.values import (
    Appearance,
    Approval,
    Cast,
    Character,
    Clearance,
    Consent,
    Decision,
    Expected,
    Generation,
    Look,
    Placement,
    Reference,
    Score,
    Sequence,
    Slot,
    Take,
    Unplaced,
)

SCHEMA_FILE = Path(__file__).resolve().parents[2] / "schemas" / "castline.schema.json"
HALF_OPEN = TimeRange(RationalTime(1001, 24000 / 1001), RationalTime(48, 24000 / 1001))

# OTIO's own JSON ends a string at NUL.
letters = st.characters(codec="utf-8", exclude_characters="\x00")
text = st.text(letters, max_size=20)
names_ = st.text(letters, min_size=1, max_size=12)
# OTIO's own JSON reader is one unit off in the last place for many longer floats.
number = st.integers(-(10**9), 10**9).map(lambda n: n / 1000)
times = st.builds(
    RationalTime, st.integers(-(10**6), 10**6), st.sampled_from([24.0, 25.0, 30000 / 1001])
)
ranges = st.builds(TimeRange, times, times)
extra = st.dictionaries(
    st.text(letters, min_size=1, max_size=8).map(lambda key: f"x-{key}"),
    st.none() | st.integers(-(2**63), 2**63 - 1) | number | text | st.lists(text, max_size=2),
    max_size=2,
)
scores = st.builds(
    Score, value=number, worst=st.none() | number, worst_time=st.none() | times, extra=extra
)
appearances = st.builds(
    Appearance,
    character_id=names_,
    state=st.sampled_from(["ok", "drift", "missing"]),
    media_range=st.none() | ranges,
    score=st.none() | scores,
    extra=extra,
)
effects = st.just(
    (json.loads(otio.schema.LinearTimeWarp("w", time_scalar=0.5).to_json_string(indent=-1)),)
)
takes = st.builds(
    Take,
    take_id=names_,
    role=st.sampled_from(["temp", "take"]),
    number=st.none() | st.integers(0, 99),
    generation=st.none()
    | st.builds(
        Generation,
        prompt=st.none() | text,
        seed=st.none() | st.integers(-(2**63), 2**63 - 1),
        parameters=extra,
    ),
    clearance=st.none()
    | st.builds(
        Clearance,
        consent=st.none() | st.builds(Consent, ref=text),
        approvals=st.lists(st.builds(Approval, by=text, at=text), max_size=2).map(tuple),
    ),
    placement=st.none()
    | st.builds(Placement, source_range=st.none() | ranges, effects=st.just(()) | effects),
    appearances=st.lists(appearances, max_size=2).map(tuple),
    extra=extra,
)
slots = st.builds(
    Slot,
    slot_id=names_,
    expected=st.lists(st.builds(Expected, character_id=names_), max_size=2).map(tuple),
    decisions=st.lists(
        st.builds(Decision, verdict=st.just("approved"), by=text, at=text, take_id=names_),
        max_size=2,
    ).map(tuple),
    extra=extra,
)
sequences = st.builds(
    Sequence,
    cast=st.none()
    | st.builds(
        Cast,
        characters=st.lists(
            st.builds(
                Character,
                character_id=names_,
                name=names_,
                looks=st.lists(st.builds(Look, look_id=names_), max_size=2).map(tuple),
                references=st.lists(st.builds(Reference, path=names_), max_size=2).map(tuple),
            ),
            max_size=2,
        ).map(tuple),
    ),
    unplaced=st.lists(
        st.builds(Unplaced, reason=st.just("damaged"), where=text, text=text), max_size=2
    ).map(tuple),
    extra=extra,
)


@settings(max_examples=60, deadline=None)
@given(take=takes, slot=slots, sequence=sequences)
def test_values_come_back_from_an_otio_file_as_they_went_in(take, slot, sequence):
    timeline = otio.schema.Timeline("cut")
    clip = otio.schema.Clip("c", otio.schema.ExternalReference("a.mov"))
    timeline.tracks.append(otio.schema.Track("V1", [clip]))
    set_sequence(timeline, sequence)
    set_slot(clip, slot)
    set_take(clip.media_reference, take)
    back = otio.adapters.read_from_string(timeline.to_json_string(), "otio_json")
    found = next(iter(back.find_clips()))
    assert get_sequence(back) == sequence
    assert get_slot(found) == slot
    assert get_take(found.media_reference) == take


@settings(max_examples=40, deadline=None)
@given(value=takes | slots | sequences)
def test_every_value_is_valid_by_the_published_schema(value):
    data = {"version": names.PAYLOAD_VERSION, **value.to_data()}
    plain = json.loads(otio.core.serialize_json_to_string(data, indent=-1))
    schema = make_schema()
    root = {**schema, "$ref": f"#/$defs/{type(value).__name__}"}
    del root["anyOf"]
    jsonschema.Draft202012Validator(root).validate(plain)


def test_the_published_schema_is_current():
    assert SCHEMA_FILE.read_text(encoding="utf-8") == schema_text(), "run `make schema`"


def test_the_published_schema_is_a_schema_and_refuses_other_shapes():
    schema = make_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    take = {**schema, "$ref": "#/$defs/Take"}
    del take["anyOf"]
    validator = jsonschema.Draft202012Validator(take)
    assert not validator.is_valid({"version": 1})
    assert not validator.is_valid({"take_id": "t", "role": "boss"})
    assert validator.is_valid({"take_id": "t", "role": "temp", "later": {"key": 1}})


@pytest.mark.parametrize("record", PLACES.values(), ids=lambda r: r.__name__)
def test_values_are_frozen(record):
    required = {"Slot": {"slot_id": "s"}, "Take": {"take_id": "t"}, "Note": {"about": "s"}}
    value = record(**required.get(record.__name__, {}))
    with pytest.raises(dataclasses.FrozenInstanceError):
        value.extra = {}


def test_unknown_keys_are_kept_on_every_level():
    data = {"take_id": "t", "later": [1, {"a": None}], "generation": {"seed": 0, "novel": True}}
    take = Take.from_data(data)
    assert take.generation.seed == 0
    assert take.to_data() == {**data, "role": "take"} or take.to_data() == data
    assert take.replace(number=2).to_data()["generation"]["novel"] is True


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({}, "take_id missing"),
        ({"take_id": 3}, "Take.take_id: found int '3', expected str"),
        ({"take_id": "t", "role": "lead"}, "expected one of temp, take"),
        ({"take_id": "t", "appearances": "mira"}, "expected a list"),
        (
            {"take_id": "t", "appearances": [{"character_id": "m", "score": {"value": "high"}}]},
            "Take.appearances[0].score.value",
        ),
        ({"take_id": "t", "generation": {"seed": True}}, "Take.generation.seed"),
        ("a string", "expected Take"),
    ],
)
def test_a_wrong_shape_is_refused_with_its_place(data, words):
    with pytest.raises(InvalidValueError) as refusal:
        Take.from_data(data)
    assert words in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_score_that_is_no_number_is_refused(value):
    with pytest.raises(InvalidValueError, match="finite"):
        Score(value=value)
    with pytest.raises(InvalidValueError, match="finite"):
        Appearance.from_data({"character_id": "m", "score": {"value": value}})


def test_a_time_that_is_no_time_is_refused():
    with pytest.raises(InvalidValueError):
        Placement(source_range=TimeRange(RationalTime(float("nan"), 24), RationalTime(1, 24)))


def test_a_seed_beyond_what_otio_holds_comes_back_as_the_same_number():
    clip = otio.schema.Clip("c", otio.schema.ExternalReference("a.mov"))
    take = Take(take_id="t", generation=Generation(seed=2**64 - 1))
    set_take(clip.media_reference, take)
    back = otio.adapters.read_from_string(clip.to_json_string(), "otio_json")
    assert get_take(back.media_reference) == take


def test_data_of_a_newer_version_is_left_alone():
    clip = otio.schema.Clip("c")
    clip.metadata["castline"] = {"version": names.PAYLOAD_VERSION + 1, "slot_id": "s"}
    with pytest.raises(NewerVersionError, match="newer castline"):
        get_slot(clip)


def test_what_is_not_a_dict_under_our_key_is_refused():
    clip = otio.schema.Clip("c")
    clip.metadata["castline"] = "mine"
    with pytest.raises(InvalidValueError, match="expected a dict"):
        get_slot(clip)


def test_times_are_opentime_in_the_metadata():
    clip = otio.schema.Clip("c", otio.schema.ExternalReference("a.mov"))
    set_take(clip.media_reference, Take(take_id="t", placement=Placement(source_range=HALF_OPEN)))
    reference = clip.media_reference
    assert reference.metadata["castline"]["placement"]["source_range"] == HALF_OPEN


def test_a_character_is_found_by_id_or_name_whatever_the_case():
    cast = Cast(characters=(Character(character_id="chr_01", name="Mira"),))
    assert cast.find("CHR_01") == cast.find("mira") == cast.characters[0]
    assert cast.find("jon") is None
