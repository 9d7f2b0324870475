"""The shared measure of what survives: everything does."""

from __future__ import annotations

import importlib.util
import sys

import pytest
from usd_hostile import CORPUS
from usd_reads import read

from castline.adapters import usd

pytest.importorskip("pxr")
pytestmark = pytest.mark.corpus

TOOL = CORPUS.parents[1] / "tools" / "survival.py"


@pytest.fixture(scope="module")
def survival():
    spec = importlib.util.spec_from_file_location("survival", TOOL)
    module = importlib.util.module_from_spec(spec)
    sys.modules["survival"] = module  # its dataclasses look there
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("suffix", usd.SUFFIXES)
def test_all_that_is_measured_survives(suffix, survival):
    found = survival.measure(usd.write, read, suffix=suffix)
    lost = {name: outcome for name, outcome in found.items() if outcome.status != "survived"}
    assert not lost
    assert survival.total(found) == "37/37"
    assert not any(outcome.input_mutated for outcome in found.values())
