"""What OTIO's JSON reader refuses is refused before it is asked."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import opentimelineio as otio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from castline.schemas.errors import InvalidValueError
from castline.schemas.revive import require_sound, revive

_TIME = {"OTIO_SCHEMA": "RationalTime.1", "rate": 24.0, "value": 1.0}
_RANGE = {"OTIO_SCHEMA": "TimeRange.1", "duration": _TIME, "start_time": _TIME}
_POINT = {"OTIO_SCHEMA": "V2d.1", "x": 0.0, "y": 0.0}
_VALUES: dict[str, dict[str, Any]] = {
    "RationalTime": _TIME,
    "TimeRange": _RANGE,
    "TimeTransform": {
        "OTIO_SCHEMA": "TimeTransform.1",
        "offset": _TIME,
        "rate": 24.0,
        "scale": 1.0,
    },
    "V2d": _POINT,
    "Box2d": {"OTIO_SCHEMA": "Box2d.1", "min": _POINT, "max": _POINT},
    "Color": {
        "OTIO_SCHEMA": "Color.1",
        "r": 0.0,
        "g": 0.0,
        "b": 0.0,
        "a": 0.0,
        "name": "black",
    },
}


def _json_of(live: Any) -> dict[str, Any]:
    return json.loads(otio.core.serialize_json_to_string(live, indent=-1))


_OBJECTS = {
    made.__name__: _json_of(made())
    for made in (
        *(otio.schema.Gap, otio.schema.Track, otio.schema.Stack, otio.schema.Timeline),
        *(otio.schema.Transition, otio.schema.Marker, otio.schema.Effect),
        *(otio.schema.TimeEffect, otio.schema.LinearTimeWarp, otio.schema.FreezeFrame),
        *(otio.schema.MissingReference, otio.schema.ExternalReference),
        *(otio.schema.GeneratorReference, otio.schema.ImageSequenceReference),
        *(otio.schema.SerializableCollection, otio.core.Item, otio.core.Composable),
        *(otio.core.Composition, otio.core.MediaReference),
        *(otio.core.SerializableObjectWithMetadata, otio.core.SerializableObject),
    )
} | {"Clip": _json_of(otio.schema.Clip(media_reference=otio.schema.MissingReference()))}
_OLD = {
    "Clip.1": {
        **_OBJECTS["Gap"],
        "OTIO_SCHEMA": "Clip.1",
        "media_reference": _OBJECTS["MissingReference"],
    },
    "Marker.1": {
        "OTIO_SCHEMA": "Marker.1",
        "range": _RANGE,
        "name": "",
        "metadata": {},
        "color": "RED",
        "comment": "",
    },
    "Sequence": {**_OBJECTS["Track"], "OTIO_SCHEMA": "Sequence.1"},
    "Filler": {**_OBJECTS["Gap"], "OTIO_SCHEMA": "Filler.1"},
}
_PLAIN: list[Any] = [None, True, 1, -1, 2**63, 2**64, 10**30, 1.5, "x", [], {}, [1], {"a": 1}]
_PLAIN += [[None], {"a": None}, "error", {"OTIO_SCHEMA": "Foo.1", "a": 1}]
_ALONE = [*_VALUES.values(), *_OBJECTS.values(), *_OLD.values()]
_SAMPLES = [*_PLAIN, *_ALONE, *([each] for each in _ALONE), *({"a": each} for each in _ALONE)]


def _is_sound(document: Any) -> bool:
    try:
        require_sound(document)
    except InvalidValueError:
        return False
    return True


_ASKED = """
import sys, opentimelineio as otio
for text in sys.stdin:
    try:
        otio.core.deserialize_json_from_string(text)
        answer = "yes"
    except (ValueError, LookupError, RuntimeError, TypeError, otio.exceptions.OTIOError):
        answer = "no"
    print(answer, flush=True)
"""


def _what_otio_reads(documents: list[Any]) -> list[bool]:
    """Ask OTIO in a process of its own, since it may end: that is no better than a refusal."""
    texts = [json.dumps(document) for document in documents]
    answers: list[bool] = []
    while len(answers) < len(texts):
        asked = "\n".join(texts[len(answers) :])
        done = subprocess.run(
            [sys.executable, "-c", _ASKED],
            input=asked,
            capture_output=True,
            text=True,
            check=False,
        )
        answers += [line == "yes" for line in done.stdout.split()]
        if done.returncode:
            answers.append(False)
    return answers


@pytest.mark.parametrize("name", [*_VALUES, *_OBJECTS, *_OLD])
def test_every_field_takes_what_otio_takes(name):
    whole = {**_VALUES, **_OBJECTS, **_OLD}[name]
    assert _is_sound(whole)
    fields = [key for key in whole if key != "OTIO_SCHEMA"]
    changed = [{**whole, field: value} for field in fields for value in _SAMPLES]
    changed += [{key: whole[key] for key in whole if key != field} for field in fields]
    for document, is_read in zip(changed, _what_otio_reads(changed), strict=True):
        if _is_sound(document) != is_read:
            # Dropped with all that it holds, or looked into though it is None: see `revive`.
            assert is_read, document
            assert name == "Timeline" or document["media_reference"] is not None
            assert name == "Clip.1" or document["tracks"] is None


@pytest.mark.parametrize(
    "label",
    ["Clip.3", "Clip.99", "Foo", "Foo.x", "Foo.", "Foo.99999999999", "", 5, None, ["Clip.2"]],
)
def test_a_label_that_otio_refuses_is_refused(label):
    bad = {"OTIO_SCHEMA": label, "effect_name": "", "children": []}
    assert _what_otio_reads([bad]) == [False]
    within = {**_OBJECTS["SerializableCollection"], "children": [bad]}
    for document in (
        bad,
        within,
        {"metadata": {"deep": [bad]}},
        {"OTIO_SCHEMA": "Foo.1", "in": bad},
    ):
        with pytest.raises(InvalidValueError, match="OTIO cannot read"):
            require_sound(document)


@pytest.mark.parametrize("label", ["Foo.1", "Foo.0", "Foo.Bar.7", ".1", "TimeRange.2", "Clip.0"])
def test_a_label_that_otio_takes_is_sound(label):
    document = {"OTIO_SCHEMA": label}
    assert _is_sound(document)
    assert _what_otio_reads([document]) == [True]


def test_what_would_end_the_process_is_refused():
    bad = {"OTIO_SCHEMA": "UnknownSchema.1"}
    assert _what_otio_reads([bad]) == [False]
    assert not _is_sound(bad)


@pytest.mark.parametrize(
    "bad",
    [
        {"OTIO_SCHEMA": "SerializableObjectRef.1", "id": "a"},
        {**_OBJECTS["Gap"], "OTIO_REF_ID": "a"},
        {**_OBJECTS["Clip"], "OTIO_SCHEMA": "Clip.1"},
        {**_OLD["Clip.1"], "media_reference": {"a": _OBJECTS["Gap"]}},
        {**_OLD["Marker.1"], "marked_range": _OBJECTS["Gap"]},
        {**_TIME, "more": _OBJECTS["Gap"]},
        {**_RANGE, "more": [_OBJECTS["Gap"]]},
    ],
)
def test_what_makes_otio_look_at_what_it_let_go_of_is_refused(bad):
    assert not _is_sound({**_OBJECTS["Gap"], "metadata": {"a": bad}})


_documents = st.recursive(
    st.sampled_from(_PLAIN) | st.sampled_from(_ALONE),
    lambda inner: st.builds(
        lambda whole, field, value: (
            {**whole, field: value} if isinstance(whole, dict) else [whole, value]
        ),
        inner,
        st.sampled_from(
            [
                *("metadata", "effects", "markers", "children", "media_references", "tracks"),
                *("source_range", "available_range", "name", "parameters", "anything"),
            ]
        ),
        inner | inner.map(lambda each: [each]) | inner.map(lambda each: {"a": each}),
    ),
    max_leaves=12,
)


@given(_documents)
def test_what_is_sound_is_read(document):
    whole = {**_OBJECTS["SerializableObjectWithMetadata"], "metadata": {"a": document}}
    if _is_sound(whole):
        assert revive(whole).metadata.keys() == {"a"}
