"""Time codes to the last digit, where USD's text writer gives six."""

from __future__ import annotations

import pytest
from opentimelineio import schema
from usd_cuts import cut, movie, span

from castline.adapters import usd
from castline.adapters.usd import layout, timecodes
from castline.schemas.errors import UnwritableFileError

pytest.importorskip("pxr")

ODD = (1267259.0, 86508.024, 1 / 3, 1e9 + 0.5)


def stage_of(folder, *starts: float) -> tuple:
    from pxr import Sdf

    clips = [movie(f"c{n}", start) for n, start in enumerate(starts)]
    timeline = cut("odd", schema.Track("V1", clips))
    path = folder / "cut.usda"
    usd.write(timeline, path)
    layer = Sdf.Layer.OpenAsAnonymous(str(path))
    track = layer.GetPrimAtPath("/Timeline/tracks/track_0_V1")
    found = [p.properties[layout.SOURCE_START].default.GetValue() for p in track.nameChildren]
    return timeline, path, found


def test_usd_itself_still_writes_six_digits():
    """Where this fails, `timecodes.export_text` can go."""
    from pxr import Sdf

    layer = Sdf.Layer.CreateAnonymous(".usda")
    prim = Sdf.PrimSpec(layer, "a", Sdf.SpecifierDef, "Scope")
    Sdf.AttributeSpec(prim, "t", Sdf.ValueTypeNames.TimeCode).default = 1267259.0
    assert "1.26726e+06" in layer.ExportToString()


def test_time_codes_are_in_the_text_in_full(tmp_path):
    timeline, path, found = stage_of(tmp_path, *ODD)
    assert found == list(ODD)
    assert "1267259\n" in path.read_text()
    assert usd.read(path).to_json_string() == timeline.to_json_string()


def test_a_program_that_saves_the_text_again_edits_nothing(tmp_path):
    from pxr import Sdf

    timeline, path, _ = stage_of(tmp_path, *ODD)
    layer = Sdf.Layer.OpenAsAnonymous(str(path))
    layer.Export(str(tmp_path / "again.usda"))
    assert (tmp_path / "again.usda").read_bytes() != path.read_bytes()
    assert usd.read(tmp_path / "again.usda").to_json_string() == timeline.to_json_string()


def test_words_that_look_like_a_stand_in_are_left_as_they_are(tmp_path):
    clip = movie("a", 1267259.0)
    words = "\nuniform timecode x = 9.99999e+250\n"
    clip.markers.append(schema.Marker("m", span(1, 1), comment=words))
    path = tmp_path / "cut.usda"
    timeline = cut("odd", schema.Track("V1", [clip]))
    usd.write(timeline, path)
    assert usd.read(path).to_json_string() == timeline.to_json_string()


def test_words_that_are_a_stand_in_are_refused_rather_than_changed(tmp_path):
    stand_in = next(timecodes._stand_ins())
    clip = movie("a", 1267259.0)
    clip.markers.append(schema.Marker("m", span(1, 1), comment=f"\nx = {stand_in}\n"))
    with pytest.raises(UnwritableFileError, match="write a usdc"):
        usd.write(cut("odd", schema.Track("V1", [clip])), tmp_path / "cut.usda")
    usd.write(cut("odd", schema.Track("V1", [clip])), tmp_path / "cut.usdc")
