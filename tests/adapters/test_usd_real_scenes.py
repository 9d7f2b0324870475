"""Scenes that others made as the media of a cut: all that can be shown is shown, the rest said."""

from __future__ import annotations

import pytest
from opentimelineio import schema
from usd_cuts import span
from usd_hostile import CORPUS

from castline.adapters import usd

pytest.importorskip("pxr")
pytestmark = pytest.mark.corpus

SCENES = sorted(p for p in CORPUS.rglob("*") if p.suffix in (".usd", ".usda", ".usdc", ".usdz"))
UNUSABLE = {
    # damaged, or of a rate that no time can be told by
    *(path.name for path in SCENES if path.parent.name == "malformed"),
    "framesPerSecond_0.usda",
    "framesPerSecond_-1.usda",
    "timeCodesPerSecond_0.usda",
    "timeCodesPerSecond_-1.usda",
    # without a prim of its own, or below what is not there
    "root_anim.usda",
    "sublayer_parent_folder.usda",
}
SPEEDS = (None, 2.0, -1.0, 0.0)


def clip_of(path, speed) -> schema.Clip:
    clip = schema.Clip(path.stem, schema.ExternalReference(str(path)), span(1, 24))
    if speed == 0:
        clip.effects.append(schema.FreezeFrame())
    elif speed:
        clip.effects.append(schema.LinearTimeWarp(time_scalar=speed))
    return clip


@pytest.mark.parametrize("speed", SPEEDS)
def test_every_scene_plays_in_a_cut_or_is_named(speed, tmp_path):
    from pxr import Usd, UsdGeom, UsdUtils

    timeline = schema.Timeline("scenes")
    timeline.tracks.append(schema.Track("V1", [clip_of(path, speed) for path in SCENES]))
    losses = usd.write(timeline, tmp_path / "cut.usda")
    silent = {loss.where for loss in losses if loss.field == "picture"}
    assert len(silent) == len(UNUSABLE)
    assert usd.read(tmp_path / "cut.usda").to_json_string() == timeline.to_json_string()
    delegate = UsdUtils.CoalescingDiagnosticDelegate()
    stage = Usd.Stage.Open(str(tmp_path / "cut.usda"))
    track = stage.GetPrimAtPath("/Timeline/tracks/track_0_V1")
    prims = track.GetChildren()
    for number, (prim, path) in enumerate(zip(prims, SCENES, strict=True)):
        shown = [
            UsdGeom.Imageable(prim).ComputeVisibility(number * 24 + frame) == "inherited"
            for frame in (-0.01, 0, 23.99, 24)
        ]
        is_there = path.name not in UNUSABLE
        assert shown == [False, is_there, is_there, False], path.name
        assert bool(prim.GetChildren()) == is_there
    own = sum(len(Usd.Stage.Open(str(p)).GetCompositionErrors()) for p in usable())
    assert len(stage.GetCompositionErrors()) <= own
    del delegate


def usable():
    return [path for path in SCENES if path.name not in UNUSABLE]
