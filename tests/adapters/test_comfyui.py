"""A ComfyUI graph is walked to what made the file, whatever nodes stand between."""

from __future__ import annotations

import time

import pytest

from castline.adapters.material import comfyui, comfyui_graph


def node(kind, **inputs):
    return {"class_type": kind, "inputs": inputs}


def link(name, slot=0):
    return [str(name), slot]


def simple(**changes):
    graph = {
        "1": node("CheckpointLoaderSimple", ckpt_name="base.safetensors"),
        "2": node("CLIPTextEncode", text="a lighthouse", clip=link(1, 1)),
        "3": node("CLIPTextEncode", text="fog", clip=link(1, 1)),
        "4": node("EmptyLatentImage", width=832, height=480, batch_size=1),
        "5": node(
            "KSampler",
            seed=7,
            steps=20,
            cfg=6.5,
            sampler_name="euler",
            scheduler="normal",
            denoise=1.0,
            model=link(1),
            positive=link(2),
            negative=link(3),
            latent_image=link(4),
        ),
        "6": node("VAEDecode", samples=link(5), vae=link(1, 2)),
        "7": node("SaveImage", filename_prefix="take", images=link(6)),
    }
    graph.update({str(name).strip("n"): item for name, item in changes.items()})
    return graph


def test_a_plain_graph_gives_its_numbers_names_and_texts():
    fields = comfyui.read_fields(simple())
    assert fields["tool"] == "ComfyUI"
    assert (fields["seed"], fields["model"]) == (7, "base.safetensors")
    assert (fields["prompt"], fields["negative_prompt"]) == ("a lighthouse", "fog")
    assert fields["parameters"] == {
        "steps": 20,
        "cfg": 6.5,
        "denoise": 1.0,
        "sampler_name": "euler",
        "scheduler": "normal",
        "width": 832,
        "height": 480,
        "batch_size": 1,
    }


def test_values_come_through_nodes_that_only_hold_them():
    graph = simple(
        n8=node("PrimitiveInt", value=2**63 + 5),
        n9=node("Seed (rgthree)", seed=link(8)),
        n10=node("StringConcatenate", string_a=link(11), string_b="at dusk", delimiter=", "),
        n11=node("PrimitiveStringMultiline", value="a pier"),
    )
    graph["5"]["inputs"]["seed"] = link(9)
    graph["2"]["inputs"]["text"] = link(10)
    fields = comfyui.read_fields(graph)
    assert fields["seed"] == 2**63 + 5
    assert fields["prompt"] == "a pier, at dusk"


def test_seeds_are_integers_and_zero_is_one():
    for given, expected in ((0, 0), ("42", 42), (12.0, 12), ("random", None), (True, None)):
        graph = simple()
        graph["5"]["inputs"]["seed"] = given
        assert comfyui.read_fields(graph)["seed"] == expected
        assert type(comfyui.read_fields(graph)["seed"]) is type(expected)


def test_a_custom_sampler_is_put_together_from_its_parts():
    graph = {
        "1": node("UNETLoader", unet_name="flux1-dev.safetensors", weight_dtype="default"),
        "2": node("DualCLIPLoader", clip_name1="t5.safetensors", clip_name2="l.safetensors"),
        "3": node("VAELoader", vae_name="ae.safetensors"),
        "4": node("CLIPTextEncode", text="a gull", clip=link(2)),
        "5": node("FluxGuidance", guidance=3.5, conditioning=link(4)),
        "6": node("ModelSamplingFlux", model=link(1), width=1024, height=576),
        "7": node("BasicGuider", model=link(6), conditioning=link(5)),
        "8": node("RandomNoise", noise_seed=99),
        "9": node("KSamplerSelect", sampler_name="deis"),
        "10": node("BasicScheduler", scheduler="beta", steps=28, denoise=0.9, model=link(6)),
        "11": node("SplitSigmas", sigmas=link(10), step=0),
        "12": node("EmptySD3LatentImage", width=1024, height=576, batch_size=1),
        "13": node(
            "SamplerCustomAdvanced",
            noise=link(8),
            guider=link(7),
            sampler=link(9),
            sigmas=link(11, 1),
            latent_image=link(12),
        ),
        "14": node("VAEDecode", samples=link(13), vae=link(3)),
        "15": node("SaveImage", filename_prefix="x", images=link(14)),
    }
    fields = comfyui.read_fields(graph)
    assert (fields["seed"], fields["model"]) == (99, "flux1-dev.safetensors")
    assert (fields["prompt"], fields["negative_prompt"]) == ("a gull", None)
    assert fields["parameters"] == {
        "steps": 28,
        "denoise": 0.9,
        "guidance": 3.5,
        "sampler_name": "deis",
        "scheduler": "beta",
        "width": 1024,
        "height": 576,
        "batch_size": 1,
        "clip": ["t5.safetensors", "l.safetensors"],
        "vae": "ae.safetensors",
    }


def test_loras_are_recorded_in_the_order_they_are_applied():
    graph = simple(
        n8=node("LoraLoader", lora_name="a", strength_model=0.8, strength_clip=1, model=link(1)),
        n9=node("LoraLoaderModelOnly", lora_name="b", strength_model=0.5, model=link(8)),
        n10=node(
            "Power Lora Loader (rgthree)",
            lora_1={"on": True, "lora": "c", "strength": 0.3},
            lora_2={"on": False, "lora": "d", "strength": 1},
            model=link(9),
        ),
        n11=node("ThirdPartyPatch", amount=2, model=link(10)),
    )
    graph["5"]["inputs"]["model"] = link(11)
    fields = comfyui.read_fields(graph)
    assert fields["model"] == "base.safetensors"
    assert fields["parameters"]["loras"] == [
        {"name": "a", "strength_model": 0.8, "strength_clip": 1},
        {"name": "b", "strength_model": 0.5},
        {"name": "c", "strength": 0.3},
    ]


def test_two_samplers_are_two_passes_and_the_last_is_the_view():
    graph = simple(
        n8=node("UNETLoader", unet_name="low.safetensors"),
        n9=node(
            "KSamplerAdvanced",
            noise_seed=8,
            steps=20,
            start_at_step=10,
            cfg=1.0,
            model=link(8),
            positive=link(2),
            negative=link(3),
            latent_image=link(5),
        ),
    )
    graph["6"]["inputs"]["samples"] = link(9)
    fields = comfyui.read_fields(graph)
    assert (fields["seed"], fields["model"]) == (8, "low.safetensors")
    passes = fields["parameters"]["passes"]
    assert [item["seed"] for item in passes] == [7, 8]
    assert [item["models"] for item in passes] == [["base.safetensors"], ["low.safetensors"]]
    assert passes[1]["start_at_step"] == 10


def test_of_several_outputs_the_one_that_wrote_the_file_is_followed():
    graph = simple()
    graph["15"] = node("KSampler", **{**graph["5"]["inputs"], "seed": 1000})
    graph["16"] = node("VAEDecode", samples=link(15), vae=link(1, 2))
    graph["17"] = node("SaveImage", filename_prefix="shots/other_%date%", images=link(16))
    assert comfyui.read_fields(graph, "take_00001_.png")["seed"] == 7
    assert comfyui.read_fields(graph, "other_2026_00001_.png")["seed"] == 1000
    both = comfyui.read_fields(graph, "renamed.png")["parameters"]["passes"]
    assert sorted(item["seed"] for item in both) == [7, 1000]


def test_a_sampler_that_nothing_uses_did_not_run():
    graph = simple()
    graph["90"] = node("KSampler", **{**graph["5"]["inputs"], "seed": 1000})
    fields = comfyui.read_fields(graph)
    assert fields["seed"] == 7
    assert "passes" not in fields["parameters"]


def test_combined_texts_are_all_kept_and_a_zeroed_one_is_none():
    graph = simple(
        n8=node("CLIPTextEncode", text="a storm", clip=link(1, 1)),
        n9=node("ConditioningSetArea", conditioning=link(8), x=0, y=0, strength=1.0),
        n10=node("ConditioningCombine", conditioning_1=link(2), conditioning_2=link(9)),
        n11=node("ConditioningZeroOut", conditioning=link(2)),
        n12=node(
            "ControlNetApplyAdvanced",
            positive=link(10),
            negative=link(11),
            control_net=link(13),
            image=link(14),
        ),
        n13=node("ControlNetLoader", control_net_name="depth.safetensors"),
        n14=node("LoadImage", image="layout.png"),
    )
    graph["5"]["inputs"].update(positive=link(12, 0), negative=link(12, 1))
    fields = comfyui.read_fields(graph)
    assert fields["prompt"] == "a lighthouse\na storm"
    assert fields["negative_prompt"] is None
    assert fields["inputs"] == ["layout.png"]


def test_the_wrappers_for_video_models_are_understood():
    graph = {
        "1": node("WanVideoModelLoader", model="wan2.1.safetensors", lora=link(2)),
        "2": node("WanVideoLoraSelect", lora="rain.safetensors", strength=0.7),
        "3": node("WanVideoTextEncode", positive_prompt="rain", negative_prompt="sun", t5=link(9)),
        "4": node("WanVideoEmptyEmbeds", width=832, height=480, num_frames=81),
        "5": node(
            "WanVideoSampler",
            model=link(1),
            text_embeds=link(3),
            image_embeds=link(4),
            steps=30,
            cfg=6.0,
            shift=5.0,
            seed=5,
            scheduler="unipc",
        ),
        "6": node("WanVideoDecode", samples=link(5), vae=link(10)),
        "7": node("VHS_VideoCombine", images=link(6), frame_rate=16, filename_prefix="wan"),
        "9": node("LoadWanVideoT5TextEncoder", model_name="umt5.safetensors"),
        "10": node("WanVideoVAELoader", model_name="wan_vae.safetensors"),
    }
    fields = comfyui.read_fields(graph)
    assert (fields["seed"], fields["model"]) == (5, "wan2.1.safetensors")
    assert (fields["prompt"], fields["negative_prompt"]) == ("rain", "sun")
    parameters = fields["parameters"]
    assert parameters["loras"] == [{"name": "rain.safetensors", "strength": 0.7}]
    assert (parameters["num_frames"], parameters["fps"], parameters["shift"]) == (81, 16, 5.0)


def test_the_node_of_a_service_is_its_model_when_it_names_none():
    inputs = {"prompt": "a harbour", "negative_prompt": "people", "seed": 3}
    graph = {
        "1": node("VideoServiceNode", **inputs),
        "2": node("SaveVideo", video=link(1), filename_prefix="video/a"),
    }
    fields = comfyui.read_fields(graph)
    assert (fields["model"], fields["prompt"]) == ("VideoServiceNode", "a harbour")
    assert (fields["negative_prompt"], fields["seed"]) == ("people", 3)
    graph["1"]["inputs"]["model"] = "service-2"
    assert comfyui.read_fields(graph)["model"] == "service-2"


def test_a_size_that_a_factor_scales_is_not_claimed():
    graph = simple(n8=node("LatentUpscaleBy", scale_by=1.5, samples=link(4)))
    graph["5"]["inputs"]["latent_image"] = link(8)
    assert "width" not in comfyui.read_fields(graph)["parameters"]


def test_rings_do_not_hang():
    graph = simple()
    graph["1"] = node("Patch", model=link(1), clip=link(2))
    graph["2"] = node("Reroute", conditioning=link(3), text=link(2))
    graph["3"] = node("Reroute", conditioning=link(2), string=link(3))
    graph["4"] = node("Reroute", samples=link(5))
    graph["5"]["inputs"].update(seed=link(8), positive=link(2), sigmas=link(9))
    graph["8"] = node("Int", value=link(8))
    graph["9"] = node("SplitSigmas", sigmas=link(9))
    fields = comfyui.read_fields(graph)
    assert (fields["seed"], fields["model"], fields["prompt"]) == (None, None, None)
    ring = {"1": node("KSampler", seed=4, steps=2, latent_image=link(1))}
    assert comfyui.read_fields(ring)["seed"] == 4


def test_texts_that_double_at_every_node_are_given_up():
    graph = simple()
    graph["100"] = node("String", value="x" * 100)
    for n in range(101, 160):
        graph[str(n)] = node("Concat", string_a=link(n - 1), string_b=link(n - 1))
    graph["2"]["inputs"]["text"] = link(159)
    start = time.perf_counter()
    fields = comfyui.read_fields(graph)
    assert time.perf_counter() - start < 2
    assert fields["seed"] == 7
    assert len(fields["prompt"] or "") <= 100_000


def test_long_chains_and_many_nodes_are_walked_without_recursion():
    graph = simple()
    for n in range(100, 5100):
        graph[str(n)] = node("Patch", model=link(n - 1 if n > 100 else 1))
    graph["5"]["inputs"]["model"] = link(5099)
    assert comfyui.read_fields(graph)["model"] == "base.safetensors"
    graph.update({f"x{n}": node("Note", text="x") for n in range(comfyui.NODE_LIMIT)})
    assert comfyui.read_fields(graph) == {"tool": "ComfyUI"}


@pytest.mark.parametrize(
    "data", [{}, [], None, {"a": 1}, {"1": {"class_type": "X"}}, {"nodes": [], "links": []}]
)
def test_other_json_is_no_graph(data):
    assert not comfyui_graph.is_graph(data)


def test_broken_nodes_and_links_are_passed_over():
    graph = simple(n8={"class_type": 3, "inputs": {}}, n9={"class_type": "X", "inputs": []})
    graph["10"] = "text"
    graph["2"]["inputs"]["text"] = ["404", 0]
    graph["5"]["inputs"]["steps"] = ["404", "0"]
    fields = comfyui.read_fields(graph)
    assert fields["prompt"] is None
    assert "steps" not in fields["parameters"]
    assert fields["seed"] == 7
