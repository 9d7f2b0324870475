"""Time codes in USD text, to the last digit.

USD's text writer gives a `timecode` six digits, as a stream does by default: 1267259 becomes
1.26726e+06, and 86508.024 becomes 86508 (usd-core 25.11 to 26.11). Every other number is written
in full, and the reader takes what it is given. So where six digits do not do, the values are
exported as stand-ins that six digits do hold, and put in their places in the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from castline.schemas.errors import UnwritableFileError

_STAND_IN = re.compile(rb"(?<== )([1-9]\.[0-9]{5}e\+2[0-9]{2})(?=\n)")
_FIRST, _LAST = 100_001, 999_999  # mantissas of six digits; whole tens would be shorter


def written(value: float) -> float:
    """Return what USD text makes of a time code by itself."""
    if -1e6 < value < 1e6 and value == int(value):
        return value
    return float(f"{value:g}")


def export_text(layer: Any, target: Path) -> bool:
    """Write a layer as USD text with exact time codes; return whether USD wrote it."""
    inexact = [(spec, spec.default) for spec in _inexact(layer)]
    if not inexact:
        return bool(layer.Export(str(target)))
    text = _with_stand_ins(layer, inexact, target)
    if text is None:
        return False
    target.write_bytes(text)
    return True


def _with_stand_ins(layer: Any, inexact: list[tuple[Any, float]], target: Path) -> bytes | None:
    """Return the layer's text with the values in the places of their stand-ins."""
    wanted: dict[bytes, bytes] = {}
    try:
        for (spec, value), text in zip(inexact, _stand_ins(), strict=False):
            wanted[text.encode()] = repr(float(value)).removesuffix(".0").encode()
            spec.default = float(text)
        if not layer.Export(str(target)):
            return None
    finally:
        for spec, value in inexact:
            spec.default = value
    put: list[bytes] = []

    def put_back(match: re.Match[bytes]) -> bytes:
        value = wanted.get(match[0])
        if value is None:
            return match[0]
        put.append(match[0])
        return value

    found = _STAND_IN.sub(put_back, target.read_bytes())
    if len(put) != len(wanted):
        raise UnwritableFileError(
            f"{target.name}: found words that are written as time codes are; write a usdc"
        )
    return found


def _inexact(layer: Any) -> Iterator[Any]:
    """Yield the attributes whose time codes USD text would round."""
    waiting = list(layer.rootPrims)
    while waiting:
        prim = waiting.pop()
        for spec in prim.attributes:
            if str(spec.typeName) == "timecode":
                value = spec.default
                if value is not None and written(float(value)) != float(value):
                    yield spec
        waiting.extend(prim.nameChildren)
        for variants in prim.variantSets:
            waiting.extend(variant.primSpec for variant in variants.variants.values())


def _stand_ins() -> Iterator[str]:
    """Yield numbers that six digits hold and that nobody means."""
    for exponent in range(200, 300):
        for mantissa in range(_FIRST, _LAST + 1):
            if mantissa % 10:
                yield f"{mantissa // 100_000}.{mantissa % 100_000:05d}e+{exponent}"
