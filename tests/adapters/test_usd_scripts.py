"""Pipeline scripts that rewrite a stage consistently: the cut says what every prim says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from opentimelineio import schema
from usd_cuts import cut, movie, span, time
from usd_desk import SUFFIXES, Desk, desk_of, edges_of, starts, text_of
from usd_reads import read

from castline.adapters.usd import layout

pytest.importorskip("pxr")

TRACK = "/Timeline/tracks/track_0_V1"
FLAT = (("a", 10), ("b", 20), ("c", 30))


@pytest.fixture(params=SUFFIXES)
def flat(request, tmp_path) -> Desk:
    """Return three clips, of 10, 20 and 30 frames, each from frame 100 of its media."""
    return _desk([movie(name, 100, length) for name, length in FLAT], tmp_path, request.param)


@pytest.fixture
def nest(tmp_path) -> Desk:
    """Return a clip, a nest of two clips on a track of its own, and a clip."""
    inner = schema.Track("in", [movie("i", 100, 10), movie("j", 100, 10)])
    return _desk(
        [movie("a", 100, 10), schema.Stack("n", [inner]), movie("c", 100, 30)], tmp_path, "usdc"
    )


def _desk(items: list[Any], folder: Path, suffix: str) -> Desk:
    return desk_of(cut("scripts", schema.Track("V1", items)), folder / f"cut.{suffix}")


def shape(thing: Any) -> Any:
    """Return what is on a track: names of clips, frames of gaps, lists of nests' tracks."""
    if isinstance(thing, schema.Timeline):
        return shape(thing.tracks[0])
    if isinstance(thing, schema.Track):
        return [shape(item) for item in thing]
    if isinstance(thing, schema.Stack):
        return [shape(track) for track in thing] if thing.source_range is None else thing.name
    return int(thing.duration().value) if isinstance(thing, schema.Gap) else thing.name


def rewritten(desk: Desk, change: Callable[[float], float]) -> schema.Timeline:
    """Return the cut after a script changed every range on the timeline."""
    return desk.edited(
        *(
            (path, change(value))
            for path, name, value in _times(desk)
            if name in (layout.START, layout.END)
        )
    )


def _times(desk: Desk) -> list[tuple[str, str, float]]:
    found = []

    def look(path: Any) -> None:
        spec = desk.layer.GetAttributeAtPath(path) if path.IsPropertyPath() else None
        if spec is not None and spec.name.startswith(layout.RANGE):
            found.append((str(path), spec.name, spec.default.GetValue()))

    desk.layer.Traverse("/", look)
    return found


def edited(desk: Desk, **clips: dict[str, float]) -> schema.Timeline:
    """Return the cut after clips were given `s`, `e` on the timeline, `i`, `o` in the media."""
    edits = []
    for name, values in clips.items():
        (start, end), _ = edges_of(desk, name)
        source = [path.replace(layout.RANGE, "castline:sourceRange") for path in (start, end)]
        paths = dict(zip("seio", (start, end, *source), strict=True))
        edits += [(paths[key], float(value)) for key, value in values.items()]
    return desk.edited(*edits)


@pytest.mark.parametrize("start", [30, 70, 80, 99, 101, 120, 130, 400])
def test_a_clip_is_slipped_however_far(flat, start):
    found = edited(flat, b={"i": start, "o": start + 20})
    assert starts(found) == {"a": (100, 10), "b": (start, 20), "c": (100, 30)}
    assert shape(found) == ["a", "b", "c"]


def test_a_trim_that_both_ranges_say_is_one_trim(flat):
    found = edited(flat, b={"i": 105, "s": 15})
    assert (shape(found), starts(found)["b"]) == (["a", 5, "b", "c"], (105, 15))
    found = edited(flat, b={"i": 105, "o": 120, "s": 15, "e": 30})
    assert (shape(found), starts(found)["b"]) == (["a", 5, "b", "c"], (105, 15))
    found = edited(flat, c={"i": 110, "s": 40})
    assert (shape(found), starts(found)["c"]) == (["a", "b", 10, "c"], (110, 20))
    found = edited(flat, a={"i": 105, "s": 5})
    assert (shape(found), starts(found)["a"]) == ([5, "a", "b", "c"], (105, 5))
    found = edited(flat, b={"o": 115, "e": 25})
    assert (shape(found), starts(found)["b"]) == (["a", "b", 5, "c"], (100, 15))
    found = edited(flat, b={"i": 100, "o": 110, "s": 20, "e": 30})
    assert (shape(found), starts(found)["b"]) == (["a", 10, "b", "c"], (100, 10))


def test_a_trim_of_the_media_alone_moves_what_follows(flat):
    found = edited(flat, b={"i": 105})
    assert (shape(found), starts(found)["b"]) == (["a", "b", "c"], (105, 15))


def test_time_that_is_put_in_moves_a_nest_with_what_is_in_it(nest):
    found = rewritten(nest, lambda value: value + 8 if value >= 10 else value)
    # a's end is at the place too, so it is longer.
    assert shape(found) == ["a", [["i", "j"]], "c"]
    assert starts(found) == {"a": (100, 18), "i": (100, 10), "j": (100, 10), "c": (100, 30)}
    found = rewritten(nest, lambda value: value + 8)
    assert (shape(found), starts(found)) == ([8, "a", [["i", "j"]], "c"], starts(nest.timeline))


def test_a_ripple_of_all_ranges_leaves_a_nest_as_it_is(nest):
    found = rewritten(nest, lambda value: value - 5 if value >= 10 else value)
    assert shape(found) == ["a", [["i", "j"]], "c"]
    assert starts(found) == {"a": (100, 5), "i": (100, 10), "j": (100, 10), "c": (100, 30)}


@pytest.mark.parametrize("is_whole", [True, False])
def test_a_nest_that_is_moved_takes_its_inside_along(nest, is_whole):
    """Whether the script moved what is in it too or not."""
    by = {"i": 30, "j": 30} if is_whole else {}
    edits = {name: _moved(nest, name, far) for name, far in by.items()}
    edits["c"] = _moved(nest, "c", -20)
    path = f"{TRACK}/stack_1_n.{layout.RANGE}"
    extra = [(f"{path}:start", 40.0), (f"{path}:end", 60.0)]
    pairs = []
    for name, values in edits.items():
        paths, _ = edges_of(nest, name)
        pairs += list(zip(paths, (values["s"], values["e"]), strict=True))
    found = nest.edited(*pairs, *extra)
    assert shape(found) == ["a", "c", [["i", "j"]]]
    assert starts(found) == starts(nest.timeline)


def _moved(desk: Desk, name: str, by: float) -> dict[str, float]:
    _, (start, end) = edges_of(desk, name)
    return {"s": start + by, "e": end + by}


def test_what_is_moved_inside_a_nest_that_is_moved_is_moved_inside(nest):
    _, (start, end) = edges_of(nest, "j")
    edits = {}
    for name in "ij":
        edits |= dict(zip(edges_of(nest, name)[0], (_moved(nest, name, 10).values()), strict=True))
    edits |= dict(zip(edges_of(nest, "c")[0], _moved(nest, "c", 20).values(), strict=True))
    path = f"{TRACK}/stack_1_n.{layout.RANGE}"
    edits |= {f"{path}:start": 20.0, f"{path}:end": 45.0}
    edits |= dict(zip(edges_of(nest, "j")[0], (start + 15, end + 15), strict=True))
    found = nest.edited(*edits.items())
    assert shape(found)[:2] == ["a", 10]
    assert shape(found.tracks[0][2][0]) == ["i", 5, "j"]


def test_what_is_gone_from_the_end_of_a_nest_makes_it_shorter(nest):
    del nest.layer.GetPrimAtPath(f"{TRACK}/stack_1_n/track_0_in").nameChildren["clip_1_j"]
    found = nest.read()
    assert shape(found) == ["a", [["i"]], 10, "c"]
    assert starts(found) == {"a": (100, 10), "i": (100, 10), "c": (100, 30)}


@pytest.mark.parametrize("rate", [23.976, 25.0])
def test_the_clip_that_gave_the_stage_its_rate_may_go(rate, tmp_path):
    first = schema.Clip("a", schema.ExternalReference("a.mov", span(0, 100, rate)))
    first.source_range = span(0, 10, rate)
    desk = _desk([first, movie("b", 0, 24), movie("c", 0, 24)], tmp_path, "usda")
    del desk.layer.GetPrimAtPath(TRACK).nameChildren["clip_0_a"]
    found = desk.read()
    assert [type(item).__name__ for item in found.tracks[0]] == ["Gap", "Clip", "Clip"]
    assert found.tracks[0][0].duration().to_seconds() == pytest.approx(10 / rate)
    assert starts(found) == {"b": (0, 24), "c": (0, 24)}


@pytest.mark.parametrize("position", [-1, None])
def test_a_clip_that_is_renamed_in_both_names_is_the_same(flat, position):
    from pxr import Sdf

    path = f"{TRACK}/clip_1_b"
    flat.layer.GetAttributeAtPath(f"{path}.{layout.NAME}").default = "hero"
    edit = Sdf.BatchNamespaceEdit()
    if position is None:
        flat.layer.GetPrimAtPath(path).name = "clip_1_hero"
    else:
        edit.Add(Sdf.NamespaceEdit.Rename(path, "clip_1_hero"))
        assert flat.layer.Apply(edit)
    found = flat.read()
    assert sorted(shape(found)) == ["a", "c", "hero"]
    assert starts(found) == {"a": (100, 10), "hero": (100, 20), "c": (100, 30)}
    start, end = (f"{TRACK}/clip_1_hero.{layout.RANGE}:{edge}" for edge in ("start", "end"))
    assert shape(flat.edited((start, 60.0), (end, 80.0))) == ["a", 20, "c", "hero"]


@pytest.mark.parametrize("name", ["clip_0_a", "x", "clip_7_a"])
@pytest.mark.parametrize("has_sound", [True, False])
def test_a_clip_on_another_track_keeps_its_time_whatever_its_name(name, has_sound, tmp_path):
    from pxr import Sdf

    one = schema.Track("V1", [movie("a", 100, 10), movie("b", 100, 20)])
    two = schema.Track("V2", [movie("e", 100, 50)])
    sound = schema.Track("A1", [movie("s", 0, 10)], kind=schema.TrackKind.Audio)
    desk = desk_of(cut("tracks", one, two, *([sound] if has_sound else [])), tmp_path / "c.usda")
    edit = Sdf.BatchNamespaceEdit()
    target = f"/Timeline/tracks/track_1_V2/{name}"
    edit.Add(
        Sdf.NamespaceEdit.ReparentAndRename(
            f"{TRACK}/clip_0_a", target.rpartition("/")[0], name, -1
        )
    )
    assert desk.layer.Apply(edit)
    found = desk.read()
    assert shape(found) == [10, "b"]
    assert shape(found.tracks[1]) == ["a", "e"]
    assert starts(found)["e"] == (110, 40)


def test_what_is_off_and_cannot_say_so_is_gone(tmp_path, caplog):
    first = movie("a", 100, 30)
    first.markers.append(schema.Marker("m", span(100, 1)))
    dissolve = schema.Transition("x", "SMPTE_Dissolve", time(4), time(4))
    desk = _desk([first, dissolve, movie("b", 100, 30)], tmp_path, "usda")
    for path in (f"{TRACK}/clip_0_a/marker_0_m", f"{TRACK}/transition_1_x", "/Timeline"):
        desk.layer.GetPrimAtPath(path).active = False
    found = desk.read()
    assert shape(found) == ["a", "b"]
    assert not found.tracks[0][0].markers
    assert "/Timeline: found it off, which a cut cannot be" in caplog.text


def test_a_flag_that_is_cleared_switches_a_clip_on(tmp_path):
    clip = movie("a", 100, 30)
    clip.enabled = False
    desk = _desk([clip, movie("b", 100, 30)], tmp_path, "usda")
    assert text_of(desk.read()) == text_of(desk.timeline)
    prim = desk.layer.GetPrimAtPath(f"{TRACK}/clip_0_a")
    prim.RemoveProperty(prim.attributes[layout.ENABLED])
    expected = desk.timeline.deepcopy()
    expected.tracks[0][0].enabled = True
    assert text_of(desk.read()) == text_of(expected)


def test_a_stage_without_its_tracks_is_an_empty_cut(flat, tmp_path):
    del flat.layer.GetPrimAtPath("/Timeline").nameChildren["tracks"]
    flat.layer.Export(str(tmp_path / "none.usda"))
    found = read(tmp_path / "none.usda")
    assert len(found.tracks) == 0 and not list(found.find_clips())


def test_a_clip_on_an_empty_track_keeps_its_time(tmp_path):
    from pxr import Sdf

    one = schema.Track("V1", [movie("a", 100, 10), movie("b", 100, 20)])
    timeline = cut("empty", one, schema.Track("V2"))
    timeline.global_start_time = time(86400)
    desk = desk_of(timeline, tmp_path / "cut.usdc")
    edit = Sdf.BatchNamespaceEdit()
    edit.Add(Sdf.NamespaceEdit.Reparent(f"{TRACK}/clip_1_b", "/Timeline/tracks/track_1_V2", -1))
    assert desk.layer.Apply(edit)
    found = desk.read()
    assert (shape(found), shape(found.tracks[1])) == (["a"], [10, "b"])
    assert starts(found) == starts(timeline)
