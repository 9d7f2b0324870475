"""Recorded features: what was seen in a run, in one file, to be scored anywhere with numpy alone.

A safetensors file (8 bytes of length, a JSON header, arrays): read here without that package, so
that scoring needs nothing but numpy. Vectors of faces are biometric data: such a file is written
only where somebody asks for it.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from castline.inference.find.box import Box
from castline.inference.frames import Footage
from castline.inference.packages import require_numpy
from castline.inference.subject import Clarity, Sight, Subject
from castline.schemas.errors import InvalidValueError, UnreadableFileError

VERSION = 1
MAX_BYTES = 4 << 30
_MAX_HEADER = 64 << 20
_TYPES = {"F32": "<f4", "I32": "<i4", "I64": "<i8"}
_NAMES = {"<f4": "F32", "<i4": "I32", "<i8": "I64"}
_MAX_RATE = 40  # characters
_FASTEST = 100_000
_MISFITS = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What values that nobody expects raise."""
_LENGTH = struct.Struct("<Q")


@dataclass(frozen=True)
class Recorded:
    """Sights by media, and with what they were seen."""

    model: str
    """Hash of the model's specification."""
    kinds: frozenset[str]
    footage: Mapping[str, Footage]
    """By the hash of the bytes."""
    sights: Mapping[str, Mapping[int, Sight]]
    """By that hash and the number of the frame."""


def to_bytes(recorded: Recorded) -> bytes:
    """Return the file that holds these features."""
    import numpy as np

    media = sorted(recorded.sights)
    looked = [(place, n) for place, key in enumerate(media) for n in sorted(recorded.sights[key])]
    rows = [
        (row, subject)
        for row, (place, number) in enumerate(looked)
        for subject in recorded.sights[media[place]][number].subjects
    ]
    vectors = [subject.vector for _, subject in rows]
    boxes = [(s.box.left, s.box.top, s.box.right, s.box.bottom) for _, s in rows]
    arrays = {
        "looked": np.array(looked, "<i8").reshape(-1, 2),
        "row": np.array([row for row, _ in rows], "<i8"),
        "box": np.array(boxes, "<i4").reshape(-1, 4),
        "confidence": np.array([subject.confidence for _, subject in rows], "<f4"),
        "clarity": np.array([int(subject.clarity) for _, subject in rows], "<i4"),
        "vector": np.array(vectors, "<f4") if vectors else np.zeros((0, 1), "<f4"),
    }
    facts = [_facts(recorded.footage[key]) for key in media]
    about = {
        "castline": str(VERSION),
        "model": recorded.model,
        "kinds": json.dumps(sorted(recorded.kinds)),
        "media": json.dumps(facts),
    }
    return _packed(arrays, about)


def read(path: Path) -> Recorded:
    """Return the features of a file.

    Raises `UnreadableFileError` for what is no safetensors file, `InvalidValueError` for one with
    other things in it.
    """
    require_numpy()
    import numpy as np

    arrays, about = _unpacked(path)
    if about.get("castline") != str(VERSION):
        found = about.get("castline")
        raise InvalidValueError(f"{path}: found version {found!r}, expected {VERSION}")
    try:
        footage = [_footage(each) for each in json.loads(about["media"])]
        sights: dict[str, dict[int, Sight]] = {each.sha256: {} for each in footage}
        subjects: list[list[Subject]] = [[] for _ in arrays["looked"]]
        columns = (arrays[name].tolist() for name in ("row", "box", "confidence", "clarity"))
        vectors = arrays["vector"]
        if not (np.isfinite(vectors).all() and np.abs(vectors).sum(axis=1).all()):
            raise ValueError("a vector that is no direction")
        if min(arrays["row"].min(initial=0), arrays["looked"].min(initial=0)) < 0:
            raise ValueError("a place before the first")
        for row, box, confidence, clarity, vector in zip(*columns, vectors, strict=True):
            subjects[row].append(Subject(Box(*box), confidence, Clarity(clarity), vector))
        for (place, number), seen in zip(arrays["looked"].tolist(), subjects, strict=True):
            media = footage[place]
            sights[media.sha256][number] = Sight(number, tuple(seen))
        kinds = frozenset(map(str, json.loads(about["kinds"])))
        return Recorded(about["model"], kinds, {each.sha256: each for each in footage}, sights)
    except _MISFITS as error:
        raise InvalidValueError(f"{path}: found no features of castline: {error!r}") from None


def _facts(footage: Footage) -> dict[str, Any]:
    return {
        "sha256": footage.sha256,
        "name": footage.path.name,
        "rate": str(footage.rate),
        "count": footage.count,
    }


def _footage(facts: Any) -> Footage:
    if len(str(facts["rate"])) > _MAX_RATE:
        raise ValueError("a rate that is none")
    rate, count = Fraction(facts["rate"]), facts["count"]
    if not 0 < rate <= _FASTEST or type(count) is not int or count < 0:
        raise ValueError(f"a rate of {rate} and {count!r} frames")
    return Footage(str(facts["sha256"]), Path(Path(str(facts["name"])).name), rate, count)


def _packed(arrays: Mapping[str, Any], about: Mapping[str, str]) -> bytes:
    header: dict[str, Any] = {"__metadata__": dict(about)}
    at = 0
    for name, array in arrays.items():
        end = at + array.nbytes
        kind = _NAMES[array.dtype.str]
        header[name] = {"dtype": kind, "shape": list(array.shape), "data_offsets": [at, end]}
        at = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # arrays begin at a multiple of 8
    return b"".join(
        [_LENGTH.pack(len(text)), text, *(array.tobytes() for array in arrays.values())]
    )


def _unpacked(path: Path) -> tuple[dict[str, Any], dict[str, str]]:
    import numpy as np

    try:
        if not path.is_file() or path.stat().st_size > MAX_BYTES:
            raise UnreadableFileError(f"{path}: found no file of bearable size")
        data = path.read_bytes()
        (length,) = _LENGTH.unpack_from(data)
        if length > min(_MAX_HEADER, len(data) - _LENGTH.size):
            raise ValueError("a header beyond the end")
        header = json.loads(data[_LENGTH.size : _LENGTH.size + length])
        about = header.pop("__metadata__", {})
        if not isinstance(about, dict):
            raise ValueError("metadata that are no names with values")
        arrays = {}
        body = memoryview(data)[_LENGTH.size + length :]
        for name, each in header.items():
            start, end = each["data_offsets"]
            if not 0 <= start <= end <= len(body):
                raise ValueError(f"{name}: an array beyond the end")
            array = np.frombuffer(body[start:end], _TYPES[each["dtype"]])
            arrays[name] = array.reshape(each["shape"])
    except OSError as error:
        raise UnreadableFileError(f"{path}: {error.strerror}") from None
    except (*_MISFITS, struct.error) as error:
        raise UnreadableFileError(f"{path}: found no safetensors file: {error}") from None
    return arrays, about
