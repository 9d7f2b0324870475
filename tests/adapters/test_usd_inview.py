"""Where a scene's characters are in its picture: by hand, through real cameras."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from trip import CORPUS
from usd_reads import read

from castline.schemas.errors import InvalidValueError, NeedsPersonError, UnreadableFileError
from castline.schemas.places import get_sequence

pytest.importorskip("pxr", reason="USD is not installed")

SIZE = (640, 360)

SCENE = """#usda 1.0
(
    startTimeCode = 10
    endTimeCode = 14
    timeCodesPerSecond = 24
    framesPerSecond = 24
    upAxis = "{up}"
)
def Camera "Camera"
{{
    float horizontalAperture = 20
    float verticalAperture = 20
    float focalLength = 20
}}
def Cube "Mira" ( prepend apiSchemas = ["SemanticsLabelsAPI:character"] )
{{
    token[] semantics:labels:character = ["Mira"]
    double size = 2
    float3[] extent = [(-1, -1, -1), (1, 1, 1)]
    double3 xformOp:translate.timeSamples = {{ 10: (0, 0, -11), 14: (4, 0, -11) }}
    uniform token[] xformOpOrder = ["xformOp:translate"]
}}
def Cube "Rock"
{{
    float3[] extent = [(-1, -1, -1), (1, 1, 1)]
    double3 xformOp:translate = (0, 0, -8)
    uniform token[] xformOpOrder = ["xformOp:translate"]
}}
def Cube "Behind" ( prepend apiSchemas = ["SemanticsLabelsAPI:character"] )
{{
    token[] semantics:labels:character = ["Tom"]
    double size = 2
    float3[] extent = [(-1, -1, -1), (1, 1, 1)]
    double3 xformOp:translate = (0, 0, 20)
    uniform token[] xformOpOrder = ["xformOp:translate"]
}}
"""


@pytest.fixture
def scene(tmp_path):
    path = tmp_path / "scene.usda"
    path.write_text(SCENE.format(up="Y"))
    return path


def seen(path, camera=None):
    from castline.adapters.usd.inview import boxes_in_view

    return boxes_in_view(path, camera, SIZE)


def test_a_box_is_where_geometry_says(scene):
    """At focal length = aperture, half the picture's width is as far as half the distance."""
    found = seen(scene)
    assert found["characters"] == ["/Mira", "/Behind"]
    assert list(found["frames"]) == ["0", "1", "2", "3", "4"]
    # The near face, at 10 before the camera, is 2 wide: 2/10 of 640 pixels.
    assert found["frames"]["0"] == [[256, 116, 383, 243]]
    left = 320 + 3 / 12 * 640  # the far face's left edge, after moving by 4
    right = 320 + 5 / 10 * 640
    assert found["frames"]["4"] == [[int(left), 116, int(min(right, 640)) - 1, 243]]


def test_the_camera_is_named_or_the_only_one(scene):
    assert seen(scene, "/Camera") == seen(scene)
    for name in ("/Mira", "/None", "no path at all"):
        with pytest.raises(InvalidValueError, match="found no camera"):
            seen(scene, name)
    scene.write_text(scene.read_text() + 'def Camera "Other" {}\n')
    with pytest.raises(NeedsPersonError, match=r"found 2 cameras.*: /Camera, /Other"):
        seen(scene)


def test_who_comes_through_the_camera_is_cut_there(scene):
    text = scene.read_text().replace("(0, 0, -11), 14: (4, 0, -11)", "(0, 0, 0), 14: (0, 0, 0.9)")
    scene.write_text(text)
    assert seen(scene)["frames"]["0"] == [[0, 0, 639, 359]]


def test_without_characters_or_frames_it_is_said(scene, tmp_path):
    text = scene.read_text()
    scene.write_text(text.replace("semantics:labels:character", "semantics:labels:other"))
    with pytest.raises(InvalidValueError, match="found no character"):
        seen(scene)
    scene.write_text(text.replace("endTimeCode = 14", "endTimeCode = 9"))
    with pytest.raises(InvalidValueError, match="found 0 frames"):
        seen(scene)
    scene.write_text(text.replace("endTimeCode = 14", "endTimeCode = 1e12"))
    with pytest.raises(InvalidValueError, match="expected 1 to"):
        seen(scene)
    scene.write_text("#usda 1.0\nbroken {")
    with pytest.raises(UnreadableFileError, match=r"scene\.usda"):
        seen(scene)
    with pytest.raises(UnreadableFileError):
        seen(tmp_path / "none.usda")


def test_boxes_are_a_file_that_score_takes(scene, tmp_path):
    from PIL import Image

    from castline.cli import cli
    from castline.inference import given

    Image.new("RGB", SIZE).save(tmp_path / "shot.png")
    output = tmp_path / "boxes.json"
    call = ["boxes", str(scene), str(tmp_path / "shot.png"), "-o", str(output), "--json"]
    said = CliRunner().invoke(cli, call)
    assert said.exit_code == 0, said.output
    assert json.loads(said.output) == {"output": str(output), "frames": 5, "boxes": 5}
    found = given.read(output).of("", "shot.png")
    assert (found.at(0)[0].left, found.at(0)[0].bottom) == (256, 243)


SKELETON = """#usda 1.0
( endTimeCode = 0 )
def Camera "Camera" {{
    float horizontalAperture = 20
    float focalLength = 20
}}
def SkelRoot "Mira"
{{
    float3[] extent = [(-1, -1, -11), (1, 1, -10)]
    def Mesh "Body"
    {{
        float3[] extent = [(-1, -1, -11), (1, 1, -10)]
    }}
}}
"""


def test_without_labels_skeletons_are_the_characters(tmp_path):
    path = tmp_path / "skeleton.usda"
    path.write_text(SKELETON.format())
    found = seen(path)
    assert found["characters"] == ["/Mira"]
    assert found["frames"] == {"0": [[256, 116, 383, 243]]}


CROWD = """#usda 1.0
( endTimeCode = 0 )
def Camera "Camera" {
    float horizontalAperture = 20
    float focalLength = 20
}
class Xform "Hero"
{
    def SkelRoot "Body" ( prepend apiSchemas = ["SemanticsLabelsAPI:character"] )
    {
        token[] semantics:labels:character = ["Mira"]
        float3[] extent = [(-1, -1, -11), (1, 1, -10)]
        def SkelRoot "Hair"
        {
            float3[] extent = [(-9, -9, -11), (9, 9, -10)]
        }
    }
}
def "One" ( instanceable = true
    references = </Hero> )
{
}
def SkelRoot "Ghost"
{
    float3[] extent = [(-1, -1, -11), (1, 1, -10)]
}
"""


def test_the_characters_are_those_of_the_scenes_cut(tmp_path):
    path = tmp_path / "crowd.usda"
    path.write_text(CROWD)
    found = seen(path)
    cast = get_sequence(read(path)).cast
    prims = [prim.path for character in cast.characters for prim in character.prims]
    assert found["characters"] == prims == ["/One/Body", "/Ghost"]
    assert found["frames"] == {"0": [[256, 116, 383, 243]] * 2}


@pytest.mark.corpus
@pytest.mark.parametrize("name", ["CesiumMan.usdz", "RiggedSimple.usdz"])
def test_a_real_character_is_where_a_camera_looks(tmp_path, name):
    """A skinned character from elsewhere, filmed from a layer over it; its file stays as it is."""
    from pxr import Gf, Usd, UsdGeom

    source = CORPUS / "usd" / "wg" / name
    before = source.read_bytes()
    stage = Usd.Stage.CreateNew(str(tmp_path / "over.usda"))
    prim = stage.DefinePrim("/Man", "Xform")
    prim.GetReferences().AddReference(str(source))
    bounds = UsdGeom.BBoxCache(Usd.TimeCode.EarliestTime(), [UsdGeom.Tokens.default_], True)
    box = bounds.ComputeWorldBound(prim).ComputeAlignedRange()
    assert not box.IsEmpty()
    camera = UsdGeom.Camera.Define(stage, "/Seen")
    away = Gf.Vec3d(0, 0, 2 * box.GetSize().GetLength())
    camera.AddTransformOp().Set(Gf.Matrix4d().SetTranslate(box.GetMidpoint() + away))
    camera.CreateClippingRangeAttr(Gf.Vec2f(0.001, 1e6))
    stage.SetStartTimeCode(1)
    stage.SetEndTimeCode(2)
    stage.GetRootLayer().Save()
    found = seen(tmp_path / "over.usda", "/Seen")
    assert len(found["frames"]) == 2 and found["characters"][0].startswith("/Man")
    for ((left, top, right, bottom),) in found["frames"].values():
        assert 0 <= left < 320 < right < 640 and 0 <= top < 180 < bottom < 360
    assert source.read_bytes() == before
