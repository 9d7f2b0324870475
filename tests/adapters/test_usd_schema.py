"""Our USD schema where it is registered in time, late, twice, by others, or not at all."""

from __future__ import annotations

import json

import pytest
from usd_judges import INSTALLED, OLDER, core_errors, run, values_in

from castline.adapters.usd import library
from castline.schemas.usdschema import API_SCHEMAS, APPEARANCE, CLIP

pytest.importorskip("pxr")

VERSIONS = (INSTALLED, *OLDER)
KNOWN = """
from pxr import Usd
schemas = Usd.SchemaRegistry()
print(schemas.FindAppliedAPIPrimDefinition("CastlineClipAPI") is not None)
"""
REGISTER = "from castline.adapters.usd.library import register; register()\n"
LAYER = """#usda 1.0
(
    defaultPrim = "Timeline"
    endTimeCode = 47
    metersPerUnit = 0.01
    startTimeCode = 0
    timeCodesPerSecond = 24
    upAxis = "Y"
)

def Scope "Timeline" (
    kind = "assembly"
    prepend apiSchemas = ["CastlineTimelineAPI"]
)
{
    uniform int castline:version = 2

    def Xform "clip_0_sh010" (
        kind = "assembly"
        prepend apiSchemas = ["CastlineClipAPI", "CastlineAppearanceAPI:mira"]
    )
    {
        rel castline:appearance:mira:prim = </Timeline/mira>
        double castline:appearance:mira:likeness.timeSamples = {
            0: 0.25,
            1: 0.75,
        }
        uniform double castline:appearance:mira:score = 0.5
        uniform string castline:name = "sh010"
        uniform timecode castline:timelineRange:start = 0
    }

    def Scope "mira"
    {
    }
}
"""
CLIP_PATH = "/Timeline/clip_0_sh010"


@pytest.fixture
def layer(tmp_path):
    path = tmp_path / "layer.usda"
    path.write_text(LAYER, encoding="utf-8")
    return path


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("before", "known"),
    [
        ("", False),
        (REGISTER, True),
        (REGISTER * 2, True),
        ("from pxr import Sdf; Sdf.Layer.CreateAnonymous()\n" + REGISTER, True),
        ("from pxr import Usd; kept = Usd.Stage.CreateInMemory()\n"
         "kept.DefinePrim('/a', 'Scope')\n" + REGISTER, False),
        ("from pxr import Usd; Usd.SchemaRegistry()\n" + REGISTER * 2, False),
    ],
    ids=["not", "before", "twice", "after-a-layer", "after-a-stage", "after-the-registry"],
)  # fmt: skip
def test_the_schema_is_known_when_it_is_registered_before_a_stage(version, before, known):
    assert run(before + KNOWN, version=version).strip() == str(known)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("before", ["", REGISTER, "import pxr.Usd\n" + REGISTER])
def test_the_schema_is_known_by_the_path_that_the_command_line_prints(version, before):
    path = str(library.schema_folder())
    assert run(before + KNOWN, version=version, PXR_PLUGINPATH_NAME=path).strip() == "True"


def test_schema_path_prints_the_folder():
    code = "from castline.cli import main; main(['schema-path'])"
    assert run(code).strip() == str(library.schema_folder())
    assert (library.schema_folder() / "plugInfo.json").is_file()


def test_registering_leaves_the_schemas_of_others_their_turn(tmp_path):
    for name in ("plugInfo.json", "generatedSchema.usda"):
        text = (library.schema_folder() / name).read_text(encoding="utf-8")
        text = text.replace("Castline", "Other").replace("castline", "other")
        (tmp_path / name).write_text(text, encoding="utf-8")
    code = (
        "import sys; from pxr import Plug\n"
        + REGISTER
        + "Plug.Registry().RegisterPlugins(sys.argv[1])\n"
        + KNOWN
        + "print(schemas.FindAppliedAPIPrimDefinition('OtherClipAPI') is not None)"
    )
    assert run(code, tmp_path).split() == ["True", "True"]


def test_registering_without_usd_says_nothing():
    hide = "import sys; sys.modules['pxr'] = None\n"
    assert run(hide + REGISTER + "print('on')").strip() == "on"


def test_whoever_writes_a_stage_registers_the_schema(tmp_path):
    code = (
        "import sys, opentimelineio as otio; from castline.adapters import usd\n"
        "usd.write(otio.schema.Timeline(), sys.argv[1])"
    )
    assert run(f"{code}{KNOWN}", tmp_path / "cut.usda").strip() == "True"


def test_a_layer_says_the_same_to_every_usd_with_and_without_the_schema(layer):
    (without,) = values_in(INSTALLED, layer)
    for version in VERSIONS:
        assert values_in(version, layer) == [without]
        assert values_in(version, layer, registered=True) == [without]
    prim = without["prims"][CLIP_PATH]
    assert prim["apiSchemas"] == ["CastlineClipAPI", "CastlineAppearanceAPI:mira"]
    assert prim["attributes"]["castline:appearance:mira:likeness"] == {"0.0": 0.25, "1.0": 0.75}
    assert core_errors(layer) == core_errors(layer, registered=True) == []


def test_validators_know_our_types_where_the_schema_is_registered(layer):
    layer.write_text(LAYER.replace("uniform string castline:name", "uniform token castline:name"))
    assert core_errors(layer) == []
    assert any("castline:name" in text for text in core_errors(layer, registered=True))


@pytest.mark.parametrize("version", VERSIONS)
def test_a_registered_schema_gives_fallbacks_and_unset_attributes(version, layer):
    code = (
        REGISTER + "import sys; from pxr import Usd\n"
        "stage = Usd.Stage.Open(sys.argv[1])\n"
        f"prim = stage.GetPrimAtPath('{CLIP_PATH}')\n"
        "get = lambda name: prim.GetAttribute('castline:' + name).Get()\n"
        "print(prim.GetAppliedSchemas(), get('enabled'), get('appearance:mira:state'))\n"
        "print(get('json'), get('rate'), prim.GetAttribute('castline:rate').HasAuthoredValue())"
    )
    first, second = run(code, layer, version=version).splitlines()
    assert first == "['CastlineClipAPI', 'CastlineAppearanceAPI:mira'] True expected"
    assert second == "None None False"


@pytest.mark.parametrize("version", VERSIONS)
def test_property_panels_find_labels_groups_and_documentation(version):
    code = REGISTER + (
        "import json; from pxr import Usd\n"
        "schemas = Usd.SchemaRegistry(); found = {}\n"
        f"for api in {[api.name for api in API_SCHEMAS]!r}:\n"
        "    kind = schemas.FindAppliedAPIPrimDefinition(api)\n"
        "    found[api] = {name: [kind.GetPropertyMetadata(name, 'displayName'),\n"
        "        kind.GetPropertyMetadata(name, 'displayGroup'),\n"
        "        kind.GetPropertyDocumentation(name)] for name in kind.GetPropertyNames()}\n"
        "print(json.dumps(found))"
    )
    found = json.loads(run(code, version=version))
    assert found[CLIP.name]["castline:rate"][:2] == ["Rate", "castline:time"]
    for api in API_SCHEMAS:
        prefix = f"{api.prefix}:__INSTANCE_NAME__:" if api is APPEARANCE else ""
        expected = {f"{prefix}{i.name}": [i.label, i.group, i.doc] for i in api.properties}
        assert found[api.name] == expected
