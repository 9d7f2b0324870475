"""Clips in what has a range or a pace of its own are published as the cut shows them."""

from __future__ import annotations

from fractions import Fraction

import pytest
from opentimelineio import schema
from published import clip_of, cut_of, frames, opened, plate, write_stage

import castline
from castline.adapters.usd.publishing.seen import Seen, as_seen
from castline.schemas.errors import InvalidValueError
from castline.schemas.places import get_take, set_take
from castline.schemas.retime_program import Program
from castline.schemas.takes import add_take, placement_of
from castline.schemas.values import Placement, Take

pytest.importorskip("pxr")

CAMERAS = "".join(f'def Camera "{name}"\n{{\n}}\n' for name in ("sh010", "sh020", "sh030"))


def clips(folder):
    """Return three clips of a dozen pictures each, their numbers 1 to 12."""
    return [clip_of(folder / "takes", name) for name in ("sh010", "sh020", "sh030")]


def nested(*inside, trim=None, effects=()):
    """Return a track with clips, in a stack with a range and effects."""
    nest = schema.Stack("nest", [schema.Track("inner", list(inside))], trim)
    nest.effects[:] = effects
    return nest


def published(folder, *items, span=(1001, 1100)):
    stage = write_stage(folder / "seq.usda", CAMERAS, span=span)
    return castline.publish(cut_of(*items), stage, folder / "out")


def plates(found) -> dict[str, tuple[float, str, str]]:
    """Return of each camera's plate the first time code, its picture, and the last picture."""
    stage = opened(found.root)
    shown = {name: plate(stage, f"/World/{name}") for name in ("sh010", "sh020", "sh030")}
    return {
        name: (min(times), times[min(times)], times[max(times)])
        for name, times in shown.items()
        if times
    }


def test_a_nest_trims_its_first_and_its_last_clip(tmp_path):
    one, two, three = clips(tmp_path)
    found = published(tmp_path, nested(one, two, three, trim=frames(4, 26)))
    assert found.losses == []
    assert plates(found) == {
        "sh010": (1001, "sh010_v1.0005.png", "sh010_v1.0012.png"),
        "sh020": (1009, "sh020_v1.0001.png", "sh020_v1.0012.png"),
        "sh030": (1021, "sh030_v1.0001.png", "sh030_v1.0006.png"),
    }


def test_what_follows_a_nest_lies_after_what_is_seen_of_it(tmp_path):
    one, two, three = clips(tmp_path)
    found = published(tmp_path, nested(one, two, trim=frames(6, 10)), three)
    assert plates(found) == {
        "sh010": (1001, "sh010_v1.0007.png", "sh010_v1.0012.png"),
        "sh020": (1007, "sh020_v1.0001.png", "sh020_v1.0004.png"),
        "sh030": (1011, "sh030_v1.0001.png", "sh030_v1.0012.png"),
    }


def test_a_clip_that_is_trimmed_away_is_not_published(tmp_path):
    one, two, three = clips(tmp_path)
    found = published(tmp_path, nested(one, two, three, trim=frames(12, 12)))
    assert plates(found) == {"sh020": (1001, "sh020_v1.0001.png", "sh020_v1.0012.png")}
    assert [(loss.where, loss.field) for loss in found.losses] == [
        ("sh010", "clip"),
        ("sh030", "clip"),
    ]
    assert "shows nothing" in found.losses[0].reason
    with pytest.raises(InvalidValueError, match="shows nothing"):
        published(tmp_path / "b", nested(clips(tmp_path / "b")[0], trim=frames(40, 2)))


def test_nests_in_nests_trim_one_another(tmp_path):
    one, two, _ = clips(tmp_path)
    inner = nested(one, two, trim=frames(4, 16))  # 5..12 and 1..8
    found = published(tmp_path, nested(inner, trim=frames(2, 10)))
    assert found.losses == []
    assert plates(found) == {
        "sh010": (1001, "sh010_v1.0007.png", "sh010_v1.0012.png"),
        "sh020": (1007, "sh020_v1.0001.png", "sh020_v1.0004.png"),
    }


def test_a_retimed_clip_in_a_trimmed_nest_shows_the_pictures_that_the_cut_shows(tmp_path):
    one, two, _ = clips(tmp_path)
    one.source_range = frames(1, 6)
    one.effects.append(schema.LinearTimeWarp(time_scalar=2.0))  # pictures 1 3 5 7 9 11
    found = published(tmp_path, nested(one, two, trim=frames(2, 6)))
    assert found.losses == []
    shown = plate(opened(found.root), "/World/sh010")
    assert list(shown.values()) == [f"sh010_v1.{number:04d}.png" for number in (5, 7, 9, 11)]
    assert min(shown) == 1001


def test_other_takes_are_trimmed_with_the_one_shown(tmp_path):
    one, two, _ = clips(tmp_path)
    second = one.media_references()["second"]
    placement = Placement(source_range=frames(3, 9), effects=placement_of(one).effects)
    set_take(second, get_take(second).replace(placement=placement))
    found = published(tmp_path, nested(one, two, trim=frames(4, 10)))
    stage = opened(found.root)
    camera = stage.GetPrimAtPath("/World/sh010")
    variants = camera.GetVariantSet("take")
    variants.SetVariantSelection(next(n for n in variants.GetVariantNames() if "second" in n))
    shown = plate(stage, "/World/sh010")
    assert (min(shown), shown[min(shown)]) == (1001, "sh010_v2.0007.png")


def test_a_nest_at_another_pace_is_named_and_lies_at_its_time(tmp_path):
    one, two, three = clips(tmp_path)
    twice = schema.LinearTimeWarp(time_scalar=2.0)
    found = published(tmp_path, nested(one, two, trim=frames(0, 12), effects=[twice]), three)
    assert [(loss.where, loss.field) for loss in found.losses] == [
        ("sh010", "time"),
        ("sh020", "time"),
    ]
    assert "pace" in found.losses[0].reason
    assert {name: shown[0] for name, shown in plates(found).items()} == {
        "sh010": 1001,
        "sh020": 1007,
        "sh030": 1013,
    }


def test_a_trimmed_track_trims_as_a_nest_does(tmp_path):
    cut = cut_of(*clips(tmp_path))
    cut.tracks[0].source_range = frames(6, 12)
    stage = write_stage(tmp_path / "seq.usda", CAMERAS, span=(1001, 1100))
    found = castline.publish(cut, stage, tmp_path / "out")
    assert plates(found) == {
        "sh010": (1001, "sh010_v1.0007.png", "sh010_v1.0012.png"),
        "sh020": (1007, "sh020_v1.0001.png", "sh020_v1.0006.png"),
    }


def test_the_one_shot_of_a_stage_is_trimmed_by_its_nest(tmp_path):
    one, _, _ = clips(tmp_path)
    stage = write_stage(tmp_path / "sh010.usda")
    found = castline.publish(cut_of(nested(one, trim=frames(2, 5))), stage, tmp_path / "out")
    shown = plate(opened(found.root), "/World/cam")
    assert list(shown.values()) == [f"sh010_v1.{number:04d}.png" for number in range(3, 8)]
    assert (min(shown), max(shown)) == (1001, 1005)
    assert opened(found.root).GetEndTimeCode() == 1005


def numbers(found, camera: str) -> list[int]:
    """Return the numbers of the pictures that a camera's plate shows, in order."""
    shown = plate(opened(found.root), f"/World/{camera}")
    return [int(name.split(".")[1]) for _, name in sorted(shown.items())]


@pytest.mark.parametrize(
    ("trim", "seen"), [((0, 8), [12, 11, 10, 9, 8, 7, 6, 5]), ((4, 8), [8, 7, 6, 5, 4, 3, 2, 1])]
)
def test_a_backward_clip_is_trimmed_at_the_end_that_is_not_seen(trim, seen, tmp_path):
    one, two, _ = clips(tmp_path)
    one.effects.append(schema.LinearTimeWarp(time_scalar=-1.0))
    found = published(tmp_path, nested(one, trim=frames(*trim)), two)
    assert found.losses == []
    assert numbers(found, "sh010") == seen


def test_a_take_without_a_placement_of_its_own_is_trimmed_too(tmp_path):
    one, two, _ = clips(tmp_path)
    second = one.media_references()["second"]
    set_take(second, get_take(second).replace(placement=Placement()))
    found = published(tmp_path, nested(one, two, trim=frames(4, 10)))
    stage = opened(found.root)
    variants = stage.GetPrimAtPath("/World/sh010").GetVariantSet("take")
    variants.SetVariantSelection(next(n for n in variants.GetVariantNames() if "second" in n))
    shown = plate(stage, "/World/sh010")
    assert (min(shown), shown[min(shown)]) == (1001, "sh010_v2.0005.png")


def test_a_clip_of_the_stage_itself_keeps_its_time_where_its_head_is_trimmed(tmp_path):
    one, two, _ = clips(tmp_path)
    own = schema.ExternalReference(str(tmp_path / "seq.usda"), frames(1021, 12))
    add_take(one, "stage", own, Take(take_id="stage"))
    for items, first in (([one, two], 1), ([nested(one.deepcopy(), trim=frames(4, 8)), two], 5)):
        found = published(tmp_path, *(item.deepcopy() for item in items))
        shown = plate(opened(found.root), "/World/sh010")
        assert {time - int(name.split(".")[1]) for time, name in shown.items()} == {1020}
        assert min(shown) == 1020 + first


def unreadable(*inside, trim):
    return nested(*inside, trim=trim, effects=[schema.TimeEffect("odd", "Odd")])


def test_a_nest_that_cannot_be_read_takes_only_its_own_clips_away(tmp_path):
    one, two, three = clips(tmp_path)
    found = published(tmp_path, one, unreadable(two, trim=frames(4, 6)), three)
    assert plates(found) == {
        "sh010": (1001, "sh010_v1.0001.png", "sh010_v1.0012.png"),
        "sh030": (1019, "sh030_v1.0001.png", "sh030_v1.0012.png"),
    }
    assert [(loss.where, loss.field) for loss in found.losses] == [("sh020", "clip")]
    assert "Odd" in found.losses[0].reason or "odd" in found.losses[0].reason


def test_the_one_shot_in_a_nest_that_cannot_be_read_is_published_and_said(tmp_path):
    one, _, _ = clips(tmp_path)
    cut = cut_of(unreadable(one, trim=frames(4, 6)))
    found = castline.publish(cut, write_stage(tmp_path / "sh010.usda"), tmp_path / "out")
    assert [(loss.where, loss.field) for loss in found.losses] == [("sh010", "time")]
    assert "by itself" in found.losses[0].reason


def test_many_takes_are_trimmed_without_copying_all_for_each(tmp_path, monkeypatch):
    one, _, _ = clips(tmp_path)
    placement = Placement(source_range=frames(1, 12))
    for number in range(100):
        reference = schema.ExternalReference(f"v{number}.mov", frames(1, 12))
        add_take(one, f"t{number}", reference, Take(take_id=f"t{number}", placement=placement))
    copies = []
    real = schema.Clip.deepcopy
    monkeypatch.setattr(
        schema.Clip, "deepcopy", lambda clip, *rest: copies.append(clip) or real(clip, *rest)
    )
    seen = Seen(Fraction(0), Fraction(4, 24), Fraction(8, 24), is_whole=False, is_at_pace=True)
    shown, odd = as_seen(one, seen, Program.OTHER)
    assert odd is None
    assert len(copies) == 1
    found = get_take(shown.media_references()["t99"]).placement.source_range
    assert (found.start_time.value, found.duration.value) == (5, 8)
