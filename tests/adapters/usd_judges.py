"""Others who judge our stages: USD's and NVIDIA's validators, older USD, a reader that is no USD.

They answer in processes of their own, several files at once, since what is registered with USD
stays so, and two USDs do not live in one process. `make peers` fetches the others.
"""

from __future__ import annotations

import json
import math
import os
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from castline.adapters.usd.library import schema_folder

ROOT = Path(__file__).resolve().parents[2]
INSTALLED = ""
"""The version of USD that is installed."""
OLDER = ("25.11", "26.8")
NVIDIA = ROOT / ".peers" / "usd-validation-nvidia-1.22.0"


def core_errors(*paths: Path, registered: bool = False) -> list[str]:
    """Return what all validators of the installed USD say, and what it said on opening."""
    return _ask("core", paths, registered=registered)


def nvidia_errors(*paths: Path, registered: bool = False) -> list[str]:
    """Return the errors, failures and warnings of NVIDIA's rules, as they are on by default."""
    return _ask("nvidia", paths, NVIDIA, registered=registered)


def values_in(version: str, *paths: Path, registered: bool = False) -> list[dict[str, Any]]:
    """Return what each file says when this version of USD composes it.

    `stage` holds its metadata, `prims` by path: type, kind, name, apiSchemas, variants, assetInfo,
    attributes (the value, or the samples by their times) and relationships.
    """
    return _ask("values", paths, *_home_of(version), registered=registered)


def values_beneath(*paths: Path) -> list[dict[str, Any]]:
    """Return the same as `values_in` of stages without castline's overlays, if there are any.

    Also of what is inside instances; paths of files are whole.
    """
    return _ask("beneath", paths)


def tiny_values(*paths: Path) -> list[dict[str, Any]]:
    """Return the same as `values_in` for text files that went through tinyusdz.

    It reads no crate files with time codes, which all of ours have, and no prim names beyond
    ASCII. `as_tinyusdz_writes` says how it writes what it read.
    """
    return _ask("tiny", paths)


def as_tinyusdz_writes(answer: dict[str, Any]) -> dict[str, Any]:
    """Return an answer of `values_in` with numbers to six digits, and no visibility of scopes."""

    def six(number: Any) -> Any:
        if isinstance(number, list):
            return [six(each) for each in number]
        return float(f"{number:.5g}") if isinstance(number, float) else number

    prims = {}
    for path, prim in answer["prims"].items():
        prims[path] = {**prim, "attributes": {}}
        for name, value in prim["attributes"].items():
            if (prim["type"], name) != ("Scope", "visibility"):
                if isinstance(value, dict):
                    value = {six(float(at)): six(item) for at, item in value.items()}
                prims[path]["attributes"][name] = six(value)
    return {"stage": {name: six(value) for name, value in answer["stage"].items()}, "prims": prims}


def differences(one: Any, other: Any, where: str = "") -> list[str]:
    """Return where two answers of `values_in` differ, and in what."""
    if isinstance(one, dict) and isinstance(other, dict):
        keys = one.keys() | other.keys()
        return [text for k in keys for text in _differ(one, other, k, f"{where} {k}".strip())]
    return [] if _is_close(one, other) else [f"{where}: {one!r:.300} and {other!r:.300}"]


def _is_close(one: Any, other: Any) -> bool:
    """Say whether values are the same but for the last digits of what versions compute."""
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_is_close, one, other))
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9) or (one != one != other)
    if isinstance(one, str) and isinstance(other, str):  # vectors and matrices, as USD shows them
        return one == other or _rounded(one) == _rounded(other)
    return one == other


def _rounded(text: str) -> str:
    return re.sub(r"-?[0-9]+\.[0-9]{9,}", lambda found: f"{float(found[0]):g}", text)


def run(code: str, *arguments: str | Path, version: str = INSTALLED, **environment: str) -> str:
    """Run Python code in a process of its own with this version of USD; return what it prints."""
    return _python(["-c", code, *map(str, arguments)], _home_of(version), environment)


def _differ(one: dict[str, Any], other: dict[str, Any], key: str, where: str) -> list[str]:
    if key not in one or key not in other:
        return [f"{where}: only {'there' if key in other else 'here'}"]
    return differences(one[key], other[key], where)


def _ask(question: str, paths: Iterable[Path], *homes: Path, registered: bool = False) -> Any:
    environment = {"PXR_PLUGINPATH_NAME": str(schema_folder())} if registered else {}
    witness = Path(__file__).with_name("usd_witness.py")
    said = _python([str(witness), question, *map(str, paths)], homes, environment)
    return json.loads(said.rpartition("\n")[2])


def _python(command: list[str], homes: Iterable[Path], environment: dict[str, str]) -> str:
    for home in homes:
        if not home.is_dir():
            pytest.skip("the peers are not there; `make peers` fetches them")
    inherited = {k: v for k, v in os.environ.items() if k != "PXR_PLUGINPATH_NAME"}
    inherited["PYTHONPATH"] = os.pathsep.join(map(str, homes))
    done = subprocess.run(
        [sys.executable, *command],
        capture_output=True,
        text=True,
        env={**inherited, **environment},
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def _home_of(version: str) -> tuple[Path, ...]:
    return (ROOT / ".peers" / f"usd-core-{version}",) if version else ()
