"""Real cuts from real programs, there and back, and how many come back whole."""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from functools import cache
from pathlib import Path

import opentimelineio as otio
import pytest
from trip import CORPUS, Trip, attach, cuts, read_cut, travel

from castline.adapters.compare import compare

pytestmark = pytest.mark.corpus

GOLDEN = Path(__file__).resolve().parents[1] / "fixtures" / "golden" / "losses"
ALL_MISSING = otio.adapters.file_bundle_utils.MediaReferencePolicy.AllMissing
BARS = {
    "edl": 20,
    "xml": 30,
    "fcpxml": 24,
    "aaf": 29,
    "ale": 39,
    "usda": 43,
    "usdc": 43,
    "otioz": 43,
}


@cache
def _trips(suffix: str, folder: Path) -> dict[str, tuple[Trip, list]]:
    """Return what became of every cut in one format, and its losses."""
    found = {}
    arguments = {"write": {"media_policy": ALL_MISSING}} if suffix == "otioz" else {}
    for source in cuts():
        timeline = read_cut(source)
        attach(timeline)
        results: list = []
        path = folder / f"{source.stem}.{suffix}"
        trip = travel(timeline, path, keep=results, **arguments)
        path.unlink(missing_ok=True)
        found[source.name] = (trip, compare(timeline, results[0]) if results else [])
    return found


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("corpus")


# One group a format, so that one worker makes its trips once.
@pytest.mark.parametrize(
    "suffix", [pytest.param(suffix, marks=pytest.mark.xdist_group(suffix)) for suffix in BARS]
)
class TestEveryFormat:
    """What became of every cut in one format."""

    def test_enough_cuts_come_back_whole(self, suffix, folder):
        whole = [name for name, (trip, _) in _trips(suffix, folder).items() if trip.whole]
        print(f"{suffix}: {len(whole)} of {len(cuts())} cuts whole")
        assert len(whole) >= BARS[suffix]

    def test_what_does_not_come_back_is_unplaced_or_refused(self, suffix, folder):
        for name, (trip, _) in _trips(suffix, folder).items():
            if not trip.error:
                assert trip.intact + trip.unplaced == trip.clips, (name, trip)
                assert trip.timeline, (name, trip)

    def test_golden_losses(self, suffix, folder):
        found = {}
        for name, (trip, losses) in sorted(_trips(suffix, folder).items()):
            counts = Counter(f"{_kind(loss.field)}: {loss.reason}" for loss in losses)
            found[name] = {
                "clips": trip.clips,
                "intact": trip.intact,
                "unplaced": trip.unplaced,
                "error": re.sub(r"[\w./:()\\ -]*/[^ ]*", "PATH", trip.error)[:80],
                "losses": dict(sorted(counts.items())),
            }
        path = GOLDEN / f"{suffix}.json"
        if os.environ.get("CASTLINE_GOLDEN") == "write":
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
        assert json.loads(path.read_text()) == found, "run `make golden` and review the difference"


def _kind(field: str) -> str:
    """Return a loss's field without the names that are the cut's own."""
    return re.sub(r"^(marker|effect|media) [^.]*", r"\1", field)


def test_the_corpus_is_whole():
    assert len(cuts()) == 43
    assert (CORPUS / "README.md").is_file()
