"""The declaration of the USD schema: all is described, and the shipped files are made of it."""

from __future__ import annotations

import re

import pytest
from usd_schema import FOLDER, generate

from castline.adapters.usd import layout
from castline.schemas import usdschema
from castline.schemas.usdschema import API_SCHEMAS, APPEARANCE, RELATIONSHIP
from castline.schemas.values import Appearance
from castline.schemas.values.record import field_specs

CONTRACT = (FOLDER.parents[1] / "docs" / "usd.md").read_text(encoding="utf-8")
SINGLE = [api for api in API_SCHEMAS if not api.prefix]
TYPES = {name: kind for api in SINGLE for name, kind in api.types.items()}


def contract_types() -> dict[str, str]:
    """Return what the table in docs/usd.md says of our own attributes."""
    found = {}
    for names, types in re.findall(r"^\| (`castline:.*?) \| (.*?) \|", CONTRACT, re.MULTILINE):
        first, *others = re.findall(r"`(.*?)`", names)
        full = [first, *(re.sub(r":\w+$", n, first) if n[0] == ":" else n for n in others)]
        kinds = types.split(", ")
        found.update(zip(full, kinds * len(full) if len(kinds) == 1 else kinds, strict=False))
    return found


def test_the_shipped_files_are_made_of_the_declaration():
    pytest.importorskip("pxr")
    for name, text in generate().items():
        assert (FOLDER / name).read_text(encoding="utf-8") == text, "run `make schema`"


@pytest.mark.parametrize("api", API_SCHEMAS, ids=lambda api: api.name)
def test_every_property_has_words_for_people(api):
    assert api.name.startswith("Castline") and api.name.endswith("API")
    for item in (api, *api.properties):
        assert re.fullmatch(r"[A-Z].*\.", item.doc), item.name
    for item in api.properties:
        assert item.label and item.group.split(":")[0] == "castline", item.name


def test_one_name_has_one_type_and_one_meaning():
    declared = {item.name: item for api in SINGLE for item in api.properties}
    assert all(item is declared[item.name] for api in SINGLE for item in api.properties)


def test_the_contract_names_the_same_attributes_with_the_same_types():
    assert contract_types() == TYPES


def test_the_contract_names_every_part_of_an_appearance():
    part = CONTRACT.partition("CastlineAppearanceAPI:")[2]
    for name, kind in APPEARANCE.types.items():
        assert re.search(rf"`(castline:appearance:<character>:)?{name}`", part), name
        assert kind == RELATIONSHIP or kind in part, kind


def test_the_writer_and_the_schema_mean_the_same_types():
    for name, kind in layout.TYPES.items():
        assert TYPES.get(name, kind) == kind, name


def test_an_appearance_is_documented_by_its_own_fields():
    docs = {item.name: item.doc for item in APPEARANCE.properties}
    specs = {spec.name: spec.doc for spec in field_specs(Appearance)}
    assert docs["note"].lower() == f"{specs['note']}."
    assert APPEARANCE.types["worstTime"] == "timecode"
    state = next(item for item in APPEARANCE.properties if item.name == "state")
    assert "drift" in state.choices and state.fallback == "expected"


def test_all_but_likeness_is_uniform():
    varying = [i.name for api in API_SCHEMAS for i in api.properties if not i.uniform]
    assert varying == ["likeness"]


def test_names_that_schemas_of_others_could_have_are_prefixed():
    assert usdschema.LIBRARY == "castline"
    assert all(name.startswith("castline:") for name in TYPES)
    assert APPEARANCE.prefix.startswith("castline:")
