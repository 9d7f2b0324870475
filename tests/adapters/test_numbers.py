"""Floats go through OTIO's JSON reader unchanged."""

from __future__ import annotations

import json
import math
import random

import opentimelineio as otio
from hypothesis import example, given, settings
from hypothesis import strategies as st

from castline.adapters.carrier.numbers import write_exactly

magnitudes = st.floats(min_value=1e-40, max_value=1e40)
finite = magnitudes | magnitudes.map(lambda value: -value) | st.just(0.0)


def _through_otio(value: float) -> float:
    text = write_exactly(json.dumps({"value": value}))
    return otio.core.deserialize_json_from_string(text)["value"]


@settings(max_examples=500, deadline=None)
@given(finite)
@example(7.631622450181367e-27)
@example(0.1 + 0.2)
@example(1e22)
def test_no_float_is_more_than_a_unit_in_the_last_place_off(value):
    found = _through_otio(value)
    assert abs(found - value) <= 2 * math.ulp(value)
    assert math.copysign(1, found) == math.copysign(1, value)


def test_nearly_every_float_is_exact():
    dice = random.Random(7)
    values = [dice.uniform(-1, 1) * 10 ** dice.uniform(-6, 9) for _ in range(20_000)]
    plain = sum(
        otio.core.deserialize_json_from_string(repr({"v": v}).replace("'", '"'))["v"] != v
        for v in values
    )
    off = sum(_through_otio(value) != value for value in values)
    assert off * 400 < len(values)
    assert off * 20 < plain, "OTIO reads exactly by itself now: this module can go"


@given(st.text(st.characters(codec="utf-8")) | st.integers(-(2**63), 2**63 - 1))
@example('":0.12345678901234567,"')
@example("\\")
@example('x"e1')
def test_texts_and_integers_are_left_alone(value):
    text = json.dumps({"value": value, "other": 0.12345678901234567})
    assert json.loads(write_exactly(text))["value"] == value
