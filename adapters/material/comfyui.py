"""ComfyUI records: the sampler passes that made a file, their models, texts and numbers.

Nodes are told by what they take rather than by name, since most are written by third parties.
What cannot be told is left out; the graph itself is kept verbatim by the caller.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from castline.adapters.material.comfyui_graph import (
    HOP_LIMIT,
    Graph,
    Node,
    find_ends,
    find_number,
    find_text,
    find_value,
    read_nodes,
    run_order,
    sort_ids,
)

NODE_LIMIT = 10_000
PASS_LIMIT = 32
"""Passes that are told of a graph at most: the last ones."""

_SEEDS = ("seed", "noise_seed")
_NUMBERS = ("steps", "cfg", "denoise", "start_at_step", "end_at_step", "guidance", "shift")
_SIZES = ("width", "height", "length", "num_frames", "batch_size")
_LATENTS = ("latent_image", "latent", "latents", "samples", "image_embeds", "pixels", "image")
_MODELS = ("ckpt_name", "unet_name", "gguf_name", "model_name", "model_path", "model")
_TEXTS = ("text", "text_g", "text_l", "clip_l", "clip_g", "t5xxl", "llama", "prompt", "string")
_ASIDE = ("clip", "model", "vae", "image", "control", "mask", "latent", "style", "t5")
_MEDIA = ("image", "video", "audio", "file")


@dataclass
class Pass:
    """One sampler's run, with what it was given."""

    node: str
    settings: dict[str, Any] = field(default_factory=dict)
    models: list[str] = field(default_factory=list)
    loras: list[dict[str, Any]] = field(default_factory=list)
    prompts: list[str] = field(default_factory=list)
    negative_prompts: list[str] = field(default_factory=list)

    def to_data(self) -> dict[str, Any]:
        """Return the pass as a plain dict without what is not known."""
        lists = {
            "models": self.models,
            "loras": self.loras,
            "prompts": self.prompts,
            "negative_prompts": self.negative_prompts,
        }
        return {"node": self.node, **self.settings, **{k: v for k, v in lists.items() if v}}


def read_fields(data: Mapping[str, Any], file_name: str = "") -> dict[str, Any]:
    """Return the fields of a `Generation` that a graph tells, `parameters` among them.

    Several outputs: those whose prefix begins `file_name` are followed, all when none does. The
    last pass before the output is the view; with more than one, all of them are in
    `parameters["passes"]`, in the order in which they ran.
    """
    graph = read_nodes(data)
    if not graph or len(graph) > NODE_LIMIT:
        return {"tool": "ComfyUI"}
    ends = [name for name in find_ends(graph, file_name) if not _is_sampler(graph[name])]
    order = run_order(graph, ends)
    samplers = _samplers(graph, order)
    if not samplers:  # no output leads to one, or the graph is a ring
        order = run_order(graph, sort_ids(graph))
        samplers = _samplers(graph, order)
    passes = [_read_pass(graph, name) for name in samplers[-PASS_LIMIT:]]
    fields = _view(passes[-1]) if passes else {"parameters": {}}
    fields["parameters"] |= _surroundings(graph, order)
    if len(passes) > 1:
        fields["parameters"]["passes"] = [item.to_data() for item in passes]
    return {"tool": "ComfyUI", "inputs": list(_media(graph, order)), **fields}


def _view(last: Pass) -> dict[str, Any]:
    parameters = {name: value for name, value in last.settings.items() if name != "seed"}
    if last.loras:
        parameters["loras"] = last.loras
    return {
        "seed": last.settings.get("seed"),
        "model": " + ".join(last.models) or None,
        "prompt": "\n".join(last.prompts) if last.prompts else None,
        "negative_prompt": "\n".join(last.negative_prompts) if last.negative_prompts else None,
        "parameters": parameters,
    }


def _samplers(graph: Graph, order: list[str]) -> list[str]:
    """Return the sampler nodes in the order of their passes: by how many come before each."""
    depth: dict[str, int] = {}
    for name in order:
        before = max((depth.get(link, 0) for link in graph[name].links.values()), default=0)
        depth[name] = before + _is_sampler(graph[name])
    return sorted((n for n in order if _is_sampler(graph[n])), key=depth.__getitem__)


def _is_sampler(node: Node) -> bool:
    given = node.inputs
    if "noise" in given and ("sigmas" in given or "guider" in given):
        return True
    seeded = any(name in given for name in _SEEDS)
    return seeded and any(name in given for name in ("steps", "sigmas", "prompt"))


def _read_pass(graph: Graph, name: str) -> Pass:
    node = graph[name]
    guider = graph.get(node.links.get("guider", ""), node)
    found = Pass(name, {k: v for k, v in _settings(graph, node, guider) if v is not None})
    _follow_model(graph, node.links.get("model") or guider.links.get("model"), found)
    if not found.models:
        literal = next((node.inputs[k] for k in _MODELS if _is_name(node.inputs.get(k))), None)
        if literal is not None:
            found.models.append(literal)
        elif "prompt" in node.inputs:
            found.models.append(node.kind)  # the node of a service is its model
    found.prompts = _texts(graph, guider, "positive")
    found.negative_prompts = _texts(graph, guider, "negative")
    return found


def _settings(graph: Graph, node: Node, guider: Node) -> Iterator[tuple[str, Any]]:
    noise = graph.get(node.links.get("noise", ""), node)
    sigmas = _behind_sigmas(graph, node)
    sampler = graph.get(node.links.get("sampler", ""), node)
    yield "seed", _integer(find_value(graph, noise, *_SEEDS))
    for name in _NUMBERS:
        owner = next((n for n in (node, guider, sigmas) if name in n.inputs), None)
        yield name, find_number(graph, owner, name) if owner else None
    yield "guidance", _guidance(graph, guider)
    for name, owner in (("sampler_name", sampler), ("scheduler", sigmas)):
        value = find_value(graph, owner, name)
        if isinstance(value, str):
            yield name, value
        elif owner is not node:  # such nodes are named after the one sampler that they are
            yield name, owner.kind
    size = _sized_latent(graph, node)
    if size is not None:
        for name in _SIZES:
            yield name, find_number(graph, size, name)


def _behind_sigmas(graph: Graph, node: Node) -> Node:
    """Return the node that makes the noise schedule; the sampler itself if it does."""
    found = node
    for _ in range(HOP_LIMIT):
        step = graph.get(found.links.get("sigmas", ""))
        if step is None or (found is not node and "steps" in found.inputs):
            return found
        found = step
    return node


def _sized_latent(graph: Graph, node: Node) -> Node | None:
    """Return the nearest node before a sampler that sets a size; none if a factor scales it."""
    found: Node | None = node
    for _ in range(HOP_LIMIT):
        if found is None or ("width" in found.inputs and "height" in found.inputs):
            return found
        if any(name.startswith("scale") for name in found.inputs):
            return None
        links = found.links
        found = next((graph.get(links[name]) for name in _LATENTS if name in links), None)
    return None


def _integer(value: Any) -> int | None:
    if isinstance(value, str):
        digits = value.strip()
        return int(digits) if digits.lstrip("-").isdecimal() and len(digits) < 40 else None
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    return value if type(value) is int else None


def _guidance(graph: Graph, node: Node) -> int | float | None:
    """Return the guidance that a node on the way of the texts sets, as Flux has it."""
    links = node.links
    name = links.get("positive") or links.get("conditioning")
    for _ in range(HOP_LIMIT):
        step = graph.get(name or "")
        if step is None or "guidance" in step.inputs:
            return find_number(graph, step, "guidance") if step else None
        name = next(iter(_conditioning(step, "positive")), None)
    return None


def _follow_model(graph: Graph, start: str | None, found: Pass) -> None:
    """Walk from a sampler to its checkpoints and gather LoRAs, in the order they are applied."""
    seen: set[str] = set()
    stack = [start]
    while stack:
        name = stack.pop()
        if name is None or name in seen or name not in graph:
            continue
        seen.add(name)
        node = graph[name]
        links = node.links
        found.loras[:0] = _loras(graph, node)
        model = next((node.inputs[k] for k in _MODELS if _is_name(node.inputs.get(k))), None)
        if model is not None and "model" not in links:
            found.models.append(model)
        onward = [source for key, source in links.items() if key.startswith(("model", "lora"))]
        if not onward and len(links) == 1 and model is None:
            onward = list(links.values())
        stack.extend(reversed(onward))


def _loras(graph: Graph, node: Node) -> Iterator[dict[str, Any]]:
    for key, item in node.inputs.items():
        if key in ("lora", "lora_name") and _is_name(item):
            names = [name for name in node.inputs if name.startswith("strength")]
            strengths = {name: find_number(graph, node, name) for name in names}
            yield {"name": item, **{n: v for n, v in strengths.items() if v is not None}}
        elif isinstance(item, Mapping) and _is_name(item.get("lora")) and item.get("on", True):
            names = [name for name in item if name.startswith("strength")]
            yield {"name": item["lora"], **{name: item[name] for name in names}}


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and value not in ("", "None", "none")


def _texts(graph: Graph, node: Node, side: str) -> list[str]:
    """Return every text that conditions one side of a sampler, in order, each once."""
    texts = _encoded(graph, node, (f"{side}_prompt", side))
    if texts:
        return texts
    links = node.links
    starts = (side, "conditioning", "cond1") if side == "positive" else (side,)
    stack = [links[key] for key in starts if key in links]
    keys: tuple[str, ...] = (f"{side}_prompt", side, *_TEXTS)
    if not stack and "text_embeds" in links:  # one link for both sides
        stack, keys = [links["text_embeds"]], keys if side == "positive" else keys[:2]
    if not stack:
        return _encoded(graph, node, ("prompt",)) if side == "positive" else []
    seen: set[str] = set()
    while stack:
        name = stack.pop()
        if name in seen or name not in graph or "zeroout" in graph[name].kind.casefold():
            continue
        seen.add(name)
        found = _encoded(graph, graph[name], keys)
        texts += [text for text in found if text not in texts]
        if not found:
            stack.extend(reversed(_conditioning(graph[name], side)))
    return texts


def _encoded(graph: Graph, node: Node, keys: tuple[str, ...]) -> list[str]:
    """Return the texts of a node that turns text into conditioning, of one side where it says."""
    own = [key for key in keys[:2] if _is_text(graph, node, key)]
    wanted = own or [key for key in keys[2:] or keys if _is_text(graph, node, key)]
    texts = (find_text(graph, node.inputs[key]) for key in wanted)
    return list(dict.fromkeys(text for text in texts if text is not None))


def _is_text(graph: Graph, node: Node, key: str) -> bool:
    value = node.inputs.get(key)
    if isinstance(value, str):
        return True
    return key not in ("positive", "negative") and find_text(graph, value) is not None


def _conditioning(node: Node, side: str) -> list[str]:
    links = node.links
    if side in links:
        return [links[side]]
    named = [source for key, source in links.items() if key.startswith("cond")]
    return named or [source for key, source in links.items() if not key.startswith(_ASIDE)]


def _surroundings(graph: Graph, order: list[str]) -> dict[str, Any]:
    """Return what is said once for the whole graph: VAE, text encoders, upscaler, frame rate."""
    found: dict[str, dict[Any, None]] = {}
    for name in order:
        for key, value in _said_once(graph, graph[name]):
            if isinstance(value, (str, int, float)):
                found.setdefault(key, {})[value] = None
    return {key: next(iter(v)) if len(v) == 1 else list(v) for key, v in found.items()}


def _said_once(graph: Graph, node: Node) -> Iterator[tuple[str, Any]]:
    kind = node.kind.casefold()
    for key, value in node.inputs.items():
        if key == "vae_name":
            yield "vae", value
        elif key.startswith("clip_name"):
            yield "clip", value
        elif key == "stop_at_clip_layer":
            yield key, value
        elif key == "model_name" and "upscale" in kind:
            yield "upscale_model", value
        elif key == "fps" or (key == "frame_rate" and "load" not in kind):
            yield "fps", find_number(graph, node, key)


def _media(graph: Graph, order: list[str]) -> Iterator[str]:
    """Yield the media that loaders put in, each once."""
    loaders = (graph[name].inputs for name in order if "load" in graph[name].kind.casefold())
    named = (given[key] for given in loaders for key in _MEDIA if key in given)
    yield from dict.fromkeys(value for value in named if isinstance(value, str) and value)
