"""The picture of shots against shots, whatever lies below or above the threshold."""

from __future__ import annotations

import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from castline.matrix import MAX_SHOTS, to_svg
from castline.storyline import Storyline

np = pytest.importorskip("numpy")

SVG = "{http://www.w3.org/2000/svg}"


def line(values, vectors=None, names=None) -> Storyline:
    count = len(values)
    nothing = (None,) * count
    vectors = vectors or [
        None if v is None else np.array([[v, (1 - v * v) ** 0.5]]) for v in values
    ]
    return Storyline(
        "mira & tom\x01",
        tuple(names or map(str, range(count))),
        tuple(None if v == "-" else "ok" for v in values),
        tuple(values),
        nothing,
        nothing,
        nothing,
        tuple(vectors),
    )


def fills(svg: str) -> list[str]:
    found = [each.get("fill") for each in ElementTree.fromstring(svg).iter(f"{SVG}rect")]
    return [fill for fill in found if fill not in ("white",)]


@pytest.mark.parametrize(
    ("values", "threshold"),
    [
        ((0.99, 0.99), None),  # nothing differs
        ((0.80, 0.81, 0.79), 0.93),  # alike, and all unlike the references
        ((0.92, 0.90, 0.925), 0.93),
        ((0.99, 0.95, None), 0.93),
        ((0.5,), None),
        ((None, None), 0.9),
    ],
)
def test_every_cell_has_a_colour_and_lower_is_redder(values, threshold):
    svg = to_svg([line(values)], threshold)
    assert all(re.fullmatch(r"#[0-9a-f]{6}", fill) for fill in fills(svg))
    last = fills(svg)[-len(values) :]  # the row of references
    known = [(v, fill) for v, fill in zip(values, last, strict=True) if v is not None]
    for (one, fill), (other, next_fill) in pairwise(known):
        if threshold is not None and one < other:
            assert int(fill[1:3], 16) >= int(next_fill[1:3], 16)
    if threshold is not None:
        greens = {fill for value, fill in known if value >= threshold}
        assert not greens & {fill for value, fill in known if value < threshold}


def test_names_are_text_whatever_is_in_them():
    svg = to_svg([line((0.9, 0.8), names=["<script>", "a\x00b" * 20])], None)
    words = [each.text for each in ElementTree.fromstring(svg).iter(f"{SVG}text")]
    assert "mira & tom " in words and "<script>" in words


def test_of_many_shots_the_lowest_are_drawn():
    values = [0.99] * 1000
    values[777] = 0.5
    svg = to_svg([line(tuple(values))], 0.9)
    words = [each.text for each in ElementTree.fromstring(svg).iter(f"{SVG}text")]
    assert "777" in words and f"mira & tom , {MAX_SHOTS} shots" in words
    assert len(fills(svg)) == MAX_SHOTS * (MAX_SHOTS + 1)
