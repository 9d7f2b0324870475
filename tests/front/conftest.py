"""A cut to score, drawn once: a cast of three, a movie of four shots, a calibration."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import castline


@pytest.fixture(scope="session")
def desk(tmp_path_factory) -> Path:
    """Return a folder with a cast of three, a movie of four shots, a cut and a calibration."""
    from scoring_desk import SHOTS
    from test_drift import ANN, MIRA, OTHER, TOM, cut_of, drawn, write_movie

    from castline.demo.drawing import Figure, draw_cast

    folder = tmp_path_factory.mktemp("desk")
    faces = {"mira": MIRA, "tom": TOM, "ann": ANN}
    draw_cast(folder / "cast", tuple(Figure(n, face, "#d8a21b") for n, face in faces.items()))
    write_movie(
        folder / "clip.mp4",
        [
            drawn(face, 0.4 + 0.02 * frame)
            for face in (MIRA, MIRA, MIRA.mixed(OTHER, 0.7), MIRA)
            for frame in range(12)
        ],
    )
    castline.write(cut_of(folder / "clip.mp4", SHOTS), folder / "cut.otio")
    made = castline.calibrate(
        castline.read_cast(folder / "cast"), folder / "cast", cache=folder / "c.sqlite"
    )
    (folder / "known.json").write_text(json.dumps(made.to_data()))
    return folder


@pytest.fixture(scope="session")
def scored(desk) -> Path:
    from scoring_desk import SCORE, run

    run(desk, *SCORE, "--cache", "c.sqlite", "-o", "scored.otio", "--record", "f.safetensors",
        "--matrix", "m.svg")  # fmt: skip
    return desk / "scored.otio"
