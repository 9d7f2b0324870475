"""Floats that OTIO's JSON reader takes back exactly.

OTIO reads JSON numbers in two roundings (RapidJSON without full precision: the digits as one
double, then times or over a power of ten), so that one in ten of all floats with 16 or 17 digits
comes back one unit off in the last place. Written as `<whole double>e<power>` it makes do with
one rounding, and for powers up to 22 that is also what an exact reader makes of it. For one
float in a thousand no such form exists; it is left as it is.
"""

from __future__ import annotations

import math
import re

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?')
_LONG = re.compile(r"[\d.]{16}|\d[eE]")


def write_exactly(text: str) -> str:
    """Return JSON text with every long float in a form that OTIO reads exactly."""
    if not _LONG.search(text):
        return text
    return _TOKEN.sub(_rewrite, text)


def _rewrite(match: re.Match[str]) -> str:
    token = match[0]
    if token[0] == '"' or len(token) < 15 and "e" not in token:
        return token
    if not any(letter in token for letter in ".eE"):
        return token  # an integer
    return _exact_form(float(token)) or token


def _exact_form(value: float) -> str | None:
    """Return the whole double and power of ten that give the value in one rounding."""
    if value == 0 or not math.isfinite(value):
        return None
    magnitude = math.frexp(value)[1]
    first = round((53 - magnitude) * math.log10(2)) + 1
    for power in range(first - 1, first + 5):
        if not -290 < power < 300:
            continue
        scale = float(f"1e{abs(power)}")  # the literal: pow() is not exact past 22
        near = abs(value) * scale if power >= 0 else abs(value) / scale
        for whole in _neighbours(near):
            back = whole / scale if power >= 0 else whole * scale
            if back == abs(value) and whole.is_integer() and whole < 2**63:
                return f"{'-' if value < 0 else ''}{int(whole)}e{-power}"
    return None


def _neighbours(value: float) -> tuple[float, ...]:
    up, down = math.nextafter(value, math.inf), math.nextafter(value, 0.0)
    return (value, up, down, math.nextafter(up, math.inf), math.nextafter(down, 0.0))
