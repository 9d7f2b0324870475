"""The graph that ComfyUI ran: its nodes, their order and the values that links lead to.

The graph is the "API" or "prompt" one: `{id: {"class_type": ..., "inputs": {...}}}`, where an
input is a literal or a link `[id, output index]`. It comes from strangers: every walk is bounded
and survives rings.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, TypeGuard

HOP_LIMIT = 200
"""Links that one walk follows at most."""
_TEXT_LIMIT = 100_000
_VALUES = ("value", "int", "float", "number", "string", "text", "prompt")
_STRINGS = ("text", "string", "value", "prompt")
_PARTS = ("string_", "text_")


@dataclass(frozen=True)
class Node:
    """One node: what it does, and what goes in."""

    kind: str
    inputs: Mapping[str, Any]

    @property
    def links(self) -> dict[str, str]:
        """The inputs that come from another node, by name."""
        return {name: item[0] for name, item in self.inputs.items() if _is_link(item)}


Graph = Mapping[str, Node]


def is_graph(data: Any) -> TypeGuard[Mapping[str, Any]]:
    """Return whether this parsed JSON is a graph that ComfyUI ran."""
    return isinstance(data, Mapping) and any(
        isinstance(node, Mapping) and "class_type" in node and "inputs" in node
        for node in data.values()
    )


def read_nodes(data: Mapping[str, Any]) -> Graph:
    """Return the nodes of a parsed graph; what is no node is passed over."""
    return {
        str(name): Node(node["class_type"], node["inputs"])
        for name, node in data.items()
        if isinstance(node, Mapping)
        and isinstance(node.get("inputs"), Mapping)
        and isinstance(node.get("class_type"), str)
    }


def sort_ids(names: Iterable[str]) -> list[str]:
    """Return node ids sorted as numbers, then as text."""
    return sorted(names, key=lambda name: (name.zfill(10) if name.isdecimal() else "~", name))


def find_ends(graph: Graph, file_name: str) -> list[str]:
    """Return the nodes that nothing comes after, only those that wrote this file where one did.

    An output node says how the names of its files begin; the longest fitting beginning wins.
    """
    used = {source for node in graph.values() for source in node.links.values()}
    ends = sort_ids(name for name in graph if name not in used)
    fits = {name: _prefix_length(graph[name], file_name) for name in ends}
    longest = max(fits.values(), default=0)
    return [name for name in ends if fits[name] == longest]


def run_order(graph: Graph, ends: Iterable[str]) -> list[str]:
    """Return the nodes that lead to these ends, sources first; rings are cut open."""
    order: list[str] = []
    seen: set[str] = set()
    for end in ends:
        stack = [(end, False)]
        while stack:
            name, done = stack.pop()
            if done:
                order.append(name)
            elif name in graph and name not in seen:
                seen.add(name)
                stack.append((name, True))
                stack.extend((link, False) for link in reversed(graph[name].links.values()))
    return order


def find_value(graph: Graph, node: Node, *names: str) -> Any:
    """Return the first of these inputs, through the nodes that only hand a value on."""
    value = next((node.inputs[name] for name in names if name in node.inputs), None)
    for _ in range(HOP_LIMIT):
        if not _is_link(value):
            return value
        source = graph.get(value[0])
        if source is None:
            return None
        keys = (*names, *_VALUES)
        value = next((source.inputs[key] for key in keys if key in source.inputs), None)
    return None


def find_number(graph: Graph, node: Node, *names: str) -> int | float | None:
    """Return the first of these inputs if it is a number."""
    value = find_value(graph, node, *names)
    return value if type(value) in (int, float) else None


def find_text(graph: Graph, value: Any) -> str | None:
    """Return a text, through the nodes that hold strings or join them."""
    return _find_text(graph, value, [HOP_LIMIT])


def _find_text(graph: Graph, value: Any, room: list[int]) -> str | None:
    if isinstance(value, str):
        return value
    room[0] -= 1
    if not _is_link(value) or value[0] not in graph or room[0] < 0:
        return None
    given = graph[value[0]].inputs
    parts = sorted(key for key in given if key.startswith(_PARTS) and len(key) <= 8)
    if len(parts) > 1:
        texts = [_find_text(graph, given[key], room) for key in parts]
        mark = given.get("delimiter", given.get("separator"))
        joined = (mark if isinstance(mark, str) else "").join(text for text in texts if text)
        return joined if len(joined) <= _TEXT_LIMIT else None
    key = next((key for key in (*_STRINGS, *parts) if key in given), None)
    return None if key is None else _find_text(graph, given[key], room)


def _is_link(item: Any) -> TypeGuard[list[Any]]:
    return (
        isinstance(item, list)
        and len(item) == 2
        and isinstance(item[0], str)
        and type(item[1]) is int
    )


def _prefix_length(node: Node, file_name: str) -> int:
    prefix = node.inputs.get("filename_prefix")
    if not isinstance(prefix, str):
        return 0
    start = PurePath(prefix.replace("\\", "/").partition("%")[0]).name
    return len(start) if file_name.startswith(start) else 0
