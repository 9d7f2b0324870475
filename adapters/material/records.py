"""What programs write about how they made a picture, apart from ComfyUI: told into one shape.

Each reader returns the fields of a `Generation`, or None for a record of another shape. Numbers
and names in `parameters` stay as the program has them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from castline.adapters.material import comfyui, comfyui_graph, jsontext
from castline.schemas.errors import UnreadableFileError

_SETTINGS = re.compile(r"^Steps: ", re.MULTILINE)
_NEGATIVE = re.compile(r"^Negative prompt:[ ]?", re.MULTILINE)
_KEY = re.compile(r"\s*([^\W\d_][^:,\n]{0,60}):\s*")
_NEXT = re.compile(r",\s*(?=[^\W\d_][^:,\n]{0,60}:(?:\s|$))|\n")
_WHOLE = re.compile(r"0|-?[1-9][0-9]{0,39}")
_FIELDS = {
    "tool": ("tool", "software", "generator", "service"),
    "tool_version": ("tool_version",),
    "model": ("model", "checkpoint", "model_name"),
    "prompt": ("prompt", "positive_prompt"),
    "negative_prompt": ("negative_prompt",),
    "seed": ("seed", "noise_seed"),
    "created": ("created", "created_at", "date"),
    "digital_source_type": ("digital_source_type",),
    "inputs": ("inputs",),
}


def read_json(data: Any, file_name: str = "") -> dict[str, Any] | None:
    """Return the fields that a parsed record of any known shape tells, None for another."""
    if not isinstance(data, Mapping):
        return None
    if comfyui_graph.is_graph(data):
        return comfyui.read_fields(data, file_name)
    for reader in (_read_combined, _read_invoke, _read_fooocus, _read_novel):
        fields = reader(data, file_name)
        if fields is not None:
            return fields
    fields = read_named(data)
    says = fields.keys()
    return fields if says & {"prompt", "seed"} or {"tool", "model"} <= says else None


def read_named(data: Mapping[str, Any], place: str = "") -> dict[str, Any]:
    """Return the fields of a record that names them as castline does, or nearly so.

    What is not known goes to `parameters`, and so does a field of the wrong kind. With `place` a
    seed that is no integer raises `UnreadableFileError` instead.
    """
    given = {_plain_name(key): key for key in data if data[key] not in (None, "")}
    fields: dict[str, Any] = {}
    for field, names in _FIELDS.items():
        name = next((name for name in names if name in given), None)
        value = data[given[name]] if name else None
        if field == "seed" and place and value is not None:
            value = read_seed(value, place)
        if name and (value := _fit(field, value)) is not None:
            fields[field] = value
            del given[name]
    inner = data[given["parameters"]] if "parameters" in given else None
    if isinstance(inner, Mapping):
        del given["parameters"]
    rest = {str(key): data[key] for key in given.values()}
    return fields | {"parameters": rest | (dict(inner) if isinstance(inner, Mapping) else {})}


def _fit(field: str, value: Any) -> Any:
    """Return the value as its field wants it, None if it is of another kind."""
    if field == "seed":
        return _seed_or_none(value)
    if field == "inputs":
        return [str(item) for item in value] if isinstance(value, list) else [str(value)]
    return str(value) if type(value) in (str, int, float) else None


def read_seed(value: Any, place: str = "") -> int:
    """Return a seed as the exact integer that it is.

    Raises `UnreadableFileError` for one whose digits are lost: spreadsheets write long seeds as
    1.23E+15.
    """
    if type(value) is int:
        return value
    if isinstance(value, str) and _WHOLE.fullmatch(value.strip()):
        return int(value.strip())
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    raise UnreadableFileError(
        f"{place or 'seed'}: found the seed {str(value)[:40]!r}, expected a whole number"
    )


def read_number(text: str) -> Any:
    """Return a text as the number that prints back as the same text, else the text itself."""
    if _WHOLE.fullmatch(text):
        return int(text)
    try:
        number = float(text)
    except ValueError:
        return text
    return number if repr(number) == text else text


def read_settings_text(text: str) -> dict[str, Any] | None:
    """Return what the text of AUTOMATIC1111 and its relatives says.

    The prompt, then `Negative prompt:`, then one line of `Name: value` pairs that begins with
    `Steps:`; values in quotes or brackets are JSON.
    """
    *_, found = [None, *_SETTINGS.finditer(text)]
    if found is None:
        return None
    texts, settings = text[: found.start()], _pairs(text[found.start() :])
    *_, mark = [None, *_NEGATIVE.finditer(texts)]
    prompt = texts[: mark.start()] if mark else texts
    version = str(settings.pop("Version", ""))
    seed = settings.pop("Seed", None)
    return {
        "tool": next((t for t in ("Fooocus", "ComfyUI") if t in version), "AUTOMATIC1111"),
        "tool_version": version or None,
        "model": _text_or_none(settings.pop("Model", None)),
        "prompt": prompt.strip("\n"),
        "negative_prompt": texts[mark.end() :].strip("\n") if mark else None,
        "seed": seed if type(seed) is int else None,
        "parameters": settings,
    }


def _pairs(text: str) -> dict[str, Any]:
    pairs: dict[str, Any] = {}
    at = 0
    while match := _KEY.match(text, at):
        at = match.end()
        value, at = _value(text, at)
        pairs.setdefault(match[1].strip(), value)
        while at < len(text) and text[at] in ", \n":
            at += 1
    return pairs


def _value(text: str, at: int) -> tuple[Any, int]:
    if text[at : at + 1] in ('"', "[", "{"):
        try:
            return json.JSONDecoder(parse_constant=lambda _: None).raw_decode(text, at)
        except (ValueError, RecursionError):
            pass  # no JSON after all
    end = _NEXT.search(text, at)
    stop = end.start() if end else len(text)
    return read_number(text[at:stop].strip()), stop


def _read_combined(data: Mapping[str, Any], file_name: str) -> dict[str, Any] | None:
    """Read a graph beside other things: VHS_VideoCombine's comment, an API request."""
    graph = data.get("prompt")
    if isinstance(graph, str) and graph.lstrip().startswith("{"):
        try:
            graph = jsontext.parse(graph, "prompt")
        except UnreadableFileError:
            return None
    if comfyui_graph.is_graph(graph):
        fields = comfyui.read_fields(graph, file_name)
        created = data.get("CreationTime")
        return fields | ({"created": created} if isinstance(created, str) else {})
    workflow = data.get("workflow", data)
    if isinstance(workflow, Mapping) and {"nodes", "links"} <= workflow.keys():
        return {"tool": "ComfyUI"}  # the editor's own graph: kept, but it names no inputs
    return None


def _read_invoke(data: Mapping[str, Any], _file_name: str) -> dict[str, Any] | None:
    model = data.get("model")
    if not (isinstance(model, Mapping) or "generation_mode" in data or "app_version" in data):
        return None
    if "positive_prompt" not in data and "generation_mode" not in data:
        return None
    model = model if isinstance(model, Mapping) else {}
    used = ("positive_prompt", "negative_prompt", "seed", "app_version")
    return {
        "tool": "InvokeAI",
        "tool_version": _text_or_none(data.get("app_version")),
        "model": _text_or_none(model.get("model_name") or model.get("name")),
        "prompt": _text_or_none(data.get("positive_prompt")),
        "negative_prompt": _text_or_none(data.get("negative_prompt")),
        "seed": _seed_or_none(data.get("seed")),
        "parameters": {key: value for key, value in data.items() if key not in used},
    }


def _read_fooocus(data: Mapping[str, Any], _file_name: str) -> dict[str, Any] | None:
    version = str(data.get("version", ""))
    if data.get("metadata_scheme") != "fooocus" and not version.startswith("Fooocus"):
        return None
    used = ("prompt", "negative_prompt", "base_model", "seed", "version", "metadata_scheme")
    return {
        "tool": "Fooocus",
        "tool_version": version.removeprefix("Fooocus").strip() or None,
        "model": _text_or_none(data.get("base_model")),
        "prompt": _text_or_none(data.get("prompt")),
        "negative_prompt": _text_or_none(data.get("negative_prompt")),
        "seed": _seed_or_none(data.get("seed")),
        "parameters": {key: value for key, value in data.items() if key not in used},
    }


def _read_novel(data: Mapping[str, Any], _file_name: str) -> dict[str, Any] | None:
    if "uc" not in data or "seed" not in data or "steps" not in data:
        return None
    used = ("prompt", "uc", "seed")
    return {
        "tool": "NovelAI",
        "prompt": _text_or_none(data.get("prompt")),
        "negative_prompt": _text_or_none(data.get("uc")),
        "seed": _seed_or_none(data.get("seed")),
        "parameters": {key: value for key, value in data.items() if key not in used},
    }


def _plain_name(key: Any) -> str:
    return re.sub(r"[\s-]+", "_", str(key).strip().casefold())


def _text_or_none(value: Any) -> str | None:
    return None if value is None else str(value)


def _seed_or_none(value: Any) -> int | None:
    try:
        return read_seed(value)
    except UnreadableFileError:
        return None
