"""Cut, stage, publish, read: what comes back from a published stage."""

from __future__ import annotations

from pathlib import Path

import pytest
from opentimelineio.opentime import RationalTime
from published import BODY, clip_of, cut_of, write_stage

import castline
from castline.schemas.places import get_sequence, get_slot, get_take
from castline.schemas.takes import takes_of

pytest.importorskip("pxr")

CORPUS = Path(__file__).resolve().parents[2].parent / "shared" / "corpus" / "usd"
MARA = {"mara": "MARA"}


@pytest.fixture
def cut(tmp_path):
    return cut_of(clip_of(tmp_path / "takes", "sh010", "mara"), cast=MARA)


def pictures(clip) -> dict[str, str]:
    """Return where the pictures of a clip's takes lie, by key."""
    return {
        key: reference.target_url_for_image_number(0)
        for key, reference in clip.media_references().items()
    }


def test_every_take_score_record_label_and_plate_comes_back(cut, tmp_path):
    stage = write_stage(tmp_path / "sh010.usda")
    back = castline.read(castline.publish(cut, stage, tmp_path / "out").root)
    (clip,), (original,) = back.find_clips(), cut.find_clips()
    assert takes_of(clip) == takes_of(original)
    assert pictures(clip) == pictures(original)
    assert get_slot(clip).expected == get_slot(original).expected
    assert get_slot(clip).prim.path == "/World/cam"
    (character,) = get_sequence(back).cast.characters
    assert (character.character_id, character.name) == ("mara", "MARA")
    assert [prim.path for prim in character.prims] == ["/World/MARA"]
    assert back.global_start_time == RationalTime(1001, 24)
    assert get_sequence(back).scene.codes_per_second == 24


def test_what_else_the_scene_holds_stands_beside_the_published_cut(cut, tmp_path):
    (tmp_path / "sea.wav").touch()
    body = BODY + (
        'def Camera "witness"\n{\n}\n'
        'def SkelRoot "TOM"\n{\n}\n'
        'def SpatialAudio "sea"\n{\n uniform asset filePath = @./sea.wav@\n'
        " uniform timecode startTime = 995\n}\n"
    )
    stage = write_stage(tmp_path / "sh010.usda", body, span=(991, 1030))
    published = castline.publish(cut, stage, tmp_path / "out", camera="/World/cam")
    back = castline.read(published.root)
    places = {
        clip.name: back.global_start_time.value
        + clip.transformed_time(clip.source_range.start_time, back.tracks).value
        for clip in back.find_clips()
    }
    assert places == {"sh010": 991, "witness": 991, "sea": 995}
    assert [c.name for c in get_sequence(back).cast.characters] == ["MARA", "TOM"]


def test_the_take_that_is_selected_on_the_camera_is_shown(cut, tmp_path):
    stage = write_stage(tmp_path / "sh010.usda")
    published = castline.publish(cut, stage, tmp_path / "out")
    above = tmp_path / "above.usda"
    above.write_text(
        f"#usda 1.0\n(\n    subLayers = [@{published.root}@]\n)\n"
        'over "World"\n{\n    over "cam" (\n        variants = {\n'
        '            string take = "second"\n        }\n    )\n    {\n    }\n}\n'
    )
    (clip,) = castline.read(above).find_clips()
    assert clip.active_media_reference_key == "second"
    assert get_take(clip.media_reference).take_id == "sh010_v2"


def test_a_scene_read_and_published_and_read_is_the_same_scene(tmp_path):
    stage = write_stage(tmp_path / "sh010.usda")
    scene = castline.read(stage)
    back = castline.read(castline.publish(scene, stage, tmp_path / "out").root)
    (clip,), (original,) = back.find_clips(), scene.find_clips()
    assert clip.source_range == original.source_range
    assert get_take(clip.media_reference) == get_take(original.media_reference)
    assert get_sequence(back).cast == get_sequence(scene).cast


def test_a_published_stage_can_be_published_again_from_what_was_read(cut, tmp_path):
    stage = write_stage(tmp_path / "sh010.usda")
    first = castline.publish(cut, stage, tmp_path / "out")
    second = castline.publish(castline.read(first.root), stage, tmp_path / "more")
    (clip,), (original,) = castline.read(second.root).find_clips(), cut.find_clips()
    assert takes_of(clip) == takes_of(original)


@pytest.mark.corpus
@pytest.mark.parametrize(
    "name", ["wg/CesiumMan.usdz", "wg/McUsd/McUsd.usda", "pixar/endToEnd/assets/shot.usd"]
)
def test_onto_real_scenes_and_back(cut, name, tmp_path):
    back = castline.read(castline.publish(cut, CORPUS / name, tmp_path / "out").root)
    (original,) = cut.find_clips()
    (clip,) = (clip for clip in back.find_clips() if clip.name == "sh010")
    assert takes_of(clip) == takes_of(original)
    assert pictures(clip) == pictures(original)
