"""Floats that OTIO's JSON reader takes back exactly.

OTIO reads JSON numbers in two roundings (RapidJSON without full precision: the digits as one
double, then times or over a power of ten), so that one in ten of all floats with 16 or 17 digits
comes back one unit off in the last place. Written as `<whole double>e<power>` it makes do with
one rounding, and for powers up to 22 that is also what an exact reader makes of it. For one
float in a thousand no such form exists; it is left as it is.
"""

from __future__ import annotations

import functools
import math
import re

# Seven digits behind a point; a pattern that begins with a fixed letter is found at memory speed.
_LONG = re.compile(r"\.(\d{7,})(?:[eE]([-+]?\d+))?")
_HEAD = re.compile(r"-?\d+$")
_WHOLE = 2**53


def write_exactly(text: str) -> str:
    """Return JSON text with every long float in a form that OTIO reads exactly.

    What looks like a float inside a string is left alone, whole strings at a time.
    """
    found = _LONG.search(text)
    if not found:
        return text
    quotes = text.replace("\\\\", "..")  # so that a backslash before a quote escapes it
    parts: list[str] = []
    copied = counted = 0
    while found:
        point = found.start()
        if _count_quotes(quotes, counted, point) % 2:
            counted = _end_of_string(quotes, point)
        else:
            head = _HEAD.search(text, max(copied, point - 24), point)
            if head is not None:
                token = head[0] + found[0]
                parts += (text[copied : head.start()], _exact_token(token, found[1], found[2]))
                copied = found.end()
            counted = found.end()
        found = _LONG.search(text, counted)
    return "".join([*parts, text[copied:]])


def _count_quotes(text: str, start: int, end: int) -> int:
    return text.count('"', start, end) - text.count('\\"', start, end)


def _end_of_string(text: str, inside: int) -> int:
    end = text.find('"', inside)
    while text[end - 1] == "\\":
        end = text.find('"', end + 1)
    return end + 1


@functools.lru_cache(maxsize=1 << 16)
def _exact_token(token: str, fraction: str, power: str | None) -> str:
    value = float(token)
    if _read_by_otio(token, len(fraction) - int(power or 0)) == abs(value):
        return token
    return _exact_form(value) or token


def _read_by_otio(token: str, places: int) -> float:
    """Return what RapidJSON makes of up to 17 digits with the point `places` from their end."""
    digits = token.lstrip("-").lower().partition("e")[0].replace(".", "").lstrip("0")
    head = int(digits[:16] or 0)
    if head < _WHOLE:
        whole = float(int(digits[:17] or 0))
    else:
        whole = float(head)
        for digit in digits[16:17]:
            whole = whole * 10.0 + int(digit)
    if len(digits) > 17 or abs(places) > 300:
        return -1.0
    scale = float(f"1e{abs(places)}")
    return whole / scale if places >= 0 else whole * scale


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
