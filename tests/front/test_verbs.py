"""The verbs on the demo's material: plan, conform, decide, deliver, check, info."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import opentimelineio as otio
import pytest

import castline
from castline import plans
from castline.demo import CUT, draw
from castline.schemas.decisions import stale_reason
from castline.schemas.errors import (
    CastlineError,
    InvalidValueError,
    NeedsPersonError,
    UnreadableFileError,
    UnwritableFileError,
    UsageError,
)
from castline.schemas.places import get_sequence, get_slot, get_take, set_take
from castline.schemas.slots import slots_of
from castline.schemas.takes import active_take, switch_take, takes_of


@pytest.fixture(scope="module")
def material(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("material")
    draw(folder)
    return folder


@pytest.fixture(scope="module")
def cast(material):
    return castline.read_cast(material / "cast")


@pytest.fixture(scope="module")
def plan(material, cast):
    return castline.plan(castline.read(material / CUT), material / "takes", cast=cast, handles=8)


@pytest.fixture
def conformed(material, plan, cast):
    return castline.conform(castline.read(material / CUT), plan, cast=cast)


def _offer(plan, file):
    return next(offer for offer in plan.offers if offer.file.startswith(file))


def test_every_take_is_planned_with_a_reason(plan):
    assert len(plan.offers) == 12
    assert all(offer.reason for offer in plan.offers)
    assert _offer(plan, "PIER").slot_id == "SQ010_SH110"
    assert "marker or comment" in _offer(plan, "PIER").reason
    assert _offer(plan, "Gen-4").slot_id == "SQ010_SH120"
    assert "manifest" in _offer(plan, "Gen-4").reason


def test_the_plan_says_what_a_person_must_decide(plan):
    questions = {question.where: question for question in plan.questions}
    assert set(questions) == {"SQ010_SH090_ai_v001.mp4", "SQ010_SH050"}
    assert "14 short" in questions["SQ010_SH090_ai_v001.mp4"].message
    assert len(questions["SQ010_SH050"].candidates) == 2
    assert plan.open_slots == ("SQ010_SH070", "SQ010_SH090")


def test_a_retimed_slot_is_noted(plan):
    checks = {check.what: check for check in _offer(plan, "SQ010_SH080").checks}
    assert checks["retime"].verdict == "note"
    assert "200%" in checks["retime"].message


def test_characters_and_generation_are_known_from_the_file_itself(plan):
    offer = _offer(plan, "SQ010_SH030")
    assert offer.characters == ("mira", "jon") or offer.characters == ("jon", "mira")
    assert offer.characters_reason == "named in the prompt"
    assert offer.generation.seed == 103
    assert offer.generation.model == "castline_demo_v1.safetensors"
    assert json.loads(offer.generation.record)["5"]["class_type"] == "KSampler"


def test_a_plan_comes_back_from_its_file(plan, tmp_path):
    plans.write(plan, tmp_path / "plan.json")
    assert plans.read(tmp_path / "plan.json") == plan


def test_planning_changes_nothing(material, cast):
    cut = castline.read(material / CUT)
    before = cut.to_json_string()
    castline.plan(cut, material / "takes", cast=cast)
    assert cut.to_json_string() == before


def test_conforming_shows_the_takes_and_keeps_the_temp(conformed):
    slot = slots_of(conformed)["SQ010_SH010"]
    assert active_take(slot).role == "take"
    assert slot.source_range.start_time.value == 8
    assert slot.media_reference.target_url.startswith("file://")
    assert slot.media_reference.target_url.endswith("SQ010_SH010_ai_v001.mp4")
    assert {take.role for take in takes_of(slot).values()} == {"take", "temp"}
    switch_take(slot, "DEFAULT_MEDIA")
    assert slot.source_range.start_time.value == 86400 + 2400


def test_conforming_never_changes_the_length_of_the_cut(material, conformed):
    before = castline.read(material / CUT)
    lengths = [
        [c.trimmed_range().duration for c in cut.find_clips()] for cut in (before, conformed)
    ]
    assert lengths[0] == lengths[1]
    assert before.duration() == conformed.duration()


def test_two_takes_for_one_slot_are_both_there_and_neither_is_shown(conformed):
    slot = slots_of(conformed)["SQ010_SH050"]
    assert sorted(t.number for t in takes_of(slot).values()) == [0, 1, 2]
    assert active_take(slot).role == "temp"


def test_a_take_that_does_not_fit_is_left_out(conformed):
    assert not takes_of(slots_of(conformed)["SQ010_SH090"])


def test_every_slot_and_take_knows_its_characters(conformed):
    slot = slots_of(conformed)["SQ010_SH030"]
    assert {e.character_id for e in get_slot(slot).expected} == {"mira", "jon"}
    assert {a.character_id for a in active_take(slot).appearances} == {"mira", "jon"}
    cast = get_sequence(conformed).cast
    assert [c.character_id for c in cast.characters] == ["jon", "mira"]
    assert all(r.sha256 for c in cast.characters for r in c.references)


def test_planning_again_offers_nothing_twice(material, conformed, cast):
    again = castline.plan(conformed, material / "takes", cast=cast)
    attached = [o for o in again.offers if "already" in o.reason]
    assert len(attached) == 11
    result = castline.conform(conformed, again, cast=cast)
    assert result.is_equivalent_to(conformed)


def test_a_plan_for_another_cut_is_refused(plan):
    other = otio.schema.Timeline("other", [otio.schema.Track("V1")])
    with pytest.raises(InvalidValueError, match="which the cut does not have"):
        castline.conform(other, plan)


def test_two_shown_takes_in_one_slot_are_refused(material, plan):
    offers = tuple(o.replace(show=o.attach) for o in plan.offers)
    with pytest.raises(InvalidValueError, match="expected one"):
        castline.conform(castline.read(material / CUT), plan.replace(offers=offers))


def test_a_decision_names_take_file_and_frames(conformed):
    said = [{"slot": "SQ010_SH010", "verdict": "approved", "by": "ann", "note": "good"}]
    decided = castline.decide(conformed, said)
    slot = slots_of(decided)["SQ010_SH010"]
    (decision,) = get_slot(slot).decisions
    assert decision.take_id == active_take(slot).take_id
    assert decision.sha256 == active_take(slot).sha256
    assert decision.media_range == slot.source_range
    assert stale_reason(decision, slot) is None
    assert not get_slot(slots_of(conformed)["SQ010_SH010"]).decisions


def test_a_decision_goes_stale_when_the_file_changes(conformed):
    said = [{"slot": "SQ010_SH010", "verdict": "approved", "by": "ann"}]
    decided = castline.decide(conformed, said)
    slot = slots_of(decided)["SQ010_SH010"]
    set_take(slot.media_reference, get_take(slot.media_reference).replace(sha256="f" * 64))
    problems = [p for p in castline.check(decided) if p.rule == "decisions-hold"]
    assert [p.where for p in problems] == ["SQ010_SH010"]
    assert "the file has changed" in problems[0].message


def test_checking_looks_at_the_files_themselves(material, cast, tmp_path):
    takes = tmp_path / "takes"
    shutil.copytree(material / "takes", takes)
    cut = castline.read(material / CUT)
    conformed = castline.conform(cut, castline.plan(cut, takes, cast=cast))
    decided = castline.decide(
        conformed, [{"slot": "SQ010_SH010", "verdict": "approved", "by": "ann"}]
    )
    assert not {"unchanged-media", "decisions-hold"} & {p.rule for p in castline.check(decided)}
    shutil.copyfile(takes / "SQ010_SH020_ai_v001.mp4", takes / "SQ010_SH010_ai_v001.mp4")
    found = {p.rule: p for p in castline.check(decided)}
    assert found["unchanged-media"].where == "SQ010_SH010"
    assert "the file has changed" in found["decisions-hold"].message


def test_slots_that_show_nothing_are_named(conformed):
    problems = [p for p in castline.check(conformed) if p.rule == "filled-slots"]
    assert {p.where for p in problems} == {"SQ010_SH050", "SQ010_SH070", "SQ010_SH090"}


def test_slots_that_have_takes_are_not_open(material, conformed):
    again = castline.plan(conformed, material / "takes")
    assert again.open_slots == ("SQ010_SH070", "SQ010_SH090")


def test_earlier_decisions_stay(conformed):
    one = castline.decide(conformed, [{"slot": "SQ010_SH010", "verdict": "hold", "by": "ann"}])
    two = castline.decide(one, [{"slot": "SQ010_SH010", "verdict": "approved", "by": "bo"}])
    said = get_slot(slots_of(two)["SQ010_SH010"]).decisions
    assert [d.verdict for d in said] == ["hold", "approved"]


def test_deciding_can_show_the_take(conformed):
    said = {"slot": "SQ010_SH050", "take": "latest", "verdict": "approved", "by": "ann"}
    decided = castline.decide(conformed, [{**said, "show": True}])
    assert active_take(slots_of(decided)["SQ010_SH050"]).number == 2


@pytest.mark.parametrize(
    ("said", "error", "words"),
    [
        ({"slot": "nope", "verdict": "approved", "by": "a"}, InvalidValueError, "no slot"),
        (
            {"slot": "SQ010_SH010", "verdict": "fine", "by": "a"},
            InvalidValueError,
            "expected one of",
        ),
        ({"slot": "SQ010_SH010", "verdict": "approved"}, NeedsPersonError, "nobody is named"),
        (
            {"slot": "SQ010_SH010", "take": "t9", "verdict": "hold", "by": "a"},
            InvalidValueError,
            "t9",
        ),
        (
            {"slot": "SQ010_SH010", "verdict": "hold", "by": "a", "x": 1},
            InvalidValueError,
            "found x",
        ),
        ({"slot": "SQ010_SH070", "verdict": "hold", "by": "a"}, InvalidValueError, "has none"),
        ({"slot": "SQ010_SH010", "verdict": "hold", "show": "no"}, InvalidValueError, "true or"),
        ({"slot": "SQ010_SH010", "verdict": "hold", "at": "noon"}, InvalidValueError, "ISO"),
    ],
)
def test_a_decision_on_what_is_not_there_is_refused(conformed, said, error, words):
    with pytest.raises(error, match=words):
        castline.decide(conformed, [said])


def test_a_delivery_names_every_difference(conformed, tmp_path):
    deliveries = castline.deliver(conformed, ["edl", "otio", "ale"], tmp_path / "out")
    found = {delivery.format: delivery for delivery in deliveries}
    assert found["otio"].losses == ()
    assert found["edl"].returned == found["edl"].clips == 12
    assert {loss.field for loss in found["ale"].losses} >= {"object", "metadata.cmx_3600"}
    names = {path.name for path in (tmp_path / "out").iterdir()}
    stem = "LIGHTHOUSE_SQ010_V012"
    assert names == {f"{stem}.edl", f"{stem}.ale", f"{stem}.otio", "losses.json", "losses.md"}
    document = json.loads((tmp_path / "out" / "losses.json").read_text())
    assert len(document["formats"]["ale"]["losses"]) == len(found["ale"].losses)


def test_a_refused_format_does_not_stop_the_others(conformed, tmp_path):
    conformed.tracks.append(otio.schema.Track("V2", [otio.schema.Clip("x")], kind="Video"))
    edl, other = castline.deliver(conformed, ["edl", "otio"], tmp_path / "out")
    assert "Only a single video track" in edl.error
    assert not (tmp_path / "out" / edl.file).exists()
    assert other.error is None


def test_a_delivery_does_not_replace_what_stands_there(conformed, tmp_path):
    castline.deliver(conformed, ["edl"], tmp_path / "out")
    before = {path: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    with pytest.raises(UnwritableFileError, match="exists"):
        castline.deliver(conformed, ["edl", "ale"], tmp_path / "out")
    assert {path: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before
    castline.deliver(conformed, ["edl"], tmp_path / "out", overwrite=True)


def test_an_unknown_format_is_a_question_of_usage(conformed, tmp_path):
    with pytest.raises(UsageError, match="betamax"):
        castline.deliver(conformed, ["betamax"], tmp_path)
    assert not list(tmp_path.iterdir())


def test_checking_finds_media_that_is_offline(conformed):
    slot = slots_of(conformed)["SQ010_SH010"]
    slot.media_reference.target_url = "file:///nowhere/gone.mp4"
    problems = [p for p in castline.check(conformed) if p.rule == "online-media"]
    assert [(p.where, p.severity) for p in problems] == [("SQ010_SH010", "error")]


def test_checking_finds_a_clip_that_outruns_its_media(conformed):
    slot = slots_of(conformed)["SQ010_SH010"]
    slot.source_range = otio.opentime.TimeRange(
        otio.opentime.RationalTime(20, 24), slot.source_range.duration
    )
    problems = [p for p in castline.check(conformed) if p.rule == "media-covers-clip"]
    assert [p.message for p in problems] == ["media is 4 frames short"]


def test_a_conformed_cut_has_no_errors(conformed):
    assert [p for p in castline.check(conformed) if p.severity == "error"] == []


def test_info_counts_what_is_there(conformed):
    facts = castline.info(conformed)
    assert (facts["clips"], facts["slots"], facts["takes"]) == (12, 12, 11)
    assert facts["cast"] == ["Jon", "Mira"] or facts["cast"] == ["jon", "mira"]


@pytest.mark.parametrize(("value", "rate"), [(float("inf"), 24), (float("nan"), 24), (1, 0)])
def test_a_time_that_is_none_is_called_so(conformed, value, rate):
    conformed.global_start_time = otio.opentime.RationalTime(value, rate)
    assert castline.info(conformed)["start"] == "no time"


def test_an_empty_folder_of_takes_is_said(material, tmp_path):
    with pytest.raises(UnreadableFileError, match="no takes"):
        castline.plan(castline.read(material / CUT), tmp_path)


def test_a_take_that_cannot_be_read_is_a_question_and_stops_nothing(material, tmp_path):
    (tmp_path / "SQ010_SH010_broken.mp4").write_bytes(b"no movie at all")
    good = material / "takes" / "SQ010_SH020_ai_v001.mp4"
    (tmp_path / good.name).write_bytes(good.read_bytes())
    plan = castline.plan(castline.read(material / CUT), tmp_path)
    assert [o.slot_id for o in plan.offers] == ["SQ010_SH020"]
    assert "cannot be read" in plan.questions[0].message


def test_every_error_is_castlines_own(material, tmp_path):
    for call in (
        lambda: castline.read(tmp_path / "none.otio"),
        lambda: castline.read(tmp_path),
        lambda: castline.write(castline.read(material / CUT), tmp_path / "x.betamax"),
    ):
        with pytest.raises(CastlineError) as refusal:
            call()
        assert "\n" not in str(refusal.value)
