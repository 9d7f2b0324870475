"""Whatever a graph holds, the walk ends and tells what a `Generation` can hold."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from castline.adapters.material import comfyui, generation

NAMES = [
    "seed",
    "noise_seed",
    "steps",
    "cfg",
    "noise",
    "guider",
    "sigmas",
    "sampler",
    "model",
    "lora",
    "lora_name",
    "lora_1",
    "ckpt_name",
    "positive",
    "negative",
    "conditioning",
    "text",
    "text_g",
    "string_a",
    "string_b",
    "delimiter",
    "prompt",
    "latent_image",
    "samples",
    "width",
    "height",
    "scale_by",
    "text_embeds",
    "guidance",
    "image",
    "fps",
    "vae_name",
    "filename_prefix",
    "value",
]
IDS = [str(number) for number in range(8)]
LINKS = st.tuples(st.sampled_from(IDS), st.integers(0, 2)).map(list)
LITERALS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.just({"lora": 1})
)
INPUTS = st.dictionaries(st.sampled_from(NAMES), st.one_of(LINKS, LINKS, LITERALS), max_size=7)
KINDS = st.sampled_from(["KSampler", "LoadImage", "ConditioningZeroOut", "UpscaleX", "Any"])
NODES = st.fixed_dictionaries({"class_type": KINDS, "inputs": INPUTS})


@settings(max_examples=150, deadline=2000)
@given(st.dictionaries(st.sampled_from(IDS), NODES, max_size=8))
def test_any_graph_is_walked_to_an_end(graph):
    fields = comfyui.read_fields(graph, "take_00001_.png")
    found = generation.make(fields)
    assert found.tool == "ComfyUI"
    assert generation.Generation.from_data(found.to_data()) == found
