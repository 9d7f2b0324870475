"""USD stages that hold a cut: they play, and are read back without loss, edits included.

What the format cannot say: nothing that OTIO's own JSON can say. (Neither keeps what follows a NUL
inside a text.) What does not play in a stage, the writer returns as losses.

How a cut lies in a stage, and what an edit of it means, is in docs/usd.md. Where it is done:

| room | what |
|---|---|
| `writing/` | a cut into a stage: its objects, their words, the file, the package |
| `playing/` | what of it is seen and heard, and when: scenes, plates, sounds, the cut camera |
| `reading/` | a cut out of a stage: what it says, what was edited on it; usdotio's stages too |
| here | what they share: names, views of objects, places in time, the child process |
"""

from __future__ import annotations

from typing import Any

__all__ = ["SUFFIXES", "read", "write"]

_HOMES = {"SUFFIXES": "layout", "read": "reading.reader", "write": "writing.writer"}


def __getattr__(name: str) -> Any:
    """Load what is asked for; the child process that opens stages needs no OpenTimelineIO."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
