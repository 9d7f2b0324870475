"""Figures are what is given, what is found, or the whole picture, and each is its own vector."""

from __future__ import annotations

import pytest

from castline.inference.figures import MIN_SIDE, FigureModel, around
from castline.inference.find.box import Box, Found
from castline.inference.pictures import crop
from castline.inference.specification import Specification
from castline.inference.subject import Clarity

np = pytest.importorskip("numpy")


class Mean:
    """Embeds a picture as its mean colour."""

    specification = Specification.of(kind="mean")

    def embed(self, pictures):
        assert all(picture.shape[0] == picture.shape[1] for picture in pictures)
        middles = [picture[len(picture) // 2].mean(0) for picture in pictures]
        return np.array(middles, np.float32).reshape(-1, 3)


class Halves:
    """Finds the left half and then the right one."""

    specification = Specification.of(kind="halves")

    def find(self, pictures):
        found = []
        for picture in pictures:
            height, width = picture.shape[:2]
            left = Box(0, 0, width // 2 - 1, height - 1)
            found.append([Found(left, 0.9), Found(Box(width // 2, 0, width - 1, height - 1), 0.4)])
        return found


@pytest.fixture
def picture():
    pixels = np.zeros((40, 80, 3), np.uint8)
    pixels[:, 40:] = 200
    return pixels


def test_without_a_finder_the_whole_picture_is_the_figure(picture):
    ((found,),) = FigureModel(Mean()).look([picture])
    assert found.box == Box(0, 0, 79, 39) and found.vector.tolist() == [100] * 3


def test_what_is_found_is_embedded_each_on_its_own(picture):
    ((left, right),) = FigureModel(Mean(), Halves()).look([picture])
    assert (left.vector[0], right.vector[0]) == (0, 200)
    assert (left.confidence, right.confidence) == (0.9, 0.4)


def test_given_boxes_are_taken_and_nothing_is_looked_for(picture):
    boxes = [[Box(60, 5, 69, 14), Box(-9, -9, 300, 300)], None, []]
    model = FigureModel(Mean(), Halves())
    found = model.look([picture] * 3, boxes)
    assert [len(each) for each in found] == [2, 2, 0]
    small, whole = found[0]
    assert (small.vector[0], whole.vector[0]) == (200, 100)
    assert small.clarity is Clarity.POOR and whole.clarity is Clarity.CLEAR
    assert small.box.side < MIN_SIDE


def test_the_specification_says_what_finds_and_what_embeds():
    hashes = {
        FigureModel(Mean()).specification.hash,
        FigureModel(Mean(), Halves()).specification.hash,
        Mean.specification.hash,
    }
    assert len(hashes) == 3


def test_a_figure_stands_under_its_face():
    box = around(Box(100, 50, 139, 89))
    assert (box.top, box.right - box.left) == (30, 120)
    assert box.bottom - box.top == 280
    assert box.left < 100 and box.right > 139


@pytest.mark.parametrize(
    "box", [Box(-50, -50, -10, -10), Box(500, 500, 600, 600), Box(79, 39, 79, 39), Box(5, 5, 5, 5)]
)
def test_a_crop_has_at_least_one_pixel(picture, box):
    found = crop(picture, box)
    assert found.shape[0] >= 1 and found.shape[1] >= 1
