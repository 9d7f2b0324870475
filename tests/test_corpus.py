"""Real cuts from real programs, there and back, and how many come back whole."""

from __future__ import annotations

import json
import os
import re
from collections import Counter
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


@pytest.mark.parametrize("suffix", BARS)
def test_golden_losses_of_every_cut(suffix, tmp_path):
    """Enough cuts come back whole; what does not is unplaced or refused, and named."""
    trips = _trips(suffix, tmp_path)
    whole = [name for name, (trip, _) in trips.items() if trip.whole]
    print(f"{suffix}: {len(whole)} of {len(cuts())} cuts whole")
    assert len(whole) >= BARS[suffix]
    found = {}
    for name, (trip, losses) in sorted(trips.items()):
        if not trip.error:
            assert trip.intact + trip.unplaced == trip.clips, (name, trip)
            assert trip.timeline, (name, trip)
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
