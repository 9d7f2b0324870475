"""castline carries AI-generated shots and their characters between the cut and the scene.

The verbs are functions of the same names as on the command line. They are loaded when they are
first used, so that `import castline` costs no more than OpenTimelineIO itself.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "read": "castline.adapters.files",
    "write": "castline.adapters.files",
    "read_cast": "castline.adapters.material.cast:read",
    "info": "castline.verbs.info",
    "plan": "castline.verbs.plan",
    "conform": "castline.verbs.conform",
    "decide": "castline.verbs.decide",
    "deliver": "castline.verbs.deliver",
    "score": "castline.verbs.score",
    "calibrate": "castline.verbs.calibrate",
    "boxes": "castline.verbs.boxes",
    "check": "castline.verbs.check",
    "publish": "castline.verbs.publish",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'castline' has no attribute {name!r}")
    module, _, other = _HOMES[name].partition(":")
    value = getattr(import_module(module), other or name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
