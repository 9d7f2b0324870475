"""The attributes of a camera that a cut camera carries."""

from __future__ import annotations

NUMBERS = {
    "focalLength": "float",
    "focusDistance": "float",
    "fStop": "float",
    "horizontalAperture": "float",
    "verticalAperture": "float",
    "horizontalApertureOffset": "float",
    "verticalApertureOffset": "float",
    "clippingRange": "float2",
    "shutter:open": "double",
    "shutter:close": "double",
    "exposure": "float",
    "exposure:time": "float",
    "exposure:iso": "float",
    "exposure:fStop": "float",
    "exposure:responsivity": "float",
}
"""Attributes that are blended between samples, with their types."""

STEPS = {"projection": "token", "clippingPlanes": "float4[]"}
"""Attributes that are held from sample to sample."""

FALLBACKS: dict[str, object] = {
    "focalLength": 50.0,
    "focusDistance": 0.0,
    "fStop": 0.0,
    "horizontalAperture": 20.955,
    "verticalAperture": 15.2908,
    "horizontalApertureOffset": 0.0,
    "verticalApertureOffset": 0.0,
    "clippingRange": [1.0, 1000000.0],
    "shutter:open": 0.0,
    "shutter:close": 0.0,
    "exposure": 0.0,
    "exposure:time": 1.0,
    "exposure:iso": 100.0,
    "exposure:fStop": 1.0,
    "exposure:responsivity": 1.0,
    "projection": "perspective",
    "clippingPlanes": [],
}
"""What USD takes them for where nobody says (UsdGeomCamera); a test holds this against it."""
