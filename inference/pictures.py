"""Pictures made smaller, and parts of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from castline.inference.find.box import Box

_GREY = 127


def within(longest: int, pictures: Sequence[Any]) -> tuple[Sequence[Any], float]:
    """Return pictures of one size with no longer side than this, and by how much they shrank."""
    found = max(pictures[0].shape[:2])
    if found <= longest:
        return pictures, 1.0
    import numpy as np
    from PIL import Image

    scale = found / longest
    height, width = (max(1, round(side / scale)) for side in pictures[0].shape[:2])
    smaller = [
        np.asarray(Image.fromarray(each).resize((width, height), Image.Resampling.BOX))
        for each in pictures
    ]
    return smaller, scale


def squared(picture: Any) -> Any:
    """Return a picture with grey beside it, or above and below, so that nothing is cut off later.

    Most models look at a square, and cut off what is beyond.
    """
    import numpy as np

    height, width = picture.shape[:2]
    side = max(height, width)
    canvas = np.full((side, side, 3), _GREY, np.uint8)
    top, left = (side - height) // 2, (side - width) // 2
    canvas[top : top + height, left : left + width] = picture
    return canvas


def crop(picture: Any, box: Box) -> Any:
    """Return what the box holds of a picture, height x width x RGB; at least one pixel."""
    height, width = picture.shape[:2]
    left, right = (min(max(edge, 0), width - 1) for edge in (box.left, box.right))
    top, bottom = (min(max(edge, 0), height - 1) for edge in (box.top, box.bottom))
    return picture[top : max(top, bottom) + 1, left : max(left, right) + 1]
