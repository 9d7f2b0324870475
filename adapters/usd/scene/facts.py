"""What the child answers about a scene: plain lists and dicts, made and read in one place."""

from __future__ import annotations

import math
import os
from typing import Any

MAX_PROBLEMS = 100


def problem(rule: str, where: str, message: str) -> list[str]:
    """Return one thing that is wrong with a scene and does not keep it from being read."""
    return [rule, where, " ".join(message.split())[:400]]


def first_of(problems: list[list[str]]) -> list[list[str]]:
    """Return so many problems as people read, and how many more there are."""
    more = len(problems) - MAX_PROBLEMS
    if more <= 0:
        return problems
    return [*problems[:MAX_PROBLEMS], problem("more", "/", f"and {more} more of these")]


def prim_facts(prim: Any, folder: str) -> dict[str, Any]:
    """Return what tells a prim from others: path, type, layer, names, identity, labels.

    `layer` is the file that holds its strongest opinion, relative to the scene's folder.
    """
    stack = prim.GetPrimStack()
    layer = stack[0].layer if stack else None
    return {
        "path": str(prim.GetPath()),
        "type": str(prim.GetTypeName()),
        "layer": layer_name(layer, folder) if layer else "",
        "names": names_of(prim),
        "identity": identity_of(prim),
        "display": display_name(prim),
    }


def names_of(prim: Any) -> list[str]:
    """Return the names a prim goes by, the most telling first: asset, display name, own name."""
    info = prim.GetAssetInfo()
    name = info.get("name") if info else None
    found = [name if isinstance(name, str) else "", prim.GetDisplayName(), prim.GetName()]
    return list(dict.fromkeys(text for text in found if text))


def display_name(prim: Any) -> str:
    """Return the name that people are to see."""
    return names_of(prim)[0]


def identity_of(prim: Any) -> str:
    """Return the identifier of the asset that a prim is, if it says one (`assetInfo`)."""
    info = prim.GetAssetInfo()
    found = info.get("identifier") if info else None
    return str(getattr(found, "path", found) or "")


def value_of(prim: Any, name: str) -> Any:
    """Return the value of an attribute, None where there is none."""
    attribute = prim.GetAttribute(name)
    return attribute.Get() if attribute else None


def number_of(prim: Any, name: str) -> float | None:
    """Return the finite number or time code that an attribute holds, else None."""
    value = value_of(prim, name)
    value = value.GetValue() if hasattr(value, "GetValue") else value
    is_number = isinstance(value, (int, float)) and math.isfinite(value)
    return float(value) if is_number else None


def samples_of(attribute: Any) -> list[float]:
    """Return the times at which an attribute has samples, where it has several."""
    from pxr import Tf

    try:
        times = attribute.GetTimeSamples() if attribute.ValueMightBeTimeVarying() else []
    except Tf.ErrorException:  # as with a time that is no number
        return []
    return [time for time in times if math.isfinite(time)]


def layer_name(layer: Any, folder: str) -> str:
    """Return a layer's file relative to the scene's folder, with forward slashes."""
    if layer.anonymous:
        return ""
    return relative_to(layer.realPath or layer.identifier, folder)


def relative_to(path: str, folder: str) -> str:
    """Return a path as seen from a folder, with forward slashes."""
    try:
        return os.path.relpath(path, folder).replace(os.sep, "/")
    except ValueError:  # Windows: another drive
        return path
