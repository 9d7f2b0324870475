"""AAF: what rides along, what the stock adapter does to it, and what an editor may do."""

from __future__ import annotations

import contextlib
import json

import aaf2
import opentimelineio as otio
import pytest
from opentimelineio.opentime import RationalTime, TimeRange
from otio_aaf_adapter.adapters import advanced_authoring_format as stock
from trip import SAMPLE, attach, clip_data, cuts, data_of, quiet, read_cut, travel

from castline.adapters import hooks
from castline.adapters.aaf import carrier as aaf
from castline.adapters.aaf import mobs
from castline.adapters.carrier import codec
from castline.adapters.carrier.restore import restore_timeline

FILE_MOB = "urn:smpte:umid:060a2b34.01010101.01010f00.13000000.060e2b34.7f7f2a80.59bab32d.de88792e"
LARGE = {
    "black_slug_avid2.edl",
    "speed_effects.edl",
    "STEM2_4k_ctm_ACES_239.otio",
}  # slow, no news


def span(start, length, rate=24.0):
    return TimeRange(RationalTime(start, rate), RationalTime(length, rate))


def movie(name, start=0, length=1000, rate=24.0):
    return otio.schema.ExternalReference(f"file:///m/{name}.mov", span(start, length, rate))


def clip(name, start=100, length=20, media=None, rate=24.0, note=True, **metadata):
    made = otio.schema.Clip(name, media or movie(name, rate=rate), span(start, length, rate))
    made.metadata.update(metadata)
    if note:
        made.metadata["castline"] = {"version": 1, "slot_id": f"slot_{name}", **SAMPLE}
    return made


def cut(*items, kind="Video", name="Schnitt é 雨", note=True):
    timeline = otio.schema.Timeline(name)
    timeline.global_start_time = RationalTime(86400, 24)
    timeline.tracks.append(otio.schema.Track("V1", items, kind=kind))
    if note:
        timeline.metadata["castline"] = {"version": 1, "cast": {"characters": []}, **SAMPLE}
    return timeline


def write(timeline, path):
    with quiet():
        otio.adapters.write_to_file(timeline, str(path))
    return path


def read(path):
    with quiet():
        return otio.adapters.read_from_file(str(path))


def trip(timeline, path):
    return read(write(timeline, path))


def raw(path):
    """What the stock adapter alone reads."""
    with quiet():
        return stock.read_from_file(str(path))


def by_slot(timeline):
    return {(data_of(c) or {}).get("slot_id", c.name): c for c in timeline.find_clips()}


def first(timeline):
    return timeline.find_clips()[0]


def names(timeline):
    return [c.name for c in timeline.find_clips()]


def by_name(timeline):
    return {item.name: item for item in timeline.find_clips()}


def unplaced(timeline):
    return (data_of(timeline) or {}).get("unplaced", [])


def mob_of(item):
    return item.metadata["AAF"]["MobID"]


def comments(item):
    return dict(item.metadata["AAF"].get("UserComments", {}))


def plain(item):
    return json.loads(item.to_json_string())


@contextlib.contextmanager
def by_hand(path):
    """Open the file as another program would, with the picture track's components."""
    with aaf2.open(str(path), "rw") as file:
        sequence = next(file.content.toplevel()).slots[0].segment
        yield file, sequence.components


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A plain cut as it was and as a file; tests edit copies of the file."""
    timeline = cut(*(clip(n, start=100 + 10 * k, length=20 + k) for k, n in enumerate("abcd")))
    for item in timeline.find_clips():
        take = movie(f"{item.name}_take")
        take.metadata["castline"] = {"version": 1, "take_id": f"t_{item.name}", **SAMPLE}
        item.set_media_references({"temp": item.media_reference, "take": take}, "temp")
        item.media_reference.metadata["castline"] = {"version": 1, "role": "temp", **SAMPLE}
    path = tmp_path_factory.mktemp("aaf") / "cut.aaf"
    return timeline, write(timeline, path)


@pytest.fixture
def edit(written, tmp_path):
    path = tmp_path / "edited.aaf"
    path.write_bytes(written[1].read_bytes())
    return path


# --- there and back


def test_everything_comes_back_with_plain_otio_and_no_arguments(written):
    timeline, path = written
    back = read(path)
    assert data_of(back) == data_of(timeline)
    for before, after in zip(timeline.find_clips(), back.find_clips(), strict=True):
        assert clip_data(after) == clip_data(before)
        assert after.source_range == before.source_range
        assert plain(after)["media_references"] == plain(before)["media_references"]


def test_callers_timeline_is_not_changed(tmp_path):
    timeline = cut(clip("a", media=otio.schema.MissingReference()))
    before = timeline.to_json_string()
    write(timeline, tmp_path / "x.aaf")
    assert timeline.to_json_string() == before


def test_people_see_a_line_and_no_trace_stays_after_reading(written):
    seen = first(raw(written[1]))
    assert comments(seen)["castline"] == codec.seal("slot_a")
    assert comments(seen)["castline_data_001"].startswith("%CASTLINE1 ")
    back = read(written[1])
    assert "%CASTLINE" not in back.to_json_string()
    assert "UserComments" not in first(back).metadata["AAF"]


def test_a_clip_without_data_has_no_line_for_people(tmp_path):
    bare = clip("b", note=False, media=otio.schema.MissingReference())
    path = write(cut(clip("a"), bare), tmp_path / "x.aaf")
    assert ["castline" in comments(c) for c in raw(path).find_clips()] == [True, False]
    assert plain(by_name(read(path))["b"])["media_references"] == plain(bare)["media_references"]


def test_large_payloads_are_spread_over_comments_that_the_format_can_hold(tmp_path):
    item = clip("a")
    item.metadata["castline"]["long"] = "雨🎬 " * 20_000
    timeline = cut(item)
    timeline.metadata["castline"]["long"] = "é" * 50_000
    path = write(timeline, tmp_path / "x.aaf")
    seen = comments(first(raw(path)))
    assert len(seen) > 10
    assert all(len(text) <= 32_000 for text in seen.values())
    back = read(path)
    assert data_of(first(back)) == data_of(item)
    assert data_of(back) == data_of(timeline)


def test_names_and_paths_outside_ascii_come_back(tmp_path):
    timeline = cut(clip("Übung 雨 🎬", media=movie("Füße 雨")))
    back = trip(timeline, tmp_path / "x.aaf")
    assert (back.name, names(back)) == ("Schnitt é 雨", ["Übung 雨 🎬"])
    assert first(back).media_reference.target_url == "file:///m/Füße 雨.mov"


def test_writing_what_was_read_gives_the_same(written, tmp_path):
    once = read(written[1])
    twice = trip(once, tmp_path / "again.aaf")
    for one, two in zip(once.find_clips(), twice.find_clips(), strict=True):
        assert clip_data(two) == clip_data(one)
        assert mob_of(two) == mob_of(one)
        assert two.source_range == one.source_range
    assert data_of(twice) == data_of(once)


def test_embedding_twice_is_embedding_once(written):
    once = hooks.embed_for(written[0], "x.aaf")
    assert hooks.embed_for(once, "x.aaf").to_json_string() == once.to_json_string()


def test_the_hook_alone_is_undone_without_a_file(written):
    back = restore_timeline(hooks.embed_for(written[0], "x.aaf"), (aaf,))
    assert data_of(back) == data_of(written[0])
    assert [data_of(c) for c in back.find_clips()] == [data_of(c) for c in written[0].find_clips()]
    assert all("AAF" not in c.metadata for c in back.find_clips())


def test_a_file_without_our_data_is_read_as_the_stock_adapter_reads_it(tmp_path):
    timeline = cut(clip("a", note=False, AAF={"MobID": FILE_MOB}), note=False)
    path = write(timeline, tmp_path / "x.aaf")
    assert read(path).to_json_string() == raw(path).to_json_string()


# --- mob ids


def test_the_same_cut_gives_the_same_mob_ids_and_each_use_its_own(tmp_path):
    def make():
        return cut(clip("a"), clip("a", start=300), clip("b", note=False), clip("b", note=False))

    first, second = (trip(make(), tmp_path / f"{n}.aaf") for n in "xy")
    ids = [mob_of(c) for c in first.find_clips()]
    assert ids == [mob_of(c) for c in second.find_clips()]
    assert len(set(ids)) == 4
    assert all(number.startswith(mobs.OWN_MOB) for number in ids)


def test_a_mob_id_without_a_slot_does_not_hang_on_the_clips_place(tmp_path):
    before = by_slot(trip(cut(clip("a"), clip("n", note=False)), tmp_path / "x.aaf"))
    after = by_slot(trip(cut(clip("n", note=False), clip("a")), tmp_path / "y.aaf"))
    assert {k: mob_of(c) for k, c in before.items()} == {k: mob_of(c) for k, c in after.items()}


def test_a_mob_id_that_came_with_the_file_is_kept(tmp_path):
    back = trip(cut(clip("a", AAF={"MobID": FILE_MOB})), tmp_path / "x.aaf")
    assert mob_of(first(back)) == FILE_MOB


def test_a_new_take_gets_a_mob_id_of_its_own_and_is_shown(tmp_path):
    old, new = movie("temp"), movie("take")
    old.metadata["AAF"] = {"ClassName": "SourceMob"}
    new.metadata["castline"] = {"version": 1, "take_id": "t1"}
    path_comment = {"MobID": FILE_MOB, "UserComments": {"UNC Path": "/m/temp.mov"}}
    item = clip("a", media=old, AAF=path_comment)
    item.set_media_references({"temp": old, "take": new}, "take")
    path = write(cut(item), tmp_path / "x.aaf")
    assert first(raw(path)).media_reference.target_url == "file:///m/take.mov"
    back = first(read(path))
    assert clip_data(back) == clip_data(item)
    assert mob_of(back) != FILE_MOB
    assert comments(back) == {"UNC Path": "/m/temp.mov"}


def test_uses_of_one_mob_each_get_their_own_data_name_range_and_media(tmp_path):
    own = {"MobID": FILE_MOB}
    items = [
        clip("a", media=movie("m", 0, 500), AAF=own),
        clip("b", start=300, media=movie("m", 50, 500), AAF=own),
        clip("c", start=100, media=movie("other"), AAF=own),
    ]
    path = write(cut(*items), tmp_path / "x.aaf")
    alone = list(raw(path).find_clips())
    assert [c.source_range.start_time.value for c in alone] == [100, 300, 100]
    assert alone[2].media_reference.target_url == "file:///m/other.mov"
    back = by_slot(read(path))
    for item in items:
        after = back[data_of(item)["slot_id"]]
        assert (after.name, after.source_range) == (item.name, item.source_range)
        assert clip_data(after) == clip_data(item)
        assert plain(after)["media_references"] == plain(item)["media_references"]


def test_many_uses_of_one_mob_ride_in_the_composition_and_grow_the_reading_evenly(tmp_path):
    items = [
        clip(f"u{n}", start=100 * n, media=movie("m", 0, 9000), AAF={"MobID": FILE_MOB})
        for n in range(30)
    ]
    path = write(cut(*items), tmp_path / "x.aaf")
    alone = raw(path)
    assert not any("castline" in str(comments(c)) for c in alone.find_clips())
    assert any(key.startswith("castline_mob_") for key in comments(alone))
    back = read(path)
    assert unplaced(back) == []
    assert [clip_data(c) for c in back.find_clips()] == [clip_data(c) for c in items]


# --- other people's comments


def test_other_peoples_comments_stay_and_come_back_as_they_were(tmp_path):
    theirs = {"Director": "É", "castle": "Neuschwanstein", "Take": 3}
    item = clip("a", AAF={"UserComments": dict(theirs)})
    timeline = cut(item)
    timeline.metadata["AAF"] = {"UserComments": {"Episode": "101"}}
    back = trip(timeline, tmp_path / "x.aaf")
    assert comments(first(back)) == theirs
    assert comments(back) == {"Episode": "101"}


# --- what the stock writer refuses


def _media():
    sequence = otio.schema.ImageSequenceReference(
        "file:///m/", "a.", ".exr", 1001, 1, 24.0, 4, available_range=span(0, 500)
    )
    return {
        "offline": otio.schema.MissingReference("offline"),
        "offline with a range": otio.schema.MissingReference("known", span(50, 200)),
        "no range": otio.schema.ExternalReference("file:///m/no_range.mov"),
        "relative path": otio.schema.ExternalReference("relative/path.mov", span(0, 500)),
        "windows path": otio.schema.ExternalReference("C:\\m\\a.mov", span(0, 500)),
        "too short": otio.schema.ExternalReference("file:///m/short.mov", span(0, 10)),
        "other rate": otio.schema.ExternalReference("file:///m/slow.mov", span(0, 500, 15.0)),
        "bars": otio.schema.GeneratorReference("bars", "SMPTEBars", span(0, 500), {"x": 1}),
        "slug with data": otio.schema.GeneratorReference("empty", "Slug"),
        "image sequence": sequence,
    }


@pytest.fixture(scope="module")
def media_trip(tmp_path_factory):
    items = {}
    for name, media in _media().items():
        media.metadata["castline"] = {"version": 1, "role": "temp", **SAMPLE}
        media.metadata["theirs"] = {"nested": [1, {"a": None}]}
        items[name] = clip(name, media=media)
    path = write(cut(*items.values()), tmp_path_factory.mktemp("media") / "x.aaf")
    return items, by_name(raw(path)), by_name(read(path))


@pytest.mark.parametrize("name", _media())
def test_any_media_is_written_and_comes_back_as_it_was(name, media_trip):
    before, alone, back = (part[name] for part in media_trip)
    assert alone.source_range == before.source_range == back.source_range
    assert plain(back)["media_references"] == plain(before)["media_references"]
    assert clip_data(back) == clip_data(before)


def test_a_slug_without_our_data_stays_the_filler_that_it_is(tmp_path):
    slug = clip("s", note=False, media=otio.schema.GeneratorReference("s", "Slug"))
    back = trip(cut(clip("a"), slug), tmp_path / "x.aaf")
    assert [type(item).__name__ for item in back.tracks[0]] == ["Clip", "Gap"]


def test_a_clip_without_a_range_shows_all_its_media(tmp_path):
    item = clip("a", media=movie("a", 10, 50))
    item.source_range = None
    path = write(cut(item), tmp_path / "x.aaf")
    assert first(raw(path)).source_range == span(10, 50)
    assert first(read(path)).source_range is None


@pytest.mark.parametrize("rate", [24000 / 1001, 30000 / 1001, 60.0])
def test_any_rate_comes_back(rate, tmp_path):
    item = clip("a", start=86400, length=33, rate=rate, media=movie("a", 86000, 900, rate))
    back = first(trip(cut(item), tmp_path / "x.aaf"))
    assert back.source_range == item.source_range
    assert back.media_reference.available_range == item.media_reference.available_range


def test_mixed_rates_are_written_in_one_rate_without_drift_and_come_back(tmp_path):
    items = [clip(f"n{n}", length=11, rate=25.0) for n in range(9)]
    items += [clip(f"m{n}", length=10 + n) for n in range(12)]
    path = write(cut(*items), tmp_path / "x.aaf")
    alone = list(raw(path).find_clips())
    assert {c.source_range.duration.rate for c in alone} == {24.0}
    lengths = [c.source_range.duration.value for c in alone]
    assert set(lengths[:9]) == {10, 11}
    assert sum(lengths[:9]) == round(9 * 11 * 24 / 25)
    back = list(read(path).find_clips())
    assert [c.source_range for c in back] == [c.source_range for c in items]


def test_fractions_of_frames_come_back_though_the_file_has_whole_ones(tmp_path):
    item = clip("a", start=100.4, length=20.3)
    path = write(cut(item, clip("b")), tmp_path / "x.aaf")
    assert first(raw(path)).source_range == span(100, 20)
    assert first(read(path)).source_range == item.source_range


@pytest.mark.parametrize(("kind", "style"), [("Video", "SMPTE_Wipe"), ("Audio", "SMPTE_Dissolve")])
def test_a_transition_is_written_right_and_comes_back_as_a_dissolve(kind, style, tmp_path):
    dissolve = otio.schema.Transition(
        "mix", style, in_offset=RationalTime(6, 24), out_offset=RationalTime(8, 24)
    )
    first, second = clip("a", media=otio.schema.MissingReference()), clip("b", start=0)
    path = write(cut(first, dissolve, second, kind=kind), tmp_path / "x.aaf")
    with aaf2.open(str(path)) as file:
        segment = next(file.content.toplevel()).slots[0].segment
        sequence = segment.segments[0] if kind == "Audio" else segment
        lengths = [part.length for part in sequence.components]
        operation = sequence.components[1]["OperationGroup"].value.operation
        assert lengths == [28, 14, 26]
        assert "Dissolve" in operation.name
    back = read(path).tracks[0]
    assert [i.source_range for i in back if isinstance(i, otio.schema.Clip)] == [
        first.source_range,
        second.source_range,
    ]
    assert (back[1].in_offset.value, back[1].out_offset.value) == (6, 8)
    assert [data_of(back[0]), data_of(back[2])] == [data_of(first), data_of(second)]


def test_a_transition_moved_since_it_was_read_is_cut_where_it_now_is(tmp_path):
    dissolve = otio.schema.Transition(
        "mix", "SMPTE_Dissolve", RationalTime(6, 24), RationalTime(8, 24)
    )
    once = trip(cut(clip("a"), dissolve, clip("b")), tmp_path / "x.aaf")
    once.tracks[0][1].in_offset, once.tracks[0][1].out_offset = (RationalTime(2, 24),) * 2
    back = trip(once, tmp_path / "y.aaf").tracks[0][1]
    assert (back.in_offset.value, back.out_offset.value) == (2, 2)


def test_clips_in_nests_come_back_in_order_with_their_data(tmp_path):
    stack = otio.schema.Stack("nest", [clip("b")])
    track = otio.schema.Track("inner", [clip("c"), clip("d")])
    deep = otio.schema.Stack(
        "deep", [otio.schema.Track("t", [otio.schema.Stack("s", [clip("e")])])]
    )
    stack.metadata["castline"] = {"version": 1, "slot_id": "slot_nest"}
    timeline = cut(clip("a"), stack, track, deep, clip("f"))
    back = trip(timeline, tmp_path / "x.aaf")
    assert names(back) == list("abcdef")
    assert [clip_data(c) for c in back.find_clips()] == [
        clip_data(c) for c in timeline.find_clips()
    ]
    assert [(e["reason"], e["payload"]["id"]) for e in unplaced(back)] == [
        ("not_returned", "slot_nest")
    ]


def test_items_beside_tracks_in_the_top_stack_are_written(tmp_path):
    timeline = cut(clip("a"))
    timeline.tracks.append(otio.schema.Stack("loose", [clip("b")]))
    timeline.tracks.append(clip("c"))
    back = by_slot(trip(timeline, tmp_path / "x.aaf"))
    assert {"slot_a", "slot_b", "slot_c"} <= set(back)


def test_a_collection_is_written_as_its_timeline(tmp_path):
    collection = otio.schema.SerializableCollection("bin", [cut(clip("a"))])
    back = trip(collection, tmp_path / "x.aaf")
    assert set(by_slot(back)) == {"slot_a"}


def test_audio_and_video_of_one_source_both_come_back(tmp_path):
    timeline = cut(clip("a", media=movie("m")))
    sound = otio.schema.Track("A1", [clip("s", media=movie("m"))], kind="Audio")
    timeline.tracks.append(sound)
    back = trip(timeline, tmp_path / "x.aaf")
    assert [t.kind for t in back.tracks] == ["Video", "Audio"]
    assert [clip_data(c) for c in back.find_clips()] == [
        clip_data(c) for c in timeline.find_clips()
    ]


# --- the editor's hand


def test_a_deleted_clip_is_gone_and_its_data_with_it(edit):
    with by_hand(edit) as (_, components):
        components.pop(1)
    back = read(edit)
    assert list(by_slot(back)) == ["slot_a", "slot_c", "slot_d"]


def test_swapped_clips_keep_their_data(edit, written):
    with by_hand(edit) as (_, components):
        components.insert(0, components.pop(2))
    back = read(edit)
    assert names(back) == ["c", "a", "b", "d"]
    before = by_slot(written[0])
    assert all(clip_data(c) == clip_data(before[f"slot_{c.name}"]) for c in back.find_clips())


def test_a_trim_stands(edit, written):
    with by_hand(edit) as (_, components):
        components[0].start, components[0].length = 105, 7
    head = first(read(edit))
    assert head.source_range == span(105, 7)
    assert clip_data(head) == clip_data(by_slot(written[0])["slot_a"])


def test_a_trim_stands_where_the_range_was_mended(tmp_path):
    path = write(cut(clip("a", start=100.4, length=20.3)), tmp_path / "x.aaf")
    with by_hand(path) as (_, components):
        components[0].length = 5
    back = first(read(path))
    assert back.source_range == span(100, 5)
    assert data_of(back)["slot_id"] == "slot_a"


def test_a_new_name_stands(edit, written):
    with by_hand(edit) as (_, components):
        components[0].mob.name = "renamed"
    head = first(read(edit))
    assert head.name == "renamed"
    assert clip_data(head) == clip_data(by_slot(written[0])["slot_a"])


def test_a_second_use_gets_a_copy_with_a_slot_of_its_own(edit):
    with by_hand(edit) as (file, components):
        use = file.create.SourceClip(
            start=400, length=9, mob_id=components[0].mob_id, slot_id=1, media_kind="picture"
        )
        components.append(use)
    back = read(edit)
    first, *_, last = back.find_clips()
    assert data_of(first)["slot_id"] == "slot_a"
    assert data_of(last)["derived_from"] == "slot_a"
    assert data_of(last)["slot_id"] != "slot_a"
    assert last.source_range == span(400, 9)


def test_a_split_clip_keeps_its_data_on_both_parts(edit):
    with by_hand(edit) as (file, components):
        components[0].length = 8
        rest = file.create.SourceClip(
            start=108, length=12, mob_id=components[0].mob_id, slot_id=1, media_kind="picture"
        )
        components.insert(1, rest)
    head, tail, *_ = read(edit).find_clips()
    assert (head.source_range, tail.source_range) == (span(100, 8), span(108, 12))
    assert data_of(head)["slot_id"] == "slot_a"
    assert data_of(tail)["derived_from"] == "slot_a"


def _media_mobs(mob):
    while mob is not None:
        mob = next((s.segment.mob for s in mob.slots if hasattr(s.segment, "mob")), None)
        if mob is not None:
            yield mob


def test_other_media_stands_and_the_old_stays_an_alternate(edit):
    with by_hand(edit) as (_, components):
        for mob in _media_mobs(components[0].mob):
            for locator in mob.descriptor["Locator"].value:
                locator["URLString"].value = "file:///m/regraded.mov"
    head = first(read(edit))
    references = head.media_references()
    assert head.media_reference.target_url == "file:///m/regraded.mov"
    assert references["temp"].target_url == "file:///m/a.mov"
    assert data_of(references["take"])["take_id"] == "t_a"


def test_a_relink_to_the_take_makes_the_take_active(edit):
    with by_hand(edit) as (_, components):
        for mob in _media_mobs(components[0].mob):
            for locator in mob.descriptor["Locator"].value:
                locator["URLString"].value = "file:///elsewhere/a_take.mov"
    head = first(read(edit))
    assert head.active_media_reference_key == "take"
    assert data_of(head.media_reference)["take_id"] == "t_a"


def test_the_length_that_a_relink_found_stands(tmp_path):
    path = write(
        cut(clip("a", media=otio.schema.ExternalReference("file:///m/a.mov"))), tmp_path / "x.aaf"
    )
    with by_hand(path) as (_, components):
        master = components[0].mob
        master.slots[0].segment.length = 777
        for mob in _media_mobs(master):
            for slot in mob.slots:
                if hasattr(slot.segment, "length"):
                    slot.segment.length = 777
    back = first(read(path))
    assert back.media_reference.available_range.duration.value == 777


def test_a_comment_spoilt_by_hand_is_reported_and_the_others_hold(edit):
    with by_hand(edit) as (_, components):
        notes = components[0].mob.comments
        notes["castline_data_001"] = notes["castline_data_001"].replace("hero", "hera")
    back = read(edit)
    assert [e["reason"] for e in unplaced(back)] == ["damaged"]
    assert list(by_slot(back)) == ["a", "slot_b", "slot_c", "slot_d"]


def test_a_comment_that_an_editor_added_comes_back(edit):
    with by_hand(edit) as (_, components):
        components[0].mob.comments["Note"] = "lovely"
    assert comments(first(read(edit))) == {"Note": "lovely"}


def test_uses_of_one_mob_find_their_data_again_after_an_edit(tmp_path):
    items = [
        clip(n, start=100 * k, media=movie("m"), AAF={"MobID": FILE_MOB})
        for k, n in enumerate("abc")
    ]
    path = write(cut(*items), tmp_path / "x.aaf")
    with by_hand(path) as (_, components):
        components.pop(0)
        components.insert(0, components.pop(1))
    back = read(path)
    assert [data_of(c)["slot_id"] for c in back.find_clips()] == ["slot_c", "slot_b"]
    assert [e["payload"]["id"] for e in unplaced(back)] == ["slot_a"]


# --- what an AAF of the stock adapter cannot say


def test_a_disabled_clip_comes_back_enabled(tmp_path):
    item = clip("a")
    item.enabled = False
    back = first(trip(cut(item), tmp_path / "x.aaf"))
    assert back.enabled
    assert data_of(back) == data_of(item)


def test_markers_and_effects_are_not_written_but_our_markers_come_back(tmp_path):
    item = clip("a")
    item.effects.append(otio.schema.LinearTimeWarp(time_scalar=2.0))
    item.markers.append(otio.schema.Marker("theirs", span(100, 1)))
    ours = otio.schema.Marker("ours", span(101, 1), metadata={"castline": {"version": 1}})
    item.markers.append(ours)
    back = first(trip(cut(item), tmp_path / "x.aaf"))
    assert len(back.effects) == 0
    assert [m.name for m in back.markers] == ["ours"]
    assert data_of(back.markers[0]) == {"version": 1}


def test_data_on_what_has_no_mob_comes_back_unplaced_or_on_the_one_of_its_name(tmp_path):
    timeline = cut(clip("a"), otio.schema.Gap(source_range=span(0, 5)))
    gap, track = timeline.tracks[0][1], timeline.tracks[0]
    gap.metadata["castline"] = {"version": 1, "x": "gap"}
    track.metadata["castline"] = {"version": 1, "x": "track"}
    effect = otio.schema.Effect("glow", metadata={"castline": {"version": 1, "x": "effect"}})
    timeline.tracks[0][0].effects.append(effect)
    back = trip(timeline, tmp_path / "x.aaf")
    assert data_of(back.tracks[0]) == {"version": 1, "x": "track"}
    assert [e["payload"]["data"]["x"] for e in unplaced(back)] == ["effect", "gap"]


def test_a_nest_is_as_long_as_its_layers_together_and_is_not_trimmed(tmp_path):
    layers = [otio.schema.Track(n, [clip(n, length=30)]) for n in "xy"]
    nest = otio.schema.Stack("nest", layers, source_range=span(0, 10))
    path = write(cut(clip("a"), nest, clip("b")), tmp_path / "x.aaf")
    with aaf2.open(str(path)) as file:
        components = next(file.content.toplevel()).slots[0].segment.components
        assert [part.length for part in components] == [20, 60, 20]


def test_what_no_aaf_can_hold_is_refused_by_the_stock_adapter_itself(tmp_path):
    item = otio.schema.Clip("a", metadata={"castline": {"version": 1}})  # no range at all
    with pytest.raises(otio.exceptions.OTIOError):
        write(cut(item), tmp_path / "x.aaf")


# --- speed and real files


def test_carrying_grows_evenly_with_the_cut():
    def calls(count):
        import sys

        timeline = cut(*(clip(f"c{n}", media=movie(f"m{n}")) for n in range(count)))
        made = 0

        def tally(_frame, event, _argument):
            nonlocal made
            made += event in ("call", "c_call")

        sys.setprofile(tally)
        try:
            restore_timeline(hooks.embed_for(timeline, "x.aaf"), (aaf,))
        finally:
            sys.setprofile(None)
        return made

    assert calls(400) < 4.5 * calls(100)


@pytest.fixture(scope="module")
def corpus_trips(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus")
    trips = {}
    for path in cuts():
        if path.name not in LARGE:
            timeline = read_cut(path)
            attach(timeline)
            trips[path.name] = travel(timeline, folder / f"{path.name}.aaf")
    return trips


@pytest.mark.corpus
def test_every_cut_of_the_corpus_comes_back_whole(corpus_trips):
    assert len(corpus_trips) > 35
    assert {name: t for name, t in corpus_trips.items() if not (t.whole and t.timeline)} == {}
    assert all(t.unplaced == 0 for t in corpus_trips.values())


@pytest.mark.corpus
@pytest.mark.parametrize("part", ["usercomments", "simple"])
def test_real_user_comments_survive_beside_ours(part, tmp_path):
    timeline = read_cut(next(path for path in cuts() if part in path.name))
    items = [timeline, *timeline.find_clips()]
    theirs = [comments(item) for item in items]
    assert any(theirs)
    attach(timeline)
    path = write(timeline, tmp_path / "x.aaf")
    alone = raw(path)
    beside = [comments(item) for item in (alone, *alone.find_clips())]
    assert all(any(key.startswith("castline") for key in found) for found in beside)
    back = read(path)
    assert [comments(item) for item in (back, *back.find_clips())] == theirs
    for found, own in zip(beside, theirs, strict=True):
        assert {k: v for k, v in found.items() if not k.startswith("castline")} == own
