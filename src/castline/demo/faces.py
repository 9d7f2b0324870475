"""Drawn faces that a face detector takes for faces, each a few numbers, so that they can be mixed.

Everything that a drawing lacks - skin, hair, a second photograph of the same person - is of no
matter to a network; light and dark in the right places are. Lengths are shares of the picture.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw

Colour = tuple[int, int, int]

_SHARPER = 2  # drawn so much larger, then made smaller
_EYES = 0.45
_BLUR = 0.015


@dataclass(frozen=True)
class Face:
    """What a face looks like."""

    skin: Colour = (205, 160, 130)
    hair: Colour = (60, 40, 30)
    eye: Colour = (70, 90, 120)
    lips: Colour = (150, 70, 70)
    width: float = 0.62
    height: float = 0.82
    gap: float = 0.27
    """Between the eyes."""
    nose: float = 0.30
    """How long it is."""
    mouth: float = 0.24
    """How wide it is."""

    def mixed(self, other: Face, share: float) -> Face:
        """Return the face that is so far on the way to another: 0 this one, 1 the other."""
        values: dict[str, Any] = {
            field.name: _between(getattr(self, field.name), getattr(other, field.name), share)
            for field in fields(self)
        }
        return Face(**values)


def _between(one: Colour | float, other: Colour | float, share: float) -> Colour | float:
    if isinstance(one, tuple) and isinstance(other, tuple):
        red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
        return red, green, blue
    assert isinstance(one, float) and isinstance(other, float)
    return one + (other - one) * share


@lru_cache(maxsize=64)
def draw_face(face: Face, side: int) -> Image:
    """Return a face from the front, hair and neck with it, square, on nothing (RGBA)."""
    from PIL import Image, ImageDraw, ImageFilter

    size = side * _SHARPER
    picture = Image.new("RGB", (size, size), face.skin)
    _skin_and_hair(ImageDraw.Draw(picture), face, size)
    picture.paste(_shadow(face.skin, 0.5), (0, 0, size, size), _shade(face, size))
    _details(ImageDraw.Draw(picture), face, size)
    picture = picture.filter(ImageFilter.GaussianBlur(size * _BLUR))
    picture.putalpha(_outline(face, size))
    return picture.resize((side, side), Image.Resampling.LANCZOS)


def _skin_and_hair(pen: ImageDraw, face: Face, size: int) -> None:
    """Draw hair, neck and skin."""
    pen.rectangle((0, 0, size, size), fill=face.hair)
    pen.rectangle((size * 0.38, size * 0.8, size * 0.62, size), fill=_shadow(face.skin, 0.6))
    _oval(pen, size, (0.5, 0.5), (face.width, face.height), face.skin)
    above = (0.5 - face.width * 0.52, 0.5 - face.height * 0.53)
    below = (0.5 + face.width * 0.52, 0.5 + face.height * 0.2)
    pen.pieslice([size * edge for edge in (*above, *below)], 190, 350, fill=face.hair)
    _oval(pen, size, (0.5, 0.42), (face.width * 0.86, face.height * 0.5), face.skin)


def _shade(face: Face, size: int) -> Image:
    """Return where it is dark: around the eyes, beside the nose, under the lips."""
    from PIL import Image, ImageDraw, ImageFilter

    dark = Image.new("L", (size, size), 0)
    pen = ImageDraw.Draw(dark)
    for sign in (-1, 1):
        _oval(pen, size, (0.5 + sign * face.gap / 2, _EYES - 0.02), (0.19, 0.12), 153)
        tip = _EYES + face.nose * 0.8
        wing = [(0.5 + sign * x, y) for x, y in ((0.025, _EYES), (0.085, tip), (0.03, tip))]
        pen.polygon([(size * x, size * y) for x, y in wing], fill=153)
    _oval(pen, size, (0.5, _EYES + face.nose * 1.36), (face.mouth * 0.8, 0.05), 150)
    return dark.filter(ImageFilter.GaussianBlur(size * 0.018))


def _details(pen: ImageDraw, face: Face, size: int) -> None:
    """Draw eyes, brows, nostrils and mouth."""
    for sign in (-1, 1):
        x = 0.5 + sign * face.gap / 2
        _oval(pen, size, (x, _EYES), (0.13, 0.056), (225, 222, 218))
        _oval(pen, size, (x, _EYES), (0.058, 0.058), _shadow(face.eye, 0.7))
        _oval(pen, size, (x, _EYES), (0.03, 0.03), (8, 8, 8))
        lid = [size * edge for edge in (x - 0.075, _EYES - 0.045, x + 0.075, _EYES + 0.05)]
        pen.arc(lid, 195, 345, fill=(30, 20, 18), width=round(size * 0.012))
        brow = [size * edge for edge in (x - 0.085, _EYES - 0.07, x + 0.085, _EYES - 0.075)]
        pen.line(brow, fill=_shadow(face.hair, 0.7), width=round(size * 0.03))
        nostril = (0.5 + sign * 0.032, _EYES + face.nose * 0.78)
        _oval(pen, size, nostril, (0.034, 0.022), _shadow(face.skin, 0.3))
    y = _EYES + face.nose * 1.15
    _oval(pen, size, (0.5, y), (face.mouth, 0.06), face.lips)
    line = [size * edge for edge in (0.5 - face.mouth / 2, y, 0.5 + face.mouth / 2, y)]
    pen.line(line, fill=(60, 25, 25), width=round(size * 0.012))


def _outline(face: Face, size: int) -> Image:
    """Return what of the picture is head, hair and neck."""
    from PIL import Image, ImageDraw

    shape = Image.new("L", (size, size), 0)
    pen = ImageDraw.Draw(shape)
    _oval(pen, size, (0.5, 0.44), (face.width * 1.18, face.height * 1.02), 255)
    _oval(pen, size, (0.5, 0.5), (face.width, face.height), 255)
    pen.rectangle((size * 0.38, size * 0.8, size * 0.62, size), fill=255)
    return shape


def _oval(
    pen: ImageDraw,
    size: int,
    middle: tuple[float, float],
    extent: tuple[float, float],
    fill: Colour | int,
) -> None:
    (x, y), (wide, tall) = middle, extent
    edges = (x - wide / 2, y - tall / 2, x + wide / 2, y + tall / 2)
    pen.ellipse([size * edge for edge in edges], fill=fill)


def _shadow(colour: Colour, light: float) -> Colour:
    red, green, blue = (round(part * light) for part in colour)
    return red, green, blue
