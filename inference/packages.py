"""Trained weights that ordinary packages ship: no hub, no network."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from castline.schemas.errors import MissingDependencyError

FACE_DETECTOR = "mmod_human_face_detector.dat"
FACE_NETWORK = "dlib_face_recognition_resnet_model_v1.dat"
FACE_LANDMARKS = "shape_predictor_5_face_landmarks.dat"
_ADVICE = "pip install 'castline[faces]'"


def weights(name: str) -> Path:
    """Return the file of one of dlib's models, which `face_recognition_models` ships (CC0).

    The package itself is not imported: it asks for a module that newer Pythons lack. Raises
    `MissingDependencyError` where it is not installed.
    """
    spec = importlib.util.find_spec("face_recognition_models")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(folder) / "models" / name
        if path.is_file():
            return path
    raise MissingDependencyError(_ADVICE)


def require_dlib() -> Any:
    """Return dlib; raises `MissingDependencyError` where it is not installed."""
    try:
        import dlib
    except ImportError:
        raise MissingDependencyError(_ADVICE) from None
    return dlib


def require_numpy() -> None:
    """Raise `MissingDependencyError` where numpy, which all scoring needs, is not installed."""
    try:
        import numpy  # noqa: F401
    except ImportError:
        raise MissingDependencyError("pip install 'castline[score]'") from None


def has_torch() -> bool:
    """Say whether torch is installed."""
    return importlib.util.find_spec("torch") is not None


def require_torch() -> Any:
    """Return torch; raises `MissingDependencyError` where it is not installed."""
    try:
        import torch
    except ImportError:
        raise MissingDependencyError("pip install 'castline[torch]'") from None
    return torch
