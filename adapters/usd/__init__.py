"""USD stages that hold a cut: written and read back without loss.

What the format cannot say: nothing that OTIO's own JSON can say. (Neither keeps what follows a NUL
inside a text.)

How a file is laid out:

* `/Timeline`, the default prim, is the object that was written, whatever its kind;
  `castline:schema` says which. A timeline's stack is `/Timeline/tracks`.
* Every child of a stack, track or collection is a prim under it, in order, named by kind, place
  and name (`clip_3_sh010`); `displayName` holds the name as it is.
* `castline:json` on each prim is the object as canonical OTIO JSON, without its children: those
  are the prims below it (`"children":[]`, `"tracks":null` say where). It is the authority.
* The other attributes are views of it for people and programs:

  | attribute | type | meaning |
  |---|---|---|
  | `castline:schema` | token | OTIO schema and version, `Clip.2` |
  | `castline:name` | string | the object's name |
  | `castline:enabled` | bool | as in OTIO |
  | `castline:trackKind` | token | `Video`, `Audio` |
  | `castline:timelineRange:start`, `:end` | timecode | where the item lies in the stage's time, \
end excluded; absent where OTIO cannot tell |
  | `castline:sourceRange:start`, `:end` | timecode | the source range, in frames of \
`castline:rate`, end excluded |
  | `castline:rate` | double | frames a second of the item's own times |
  | `castline:version` | int | on `/Timeline`: the version of this layout |

The stage plays at the cut's rate and spans the cut; `endTimeCode` is the last frame, included.
No schema has to be registered: prims are plain `Scope`s.
"""

from __future__ import annotations

from typing import Any

__all__ = ["SUFFIXES", "read", "write"]

_HOMES = {"SUFFIXES": "layout", "read": "reader", "write": "writer"}


def __getattr__(name: str) -> Any:
    """Load what is asked for; the child process that opens stages needs no OpenTimelineIO."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
